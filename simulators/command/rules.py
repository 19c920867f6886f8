"""Rules: expressions that a design must make true, and how far it is from doing so."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.space import Columns
from simulators.command.arithmetic import ExpressionError, is_number
from simulators.command.expression import Expression, comparisons, evaluate

LARGEST = 10**300
"""Most that one comparison may be off by; sums stay finite."""


@dataclass(frozen=True)
class Rule:
    """The amount of a constraint (``archgym.Constraint``): zero where the expression is true, positive exactly where not.

    ``a <= b`` is off by a - b, ``a == b`` by |a - b|, ``a < b`` of whole numbers by a - b + 1, ``x in (...)`` by the distance
    to the nearest item; ``and`` adds up, ``or`` takes the least; what is not about numbers is off by 1, and so is a rule that
    has no result for a design, such as for a division by zero.

    Attributes:
        expression: what must hold.
        constants: values of names that are no parameters.
        doc: the rule in words.
    """

    expression: Expression
    constants: tuple[tuple[str, Any], ...] = ()
    doc: str = ""

    @property
    def words(self) -> str:
        """What an INVALID design is told, and what the digest of a space holds: all that decides the rule."""
        where = ", ".join(f"{name} = {value!r}" for name, value in self.constants)
        formula = f"{self.expression.text} with {where}" if where else self.expression.text
        return f"{self.doc} ({formula})" if self.doc else formula

    def __call__(self, columns: Columns) -> NDArray[np.float64]:
        """Maps parameter name -> (N,) values to (N,) float64."""
        n = len(next(iter(columns.values())))
        names = [name for name in columns if name in self.expression.names]
        if not names:
            return np.full(n, self.amount({}))
        # Few parameters decide a rule, so that most designs of a batch are alike to it.
        known: dict[tuple[Any, ...], float] = {}
        amounts = np.empty(n)
        for row, key in enumerate(zip(*(columns[name].tolist() for name in names), strict=True)):
            if key not in known:
                known[key] = self.amount(dict(zip(names, key, strict=True)))
            amounts[row] = known[key]
        return amounts

    def amount(self, values: Mapping[str, Any]) -> float:
        """By how much one design breaks the rule."""
        try:
            return shortfall(self.expression.tree, {**dict(self.constants), **values})
        except ExpressionError:
            return 1.0


def shortfall(node: ast.expr, values: Mapping[str, Any], wanted: bool = True) -> float:
    """How far an expression is from being true, or false if that is wanted; zero if it is.

    Raises:
        ExpressionError: it has no result for these values.
    """
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return shortfall(operand, values, not wanted)
        case ast.BoolOp(op=op, values=parts):
            join = _sum if isinstance(op, ast.And) is wanted else _least
            return join(partial(shortfall, part, values, wanted) for part in parts)
        case ast.IfExp(test=test, body=body, orelse=other):
            return shortfall(body if evaluate(test, values) else other, values, wanted)
        case ast.Compare():
            links = (
                0.0 if holds is wanted else _distance(op, left, right, wanted)
                for holds, op, left, right in comparisons(node, values)
            )
            return sum(links) if wanted else min(links)
    return 0.0 if bool(evaluate(node, values)) is wanted else 1.0


def _sum(parts: Iterable[Callable[[], float]]) -> float:
    total = 0.0
    for part in parts:
        try:
            total += part()
        except ExpressionError:
            # Python would not look at a part behind one that fails, where it may well make no sense: b > 0 and a / b < 2.
            if not total:
                raise
            total += 1.0
    return total


def _least(parts: Iterable[Callable[[], float]]) -> float:
    least = math.inf
    for part in parts:
        least = min(least, part())
        if least == 0.0:
            break
    return least


def _distance(op: ast.cmpop, left: Any, right: tuple[Any, ...], wanted: bool) -> float:
    """How far the sides of a comparison that is not as wanted are from being so; positive."""
    equal = isinstance(op, ast.Eq | ast.In) if wanted else isinstance(op, ast.NotEq | ast.NotIn)
    unequal = isinstance(op, ast.NotEq | ast.NotIn) if wanted else isinstance(op, ast.Eq | ast.In)
    if unequal or not is_number(left):
        return 1.0
    strict = not equal and isinstance(op, ast.Lt | ast.Gt) is wanted
    return min(_apart(left, item, strict) for item in right)


def _apart(left: Any, right: Any, strict: bool) -> float:
    try:
        gap = abs(left - right)
    except OverflowError:
        return float(LARGEST)
    if math.isnan(gap):
        return 1.0
    if strict and isinstance(gap, int):
        gap += 1
    # Different numbers may have no difference as floats; a broken rule must be off by something.
    return float(min(gap, LARGEST)) or sys.float_info.epsilon
