"""Systolic accelerator: every measured row of SCALE-Sim 3.0.0 (``experiments/reference/scalesim3_dev.parquet``)."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measuring import Report
from numpy.typing import NDArray

from simulators.systolic import reference

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "experiments" / "reference" / "scalesim3_dev.parquet"
README = ROOT / "simulators" / "systolic" / "README.md"

OPERANDS = ("ifmap", "filter", "ofmap")
GROUPS = {
    "cycles": ("compute_cycles", "total_cycles", "total_cycles_incl_prefetch"),
    "stalls": ("stall_cycles",),
    "utilisation": ("overall_util", "mapping_eff", "compute_util"),
    "SRAM words": tuple(f"sram_{operand}_n" for operand in OPERANDS),
    "DRAM words": (*(f"dram_{operand}_n" for operand in OPERANDS), "dram_read_bytes", "dram_write_bytes"),
    "first and last cycles": tuple(
        f"{place}_{operand}_{end}" for place in ("sram", "dram") for operand in OPERANDS for end in ("start", "stop")
    ),
    "bandwidths": tuple(f"avg_{operand}_{place}_bw" for operand in OPERANDS for place in ("sram", "dram")),
}
ROUNDING = 1e-12
"""Relative, for ratios: the program adds utilisations up fold by fold, which rounds differently from a closed formula."""

Columns = dict[str, NDArray[Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table of measured rows")


def measure(options: argparse.Namespace) -> Report:
    """Predicts all rows and compares them with the measured ones."""
    table = pq.read_table(options.table)
    measured = {name: table[name].to_numpy() for name in table.column_names}
    predicted = reference.predict(measured)
    lines = list(compare(measured, predicted))
    compared = sum(map(len, GROUPS.values()))
    notes = (
        f"{len(table)} rows, {compared} columns: all that SCALE-Sim reports. A share is the part of the rows in which all "
        f"columns of the group are equal: whole numbers exactly, ratios to {ROUNDING:.0e} of their value.",
        "The worst error is the largest difference of a whole number, and the largest relative one of a ratio.",
    )
    heads = ("dataflow", "bandwidth", "rows", "with stalls", *GROUPS, "worst whole", "worst ratio")
    return Report("Fidelity of the exact systolic model", README, heads, lines, notes)


def compare(measured: Columns, predicted: Columns) -> Iterator[tuple[str, ...]]:
    """Report rows, one per dataflow and bandwidth mode."""
    for dataflow in ("os", "ws", "is"):
        for mode in ("CALC", "USER"):
            chosen = (measured["dataflow"] == dataflow) & (measured["bw_mode"] == mode)
            rows = {name: column[chosen] for name, column in measured.items()}
            found = {name: column[chosen] for name, column in predicted.items()}
            whole = {name: name not in reference.RATIOS for columns in GROUPS.values() for name in columns}
            errors = {name: error(found[name], rows[name], whole[name]) for name in whole}
            right = {name: off == 0 if whole[name] else off <= ROUNDING for name, off in errors.items()}
            shares = [share(np.all([right[name] for name in columns], axis=0)) for columns in GROUPS.values()]
            worst = [max(float(errors[name].max()) for name in errors if whole[name] == kind) for kind in (True, False)]
            stalled = int((rows["stall_cycles"] > 0).sum())
            yield (dataflow, mode, str(chosen.sum()), str(stalled), *shares, f"{worst[0]:g}", f"{worst[1]:.0e}")


def error(found: NDArray[Any], measured: NDArray[Any], whole: bool) -> NDArray[np.float64]:
    """Differences of whole numbers, relative differences of ratios."""
    off = np.abs(found - measured)
    return off if whole else off / np.abs(measured)


def share(right: NDArray[np.bool_]) -> str:
    """A percentage that says 100 only if every row is right."""
    return "100 %" if right.all() else f"{min(100 * float(right.mean()), 99.99):.2f} %"
