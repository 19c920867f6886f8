"""Draws the front that a run found among the designs it tried, and the whole space where it has been enumerated.

    python examples/rtl_fir/front.py runs/fir --out examples/rtl_fir/front.png

The whole space is shown after ``archgym optimum examples/rtl_fir/fir.toml``.  Also prints the front as a table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib
import numpy as np

from archgym import Dataset, make_objective, make_simulator
from archgym.optimum import find_table
from archgym.pareto import non_dominated
from archgym.simulator import Simulator

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SPEC = Path(__file__).with_name("fir.toml")
AXES = ("transistors", "delays")
OBJECTIVE = "weighted:transistors=1,delays=100"


def tried(folder: Path) -> list[dict[str, object]]:
    """The OK trials of a run, one row per distinct design."""
    rows = Dataset.open(folder).to_arrow().to_pylist()
    return list({tuple(row[name] for name in AXES): row for row in rows if row["status"] == "OK"}.values())


def front(points: np.ndarray) -> np.ndarray:
    """Indices of points (N, 2) that no other one dominates, from the smallest on."""
    found = np.flatnonzero(non_dominated(points))
    return found[np.argsort(points[found, 0])]


def show(rows: list[dict[str, object]], simulator: Simulator) -> None:
    """Prints a front as a Markdown table."""
    names = [*simulator.space.names, *AXES, "cells", "depth", "cycles"]
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        cells = (f"{row[name]:,.6g}" if isinstance(row[name], float) else str(row[name]) for name in names)
        print("| " + " | ".join(cells) + " |")


def main() -> None:
    """Reads a run, draws, prints."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("front.png"), help="the figure")
    words = parser.parse_args()
    simulator = make_simulator(str(SPEC))
    rows = tried(words.run)
    points = np.array([[row[name] for name in AXES] for row in rows])
    best = front(points)
    show([rows[index] for index in best], simulator)
    figure, axes = plt.subplots(figsize=(7, 4.5), constrained_layout=True)
    table = find_table(simulator)
    if table is not None:
        everything = np.stack([table.metrics[name] for name in AXES], axis=1)
        true = everything[table.front(make_objective(OBJECTIVE, simulator))]
        met = sum((true == point).all(axis=1).any() for point in points[best])
        print(f"\n{met} of the {len(np.unique(true, axis=0))} points of the true front")
        axes.scatter(*everything[table.metrics.ok].T, s=8, c="0.8", label=f"all {table.metrics.ok.sum()} valid designs")
        axes.step(*true.T, where="post", c="tab:green", lw=1, label="front of all of them")
    axes.scatter(*points.T, s=14, c="tab:blue", label=f"{len(points)} outcomes that the run tried")
    axes.step(*points[best].T, where="post", c="tab:red", lw=1.5, marker="o", ms=4, label="its front")
    axes.set(xlabel="transistors", ylabel="gate delays per sample", yscale="log", title="A FIR filter of 16 taps")
    axes.legend()
    figure.savefig(words.out, dpi=120)


if __name__ == "__main__":
    main()
