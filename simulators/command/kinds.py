"""Kinds of values: what an expression makes, found without working it out, so that a slip shows when a spec is read."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from simulators.command.arithmetic import ExpressionError
from simulators.command.expression import WORDS, as_written

NUMBER, TRUTH, TEXT, EITHER, OTHER = "a number", "true or false", "a text", "a number or a text", "a list or table"


def kind_of_value(value: Any) -> str:
    """The kind of a parameter's or constant's value."""
    if isinstance(value, bool):
        return TRUTH
    return NUMBER if isinstance(value, int | float) else TEXT if isinstance(value, str) else OTHER


def kind_of(node: ast.expr, names: Mapping[str, str]) -> str:
    """The kind of what a checked tree makes.

    Args:
        node: of ``Expression.tree``.
        names: name -> kind, for every name in it.

    Raises:
        ExpressionError: it does arithmetic with texts, or compares one with a number.
    """
    match node:
        case ast.Constant(value=value):
            return kind_of_value(value)
        case ast.Name(id=name):
            kind = TRUTH if name in WORDS else names[name]
            if kind == OTHER:
                raise ExpressionError(f"{name} is {OTHER}, which only templates can use")
            return kind
        case ast.BinOp(left=left, op=op, right=right):
            sides = {kind_of(left, names), kind_of(right, names)}
            if isinstance(op, ast.Add) and sides <= {TEXT, EITHER}:
                return TEXT
            return _numeric(node, sides)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            kind_of(operand, names)
            return TRUTH
        case ast.UnaryOp(operand=operand):
            return _numeric(node, {kind_of(operand, names)})
        case ast.BoolOp(values=parts):
            return _common({kind_of(part, names) for part in parts})
        case ast.IfExp(test=test, body=body, orelse=other):
            kind_of(test, names)
            return _common({kind_of(body, names), kind_of(other, names)})
        case ast.Call(args=arguments):
            return _numeric(node, {kind_of(argument, names) for argument in arguments})
        case ast.Compare(left=left, comparators=rest):
            before = kind_of(left, names)
            for place in rest:
                items = place.elts if isinstance(place, ast.Tuple | ast.List) else [place]
                for item in items:
                    before = _compared(node, before, kind_of(item, names))
            return TRUTH
    raise ExpressionError(f"{as_written(node)} is not allowed in an expression")


def _numeric(node: ast.expr, kinds: set[str]) -> str:
    if TEXT in kinds:
        raise ExpressionError(f"{as_written(node)} needs numbers, not a text")
    return NUMBER


def _common(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return kinds.pop()
    return NUMBER if kinds == {NUMBER, TRUTH} else EITHER


def _compared(node: ast.expr, before: str, after: str) -> str:
    if (before == TEXT) is not (after == TEXT) and EITHER not in (before, after):
        raise ExpressionError(f"{as_written(node)} compares a number with a text")
    return after
