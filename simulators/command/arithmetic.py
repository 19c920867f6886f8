"""Bounded arithmetic of expressions: Python's own results, or an error where Python would hang, overflow or make no number."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

from archgym.checked_table import short

LARGEST_BITS = 1024
"""Of a whole number; every finite float's whole part fits."""
LONGEST_TEXT = 10_000
"""Characters of a text that an expression makes."""


class ExpressionError(ValueError):
    """An expression that cannot be read, or worked out for the values at hand."""


def is_number(value: Any) -> bool:
    """Whether it is a number; truth values count as 0 and 1, as in Python."""
    return isinstance(value, int | float)


def bounded(value: Any) -> Any:
    """The value itself.

    Raises:
        ExpressionError: it is no real number, or a whole number of more than ``LARGEST_BITS`` bits.
    """
    if isinstance(value, complex):
        raise ExpressionError("the result is not a real number")
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise ExpressionError("the result is too large")
    return value


def apply(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function of numbers.

    Raises:
        ExpressionError: an argument is no number, or there is no result; says of what.
    """
    for argument in arguments:
        if not is_number(argument):
            raise ExpressionError(f"{name} needs numbers, got {short(argument)}")
    try:
        return bounded(function(*arguments))
    except (ArithmeticError, ValueError) as error:
        shown = ", ".join(map(short, arguments))
        raise ExpressionError(f"{name} has no result for {shown}: {error}") from None


def _power(base: Any, exponent: Any) -> Any:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > LARGEST_BITS:
        raise ExpressionError("the result is too large")
    return base**exponent


def _round(value: Any, digits: Any = None) -> Any:
    if digits is None:
        return round(value)
    if not isinstance(digits, int) or abs(digits) > 300:
        raise ExpressionError(f"digits must be a whole number from -300 to 300, got {short(digits)}")
    return round(value, digits)


OPERATORS: dict[type[ast.AST], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", _power),
    ast.USub: ("-", operator.neg),
    ast.UAdd: ("+", operator.pos),
}
"""Syntax node -> (sign, function of one or two numbers)."""

FUNCTIONS: dict[str, tuple[Callable[..., Any], int, int]] = {
    "min": (min, 2, 20),
    "max": (max, 2, 20),
    "abs": (abs, 1, 1),
    "ceil": (math.ceil, 1, 1),
    "floor": (math.floor, 1, 1),
    "round": (_round, 1, 2),
    "sqrt": (math.sqrt, 1, 1),
    "log2": (math.log2, 1, 1),
    "log": (math.log, 1, 2),
}
"""Name -> (function of numbers, fewest arguments, most)."""


def combine(node: ast.operator, left: Any, right: Any) -> Any:
    """``left`` and ``right`` under an operator; two texts may be added.

    Raises:
        ExpressionError: as ``apply``, or a text longer than ``LONGEST_TEXT``.
    """
    if isinstance(node, ast.Add) and isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > LONGEST_TEXT:
            raise ExpressionError(f"the text is longer than {LONGEST_TEXT:,} characters")
        return left + right
    sign, function = OPERATORS[type(node)]
    return apply(sign, function, left, right)


def call(name: str, *arguments: Any) -> Any:
    """The result of one of ``FUNCTIONS``; errors as ``apply``."""
    return apply(name, FUNCTIONS[name][0], *arguments)
