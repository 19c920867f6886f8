"""Docstrings of simulators and environments as Markdown: sections, tables, double backticks."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Sequence

MADE = "<!-- Written by experiments/generated_pages.py from the code; edit the code. -->"
"""Stands at the top of every page that is made from docstrings."""

_HEADING = re.compile(r"^([A-Z][A-Za-z, ]+):$")
_RULE = re.compile(r"^\s*=+( +=+)+\s*$")
_ARGUMENT = re.compile(r"^([a-z_]\w*(?:, [a-z_]\w*)*): (.*)$")


def sections(subject: object) -> dict[str, str]:
    """Sections of a docstring, heading -> text; the first line is under ``""``, and several headings may share a text."""
    text = inspect.getdoc(subject) or ""
    lines: list[str] = []
    found = {"": lines}
    for line in text.splitlines():
        heading = _HEADING.match(line)
        if heading:
            lines = []
            found.update({name.capitalize(): lines for name in heading[1].split(", ")})
        else:
            lines.append(line)
    return {name: textwrap.dedent("\n".join(lines)).strip() for name, lines in found.items()}


def markdown(text: str) -> str:
    """A section as Markdown: names stand in single backticks."""
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def without_tables(text: str) -> str:
    """A section without its simple tables."""
    kept: list[str] = []
    rules = 0
    for line in text.splitlines():
        if _RULE.match(line):
            rules += 1
        elif rules % 3 == 0:
            kept.append(line)
    return "\n".join(kept).strip()


def described(text: str) -> dict[str, str]:
    """Argument -> what it is, from an ``Args`` section; several names before one colon share it."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        start = _ARGUMENT.match(line)
        if start:
            names = start[1].split(", ")
            found.update(dict.fromkeys(names, start[2]))
        elif line.strip():
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
    return {name: markdown(about) for name, about in found.items()}


def table(headings: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> str:
    """A Markdown table; columns named in ``right`` are aligned to the right, empty columns are left out."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    columns = [i for i in range(len(headings)) if any(row[i] for row in cells)]
    rule = ["---:" if headings[i] in right else "---" for i in columns]
    lines = [[headings[i] for i in columns], rule, *([row[i] for i in columns] for row in cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
