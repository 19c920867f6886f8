"""The tables [[metrics]] of a spec: what is measured, and where it is found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePosixPath

from archgym.checked_table import short
from archgym.errors import ContractError
from archgym.metrics import Metric
from simulators.command import units
from simulators.command.kinds import NUMBER, TRUTH
from simulators.command.readings import REDUCTIONS, query
from simulators.command.spec import Reading
from simulators.command.spec_space import WORDS
from simulators.command.spec_table import Table
from simulators.command.texts import TextError

METRIC_KEYS = (
    *("name", "goal", "bounds", "doc", "source", "pattern", "match", "path", "column", "row", "format"),
    *("unit", "to", "scale", "value"),
)
TREES = {".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}


def read_readings(spec: Table, kinds: Mapping[str, str]) -> tuple[Reading, ...]:
    """The metrics of a spec, in order.

    Args:
        spec: the whole table.
        kinds: of parameters and constants, by name.

    Raises:
        SpecError: there is none, two have one name, or a key is wrong.
    """
    found: list[Reading] = []
    for table in spec.tables("metrics", METRIC_KEYS, "name"):
        earlier = [reading.metric.name for reading in found]
        reading = _reading(table, {**kinds, **dict.fromkeys(earlier, NUMBER)})
        if reading.metric.name in earlier:
            raise table.error(f"two [[metrics]] are called {reading.metric.name!r}")
        if reading.metric.name in kinds:
            raise table.error(f"{reading.metric.name!r} is a parameter or constant already; a metric needs another name")
        found.append(reading)
    if not found:
        raise spec.error("at least one [[metrics]] is needed: what is measured")
    return tuple(found)


def _reading(table: Table, kinds: Mapping[str, str]) -> Reading:
    metric = _metric(table)
    kind = table.only_one("pattern", "path", "column", "value")
    for key, needed in (("match", ("pattern",)), ("row", ("column",)), ("format", ("path", "column"))):
        if key in table and kind not in needed:
            raise table.error(f"{key} goes with {' or '.join(needed)}, not with {kind}")
    if kind == "value":
        if "source" in table:
            raise table.error("a value is worked out from other metrics and has no source")
        expression = table.expression("value", table.content["value"], kinds, (NUMBER, TRUTH))
        return Reading(metric, "", kind, expression.text, form="", factor=_factor(table, metric.name))
    source = table.text("source") if table.content.get("source") in ("stdout", "stderr") else table.inside("source")
    return Reading(
        metric,
        source,
        kind,
        where=_where(table, kind),
        match=_match(table, kind),
        row=_row(table),
        form=_form(table, kind, source),
        factor=_factor(table, metric.name),
    )


def _metric(table: Table) -> Metric:
    name = table.identifier("name", WORDS)
    bounds = table.content.get("bounds", [-math.inf, math.inf])
    numbers = isinstance(bounds, list) and len(bounds) == 2
    if not numbers or any(isinstance(end, bool) or not isinstance(end, int | float) for end in bounds):
        raise table.wrong("bounds", "two numbers [low, high]; inf is allowed")
    goal = table.choice("goal", ("min", "max", "info"), "min")
    try:
        return Metric(name, goal, (float(bounds[0]), float(bounds[1])), table.text("doc", ""))  # type: ignore[arg-type]
    except ContractError as error:
        raise table.error(error) from None


def _where(table: Table, kind: str) -> str:
    if kind == "column":
        column = table.content["column"]
        if isinstance(column, int) and not isinstance(column, bool) and column >= 0:
            return str(column)
        if not isinstance(column, str) or not column.strip() or column.isdecimal():
            raise table.wrong("column", "the name of a column, or its number from 0 in a table without a header")
        return column.strip()
    where = table.text(kind)
    if kind == "pattern":
        groups = table.pattern(kind, where).groups
        if groups < 1:
            raise table.error(f"pattern: {short(where)} needs a group in round brackets around the number")
        return where
    try:
        query(where)
    except TextError as error:
        raise table.error(f"path: {error}") from None
    return where


def _match(table: Table, kind: str) -> str:
    if kind == "pattern":
        return table.choice("match", tuple(REDUCTIONS), "last")
    row = table.content.get("row", -1)
    return str(row) if kind == "column" and row in REDUCTIONS else "row"


def _row(table: Table) -> int:
    row = table.content.get("row", -1)
    if isinstance(row, str) and row in REDUCTIONS:
        return -1
    if isinstance(row, bool) or not isinstance(row, int):
        raise table.wrong("row", f"a whole number, 0 for the first row and -1 for the last, or one of {', '.join(REDUCTIONS)}")
    return row


def _form(table: Table, kind: str, source: str) -> str:
    if kind == "pattern":
        return "text"
    ending = PurePosixPath(source).suffix.lower()
    if kind == "column":
        return table.choice("format", ("csv", "tsv"), "tsv" if ending == ".tsv" else "csv")
    if "format" not in table and ending not in TREES:
        raise table.error(f"what {source} holds must be said; write format = one of {', '.join(sorted(set(TREES.values())))}")
    return table.choice("format", tuple(dict.fromkeys(TREES.values())), TREES.get(ending, ""))


def _factor(table: Table, name: str) -> float:
    scale = table.number("scale", 1.0)
    if "unit" not in table:
        if "to" in table:
            raise table.error("to is the unit that the metric is to have; unit, the one that is printed, is missing")
        return scale
    printed, wanted = table.text("unit"), table.text("to") if "to" in table else units.unit_of(name)
    if wanted is None:
        raise table.error(f"unit: the name {name!r} ends in no unit that is known; say which one it has by to = ...")
    try:
        return scale * units.factor(printed, wanted)
    except units.UnitError as error:
        raise table.error(f"unit: {error}") from None
