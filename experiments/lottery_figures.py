"""Figures of the lottery study about tickets: strips, ticket curves, variance shares, tuning charged, transfer, landscapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from lottery_answers import charged_random_search, charged_restarts, transfer, winners
from lottery_data import Task
from lottery_plan import DEFAULT
from lottery_statistics import Components, best_of_curve
from lottery_study import CONTROL, Part, Study, per_task
from lottery_tables import task_name

from archgym.landscape import MARGINS, Card

matplotlib.use("Agg")
from matplotlib import pyplot

COLOURS = {
    "genetic": "#1f77b4",
    "ant_colony": "#d62728",
    "annealing": "#2ca02c",
    "policy_gradient": "#9467bd",
    "random_walk": "#7f7f7f",
    "nsga2": "#17becf",
    "cma_es": "#ff7f0e",
    "ppo": "#8c564b",
    "sac": "#e377c2",
    "bayes_tpe": "#bcbd22",
    "bayes_gp": "#393b79",
}


def panels(count: int, width: float = 4.2, height: float = 3.2, columns: int = 3, **options: Any) -> tuple[Any, list[Any]]:
    """A figure with so many axes, the rest of the grid hidden."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = pyplot.subplots(rows, columns, figsize=(width * columns, height * rows), squeeze=False, **options)
    figure.set_layout_engine("constrained")
    flat = list(axes.ravel())
    for extra in flat[count:]:
        extra.set_visible(False)
    return figure, flat[:count]


def save(figure: Any, folder: Path, name: str) -> Path:
    """Writes a figure and forgets it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"lottery_{name}.png"
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def strips(parts: Sequence[Part], tasks: Sequence[Task], folder: Path) -> Path:
    """Every ticket's median quantile regret per agent; one panel per task, tied optima as a bar at the lower edge."""
    figure, axes = panels(len(tasks), 5.2, 3.6)
    rng = np.random.default_rng(0)
    for ax, task in zip(axes, tasks, strict=True):
        names = []
        for part in parts:
            runs = part.tuning
            if task not in runs.tasks:
                continue
            floor = 0.4 / runs.size
            for agent in part.everybody:
                at, colour = len(names), COLOURS.get(agent, "black")
                names.append(agent if part.budget == 1000 else f"{agent}\n({part.budget})")
                medians = np.median(runs.quantile[runs.tickets(agent, task, part.seeds), -1], axis=1)
                shown = medians[medians > 0]
                ax.scatter(at + rng.uniform(-0.25, 0.25, len(shown)), shown, s=8, color=colour, alpha=0.6, linewidths=0)
                tied = int((medians == 0).sum())
                ax.barh(floor, 0.8 * tied / len(medians), left=at - 0.4, height=floor * 0.8, color=colour)
                ax.text(at, floor * 0.55, f"{tied}/{len(medians)}", ha="center", va="top", fontsize=6)
                if agent in part.agents:
                    mine = runs.where(agent, task)
                    default = np.median(runs.quantile[mine[runs.ticket[mine] == DEFAULT], -1])
                    ax.scatter(
                        at - 0.15, max(default, floor), marker="D", s=36, facecolor="white", edgecolor="black", zorder=3
                    )
                    fresh = part.fresh
                    best = fresh.where(f"{agent}: best of {max(part.best_of)}", task)
                    ax.scatter(
                        at + 0.15, max(np.median(fresh.quantile[best, -1]), floor), marker="*", s=70, color="black", zorder=4
                    )
        ax.axhline(floor, color="black", linewidth=0.6)
        ax.set(yscale="log", ylim=(floor * 0.25, 1.5), title=task_name(task))
        ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=7)
        ax.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("median quantile regret")
    figure.suptitle(
        "The lottery: every dot a ticket; diamond: default; star: best ticket, fresh seeds; bar: tickets at the optimum"
    )
    return save(figure, folder, "01_strips")


def ticket_curves(part: Part, tasks: Sequence[Task], folder: Path) -> Path:
    """Chance that the best of k tickets wins, with exact bands, up to a fifth of the tickets."""
    figure, axes = panels(len(tasks))
    early = 300 if part.budget > 300 else 100
    for ax, task in zip(axes, tasks, strict=True):
        for agent in part.everybody:
            found, colour = winners(part, agent, task), COLOURS.get(agent, "black")
            k = np.arange(1, max(found.tickets // 5, 1) + 1)
            low, high = found.bounds
            ax.plot(k, 1 - (1 - found.wins / found.tickets) ** k, color=colour, label=agent)
            ax.fill_between(k, 1 - (1 - low) ** k, 1 - (1 - high) ** k, color=colour, alpha=0.12, linewidth=0)
            before = winners(part, agent, task, early)
            ax.plot(k, 1 - (1 - before.wins / before.tickets) ** k, color=colour, linestyle=":")
        ax.set(ylim=(-0.03, 1.03), title=task_name(task))
        ax.grid(alpha=0.3)
    axes[0].set(xlabel="tickets tried, k", ylabel="chance that the best one wins")
    axes[0].legend(fontsize=7)
    figure.suptitle(
        f"Tickets needed: median within 1 % after {part.budget:,} designs (solid, 95 % bands) and {early} (dotted)"
    )
    return save(figure, folder, "02_ticket_curve")


def variance(found: Mapping[str, Components], folder: Path) -> Path:
    """Shares of variance and the intraclass correlation per agent."""
    figure, (left, right) = panels(2, 6, 0.45 * len(found) + 1.6, 2)
    names, at = list(found), np.arange(len(found))
    start = np.zeros(len(names))
    for position, (part, colour) in enumerate((("task", "#bbbbbb"), ("ticket", "#d62728"), ("seed", "#1f77b4"))):
        shares = np.array([found[name].shares[position] for name in names])
        left.barh(at, shares, left=start, color=colour, label=part)
        start += shares
    icc = np.array([found[name].icc for name in names])
    bounds = np.array([found[name].interval for name in names])
    spread = np.maximum([icc - bounds[:, 0], bounds[:, 1] - icc], 0)
    right.errorbar(icc, at, xerr=spread, fmt="o", color="black", capsize=3)
    if CONTROL in found:
        right.axvspan(*found[CONTROL].interval, color="#7f7f7f", alpha=0.25, label="random walk's interval")
        right.legend(fontsize=8)
    for ax in (left, right):
        ax.set_yticks(at, names)
        ax.invert_yaxis()
        ax.grid(axis="x", alpha=0.3)
    left.set(title="Tickets or seeds: shares of variance", xlim=(0, 1))
    left.legend(fontsize=8, ncol=3, loc="lower right")
    right.set(title="ICC = ticket / (ticket + seed)", xlim=(min(-0.1, bounds.min()), 1))
    return save(figure, folder, "03_variance")


def charged(part: Part, tasks: Sequence[Task], cards: Mapping[Task, Card], folder: Path) -> Path:
    """Chance of the true optimum against all designs spent, tuning included; with short runs above and whole ones below."""
    marks = [mark for mark in (100, part.budget) if mark <= part.budget]
    figure, axes = panels(len(part.agents) * len(marks), 3.8, 3.0, len(part.agents), sharey=True)
    most = max(2, len(part.tuning.settings[part.agents[0]]) // 5)
    counts = np.unique(np.geomspace(1, most, 8).round().astype(int))
    shares = [cards[task].shares[0] for task in tasks]
    for ax, (mark, agent) in zip(axes, [(mark, agent) for mark in marks for agent in part.agents], strict=True):
        spent = np.geomspace(mark, (most * part.seeds + 1) * mark, 40)
        curve = np.mean([_chosen(part, agent, task, counts, mark) for task in tasks], axis=0)
        total = (np.where(counts > 1, counts * (part.seeds - 1), 0) + 1) * mark
        ax.plot(
            total, curve, marker="o", color=COLOURS.get(agent, "black"), label=f"best of k tickets, {mark:,} designs a run"
        )
        longer = spent[spent <= part.budget]
        ax.plot(longer, [_by_then(part, agent, tasks, n) for n in longer], color="black", label="default, one longer run")
        again = [charged_restarts(part, agent, tasks, n / mark, mark) for n in spent]
        ax.plot(spent, again, color="black", linestyle=":", label=f"default, restarted every {mark:,}")
        ax.plot(spent, [charged_random_search(shares, n) for n in spent], "k--", linewidth=0.8, label="random search")
        ax.set(xscale="log", title=agent, ylim=(-0.03, 1.03))
        ax.grid(alpha=0.3, which="both", linewidth=0.4)
    for first in axes[:: len(part.agents)]:
        first.set(xlabel="designs, tuning included", ylabel="chance of the optimum")
        first.legend(fontsize=6)
    figure.suptitle("Tuning charged: does tuning beat searching longer?")
    return save(figure, folder, "07_tuning_charged")


def _by_then(part: Part, agent: str, tasks: Sequence[Task], designs: float) -> float:
    runs = part.fresh
    return float(np.mean([found.mean() for found in per_task(runs, f"{agent}: {DEFAULT}", runs.hits[:, 0] <= designs, tasks)]))


def _chosen(part: Part, agent: str, task: Task, counts: Sequence[int], mark: int) -> np.ndarray:
    """Chance of the optimum of the best of k tickets: chosen by all tuning seeds but one, judged by that one."""
    rows = part.tuning.tickets(agent, task, part.seeds)
    areas, found = part.tuning.areas_until(mark)[rows], (part.tuning.hits[rows, 0] <= mark).astype(float)
    curves = [best_of_curve(np.delete(areas, s, axis=1), found[:, s], counts, s) for s in range(rows.shape[1])]
    return np.asarray(np.mean(curves, axis=0))


def landscapes(cards: Mapping[Task, Card], folder: Path) -> Path:
    """Shares of the space near the optimum, and additivity, per task."""
    figure, (left, right) = panels(2, 6, 0.4 * len(cards) + 1.6, 2)
    names, at = [task_name(task) + (" (ceiling)" if c.ceiling else "") for task, c in cards.items()], np.arange(len(cards))
    for position, margin in enumerate(MARGINS):
        label = f"within {margin:.1%}" if margin else "optimum"
        left.scatter([card.shares[position] for card in cards.values()], at, label=label, s=30, alpha=0.8)
    left.set(xscale="log", title="Share of all designs")
    left.legend(fontsize=7)
    values = [np.nan if card.additive_r2 is None else card.additive_r2 for card in cards.values()]
    right.barh(at, values, color="#4c72b0")
    right.set(title="Additive R2 of the log cost", xlim=(0, 1))
    for ax in (left, right):
        ax.set_yticks(at, names, fontsize=8)
        ax.invert_yaxis()
        ax.grid(axis="x", alpha=0.3)
    return save(figure, folder, "11_landscape")


def transfers(part: Part, objectives: Sequence[str], folder: Path) -> Path:
    """Tuned on row, tested on column: share of tickets that the chosen one is better than."""
    figure, axes = panels(len(part.agents) * len(objectives), 3.4, 3.2, len(part.agents))
    cells = [(agent, objective) for objective in objectives for agent in part.agents]
    for ax, (agent, objective) in zip(axes, cells, strict=True):
        traces, matrix, correlation = transfer(part, agent, objective)
        ax.imshow(matrix, vmin=0, vmax=1, cmap="RdYlGn")
        for row, column in np.ndindex(matrix.shape):
            ax.text(column, row, f"{matrix[row, column]:.2f}", ha="center", va="center", fontsize=8)
        ax.set_xticks(range(len(traces)), traces, fontsize=7)
        ax.set_yticks(range(len(traces)), traces, fontsize=7)
        ax.set_title(f"{agent}, {objective}, rho {correlation:.2f}", fontsize=9)
    figure.suptitle(
        "Transfer: tuned on row, tested on column (share of tickets that are worse; 0.5 is a random ticket)", fontsize=10
    )
    return save(figure, folder, "12_transfer")


def study_strips(study: Study) -> list[Part]:
    """Parts whose tickets go on one strip chart: all but the second budget of the same agents."""
    return [part for name, part in study.parts.items() if name != "long"]
