"""Measures speed, one section per simulator or agent.

    python experiments/speed.py SECTION [options] [--write]
    python experiments/speed.py dram --dramsys PATH --designs 1000 --write

A section is a file ``speed_SECTION.py`` beside this one with two functions: ``add_arguments(parser)`` and
``measure(options) -> measuring.Report``.  ``--write`` puts the table into the README that the report names, between the
lines ``<!-- speed:begin -->`` and ``<!-- speed:end -->``.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from measuring import Report, machine, write_block
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Measures one section, prints its table and writes it if asked to."""
    names = sorted(path.stem.removeprefix("speed_") for path in Path(__file__).parent.glob("speed_*.py"))
    parser = argparse.ArgumentParser(description="measure speed")
    parser.add_argument("section", choices=names)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the section; SECTION --help lists them")
    chosen = parser.parse_args()
    section = importlib.import_module(f"speed_{chosen.section}")
    parser = argparse.ArgumentParser(prog=f"speed.py {chosen.section}", description=section.__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    section.add_arguments(parser)
    options = parser.parse_args(chosen.options)
    report: Report = section.measure(options)
    show(report)
    if options.write:
        write_block(report.readme, "speed", f"Machine: {machine()}.\n\n{report.markdown()}")
        print(f"written to {report.readme}")


def show(report: Report) -> None:
    """Prints a report on the terminal."""
    table = Table(title=report.title)
    for index, column in enumerate(report.columns):
        table.add_column(column, justify="right" if index else "left")
    for row in report.rows:
        table.add_row(*row)
    console = Console(width=max(120, Console().width))
    console.print(table)
    console.print(f"Machine: {machine()}.", highlight=False)
    for note in report.notes:
        console.print(f"* {note}", highlight=False)


if __name__ == "__main__":
    main()
