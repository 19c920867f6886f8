"""All agents on the SoC: distance to the budget against the number of designs.

    python experiments/soc_agents.py --out FOLDER           # runs what is missing, prints the tables
    python experiments/soc_agents.py --out FOLDER --write   # also into docs/soc.md and docs/figures

What is run is in ``specs/soc_agents.toml``.  The sweep goes on where it was interrupted.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import machine, write_block

from archgym.cli.show import stdout
from archgym.cli.sweeping import SweepWatch, show_sweep
from archgym.sweep.run import run_sweep
from archgym.sweep.spec import load_spec
from archgym.sweep.store import Store

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
SPEC = HERE / "specs" / "soc_agents.toml"
MARKS = (100, 300, 1000)
RANKED = 300
"""Designs that every agent has; tables are sorted by the median there."""
CONTROL = "random_walk"
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
COLUMNS = 4


@dataclass(frozen=True)
class Curve:
    """The runs of one agent on one workload.

    Attributes:
        agent, workload: names.
        marks: M numbers of designs.
        distances: (S, M) least distance to the budget so far, one row per seed; infinite before the first valid design and
            in runs that failed.
        seconds: the agent's own per design, median of the seeds.
    """

    agent: str
    workload: str
    marks: tuple[int, ...]
    distances: np.ndarray
    seconds: float

    @property
    def seeds(self) -> int:
        """How many runs there are."""
        return len(self.distances)

    @property
    def median(self) -> np.ndarray:
        """(M,) over the seeds."""
        return np.median(self.distances, axis=0)

    @property
    def met(self) -> int:
        """Seeds that have met the budget in the end."""
        return int((self.distances[:, -1] == 0).sum())

    def at(self, mark: int) -> np.ndarray | None:
        """(S,) distances after so many designs; None where the runs are shorter."""
        return self.distances[:, self.marks.index(mark)] if mark in self.marks else None


def curves(summaries: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """Groups summaries of a sweep by agent and workload, in the order of their first appearance.

    Args:
        summaries: as ``Store.summaries`` gives them; the objective is ``distance_to_budget``, so that scores are distances
            with the sign turned.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for run in summaries:
        groups.setdefault((run["label"], run["workload"]), []).append(run)
    found = []
    for (agent, workload), runs in groups.items():
        distances = np.array([[np.inf if best is None else abs(best) for best in run["best"]] for run in runs])
        seconds = float(np.median([run["agent_seconds"] / max(run["trials"], 1) for run in runs]))
        found.append(Curve(agent, workload, tuple(runs[0]["marks"]), distances, seconds))
    return found


def ranked(found: Sequence[Curve], workload: str) -> list[Curve]:
    """Curves of one workload, the nearest to the budget first; of equals the one nearer at the end, then by name."""
    mine = [curve for curve in found if curve.workload == workload]

    def place(curve: Curve) -> tuple[float, float, str]:
        at = curve.at(RANKED)
        return float(np.inf if at is None else np.median(at)), float(curve.median[-1]), curve.agent

    return sorted(mine, key=place)


def cell(distances: np.ndarray | None) -> str:
    """Median and range of the distances of some seeds; a dash where there are none."""
    if distances is None:
        return "-"
    median, least, most = (shown(float(value)) for value in (np.median(distances), distances.min(), distances.max()))
    return f"{median} ({least} .. {most})"


def shown(distance: float) -> str:
    """A distance in a few characters; 0 only where the budget is met."""
    if distance == 0 or not np.isfinite(distance):
        return "0" if distance == 0 else "none"
    return f"{distance:.1e}" if distance < 0.01 else f"{distance:,.0f}" if distance >= 99.5 else f"{distance:.2g}"


def table(found: Sequence[Curve], workload: str) -> str:
    """Markdown: the agents on one workload."""
    heads = ["agent", "seeds", *(f"{mark:,} designs" for mark in MARKS), "meets the budget", "agent, ms per design"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for curve in ranked(found, workload):
        cells = [cell(curve.at(mark)) for mark in MARKS]
        met = f"{curve.met} of {curve.seeds}"
        lines.append("| " + " | ".join([curve.agent, str(curve.seeds), *cells, met, shown(1e3 * curve.seconds)]) + " |")
    return "\n".join(lines)


def write_up(found: Sequence[Curve]) -> str:
    """Markdown: all tables."""
    workloads = dict.fromkeys(curve.workload for curve in found)
    parts = [f"Machine: {machine()}."]
    return "\n\n".join(parts + [f"**{workload}**\n\n{table(found, workload)}" for workload in workloads])


def draw(found: Sequence[Curve], path: Path) -> None:
    """One panel per agent: median and range over the seeds, one colour per workload, random walk's median dotted.

    Args:
        found: curves; agents are sorted by their mean place on the workloads.
        path: of the PNG.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    workloads = list(dict.fromkeys(curve.workload for curve in found))
    places: dict[str, list[int]] = {}
    for workload in workloads:
        for place, curve in enumerate(ranked(found, workload)):
            places.setdefault(curve.agent, []).append(place)
    agents = sorted(places, key=lambda agent: (np.mean(places[agent]), agent))
    by_name = {(curve.agent, curve.workload): curve for curve in found}
    values = np.concatenate([curve.distances.ravel() for curve in found])
    positive = values[(values > 0) & np.isfinite(values)]
    floor = float(positive.min() if len(positive) else 1.0) / 3  # where a distance of 0 is drawn
    ceiling = float(positive.max() if len(positive) else 1.0) * 2
    rows = -(-len(agents) // COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(11, 2.3 * rows), sharex=True, sharey=True, squeeze=False)
    figure.set_layout_engine("constrained")
    for unused in axes.ravel()[len(agents) :]:
        unused.set_visible(False)
    for ax, agent in zip(axes.ravel(), agents, strict=False):
        shares = []
        for workload, colour in zip(workloads, COLOURS, strict=False):
            if (agent, workload) not in by_name:
                continue
            curve = by_name[agent, workload]
            shown_runs = np.clip(curve.distances, floor, ceiling)
            low, high = shown_runs.min(axis=0), shown_runs.max(axis=0)
            ax.plot(curve.marks, np.median(shown_runs, axis=0), color=colour, label=workload)
            ax.fill_between(curve.marks, low, high, color=colour, alpha=0.15, linewidth=0)
            shares.append(f"{curve.met}/{curve.seeds}")
            if (CONTROL, workload) in by_name:
                control = by_name[CONTROL, workload]
                ax.plot(control.marks, np.clip(control.median, floor, ceiling), color=colour, linestyle=":", linewidth=1)
        ax.axhline(floor, color="black", linewidth=0.6)
        ax.set(xscale="log", yscale="log", ylim=(floor / 1.5, ceiling))
        ax.set_title(f"{agent}  ({', '.join(shares)} meet it)", fontsize=9)
        ax.grid(alpha=0.3, linewidth=0.4)
    axes[0, 0].legend(fontsize=7, loc="lower left")
    figure.supxlabel("designs evaluated", fontsize=10)
    figure.supylabel("distance to the budget (line at the bottom: 0)", fontsize=10)
    figure.suptitle("SoC, standard budget: median and range over the seeds; dotted: random walk", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def main() -> None:
    """Runs what is missing, prints, draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "soc_agents", help="folder of the sweep")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--write", action="store_true", help="write figure and tables into docs/")
    options = parser.parse_args()
    with SweepWatch(quiet=False) as watch:
        result = run_sweep(load_spec(SPEC), options.out, workers=options.workers, extend=True, progress=watch)
    if result.executed:
        show_sweep(result, stdout())
    found = curves(Store.open(options.out).summaries())
    text = write_up(found)
    print(text)
    figure = (DOCS / "figures" if options.write else options.out) / "soc_agents.png"
    draw(found, figure)
    print(f"figure: {figure}")
    if options.write:
        write_block(DOCS / "soc.md", "agents", text)


if __name__ == "__main__":
    main()
