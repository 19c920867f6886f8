"""Code blocks of the READMEs and of docs/."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sources import ROOT

PAGES = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "simulators").rglob("README.md")),
    *sorted((ROOT / "examples").rglob("README.md")),
)
WALKS = ("getting-started.md", "troubleshooting.md", "add-a-simulator.md")
"""Pages of docs/ that are run from top to bottom, so that a block may use what an earlier one made."""

_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    title: str
    text: str

    @property
    def walked(self) -> bool:
        """Whether it is run as a step of its page."""
        return self.page.parent.name == "docs" and self.page.name in WALKS

    @property
    def id(self) -> str:
        """``docs/sweeps.md:5``."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def blocks_of(page: Path) -> tuple[Block, ...]:
    """Every fenced block of a page, in order."""
    text = page.read_text()
    found = []
    for match in _FENCE.finditer(text):
        title = _TITLE.search(match[2])
        line = text[: match.start()].count("\n") + 1
        found.append(Block(page, line, match[1], title[1] if title else "", match[3]))
    return tuple(found)


def blocks(*languages: str, having: str = "") -> list[object]:
    """Every block in one of the languages in which a pattern is found, as test parameters."""
    every = [block for page in PAGES for block in blocks_of(page)]
    chosen = [block for block in every if block.language in languages and re.search(having, block.text, re.MULTILINE)]
    return [pytest.param(block, id=block.id) for block in chosen]
