"""Draws the front that a run found, over the whole space as ``space.csv`` has it, and prints it as a table.

    python examples/rtl_fir/front.py --run runs/fir --out front.png

``space.csv`` holds every valid design, as Debian 12's Yosys 0.23 and Verilator 5.006 measure it.  With other tools, measure
anew (half an hour of one core) and write it again:

    archgym optimum examples/rtl_fir/fir.toml
    python examples/rtl_fir/front.py --write-space
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import matplotlib
import numpy as np

from archgym import Dataset, make_simulator
from archgym.optimum import find_table
from archgym.pareto import non_dominated

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SPEC, SPACE = Path(__file__).with_name("fir.toml"), Path(__file__).with_name("space.csv")
AXES = ("transistors", "delays")
PARAMETERS = ("folding", "symmetry", "encoding", "reduction", "adder", "stages")
METRICS = (*AXES, "cells", "depth", "cycles")
Row = dict[str, object]


def whole_space() -> list[Row]:
    """Every valid design, as ``space.csv`` has it."""
    with SPACE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) if name in METRICS else value for name, value in row.items()} for row in rows]


def write_space() -> None:
    """Writes ``space.csv`` from the table of ``archgym optimum``."""
    simulator = make_simulator(str(SPEC))
    table = find_table(simulator)
    if table is None:
        raise SystemExit("the space has not been enumerated: archgym optimum examples/rtl_fir/fir.toml")
    with SPACE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*PARAMETERS, *METRICS))
        for row in np.flatnonzero(table.metrics.ok):
            design = simulator.space.describe(table.designs[row])
            writer.writerow([*design.values(), *(f"{table.metrics[name][row]:.12g}" for name in METRICS)])


def tried(folder: Path) -> list[Row]:
    """The OK trials of a run."""
    return [row for row in Dataset.open(folder).to_arrow().to_pylist() if row["status"] == "OK"]


def points(rows: list[Row]) -> np.ndarray:
    """Transistors and delays of rows, (N, 2)."""
    return np.array([[row[name] for name in AXES] for row in rows], float)


def front(rows: list[Row]) -> list[Row]:
    """Rows that no other one dominates, one per point, from the smallest on."""
    at = points(rows)
    _, first = np.unique(at[non_dominated(at)], axis=0, return_index=True)
    best = np.flatnonzero(non_dominated(at))[first]
    return [rows[index] for index in best[np.argsort(at[best, 0])]]


def show(rows: list[Row]) -> None:
    """Prints rows as a Markdown table."""
    names = (*PARAMETERS, *METRICS)
    print("| " + " | ".join(names) + " |\n|" + "---|" * len(names))
    for row in rows:
        cells = (f"{row[name]:,.6g}" if isinstance(row[name], float) else str(row[name]).lower() for name in names)
        print("| " + " | ".join(cells) + " |")


def draw(space: list[Row], run: list[Row], out: Path) -> None:
    """Writes the figure."""
    figure, axes = plt.subplots(figsize=(7, 4.5), constrained_layout=True)
    axes.scatter(*points(space).T, s=8, c="0.8", label=f"all {len(space)} valid designs")
    axes.step(*points(front(space)).T, where="post", c="tab:green", lw=1, label=f"their front: {len(front(space))} points")
    axes.scatter(*points(run).T, s=14, c="tab:blue", label=f"{len(run)} designs that the run tried")
    found = points(front(run))
    axes.step(*found.T, where="post", c="tab:red", lw=1.5, marker="o", ms=4, label=f"its front: {len(found)} points")
    axes.set(xlabel="transistors", ylabel="gate delays per sample", yscale="log", title="A FIR filter of 16 taps")
    axes.legend()
    figure.savefig(out, dpi=120)


def main() -> None:
    """Reads a run, draws, prints; or writes ``space.csv``."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", type=Path, help="folder of the run")
    parser.add_argument("--out", type=Path, default=Path("front.png"), help="the figure")
    parser.add_argument("--write-space", action="store_true", help="write space.csv from the table of archgym optimum")
    words = parser.parse_args()
    if words.write_space:
        write_space()
    if words.run is not None:
        space, run = whole_space(), tried(words.run)
        show(front(run))
        true = {tuple(point) for point in points(front(space)).tolist()}
        met = sum(tuple(point) in true for point in points(front(run)).tolist())
        print(f"\n{met} of the {len(true)} points of the true front")
        draw(space, run, words.out)


if __name__ == "__main__":
    main()
