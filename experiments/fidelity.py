"""Compares a simulator with every measured row of its reference program, one section per simulator.

    python experiments/fidelity.py SECTION [options] [--write]
    python experiments/fidelity.py dram --traces FOLDER --write

A section is a file ``fidelity_SECTION.py`` beside this one with two functions: ``add_arguments(parser)`` and
``measure(options) -> measuring.Report``.  ``--write`` puts the table into the README that the report names, between the lines
``<!-- fidelity:begin -->`` and ``<!-- fidelity:end -->``.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

from measuring import Report, write_block


def main() -> None:
    """Compares one section, prints its table and writes it if asked to."""
    names = sorted(path.stem.removeprefix("fidelity_") for path in Path(__file__).parent.glob("fidelity_*.py"))
    parser = argparse.ArgumentParser(description="compare with measured rows")
    parser.add_argument("section", choices=names)
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the section; SECTION --help lists them")
    chosen = parser.parse_args()
    section = importlib.import_module(f"fidelity_{chosen.section}")
    parser = argparse.ArgumentParser(prog=f"fidelity.py {chosen.section}", description=section.__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into the README")
    section.add_arguments(parser)
    options = parser.parse_args(chosen.options)
    report: Report = section.measure(options)
    print(report.markdown())
    if options.write:
        write_block(report.readme, "fidelity", report.markdown())


if __name__ == "__main__":
    main()
