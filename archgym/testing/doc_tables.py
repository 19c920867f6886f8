"""Compares the tables in a simulator's docstring with its space and metrics.

Tables are simple reStructuredText tables.  One with a column ``values`` describes parameters, one with a column ``goal``
describes metrics; each has a column ``name``, and of the others ``#``, ``ordered``, ``unit``, ``group`` and ``range`` are
compared too::

    ==  ===========  =======  ========  ======================
    #   name         ordered  unit      values (small / large)
    ==  ===========  =======  ========  ======================
    0   page_policy  no                 Open, Closed
    1   buffer_size  yes      requests  1, 2, 4 .. 128 / 1 .. 8
    ==  ===========  =======  ========  ======================

``values`` lists all levels, or the first ones and the last with ``..`` between; ``/`` separates alternatives of a class whose
space depends on its arguments.  A row named ``first .. last`` stands for all metrics from the one to the other.  A class
without such tables has nothing to compare.
"""

from __future__ import annotations

import inspect
import math
import re
from typing import Any

from archgym.metrics import Metric
from archgym.simulator import Simulator
from archgym.space import Parameter
from archgym.testing.check import expect

Row = dict[str, str]
_RULE = re.compile(r"^\s*=+( +=+)+\s*$")


def check_tables(simulator: Simulator) -> None:
    """Compares; raises ``Mismatch`` at the first cell that differs."""
    for table in read_tables(inspect.getdoc(type(simulator)) or ""):
        listed = [row["name"] for row in table]
        if "values" in table[0]:
            names = list(simulator.space.names)
            expect(listed == names, f"a table of the parameters {names}", listed)
            for position, (row, parameter) in enumerate(zip(table, simulator.space.parameters, strict=True)):
                _check_parameter(row, position, parameter)
        elif "goal" in table[0]:
            rows = _expanded(table, simulator.metric_names)
            listed = [row["name"] for row in rows]
            expect(listed == list(simulator.metric_names), f"a table of the metrics {simulator.metric_names}", listed)
            for row, metric in zip(rows, simulator.metrics, strict=True):
                _check_metric(row, metric)


def read_tables(text: str) -> list[list[Row]]:
    """All simple tables of a text that have a column ``name``, as lists of rows; a header counts up to its parenthesis."""
    tables: list[list[Row]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if not _RULE.match(line):
            continue
        starts = [match.start() for match in re.finditer(r"=+", line)]
        header = [cell.partition("(")[0].strip().lower() for cell in _cells(next(lines, ""), starts)]
        rows: list[Row] = []
        next(lines, "")
        for content in lines:
            if _RULE.match(content):
                break
            rows.append(dict(zip(header, _cells(content, starts), strict=True)))
        if rows and "name" in header:
            tables.append(rows)
    return tables


def _cells(line: str, starts: list[int]) -> list[str]:
    return [line[start:stop].strip().replace("`", "") for start, stop in zip(starts, [*starts[1:], None], strict=True)]


def _expanded(table: list[Row], names: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for row in table:
        first, gap, last = (part.strip() for part in row["name"].partition(".."))
        covered = names[names.index(first) : names.index(last) + 1] if gap and first in names and last in names else (first,)
        rows += [{**row, "name": name} for name in covered]
    return rows


def _check_parameter(row: Row, position: int, parameter: Parameter) -> None:
    declared = {
        "#": str(position),
        "ordered": "yes" if parameter.ordered else "no",
        "unit": parameter.unit,
        "group": parameter.group,
    }
    for column, value in declared.items():
        if column in row:
            expect(row[column] == value, f"{column} {value!r} of {parameter.name} in its table", repr(row[column]))
    alternatives = row["values"].split(" / ")
    fits = any(_lists(cell, parameter) for cell in alternatives)
    expect(fits, f"values {parameter.values} of {parameter.name} in its table", repr(row["values"]))


def _lists(cell: str, parameter: Parameter) -> bool:
    values = [_plain(value) for value in parameter.values]
    first, gap, last = cell.partition("..")
    leading = [_plain(text) for text in first.split(",") if text.strip()]
    if not gap:
        return leading == values
    return bool(leading) and values[: len(leading)] == leading and values[-1] == _plain(last)


def _plain(value: Any) -> str:
    text = str(value).strip()
    try:
        return f"{float(text):.12g}"
    except ValueError:
        return text


def _check_metric(row: Row, metric: Metric) -> None:
    expect(row["goal"] == metric.goal, f"the goal {metric.goal!r} of {metric.name} in its table", repr(row["goal"]))
    if row.get("range"):
        low, _, high = row["range"].partition("..")
        bounds = (_bound(low, -math.inf), _bound(high, math.inf))
        expect(bounds == metric.bounds, f"the range {metric.bounds} of {metric.name} in its table", repr(row["range"]))


def _bound(text: str, missing: float) -> float:
    return float(text) if text.strip() else missing
