"""ASIC cost model: every measured row of MAESTRO (``experiments/reference/maestro_dev.parquet``)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measuring import Report
from numpy.typing import NDArray

from simulators.asic import reference
from simulators.asic.counts import FIGURES, L1_REQUIRED
from simulators.asic.general.report import REPORT

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "experiments" / "reference" / "maestro_dev.parquet"
README = ROOT / "simulators" / "asic" / "README.md"

PATHS = ("closed", "general")
PRINTED = 5.01e-6  # half of the last of the six digits that MAESTRO prints, in parts of the first
GROUPS = {
    "runtime": ("runtime_cycles",),
    "MACs": ("macs",),
    "buffer needs": ("l1_req_bytes", "l2_req_bytes"),
    "reads and writes": FIGURES[L1_REQUIRED + 2 :],
    "energy": ("energy_nj",),
    "area": ("area_um2",),
    "power": ("power_mw", "pe_power", "l1_power", "l2_power", "noc_power"),
    "delays, bandwidths, utilisation": (*REPORT, "throughput_macs_per_cycle", "pe_utilisation"),
    "energy in its csv": ("energy_csv_single_nj",),
}

Columns = dict[str, NDArray[Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table of measured rows")


def measure(options: argparse.Namespace) -> Report:
    """Predicts all rows by closed form where there is one, and all by cases, and compares them with the measured ones."""
    rows = read(options.table)
    usual = {name: column[~rows["degenerate"]] for name, column in rows.items()}
    lines = [line for path in PATHS for line in compare(usual, path)]
    total, left = len(rows["type"]), int(rows["degenerate"].sum())
    notes = (
        f"{total - left:,} of {total:,} rows of MAESTRO (commit 4eb08d1).  The other {left} have no meaning there: runtime 0, "
        "because a column tile of `shi` is wider than the input; here it is as wide as the input.",
        "A share is the part of the rows in which all columns of the group are equal: whole numbers exactly, energy to 1e-12 "
        "(the table holds the full sum), other real numbers to the six digits that MAESTRO prints.",
        "The worst error is relative, over all columns.  *General* is the analysis by cases, *closed* the closed forms; the "
        "columns of delays, bandwidths and utilisation are always from the former.",
        "MAESTRO's csv file holds a part of the energy only; the share is that of the sampled rows that have this figure.",
    )
    heads = ("path", "template", "type", "stride", "rows", *GROUPS, "worst error")
    return Report("Fidelity of the ASIC cost model", README, heads, lines, notes)


def read(path: Path) -> Columns:
    """Input and output columns of a table, and which rows are degenerate."""
    table = pq.read_table(path, columns=[*reference.INPUTS, *reference.OUTPUTS, "degenerate"])
    return {name: table[name].to_numpy() for name in table.column_names}


def compare(rows: Columns, path: str) -> Iterator[tuple[str, ...]]:
    """Report rows of one path, one per template, type and stride."""
    keys = list(zip(rows["dataflow"], rows["type"], rows["stride"].tolist(), strict=True))
    for dataflow, kind, stride in sorted(set(keys)):
        if path == "closed" and stride > 1 and dataflow != "dla":
            continue
        chosen = np.array([key == (dataflow, kind, stride) for key in keys])
        measured = {name: column[chosen] for name, column in rows.items()}
        predicted = reference.predict(measured, engine=path)
        errors = {name: error(measured[name], predicted[name]) for name in reference.OUTPUTS}
        shares = [share(np.stack([equal(errors[name], name, predicted) for name in names])) for names in GROUPS.values()]
        worst = max(float(np.nanmax(each, initial=0.0)) for each in errors.values())
        yield (path, dataflow, kind, str(stride), str(chosen.sum()), *shares, f"{worst:.1e}")


def error(measured: NDArray[Any], predicted: NDArray[Any]) -> NDArray[np.float64]:
    """Relative errors; NaN where nothing was measured."""
    return np.abs(predicted - measured) / np.maximum(np.abs(measured), 1e-300)


def equal(errors: NDArray[np.float64], name: str, predicted: Columns) -> NDArray[np.float64]:
    """1 where a row is equal, 0 where not, NaN where nothing was measured."""
    if predicted[name].dtype == np.int64:
        allowed = 0.0
    else:
        allowed = 1e-12 if name == "energy_nj" else PRINTED
    return np.where(np.isnan(errors), np.nan, errors <= allowed)


def share(equal: NDArray[np.float64]) -> str:
    """The part of the rows in which all columns are equal; it says 100 only if every row is, and nothing if none is known."""
    rows = equal.min(axis=0)
    rows = rows[~np.isnan(rows)]
    if len(rows) == 0:
        return ""
    return "100 %" if rows.all() else f"{min(100 * float(rows.mean()), 99.99):.2f} %"
