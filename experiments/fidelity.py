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
from measuring import Report, write_block
from numpy.typing import NDArray

from simulators.dram import reference

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "experiments" / "reference"
README = ROOT / "simulators" / "dram" / "README.md"
OWN = "dramsys40_own"  # the table that was measured on this project's workloads
ROUNDING = 1e-14  # tables were written with different float expressions for the same decimal number

Columns = dict[str, NDArray[Any]]


def main() -> None:
    """Runs the comparison from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--traces", type=Path, help="folder with the reference program's traces, NAME.stl or NAME.stl.gz")
    parser.add_argument("--engine", default=reference.DEFAULT_ENGINE, choices=sorted(reference.ENGINES))
    parser.add_argument("--write", action="store_true", help=f"write the table into {README.relative_to(ROOT)}")
    options = parser.parse_args()
    report = measure(options.traces, options.engine)
    print(report.markdown())
    if options.write:
        write_block(report.readme, "fidelity", report.markdown())


def measure(traces: Path | None, engine: str) -> Report:
    """Predicts all rows that can be predicted here and compares them with the measured ones."""
    started, count, lines = time.perf_counter(), 0, []
    for path in sorted(TABLES.glob("dram*.parquet")):
        own = path.stem == OWN
        if traces is None and not own:
            continue
        measured = read(path)
        predicted = reference.predict(measured, traces=None if own else traces, engine=engine)
        count += len(measured["mem"])
        lines.extend(compare(measured, predicted, "archgym" if own else "ArchGym 2023"))
    seconds = time.perf_counter() - started
    notes = (
        f"{count} rows, {engine} engine, {seconds:.0f} s.",
        "A share is the part of the rows that are equal to the last digit that the reference program prints.",
        "The worst error is relative, over all columns.",
    )
    heads = ("memory", "trace", "from", "player MHz", "rows", *reference.OUTPUTS, "worst error")
    return Report("Fidelity of the DRAM simulator", README, heads, lines, notes)


def read(path: Path) -> Columns:
    """Input and output columns of one table."""
    table = pq.read_table(path, columns=[*reference.INPUTS, *reference.OUTPUTS])
    return {name: table[name].to_numpy() for name in table.column_names}


def compare(measured: Columns, predicted: Columns, origin: str) -> Iterator[tuple[str, ...]]:
    """Report rows for one table, one per memory and trace."""
    keys = list(zip(measured["mem"], measured["trace"], strict=True))
    for memory, trace in sorted(set(keys)):
        chosen = np.array([key == (memory, trace) for key in keys])
        clocks = ", ".join(map(str, np.unique(measured["trace_clk_mhz"][chosen])))
        errors = [error(measured[name][chosen], predicted[name][chosen]) for name in reference.OUTPUTS]
        worst = max(float(column.max()) for column in errors)
        shares = [share(column == 0) for column in errors]
        yield (memory, trace, origin, clocks, str(chosen.sum()), *shares, f"{worst:.1e}" if worst else "0")


def error(measured: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    """Relative errors; what only the binary representation of a decimal number can cause counts as none."""
    relative = np.abs(predicted - measured) / np.maximum(np.abs(measured), 1e-300)
    return np.where(relative < ROUNDING, 0.0, relative)


def share(equal: NDArray[np.bool_]) -> str:
    """A percentage that says 100 only if every row is equal."""
    return "100 %" if equal.all() else f"{min(100 * float(np.mean(equal)), 99.99):.2f} %"


if __name__ == "__main__":
    main()
