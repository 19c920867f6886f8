"""Figures of the lottery study about agents: anytime, running times, profiles, ranks, crossover, pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lottery_answers import compare
from lottery_data import EPS, Floats, Task
from lottery_figures import COLOURS, panels, save
from lottery_plan import DEFAULT
from lottery_statistics import expected_running_time
from lottery_study import Part, per_task
from scipy import stats

RESAMPLES = 200


def _iqm(runs: Any, label: str, tasks: Sequence[Task]) -> tuple[Floats, Floats, Floats]:
    """Interquartile mean of the quantile regret at every mark, with a bootstrap band (seeds within tasks)."""
    rng = np.random.default_rng(0)
    curves = [runs.quantile[runs.where(label, task)] for task in tasks]
    centre = stats.trim_mean(np.concatenate(curves), 0.25, axis=0)
    drawn = []
    for _ in range(RESAMPLES):
        sample = np.concatenate([curve[rng.integers(0, len(curve), len(curve))] for curve in curves])
        drawn.append(stats.trim_mean(sample, 0.25, axis=0))
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return centre, low, high


def anytime(part: Part, tasks: Sequence[Task], folder: Path) -> Path:
    """Quantile regret against designs, default and best ticket, with the closed form of random search."""
    best = f"best of {max(part.best_of)}"
    figure, axes = panels(2, 6, 4.5, 2, sharey=True)
    runs = part.fresh
    floor = 0.5 / runs.size
    for ax, name in zip(axes, (DEFAULT, best), strict=True):
        for agent in part.everybody:
            centre, low, high = _iqm(runs, part.arm(agent, name), tasks)
            colour = COLOURS.get(agent, "black")
            ax.plot(runs.marks, np.maximum(centre, floor), color=colour, label=agent)
            ax.fill_between(runs.marks, np.maximum(low, floor), np.maximum(high, floor), color=colour, alpha=0.15, linewidth=0)
        ax.plot(runs.marks, 1 / (runs.marks + 1), "k--", linewidth=1, label="1/(n+1)")
        ax.set(xscale="log", yscale="log", title=f"{name}, {len(tasks)} tasks", xlabel="designs")
        ax.grid(alpha=0.3, which="both", linewidth=0.4)
    axes[0].set_ylabel("quantile regret (IQM)")
    axes[0].legend(fontsize=8)
    return save(figure, folder, "04_anytime")


def running_time_curves(part: Part, tasks: Sequence[Task], folder: Path) -> Path:
    """Share of task x margin x seed that is solved after n designs."""
    figure, axes = panels(2, 6, 4.5, 2, sharey=True)
    runs, best = part.fresh, f"best of {max(part.best_of)}"
    grid = np.unique(np.geomspace(1, part.budget, 200).round())
    for ax, name in zip(axes, (DEFAULT, best), strict=True):
        for agent in part.everybody:
            rows = np.concatenate([runs.where(part.arm(agent, name), task) for task in tasks])
            times = np.sort(runs.hits[rows].ravel())
            solved = np.searchsorted(times, grid, side="right") / len(times)
            ax.plot(grid, solved, color=COLOURS.get(agent, "black"), label=agent)
        ax.set(xscale="log", title=name, xlabel="designs", ylim=(0, 1.02))
        ax.grid(alpha=0.3, which="both", linewidth=0.4)
    axes[0].set_ylabel("share of task x margin x seed solved")
    figure.suptitle(f"Running times to within {', '.join(f'{eps:.1%}' for eps in EPS)} of the optimum", fontsize=10)
    axes[0].legend(fontsize=8)
    return save(figure, folder, "05_running_time")


def profiles(part: Part, tasks: Sequence[Task], folder: Path) -> Path:
    """Share of task x seed with a relative regret of at most tau."""
    early = 100 if part.budget <= 1000 else 1000
    figure, axes = panels(2, 6, 4.5, 2, sharey=True)
    runs, best = part.fresh, f"best of {max(part.best_of)}"
    taus = np.concatenate([[0], np.geomspace(1e-4, 1, 200)])
    for ax, mark in zip(axes, (early, part.budget), strict=True):
        for agent in part.everybody:
            for name, style in ((best, "-"), (DEFAULT, ":")):
                rows = np.concatenate([runs.where(part.arm(agent, name), task) for task in tasks])
                regrets = np.sort(runs.regret[rows, runs.column(mark)])
                share = np.searchsorted(regrets, taus, side="right") / len(regrets)
                label = agent if style == "-" else None
                ax.plot(np.maximum(taus, 5e-5), share, style, color=COLOURS.get(agent, "black"), label=label)
        ax.axvline(0.01, color="black", linewidth=0.6)
        ax.set(xscale="log", title=f"after {mark:,} designs", xlabel="relative regret (left edge: none)", ylim=(0, 1.02))
        ax.grid(alpha=0.3, which="both", linewidth=0.4)
    axes[0].set_ylabel("share of task x seed")
    axes[1].legend(fontsize=8, title="solid: best ticket, dotted: default", title_fontsize=7)
    return save(figure, folder, "06_profile")


def ranks(parts: Sequence[Part], tasks_of: Mapping[str, Sequence[Task]], folder: Path) -> Path:
    """Mean rank over tasks at several numbers of designs, with bootstrap intervals; equal agents share a rank."""
    figure, axes = panels(len(parts), 5.5, 4, 2)
    rng = np.random.default_rng(0)
    for ax, part in zip(axes, parts, strict=True):
        runs, tasks, best = part.fresh, tasks_of[part.name], f"best of {max(part.best_of)}"
        marks = [mark for mark in (30, 100, 300, 1000, 3000, 10_000) if mark <= part.budget]
        curves = {agent: per_task(runs, part.arm(agent, best), runs.quantile, tasks) for agent in part.everybody}
        columns = [runs.column(mark) for mark in marks]
        draws = np.array([_mean_ranks(curves, columns, rng if draw else None) for draw in range(RESAMPLES + 1)])
        low, high = np.quantile(draws[1:], [0.025, 0.975], axis=0)
        for position, agent in enumerate(curves):
            centre = draws[0, position]
            spread = np.maximum([centre - low[position], high[position] - centre], 0)
            x = np.array(marks) * 1.03 ** (position - len(curves) / 2)
            ax.errorbar(x, centre, yerr=spread, marker="o", capsize=2, color=COLOURS.get(agent, "black"), label=agent)
        ax.set(xscale="log", title=f"{part.name}: {best}, {len(tasks)} tasks", xlabel="designs")
        ax.invert_yaxis()
        ax.grid(alpha=0.3)
        ax.legend(fontsize=8)
    axes[0].set_ylabel("mean rank over tasks (1 is best)")
    return save(figure, folder, "08_ranks")


def _mean_ranks(curves: Mapping[str, Sequence[Floats]], columns: Sequence[int], rng: np.random.Generator | None) -> Floats:
    """(agents, marks): mean over tasks of ranks of interquartile means; of a resample if ``rng`` is given."""
    values = []
    for found in curves.values():
        means = []
        for curve in found:
            sample = curve if rng is None else curve[rng.integers(0, len(curve), len(curve))]
            means.append(stats.trim_mean(sample[:, columns], 0.25, axis=0))
        values.append(means)
    return np.asarray(stats.rankdata(np.array(values), axis=0).mean(axis=1))


def crossover(parts: Sequence[Part], tasks: Sequence[Task], folder: Path) -> Path:
    """Time to 1 % of the optimum against the simulator's time per design: which agent for which simulator."""
    figure, axes = panels(2, 6, 4.6, 2)
    cost = np.geomspace(2e-6, 10, 100)
    lines = {}
    for part in parts:
        runs = part.fresh
        for agent in part.everybody:
            label = part.arm(agent, f"best of {min(part.best_of)}")
            rows = [runs.where(label, task) for task in tasks if task in runs.tasks]
            if len(rows) < len(tasks):
                continue
            needed = [expected_running_time(runs.hits[found, EPS.index(0.01)], runs.budget) for found in rows]
            thought = float(np.mean(np.concatenate([runs.agent_seconds[found] for found in rows]))) / runs.budget
            if np.isfinite(needed).all():
                lines[agent] = np.exp(np.mean(np.log(needed))) * (thought + cost)
    fastest = np.min(list(lines.values()), axis=0)
    for agent, line in lines.items():
        colour = COLOURS.get(agent, "black")
        axes[0].plot(cost, line, color=colour, label=agent)
        axes[1].plot(cost, line / fastest, color=colour, label=agent)
    axes[0].set(ylabel="seconds to within 1 % (expected, with restarts)", yscale="log")
    axes[1].set(ylabel="times the fastest", yscale="log", ylim=(0.9, 100))
    for ax in axes:
        ax.set(xscale="log", xlabel="simulator seconds per design")
        ax.grid(alpha=0.3, which="both", linewidth=0.4)
    axes[1].legend(fontsize=8)
    figure.suptitle(f"Crossover: tuned agents on {len(tasks)} tasks, one core")
    return save(figure, folder, "09_crossover")


def pairs(part: Part, tasks: Sequence[Task], arm_name: str, marks: Sequence[int], folder: Path) -> Path:
    """Chance that the row's runs have the larger area; stars after Holm, = where equivalent by the margins."""
    figure, axes = panels(len(marks), 4.8, 4.4, 3)
    names = part.everybody
    for ax, mark in zip(axes, marks, strict=True):
        matrix = np.full((len(names), len(names)), 0.5)
        words = [["" for _ in names] for _ in names]
        for found in compare(part, tasks, arm_name, mark, names):
            a, b = (names.index(name) for name in found["pair"])
            matrix[a, b], matrix[b, a] = found["superiority"], 1 - found["superiority"]
            sign = ("*" if found["p_holm"] < 0.05 else "") + (" =" if found["equivalent"] else "")
            words[a][b], words[b][a] = f"{matrix[a, b]:.2f}{sign}", f"{matrix[b, a]:.2f}{sign}"
        ax.imshow(matrix, vmin=0, vmax=1, cmap="RdBu_r")
        for row, column in np.ndindex(matrix.shape):
            ax.text(column, row, words[row][column], ha="center", va="center", fontsize=8)
        ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=8)
        ax.set_yticks(range(len(names)), names, fontsize=8)
        ax.set_title(f"{mark:,} designs", fontsize=10)
    figure.suptitle(f"P(row better than column), {arm_name}; * Holm, = equivalent", fontsize=10)
    return save(figure, folder, "10_pairs")
