"""Writes the pages of docs/ that are made from the code: environments, command line, Python names.

``python experiments/generated_pages.py --write``; without ``--write`` it names the pages that are out of date.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import agent_page
import environment_pages
import reference_pages

FOLDER = Path(__file__).parent.parent / "docs"


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    return {**environment_pages.pages(), **agent_page.pages(), **reference_pages.pages()}


def outdated() -> dict[str, str]:
    """Those pages whose file does not say what the code says."""
    made = pages()
    files = {name: FOLDER / name for name in made}
    return {name: made[name] for name, path in files.items() if not path.exists() or path.read_text() != made[name]}


def main(words: list[str] | None = None) -> int:
    """Writes the pages, or names those that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the pages")
    write = parser.parse_args(words).write
    stale = outdated()
    for name, text in stale.items():
        if write:
            (FOLDER / name).parent.mkdir(exist_ok=True)
            (FOLDER / name).write_text(text)
        print(f"{'written' if write else 'out of date'}: docs/{name}")
    return 1 if stale and not write else 0


if __name__ == "__main__":
    sys.exit(main())
