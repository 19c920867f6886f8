"""Figures of ``proxy_accuracy.py``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from proxy_tables import UNITS, Row

TARGETS = (0.61, 0.1)
COLOURS = {"kernel": "tab:blue", "forest": "tab:orange", "boosting": "tab:green", "mlp": "tab:red"}


def draw(rows: Sequence[Row], folder: Path) -> None:
    """Writes the figures for which there are rows."""
    folder.mkdir(parents=True, exist_ok=True)
    _sizes([row for row in rows if row["study"] == "size" and row["set"] == "uniform"], folder / "proxies_size.png")
    _diversity([row for row in rows if row["study"] == "diversity"], folder / "proxies_diversity.png")
    _search([row for row in rows if row["study"] == "search"], folder / "proxies_search.png")


def _sizes(rows: Sequence[Row], path: Path) -> None:
    if not rows:
        return
    workloads = list(dict.fromkeys(row["workload"] for row in rows))
    figure, axes = plt.subplots(
        len(UNITS), len(workloads), figsize=(3.2 * len(workloads), 7.5), sharex=True, sharey=True, squeeze=False
    )
    for line, metric in enumerate(UNITS):
        for column, workload in enumerate(workloads):
            axis = axes[line, column]
            some = [row for row in rows if row["workload"] == workload and row["metric"] == metric]
            for model in dict.fromkeys(row["model"] for row in some):
                points = sorted((row["trials"], row["rmse_of_mean"]) for row in some if row["model"] == model)
                axis.loglog(*zip(*points, strict=True), marker="o", markersize=3, label=model, color=COLOURS[model])
            for target in TARGETS:
                axis.axhline(target, color="grey", linewidth=0.7, linestyle="--")
            if line == 0:
                axis.set_title(workload)
            if column == 0:
                axis.set_ylabel(f"{UNITS[metric]}: RMSE % of mean")
            if line == len(UNITS) - 1:
                axis.set_xlabel("uniform trials")
    axes[0, 0].legend(fontsize=8)
    _finish(figure, path)


def _diversity(rows: Sequence[Row], path: Path) -> None:
    if not rows:
        return
    groups = list(dict.fromkeys((row["workload"], row["model"], row["equal"]) for row in rows))
    figure, axes = plt.subplots(1, len(groups), figsize=(2.9 * len(groups), 3.8), sharey=True, squeeze=False)
    for axis, group in zip(axes[0], groups, strict=True):
        some = [row for row in rows if (row["workload"], row["model"], row["equal"]) == group]
        sources = list(dict.fromkeys(row["source"] for row in some))
        for x, source in enumerate(sources):
            values = [row["rmse_of_mean"] for row in some if row["source"] == source]
            axis.plot([x] * len(values), values, "o", markersize=4, alpha=0.7)
            axis.plot([x - 0.3, x + 0.3], [np.median(values)] * 2, "k-")
        axis.set_yscale("log")
        axis.set_xticks(range(len(sources)), sources, rotation=60, ha="right")
        axis.set_title(f"{group[0]}, {group[1]},\nequal {group[2]}", fontsize=9)
    axes[0, 0].set_ylabel("RMSE % of mean, rest of the grid")
    _finish(figure, path)


def _search(rows: Sequence[Row], path: Path) -> None:
    if not rows:
        return
    workloads = list(dict.fromkeys(row["workload"] for row in rows))
    ways = list(dict.fromkeys(row["way"] for row in rows))
    figure, axes = plt.subplots(1, len(workloads), figsize=(2.8 * len(workloads), 3.4), sharey=True, squeeze=False)
    for axis, workload in zip(axes[0], workloads, strict=True):
        for x, way in enumerate(ways):
            values = [100 * row["regret"] for row in rows if row["workload"] == workload and row["way"] == way]
            axis.plot(np.full(len(values), x), values, "o", markersize=4, alpha=0.6)
        axis.set_yscale("symlog", linthresh=0.01)
        axis.set_xticks(range(len(ways)), ways, rotation=60, ha="right")
        axis.set_title(workload, fontsize=10)
    axes[0, 0].set_ylabel("regret % of latency")
    _finish(figure, path)


def _finish(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
