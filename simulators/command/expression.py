"""Expressions over names: numbers, texts, comparisons and a few functions, worked out by walking Python's syntax tree.

Nothing is ever compiled or executed.  What a tree may hold is listed here; its size is bounded before it is walked, and so
are the numbers that it makes (``arithmetic``), so that no expression can hang.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from archgym.checked_table import short
from archgym.errors import UnknownNameError
from simulators.command.arithmetic import FUNCTIONS, OPERATORS, ExpressionError, apply, call, combine, is_number

LONGEST = 1000
"""Characters of an expression."""
DEEPEST = 50
"""Levels of nesting."""

COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", operator.eq),
    ast.NotIn: ("not in", operator.eq),
}
"""Syntax node -> (sign, what is asked of the two sides; of ``in``, of each item)."""

WORDS = {"true": True, "false": False}
"""Truth values as TOML writes them; Python's own do too."""
RESERVED = frozenset(FUNCTIONS) | frozenset(WORDS)
"""Names that a parameter, a constant or a metric cannot have."""


@dataclass(frozen=True)
class Expression:
    """A checked expression; pickles as its text.

    Attributes:
        text: as it was written.
        names: that values are needed for.

    Raises:
        ExpressionError: it is no expression, or holds something that is not allowed; says what.
    """

    text: str
    names: frozenset[str] = field(init=False, compare=False, repr=False)
    tree: ast.expr = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        tree, names = _parsed(self.text)
        object.__setattr__(self, "tree", tree)
        object.__setattr__(self, "names", names)

    def __reduce__(self) -> tuple[type[Expression], tuple[str]]:
        return Expression, (self.text,)

    def value(self, values: Mapping[str, Any]) -> Any:
        """The number, truth value or text that it stands for.

        Args:
            values: a scalar for every name.

        Raises:
            ExpressionError: there is no result, such as for a division by zero.
        """
        try:
            return evaluate(self.tree, values)
        except ExpressionError as error:
            raise ExpressionError(f"{self.text}: {error}") from None


@lru_cache(maxsize=1000)
def _parsed(text: str) -> tuple[ast.expr, frozenset[str]]:
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError(f"an expression must be a text, not empty, got {text!r}")
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression may have {LONGEST} characters, this one has {len(text)}: {text[:40]}...")
    try:
        # Line breaks mean nothing here, as inside brackets.
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"{text!r} is no expression: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ExpressionError(f"{text[:60]!r} is no expression: {error or 'it is nested too deeply'}") from None
    try:
        _check(tree, DEEPEST)
    except ExpressionError as error:
        raise ExpressionError(f"{text!r}: {error}") from None
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called}
    return tree, frozenset(used - set(WORDS))


def _check(node: ast.AST, depth: int) -> None:
    if depth == 0:
        raise ExpressionError(f"it is nested more than {DEEPEST} deep")
    for child in _children(node):
        _check(child, depth - 1)


def _children(node: ast.AST) -> Iterator[ast.expr]:
    """The operands of a node that is allowed."""
    match node:
        case ast.Constant(value=bool() | str()):
            pass
        case ast.Constant(value=int() | float() as number):
            apply("a number", lambda value: value, number)
        case ast.Name(id=name):
            if name in FUNCTIONS:
                raise ExpressionError(f"{name} is a function; write {name}(...)")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            yield from (left, right)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not(), operand=operand):
            yield operand
        case ast.BoolOp(values=parts):
            yield from parts
        case ast.IfExp(test=test, body=body, orelse=other):
            yield from (test, body, other)
        case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in COMPARISONS for op in ops):
            yield left
            for sign, right in zip(ops, rest, strict=True):
                if not isinstance(sign, ast.In | ast.NotIn):
                    yield right
                elif len(ops) > 1 or not isinstance(right, ast.Tuple | ast.List) or not right.elts:
                    raise ExpressionError("in needs a list on its right, such as x in (1, 2, 4)")
                else:
                    yield from right.elts
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise ExpressionError(str(UnknownNameError("function", name, FUNCTIONS)))
            _, fewest, most = FUNCTIONS[name]
            if not fewest <= len(arguments) <= most:
                wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
                raise ExpressionError(f"{name} takes {wanted} arguments, got {len(arguments)}")
            yield from arguments
        case _:
            raise ExpressionError(f"{as_written(node)} is not allowed in an expression")


def as_written(node: ast.AST) -> str:
    """A part of an expression as error messages show it."""
    try:
        return short(ast.unparse(node)).strip("'\"")
    except RecursionError:
        return "something nested that deeply"


def evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of a checked tree; errors as ``Expression.value``, without the text in front."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _looked_up(name, values)
        case ast.BinOp(left=left, op=op, right=right):
            return combine(op, evaluate(left, values), evaluate(right, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not evaluate(operand, values)
        case ast.UnaryOp(op=op, operand=operand):
            sign, function = OPERATORS[type(op)]
            return apply(sign, function, evaluate(operand, values))
        case ast.BoolOp(op=op, values=parts):
            return _joined(isinstance(op, ast.And), parts, values)
        case ast.IfExp(test=test, body=body, orelse=other):
            return evaluate(body if evaluate(test, values) else other, values)
        case ast.Compare():
            return all(holds for holds, *_ in comparisons(node, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return call(name, *(evaluate(argument, values) for argument in arguments))
    raise ExpressionError(f"{as_written(node)} is not allowed in an expression")


def _looked_up(name: str, values: Mapping[str, Any]) -> Any:
    if name in WORDS:
        return WORDS[name]
    if name not in values:
        raise ExpressionError(str(UnknownNameError("name", name, values)))
    value = values[name]
    if not isinstance(value, int | float | str):
        raise ExpressionError(f"{name} is neither a number nor a text: {short(value)}")
    return value


def _joined(every: bool, parts: list[ast.expr], values: Mapping[str, Any]) -> Any:
    result: Any = None
    for part in parts:
        result = evaluate(part, values)
        if bool(result) is not every:
            break
    return result


def comparisons(node: ast.Compare, values: Mapping[str, Any]) -> Iterator[tuple[bool, ast.cmpop, Any, tuple[Any, ...]]]:
    """The links of a chain of comparisons, each worked out when it is asked for.

    Yields:
        whether it holds, its operator, the left side, and the right side or, of ``in``, every item.
    """
    left = evaluate(node.left, values)
    for op, place in zip(node.ops, node.comparators, strict=True):
        items = place.elts if isinstance(place, ast.Tuple | ast.List) else [place]
        right = tuple(evaluate(item, values) for item in items)
        sign, asked = COMPARISONS[type(op)]
        for item in right:
            if is_number(left) is not is_number(item):
                raise ExpressionError(f"{sign} compares a number with a text: {short(left)} and {short(item)}")
        found = any(asked(left, item) for item in right)
        yield found is not isinstance(op, ast.NotIn), op, left, right
        left = right[0]
