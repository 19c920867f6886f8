"""Values set in INI and TOML texts line by line, so that comments and order stay."""

from __future__ import annotations

import json
import math
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from archgym.errors import UnknownNameError
from simulators.command.texts import TextError

SECTION = re.compile(r"\s*\[\s*([^\[\]]+?|\[[^\[\]]+\])\s*\]\s*(?:[#;].*)?$")
"""Of TOML's arrays of tables the inner brackets belong to the name, so that no path leads into one."""
ENTRY = re.compile(r"(\s*)([^\s=:#;\[][^=:]*?)(\s*[=:]\s*)(.*?)(\s+[#;].*)?$")


@dataclass
class _Entry:
    """Where a key stands: its line's number from 0, what the line is made of, and whether its value goes on below."""

    number: int
    parts: re.Match[str]
    goes_on: bool = False


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
    lines = text.split("\n")  # not splitlines: other line ends than these may be inside a value
    entries = _entries(lines)
    if path not in entries:
        raise TextError(str(UnknownNameError("key", path, entries)))
    if len(entries[path]) > 1:
        numbers = ", ".join(str(entry.number + 1) for entry in entries[path])
        raise TextError(f"{path} is there {len(entries[path])} times, in lines {numbers}")
    (entry,) = entries[path]
    if entry.goes_on:
        raise TextError(f"{path} goes on over several lines; only a value on one line can be set")
    indent, key, sign, _, comment = entry.parts.groups()
    ending = lines[entry.number][entry.parts.end() :]
    lines[entry.number] = f"{indent}{key}{sign}{printed(value, form)}{comment or ''}{ending}"
    changed = "\n".join(lines)
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
    if form == "toml":
        whole = not isinstance(value, float) or math.isfinite(value)
        # Texts are written as in JSON, but for one character that TOML wants escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if whole else repr(value)
    if isinstance(value, str) and len(value.splitlines()) > 1:
        raise TextError("a value in an INI file must be on one line")
    return str(value)


def _entries(lines: list[str]) -> dict[str, list[_Entry]]:
    """Path -> every place where it is."""
    entries: dict[str, list[_Entry]] = {}
    section, last = "", None
    for number, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if header := SECTION.match(line):
            section, last = header.group(1), None
            continue
        indent = len(line) - len(line.lstrip())
        if last and indent > len(last.parts.group(1)):  # as configparser has it: what is indented further belongs to the value
            last.goes_on = True
        elif parts := ENTRY.match(line.rstrip("\r")):
            last = _Entry(number, parts)
            entries.setdefault(f"{section}.{parts.group(2)}" if section else parts.group(2), []).append(last)
    return entries


def _check_toml(text: str, path: str, value: Any) -> None:
    """Whether a TOML text says what was set: a line is all that was looked at, the file as a whole has the last word."""
    try:
        tree: Any = tomllib.loads(text)
        for step in path.split("."):
            tree = tree[step]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise TextError(f"{path} cannot be set on its line: {error}") from None
    if tree != value:
        raise TextError(f"{path} cannot be set on its line: it is {tree!r} afterwards")
