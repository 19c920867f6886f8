"""Values set in INI and TOML texts line by line, so that comments and order stay."""

from __future__ import annotations

import json
import math
import re
import tomllib
from typing import Any

from archgym.errors import UnknownNameError
from simulators.command.texts import TextError

SECTION = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(?:[#;].*)?$")
ENTRY = re.compile(r"(\s*)([^\s=:#;\[][^=:]*?)(\s*[=:]\s*)(.*?)(\s+[#;].*)?$")


def set_line(text: str, path: str, value: Any, form: str) -> str:
    """A text with one value set.

    Args:
        text: of sections with lines such as ``key = value`` or, in an INI file, ``key: value``.
        path: section and key, joined by a dot; the key alone if it stands before any section.
        value: number, truth value or text.
        form: "ini" or "toml".

    Raises:
        TextError: the path is not there, is there twice, or its value goes on over several lines.
    """
    lines = text.splitlines(keepends=True)
    places = _places(lines, form)
    if path not in places:
        raise TextError(str(UnknownNameError("key", path, places)))
    if len(places[path]) > 1:
        raise TextError(f"{path} is there {len(places[path])} times, in lines {', '.join(str(n + 1) for n in places[path])}")
    number = places[path][0]
    line = lines[number].rstrip("\r\n")
    found = ENTRY.match(line)
    assert found is not None
    if form == "ini" and _goes_on(lines, number):
        raise TextError(f"{path} goes on over several lines; only a value on one line can be set")
    indent, key, sign, _, comment = found.groups()
    ending = lines[number][len(line) :]
    lines[number] = f"{indent}{key}{sign or ' = '}{printed(value, form)}{comment or ''}{ending}"
    changed = "".join(lines)
    if form == "toml":
        _check_toml(changed, path, value)
    return changed


def printed(value: Any, form: str) -> str:
    """A value as the text shows it.

    Raises:
        TextError: a text of several lines in an INI file.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if form == "toml" and isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if form == "toml":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value.splitlines()) > 1:
        raise TextError("a value in an INI file must be on one line")
    return str(value)


def _places(lines: list[str], form: str) -> dict[str, list[int]]:
    """Path -> numbers of its lines, from 0."""
    places: dict[str, list[int]] = {}
    section = ""
    for number, line in enumerate(lines):
        if line.lstrip().startswith(("#", ";")):
            continue
        if header := SECTION.match(line):
            section = header.group(1)
            continue
        if (
            line[:1].isspace()
            and number
            and form == "ini"
            and lines[number - 1].strip()
            and not SECTION.match(lines[number - 1])
        ):
            continue
        if entry := ENTRY.match(line.rstrip("\r\n")):
            path = f"{section}.{entry.group(2)}" if section else entry.group(2)
            places.setdefault(path, []).append(number)
    return places


def _goes_on(lines: list[str], number: int) -> bool:
    following = lines[number + 1] if number + 1 < len(lines) else ""
    return following[:1].isspace() and bool(following.strip()) and not following.lstrip().startswith(("#", ";"))


def _check_toml(text: str, path: str, value: Any) -> None:
    """A line is all that was looked at; what the file says as a whole has the last word."""
    try:
        tree: Any = tomllib.loads(text)
        for step in path.replace('"', "").split("."):
            tree = tree[step.strip()]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise TextError(f"{path} cannot be set on its line: {error}") from None
    if tree != value:
        raise TextError(f"{path} cannot be set on its line: it is {tree!r} afterwards")
