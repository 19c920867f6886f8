"""Scatter figures of the NASAIC study: accuracy against each limited metric, what each method tried, its answer, the specs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from nasaic_problem import SPECS, Problem, specs_of
from nasaic_tables import label
from numpy.typing import NDArray

SHOWN = 1500
"""Designs drawn per method."""

WIDEST = 3.0
"""The axes end at so many times a spec; designs beyond are left out."""

AXES = {"latency_cycles": "latency (cycles)", "energy_nj": "energy (nJ)", "area_um2": "area (um²)"}


def trials(record: Mapping[str, Any], folder: Path) -> dict[str, NDArray[np.float64]] | None:
    """Evenly spaced designs of a run's last phase: accuracy and limited metrics; None where the run kept none.

    The formula also rates designs that miss the specs; with training only those designs are shown whose networks were trained.
    """
    path = folder / f"{record['key']}.npz"
    if not path.exists():
        return None
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    rows = np.unique(np.linspace(0, len(kept["designs"]) - 1, SHOWN).astype(int))
    if record["accuracy"] == "surrogate":
        simulator = Problem(record["workload"], "surrogate").simulator(prune=False)
        metrics = simulator.evaluate(kept["designs"][rows].astype(np.int32))
        metrics = metrics.take(np.flatnonzero(metrics.ok))
        return {name: metrics[name] for name in ("accuracy", *SPECS)}
    rows = np.flatnonzero(np.nan_to_num(kept["accuracy"]) > 0)
    return {name: kept[name][rows] for name in ("accuracy", *SPECS)}


def scatter(records: Sequence[Mapping[str, Any]], workload: str, folder: Path, path: Path) -> None:
    """One panel per limited metric, all methods in each: trials of seed 0 faint, its answer marked, the specs as a box.

    Args:
        records: runs with seed 0 of the methods to draw.
        workload: whose specs are drawn.
        folder: with the designs of the runs.
        path: of the figure.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    runs = [record for record in records if record["workload"] == workload and record["seed"] == 0]
    specs = specs_of(Problem(workload))
    figure, panels = pyplot.subplots(1, 3, figsize=(13, 4.6), sharey=True, layout="constrained")
    for panel, (name, spec) in zip(panels, specs.items(), strict=True):
        panel.axvspan(0, spec, color="0.93", zorder=0)
        panel.axvline(spec, color="black", linewidth=1, linestyle="--", label="spec")
        panel.set(xlim=(0, WIDEST * spec), xlabel=AXES[name])
    for colour, record in enumerate(runs):
        tried = trials(record, folder)
        answer = record["answer"]["metrics"]
        for panel, name in zip(panels, specs, strict=True):
            if tried is not None:
                panel.scatter(tried[name], tried["accuracy"], s=5, alpha=0.22, color=f"C{colour}", linewidths=0)
            accuracy = answer["accuracy"] if record["answer"]["meets"] else _rated(record)
            style = {"marker": "*", "s": 220} if record["answer"]["meets"] else {"marker": "X", "s": 110}
            beyond = answer[name] > WIDEST * specs[name]
            place = min(answer[name], 0.985 * WIDEST * specs[name])
            text = label(record["method"]) + ("" if record["answer"]["meets"] else ", misses the specs")
            style |= {"facecolor": "none" if beyond else f"C{colour}", "edgecolor": f"C{colour}" if beyond else "black"}
            panel.scatter([place], [accuracy], label=text, zorder=3, clip_on=False, **style)
    kind = runs[0]["accuracy"]
    panels[0].set_ylabel(f"mean accuracy ({kind})")
    panels[0].legend(fontsize=8, loc="lower right")
    figure.suptitle(
        f"{workload}, {kind} accuracies: designs of one run per method (faint), its answer (marked), specs (grey box)"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _rated(record: Mapping[str, Any]) -> float:
    """Accuracy of an answer that misses the specs, which the search did not ask for."""
    simulator = Problem(record["workload"], record["accuracy"]).simulator(prune=False)
    design = simulator.space.encode(record["answer"]["design"])
    return float(simulator.evaluate(design)["accuracy"][0])
