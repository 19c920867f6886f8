"""The design space of a spec: parameters with their values or ranges, and constraints."""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from archgym.checked_table import short
from archgym.errors import ContractError
from archgym.space import Constraint, DesignSpace, Parameter
from simulators.command.expression import RESERVED, Expression
from simulators.command.kinds import TRUTH
from simulators.command.rules import Rule
from simulators.command.spec_table import Table

PARAMETER_KEYS = ("name", "values", "range", "ordered", "unit", "group", "doc", "default")
RANGE_KEYS = ("from", "to", "step", "factor", "count")
CONSTRAINT_KEYS = ("name", "holds", "doc")
WORDS = RESERVED | frozenset(keyword.kwlist) | {"spec_folder"}
"""Names that templates and expressions use themselves."""
MOST_VALUES = 100_000
"""Of one parameter."""
MOST_POWERS = 1_000
"""Of a range with a factor: exact powers grow long."""


def read_parameters(spec: Table) -> tuple[Parameter, ...]:
    """The parameters of a spec, in order.

    Raises:
        SpecError: there is none, two have one name, or a key is wrong.
    """
    found = [_parameter(table) for table in spec.tables("parameters", PARAMETER_KEYS, "name")]
    if not found:
        raise spec.error("at least one [[parameters]] is needed: what can be designed")
    names = [parameter.name for parameter in found]
    for name in names:
        if names.count(name) > 1:
            raise spec.error(f"two [[parameters]] are called {name!r}")
    return tuple(found)


def _parameter(table: Table) -> Parameter:
    name = table.identifier("name", WORDS)
    values = _listed(table) if table.only_one("values", "range") == "values" else range_values(table)
    numeric = not isinstance(values[0], bool | str)
    default = table.content.get("default")
    if default is not None:
        same = [value for value in values if value == default and isinstance(value, bool) is isinstance(default, bool)]
        if not same:
            raise table.wrong("default", f"one of {short(list(values))}")
        default = same[0]
    try:
        return Parameter(
            name,
            values,
            ordered=table.flag("ordered", numeric),
            unit=table.text("unit", ""),
            group=table.text("group", ""),
            doc=table.text("doc", ""),
            default=default,
        )
    except ContractError as error:
        raise table.error(error) from None


def _listed(table: Table) -> tuple[Any, ...]:
    values = table.content["values"]
    if not isinstance(values, list) or not values:
        raise table.wrong("values", "a list of numbers, texts or truth values, at least one")
    if len(values) > MOST_VALUES:
        raise table.error(f"values may hold {MOST_VALUES:,}, got {len(values):,}")
    if {type(value) for value in values} == {int, float}:
        values = [float(value) for value in values]
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise table.wrong("values", "finite")
    return tuple(values)


def range_values(parameter: Table) -> tuple[int | float, ...]:
    """The values of a range, both ends included where they are reached.

    They are worked out as fractions of what is written, so that steps of 0.1 are 0.1, 0.2, 0.3.  Whole numbers stay so if all
    that is written is whole.

    Raises:
        SpecError: a key is wrong, or the range is empty or too long.
    """
    table = Table(parameter.content["range"], RANGE_KEYS, f"{parameter.where}: range")
    first, last = _exact(table, "from"), _exact(table, "to")
    kind = table.only_one("step", "factor", "count")
    by = _exact(table, kind)
    if first > last:
        raise table.error(f"from must not be above to, got {table.content['from']} and {table.content['to']}")
    if kind == "count":
        found = _spaced(table, first, last)
    elif kind == "step":
        if by <= 0:
            raise table.wrong("step", "above 0")
        steps = (last - first) // by
        found = [first + by * step for step in range(min(int(steps), MOST_VALUES) + 1)]
    else:
        if by <= 1 or first <= 0:
            raise table.error("a range with a factor needs a factor above 1 and from above 0")
        found = [first]
        while found[-1] * by <= last:
            if len(found) == MOST_POWERS:
                raise table.error(f"it has more than {MOST_POWERS:,} values")
            found.append(found[-1] * by)
    if len(found) > MOST_VALUES:
        raise table.error(f"it has more than {MOST_VALUES:,} values")
    written = [table.content["from"], table.content["to"], *([] if kind == "count" else [table.content[kind]])]
    if all(isinstance(value, int) for value in written) and all(value.denominator == 1 for value in found):
        return tuple(int(value) for value in found)
    return tuple(float(value) for value in found)


def _spaced(table: Table, first: Fraction, last: Fraction) -> list[Fraction]:
    count = table.whole("count", 0, 2)
    if count > MOST_VALUES:
        raise table.wrong("count", f"at most {MOST_VALUES:,}")
    return [first + (last - first) * step / (count - 1) for step in range(count)]


def _exact(table: Table, key: str) -> Fraction:
    value = table.required(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise table.wrong(key, "a number")
    return Fraction(repr(value))


def read_constraints(spec: Table, kinds: Mapping[str, str], constants: Mapping[str, Any]) -> tuple[Constraint, ...]:
    """The constraints of a spec.

    Args:
        spec: the whole table.
        kinds: of parameters and constants, by name.
        constants: of the first workload.

    Raises:
        SpecError: an expression that cannot be read or uses an unknown name, or two constraints of one name.
    """
    found: list[Constraint] = []
    for table in spec.tables("constraints", CONSTRAINT_KEYS, "name"):
        name = table.text("name")
        if name in [rule.name for rule in found]:
            raise table.error(f"two [[constraints]] are called {name!r}")
        expression = table.expression("holds", table.required("holds"), kinds, (TRUTH,))
        found.append(_constraint(name, expression, table.text("doc", ""), constants))
    return tuple(found)


def _constraint(name: str, expression: Expression, doc: str, constants: Mapping[str, Any]) -> Constraint:
    used = {key: constants[key] for key in sorted(expression.names) if key in constants}
    rule = Rule(expression, tuple(used.items()), doc)
    return Constraint(name, rule, rule.words)


def with_constants(space: DesignSpace, constants: Mapping[str, Any]) -> DesignSpace:
    """A space whose rules hold other constants."""
    rules = [(rule.name, rule.amount) for rule in space.constraints]
    constraints = tuple(
        _constraint(name, rule.expression, rule.doc, constants) for name, rule in rules if isinstance(rule, Rule)
    )
    return replace(space, constraints=constraints)
