"""SoC model: every measured row of FARSI that can be built (``experiments/reference/farsi_dev.parquet``)."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from measuring import Report
from numpy.typing import NDArray

from simulators.soc import reference

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "experiments" / "reference" / "farsi_dev.parquet"
README = ROOT / "simulators" / "soc" / "README.md"

ALLOWED = 1e-12
GROUPS = {
    "latency": ("latency", "serial_latency"),
    "power": ("power",),
    "area": ("area", "area_dram", "area_non_dram"),
    "energy": ("energy",),
    "distance": ("reward_dist",),
    "phases": ("n_phases", "phases", "phase_energy"),
    "tasks": ("kernels",),
}

Columns = dict[str, NDArray[Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--table", type=Path, default=TABLE, help="table of measured rows")


def measure(options: argparse.Namespace) -> Report:
    """Predicts all rows that passed the precheck and compares them with the measured ones."""
    rows = read(options.table)
    lines = list(compare(rows))
    total, faults = len(rows["workload"]), int(np.sum(~rows["valid"] & rows["fault"]))
    notes = (
        f"{total:,} rows of FARSI, as the environment of ArchGym runs it, whose designs can be built.  *limited* is ArchGym's "
        "encoding, *wide* draws 1 to 6 processing elements, 1 to 4 buses and 1 to 5 memories from the full library.",
        f"A share is the part of the valid rows in which all columns of the group are equal, to {ALLOWED:g} relative.  The "
        "latency includes that of the tasks one after the other, area that of DRAM and of the rest; the distance is that to "
        "the published budget; phases are compared with the length and energy of each, tasks with order, start and end.",
        "*Invalid* counts the rows that FARSI rejects, and those of them that are invalid here too.  "
        f"The other {faults} is a rare fault of FARSI (it loses a link when it prunes the middle of a star) and valid here.",
        "The worst error is relative, over all columns.",
    )
    heads = ("workload", "space", "valid", *GROUPS, "worst error", "invalid")
    return Report("Fidelity of the SoC model", README, heads, lines, notes)


def read(path: Path) -> Columns:
    """Columns of the rows whose designs can be built, and which of them FARSI fails on by a fault of its own."""
    table = pq.read_table(path)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    built = columns["precheck"] == "ok"
    rows = {name: values[built] for name, values in columns.items()}
    rows["fault"] = np.array([error.startswith("KeyError") for error in rows["error"]])
    return rows


def compare(rows: Columns) -> Iterator[tuple[str, ...]]:
    """Report rows, one per workload and encoding."""
    keys = list(zip(rows["workload"], rows["space"], strict=True))
    for workload, space in sorted(set(keys)):
        chosen = np.array([key == (workload, space) for key in keys])
        measured = {name: column[chosen] for name, column in rows.items()}
        predicted = reference.predict(measured)
        valid = measured["valid"].astype(bool)
        errors = {
            name: np.array([error(a, b) for a, b in zip(measured[name][valid], predicted[name][valid], strict=True)])
            for names in GROUPS.values()
            for name in names
        }
        shares = [share(np.all([errors[name] <= ALLOWED for name in names], axis=0)) for names in GROUPS.values()]
        worst = max(float(each.max(initial=0.0)) for each in errors.values())
        rejected = int(np.sum(~predicted["valid"][~valid]))
        yield (workload, space, str(valid.sum()), *shares, f"{worst:.1e}", f"{rejected} of {np.sum(~valid)}")


def error(measured: Any, predicted: Any) -> float:
    """Relative difference of two numbers, the largest one of two JSON texts; infinite where they are of two kinds."""
    if isinstance(measured, str):
        return nested_error(json.loads(measured), json.loads(predicted))
    if np.isnan(predicted):
        return np.inf
    return abs(predicted - measured) / abs(measured) if measured else abs(predicted)


def nested_error(measured: Any, predicted: Any) -> float:
    """The same for lists; lengths of phases and times of tasks are differences, so they count relative to the longest."""
    flat, found = flatten(measured), flatten(predicted)
    if len(flat) != len(found) or any(a != b for a, b in zip(flat, found, strict=True) if isinstance(a, str)):
        return np.inf
    numbers = np.array([[a, b] for a, b in zip(flat, found, strict=True) if not isinstance(a, str)])
    return float(np.abs(numbers[:, 0] - numbers[:, 1]).max() / np.abs(numbers).max())


def flatten(nested: Any) -> list[Any]:
    """All entries of nested lists."""
    return [entry for part in nested for entry in flatten(part)] if isinstance(nested, list) else [nested]


def share(right: NDArray[np.bool_]) -> str:
    """The part of the rows that are equal; it says 100 only if every row is."""
    return "100 %" if right.all() else f"{min(100 * float(right.mean()), 99.99):.2f} %"
