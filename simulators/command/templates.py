"""Templates: Jinja2 in its sandbox, with limits on what a slip of the pen would make endless.

A template sees names and functions, no file, no environment variable and nothing of Python's inside.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from archgym.checked_table import short
from simulators.command.arithmetic import FUNCTIONS, ExpressionError, call, combine

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

LARGEST_OUTPUT = 64 * 2**20
"""Characters of a rendered file."""
FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "groupby", "int", "items", "join", "last"),
    *("length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "replace", "reverse", "select", "selectattr"),
    *("sort", "string", "sum", "title", "trim", "unique", "upper"),
)
"""Of Jinja2's own; chance, web pages and widths without a limit have no place in input files."""
WIDENING = ("center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill")
"""Methods of texts that pad to any width; the filter ``format`` pads to 999."""


class TemplateError(ValueError):
    """A template that cannot be read, or filled in for the values at hand."""


@cache
def environment() -> ImmutableSandboxedEnvironment:
    """The sandbox in which every template lives: no loader, hence no include; undefined names are errors."""
    import ast

    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    signs: dict[str, ast.operator] = {"*": ast.Mult(), "**": ast.Pow()}

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset([*signs, "%"])

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator in signs:
                return combine(signs[operator], left, right)
            return bounded_format(left, right) if isinstance(left, str) else left % right

        def wrap_str_format(self, value: Any) -> None:
            # Where Jinja2 would hand out a method ``format`` that is safe but for its widths; here no text has one.
            return None

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
            return super().is_safe_attribute(obj, attr, value) and not (isinstance(obj, str) and attr in WIDENING)

    made = Sandbox(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters = {name: made.filters[name] for name in FILTERS}
    made.filters |= {"format": lambda text, *values: bounded_format(text, values), "indent": _indented, "tojson": _json}
    made.filters |= {name: _function(name) for name in FUNCTIONS if name not in made.filters}
    made.globals = {name: made.globals[name] for name in ("range", "namespace", "dict")}
    made.globals |= {name: _function(name) for name in FUNCTIONS}
    return made


def _function(name: str) -> Any:
    return lambda *arguments: call(name, *arguments)


def _indented(text: str, width: int = 4, first: bool = False) -> str:
    """Lines behind ``width`` spaces; the first one too if that is wanted."""
    lines = str(text).splitlines(keepends=True)
    space = " " * min(width, 99)
    return "".join(space + line if line.strip() and (first or number) else line for number, line in enumerate(lines))


def _json(value: Any) -> str:
    """A value as JSON, for texts in quotes and lists in brackets."""
    return json.dumps(value, ensure_ascii=False)


def bounded_format(text: str, values: Any) -> str:
    """``text % values``, with widths and precisions of at most three digits.

    Raises:
        ExpressionError: a wider one, or one that is a value itself.
    """
    if re.search(r"%[^a-zA-Z%]*(?:\*|\d{4,})", text):
        raise ExpressionError(f"a width may have three digits: {short(text)}")
    return str(text % values)


@lru_cache(maxsize=1000)
def compiled(text: str) -> Template:
    """A template, ready to be filled in.

    Raises:
        TemplateError: it cannot be read; says in which line.
    """
    from jinja2 import TemplateSyntaxError

    try:
        return environment().from_string(text)
    except TemplateSyntaxError as error:
        raise TemplateError(f"line {error.lineno}: {error.message}") from None
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateError(f"it is nested too deeply: {error}") from None


def names_in(text: str) -> frozenset[str]:
    """Names that a template needs values for.

    Raises:
        TemplateError: it cannot be read, or it includes, imports or extends another one.
    """
    from jinja2 import meta

    compiled(text)
    tree = environment().parse(text)
    if list(meta.find_referenced_templates(tree)):
        raise TemplateError("a template cannot include, import or extend another one")
    return frozenset(meta.find_undeclared_variables(tree)) - frozenset(environment().globals)


def render(text: str, values: Mapping[str, Any]) -> str:
    """A template filled in.

    Raises:
        TemplateError: it cannot be read, uses a name without a value, does what is not allowed, or grows without end.
    """
    if "{" not in text:
        return text
    template = compiled(text)
    parts: list[str] = []
    length = 0
    try:
        for part in template.generate(dict(values)):
            parts.append(part)
            length += len(part)
            if length > LARGEST_OUTPUT:
                raise TemplateError(f"it grows beyond {LARGEST_OUTPUT:,} characters")
    except TemplateError:
        raise
    except Exception as error:
        # Whatever goes wrong inside a template is the template's: it calls nothing of ours but bounded functions.
        raise TemplateError(f"{type(error).__name__}: {error}") from None
    return "".join(parts)
