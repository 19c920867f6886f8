"""Values set in JSON, YAML, TOML, INI and XML texts.

Every path must exist in the text: the file shows what there is to set, and a misspelt path is an error, not a new key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from archgym.checked_table import short
from archgym.errors import UnknownNameError
from simulators.command.edits_lines import set_line
from simulators.command.edits_xml import set_xml
from simulators.command.texts import TextError, parse_tree

FORMS = ("json", "yaml", "toml", "ini", "xml")
ENDINGS = {
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".ini": "ini",
    ".cfg": "ini",
    ".conf": "ini",
    ".xml": "xml",
}
"""Ending of a file -> what it holds."""
STEP = re.compile(r'\.?(?:"([^"]*)"|([^.\[\]"]+))|\[(-?\d+)\]')


class EditError(ValueError):
    """A value that cannot be set; says where and what is there."""


def edited(text: str, form: str, assignments: Sequence[tuple[str, Any]]) -> str:
    """A text with values set.

    Args:
        text: of the file.
        form: one of ``FORMS``.
        assignments: (path, number, truth value or text).

    Raises:
        EditError: the text is not of its form, or a path is not in it.
    """
    try:
        return _EDITORS[form](text, assignments)
    except TextError as error:
        raise EditError(str(error)) from error


def steps_of(path: str) -> tuple[str | int, ...]:
    """The keys and places of a path such as ``memory.banks[0]."odd.key"``.

    Raises:
        EditError: it is no path.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        found = STEP.match(path, position)
        if not found or (found.group(0).startswith(".") and not position):
            raise EditError(f'{path!r} is no path; write memory.rows, list[0].name or "a.b".c')
        quoted, plain, place = found.groups()
        steps.append(int(place) if place is not None else plain if plain is not None else quoted)
        position = found.end()
    if not steps:
        raise EditError("a path must not be empty")
    return tuple(steps)


def _json(text: str, assignments: Sequence[tuple[str, Any]]) -> str:
    tree = _all_set(_tree(text, "json"), assignments)
    try:
        return json.dumps(tree, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise EditError(f"JSON has no such number: {error}") from None


def _yaml(text: str, assignments: Sequence[tuple[str, Any]]) -> str:
    import yaml

    tree = _all_set(_tree(text, "yaml"), assignments)
    # Letters beyond ASCII are escaped: written as they are, some are read back as line ends.
    return str(yaml.safe_dump(tree, sort_keys=False, allow_unicode=False, default_flow_style=False))


def _lines(form: str) -> Callable[[str, Sequence[tuple[str, Any]]], str]:
    def editor(text: str, assignments: Sequence[tuple[str, Any]]) -> str:
        for path, value in assignments:
            text = set_line(text, path, value, form)
        return text

    return editor


_EDITORS: dict[str, Callable[[str, Sequence[tuple[str, Any]]], str]] = {
    "json": _json,
    "yaml": _yaml,
    "toml": _lines("toml"),
    "ini": _lines("ini"),
    "xml": set_xml,
}


@lru_cache(maxsize=64)
def _tree(text: str, form: str) -> Any:
    # Kept between designs: setting a value copies what is on the way to it and leaves this tree as it is.
    return parse_tree(text, form)


def _all_set(tree: Any, assignments: Sequence[tuple[str, Any]]) -> Any:
    for path, value in assignments:
        tree = _set(tree, steps_of(path), value, path)
    return tree


def _set(tree: Any, steps: tuple[str | int, ...], value: Any, path: str) -> Any:
    if not steps:
        if isinstance(tree, dict | list):
            kind = "table" if isinstance(tree, dict) else "list"
            raise EditError(f"{path} is a {kind}, not a value that could be set")
        return value
    step, *rest = steps
    if isinstance(step, int):
        if not isinstance(tree, list) or not -len(tree) <= step < len(tree):
            there = f"a list of {len(tree)}" if isinstance(tree, list) else short(tree)
            raise EditError(f"{path}: there is no place [{step}] in {there}")
        items = list(tree)
        items[step] = _set(items[step], tuple(rest), value, path)
        return items
    if not isinstance(tree, dict):
        raise EditError(f"{path}: there is no key {step!r} in {short(tree)}")
    if step not in tree:
        raise EditError(str(UnknownNameError("key", step, tree, owner=path)))
    return {**tree, step: _set(tree[step], tuple(rest), value, path)}
