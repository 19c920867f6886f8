"""Compares the DRAM simulator with every measured row of the reference program.

    python experiments/fidelity.py [--traces FOLDER] [--engine fast|literal] [--write]

Tables are ``experiments/reference/dram*.parquet``.  Rows on the reference program's own traces need the folder with its
trace files; without it only the table on this project's generated workloads is compared.  ``--write`` puts the result into
the README of the simulator.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulators.dram import reference

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "experiments" / "reference"
README = ROOT / "simulators" / "dram" / "README.md"
OWN = "dramsys40_own"  # the table that was measured on this project's workloads
BEGIN, END = "<!-- fidelity:begin -->", "<!-- fidelity:end -->"

ROUNDING = 1e-14  # tables were written with different float expressions for the same decimal number

Columns = dict[str, NDArray[Any]]


def main() -> None:
    """Runs the comparison from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--traces", type=Path, help="folder with the reference program's traces, NAME.stl or NAME.stl.gz")
    parser.add_argument("--engine", default="literal", choices=("fast", "literal"))
    parser.add_argument("--write", action="store_true", help=f"write the table into {README.relative_to(ROOT)}")
    options = parser.parse_args()
    lines = list(report(options.traces, options.engine))
    print("\n".join(lines))
    if options.write:
        write(README, lines)


def report(traces: Path | None, engine: str) -> Iterator[str]:
    """Markdown lines: one table row for each memory and trace."""
    yield "| memory | trace | from | player MHz | rows | " + " | ".join(reference.OUTPUTS) + " | worst error |"
    yield "|---" * (6 + len(reference.OUTPUTS)) + "|"
    started, rows = time.perf_counter(), 0
    for path in sorted(TABLES.glob("dram*.parquet")):
        own = path.stem == OWN
        if traces is None and not own:
            continue
        measured = {name: np.asarray(column) for name, column in _read(path).items()}
        predicted = reference.predict(measured, traces=None if own else traces, engine=engine)
        rows += len(measured["mem"])
        yield from compare(measured, predicted, "archgym" if own else "reference")
    seconds = time.perf_counter() - started
    yield ""
    yield f"{rows} rows with the {engine} engine in {seconds:.0f} s. Each share is the part of the rows that are equal to the"
    yield "last digit that the reference program prints; the worst error is relative, over all columns."


def compare(measured: Columns, predicted: Columns, origin: str) -> Iterator[str]:
    """Markdown rows for one table, one per memory and trace."""
    keys = list(zip(measured["mem"], measured["trace"], strict=True))
    for memory, trace in sorted(set(keys)):
        chosen = np.array([key == (memory, trace) for key in keys])
        clocks = ", ".join(map(str, np.unique(measured["trace_clk_mhz"][chosen])))
        errors = [error(measured[name][chosen], predicted[name][chosen]) for name in reference.OUTPUTS]
        worst = max(float(column.max()) for column in errors)
        shares = [_share(column == 0) for column in errors]
        yield f"| {memory} | {trace} | {origin} | {clocks} | {chosen.sum()} | {' | '.join(shares)} | {worst:.1e} |"


def error(measured: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    """Relative errors; what only the binary representation of a decimal number can cause counts as none."""
    relative = np.abs(predicted - measured) / np.maximum(np.abs(measured), 1e-300)
    return np.where(relative < ROUNDING, 0.0, relative)


def write(readme: Path, lines: list[str]) -> None:
    """Replaces what stands between the two markers, or appends it with the markers."""
    text = readme.read_text() if readme.exists() else "# DRAM memory controller\n"
    if BEGIN not in text:
        text += f"\n{BEGIN}\n{END}\n"
    before, rest = text.split(BEGIN, 1)
    readme.write_text(before + "\n".join([BEGIN, *lines, ""]) + END + rest.split(END, 1)[1])


def _read(path: Path) -> Columns:
    table = pq.read_table(path, columns=[*reference.INPUTS, *reference.OUTPUTS])
    return {name: table[name].to_numpy() for name in table.column_names}


def _share(equal: NDArray[np.bool_]) -> str:
    """A percentage that says 100 only if every row is equal."""
    percent = 100 * float(np.mean(equal))
    return "100 %" if equal.all() else f"{min(percent, 99.99):.2f} %"


if __name__ == "__main__":
    main()
