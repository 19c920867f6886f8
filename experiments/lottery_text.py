"""Puts the lottery study into words: the blocks of docs/lottery.md, and the figures beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from lottery_answers import WINNING_REGRET, arm, components
from lottery_curves import anytime, crossover, pairs, profiles, ranks, running_time_curves
from lottery_data import Runs, Task
from lottery_figures import charged, landscapes, strips, study_strips, ticket_curves, transfers, variance
from lottery_plan import DEFAULT
from lottery_statistics import Components, variance_components
from lottery_study import Part, Study
from lottery_tables import (
    arms_table,
    card_table,
    charged_table,
    components_table,
    lucky_table,
    markdown,
    pairs_table,
    ranks_text,
    reversal_table,
    span,
    task_name,
    times_table,
    tuning_table,
    winning_table,
)
from lottery_verdicts import answers, marks_of
from measuring import machine

FIGURES: Mapping[str, Mapping[str, str]] = {
    "strips": {"01_strips": "All tickets"},
    "landscape": {"11_landscape": "Landscape cards"},
    "variance": {"03_variance": "Shares of variance and ICC"},
    "winners": {"02_ticket_curve": "Chance that the best of k tickets wins"},
    "tuning": {"12_transfer": "Tuned on row, tested on column"},
    "charged": {"07_tuning_charged": "Tuning charged"},
    "pairs": {"10_pairs": "Pairwise matrix"},
    "curves": {
        "04_anytime": "Quantile regret against designs",
        "08_ranks": "Ranks by number of designs",
        "06_profile": "Performance profile",
    },
    "times": {"05_running_time": "Running times"},
    "crossover": {"09_crossover": "Crossover"},
}
"""Which figures stand in which block, with their captions."""


def write_up(study: Study, figures: Path) -> dict[str, str]:
    """Draws all figures into a folder.

    Returns:
        Markdown by name of the block in docs/lottery.md.
    """
    found = {name: components(part, study.ranked(part.tuning)) for name, part in study.parts.items()}
    draw(study, found, figures)
    blocks = {
        "answers": answers(study, found),
        "size": size_text(study),
        "landscape": card_table(study.cards),
        "variance": sections(study, lambda part, tasks: components_table(found[part.name])),
        "winners": sections(study, _winners),
        "arms": sections(study, lambda part, tasks: arms_table(part, tasks, part.budget)),
        "tuning": sections(study, tuning_table),
        "reversals": sections(study, reversal_table),
        "charged": sections(study, lambda part, tasks: charged_table(part, tasks, study.cards)),
        "pairs": sections(study, _pairs),
        "times": sections(study, _times),
        "classes": classes_text(study),
        "grids": grids_text(study),
    }
    for name, drawn in FIGURES.items():
        links = [f"![{caption}](figures/lottery_{file}.png)" for file, caption in drawn.items()]
        blocks[name] = "\n\n".join([part for part in (blocks.get(name, ""), *links) if part])
    return {name: text for name, text in blocks.items() if text}


def sections(study: Study, render: Callable[[Part, Sequence[Task]], str]) -> str:
    """One part after the other, each under its name."""
    texts = [f"{heading(part)}\n\n{render(part, study.ranked(part.tuning))}" for part in study.parts.values()]
    return "\n\n".join(texts)


def heading(part: Part) -> str:
    """What a part is, in a line."""
    return f"**{part.name}** ({part.budget:,} designs a run, {len(part.agents)} agents with tickets)"


def _winners(part: Part, tasks: Sequence[Task]) -> str:
    texts = [f"After {mark:,} designs:\n\n{winning_table(part, tasks, mark)}" for mark in marks_of(part)]
    chosen = f"Successes of the best of {max(part.best_of)} on fresh seeds, after {part.budget:,} designs:"
    return "\n\n".join([*texts, chosen, lucky_table(part, tasks, part.budget)])


def _pairs(part: Part, tasks: Sequence[Task]) -> str:
    arm_name = f"best of {min(k for k in part.best_of if k >= 12)}"
    table = pairs_table(part, tasks, arm_name, marks_of(part), part.everybody)
    return f"{ranks_text(part, tasks, arm_name, part.everybody)}\n\n{table}"


def _times(part: Part, tasks: Sequence[Task]) -> str:
    return times_table(part, tasks, (DEFAULT, f"best of {max(part.best_of)}"))


def size_text(study: Study) -> str:
    """How many runs and designs, what they cost, and on what machine."""
    rows, total_runs, total_designs = [], 0, 0
    for part in study.parts.values():
        for stage, runs in (("tuning seeds", part.tuning), ("fresh seeds", part.fresh)):
            count = len(runs)
            total_runs, total_designs = total_runs + count, total_designs + count * runs.budget
            rows.append([f"{part.name}, {stage}", *_cost([runs])])
    for name, grid in study.grids.items():
        total_runs += sum(len(runs) for runs in grid)
        total_designs += sum(len(runs) * runs.budget for runs in grid)
        rows.append([name.replace("_", ", "), *_cost(grid)])
    head = (
        f"{total_runs:,} runs planned, {total_designs / 1e6:,.1f} million designs; runs that two arms share are executed once."
    )
    table = markdown(["part", "runs", "failed", "million designs", "agent s", "simulator s (table look-ups)"], rows)
    return f"{head} Machine: {machine()}.\n\n{table}"


def _cost(grids: Sequence[Runs]) -> list[str]:
    designs = sum(len(runs) * runs.budget for runs in grids)
    agent, simulator = (sum(float(getattr(r, name).sum()) for r in grids) for name in ("agent_seconds", "simulator_seconds"))
    failed = sum(int(runs.failed.sum()) for runs in grids)
    return [f"{sum(map(len, grids)):,}", str(failed), f"{designs / 1e6:.2f}", f"{agent:,.0f}", f"{simulator:,.0f}"]


def classes_text(study: Study) -> str:
    """All classes of agents side by side, where they share tasks, budget and number of tickets."""
    chosen = [part for part in study.parts.values() if part.name != "long" and 12 in part.best_of]
    if len(chosen) < 2:
        return ""
    mark = min(part.budget for part in chosen)
    tasks = [task for task in chosen[0].tuning.tasks if all(task in part.tuning.tasks for part in chosen)]
    rows = []
    for part in chosen:
        for agent in part.everybody:
            for name in ("best of 12", DEFAULT):
                one = arm(part, f"{agent}: {name}", tasks, mark)
                if one is None:
                    continue
                success = f"{one.success:.0%} ({span(one.success_bounds, '.0%')})"
                cells = [str(one.runs), f"{one.area:.2f}", span(one.area_interval), success, f"{one.quantile:.1e}"]
                rows.append([f"{agent}, {name}", *cells, f"{one.seconds:.2f} s of {part.budget:,}"])
    rows.sort(key=lambda row: -float(row[2]))
    listed = ", ".join(task_name(task) for task in tasks)
    heads = ["arm", "runs", "area", "95 % interval", "within 1 %", "quantile regret (IQM)", "agent seconds of designs"]
    return f"After {mark:,} designs on {listed}:\n\n{markdown(heads, rows)}"


def grids_text(study: Study) -> str:
    """ArchGym's own grids: as published the budget is part of the ticket, then with the budget fixed."""
    texts = []
    if published := study.grids.get("grids_published"):
        tasks = study.ranked(published[0])
        rows = [
            [agent, *_spread(*found)]
            for agent in ("ant_colony", "genetic", "bayes_gp", "random_walk")
            if len((found := _ended(published, agent, tasks))[0])
        ]
        heads = ["agent", "runs", "designs of a run", "correlation of log designs and log quantile regret"]
        heads += ["share of variance that the number of designs explains"]
        texts.append(f"As published, one run per ticket, {len(tasks)} tasks that rank:\n\n{markdown(heads, rows)}")
    if fixed := study.grids.get("grids_fixed"):
        (runs,) = fixed
        found = {}
        for label in runs.labels:
            rows = np.array([runs.tickets(label, task, 3) for task in runs.tasks])
            found[label] = variance_components(runs.area[rows])
        texts.append(f"With {runs.budget:,} designs for every ticket and three seeds:\n\n{components_table(found)}")
        shares = [[label, *_won(runs, label)] for label in runs.labels]
        texts.append(markdown(["agent", "tickets", *map(task_name, runs.tasks)], shares))
    return "\n\n".join(texts)


def _ended(published: Sequence[Runs], agent: str, tasks: Sequence[Task]) -> tuple[np.ndarray, np.ndarray]:
    """Designs and final log10 quantile regret of all runs of an agent, the latter less the mean of its task."""
    designs, ends, where = [], [], []
    for runs in published:
        mine = [
            str(label).split(" ")[0] == agent and runs.tasks[t] in tasks
            for label, t in zip(runs.label, runs.task, strict=True)
        ]
        rows = np.flatnonzero(mine)
        designs += [runs.budget] * len(rows)
        ends += np.log10(runs.quantile[rows, -1] + 1 / runs.size).tolist()
        where += [tasks.index(runs.tasks[t]) for t in runs.task[rows]]
    values, groups = np.array(ends), np.array(where, int)
    means = np.bincount(groups, values) / np.maximum(np.bincount(groups), 1) if len(values) else values
    return np.array(designs), values - means[groups]


def _spread(designs: np.ndarray, ends: np.ndarray) -> list[str]:
    first = [f"{len(designs):,}", f"{designs.min():,} to {designs.max():,}"]
    if np.ptp(designs) == 0 or np.ptp(ends) == 0:
        return [*first, "-", "-"]
    correlation = float(np.corrcoef(np.log10(designs), ends)[0, 1])
    return [*first, f"{correlation:.2f}", f"{correlation**2:.0%}"]


def _won(runs: Runs, label: str) -> list[str]:
    cells = []
    for task in runs.tasks:
        medians = np.median(runs.regret[runs.tickets(label, task, 3), -1], axis=1)
        cells.append(f"{np.mean(medians <= WINNING_REGRET):.0%}")
    return [str(len(runs.settings[label])), *cells]


def draw(study: Study, found: Mapping[str, Mapping[str, Components]], folder: Path) -> None:
    """All twelve figures."""
    main = next(iter(study.parts.values()))
    tasks = study.ranked(main.tuning)
    arm_name = f"best of {min(k for k in main.best_of if k >= 12)}"
    several = list(study.parts.values())
    together: dict[str, Components] = {}
    for name, rows in found.items():
        suffix = " (10,000 designs)" if name == "long" else ""
        together |= {f"{agent}{suffix}": one for agent, one in rows.items()}
    strips(study_strips(study), tasks, folder)
    ticket_curves(main, tasks, folder)
    variance(together, folder)
    anytime(main, tasks, folder)
    running_time_curves(main, tasks, folder)
    profiles(main, tasks, folder)
    charged(main, tasks, study.cards, folder)
    ranks(several, {part.name: study.ranked(part.tuning) for part in several}, folder)
    shared = [task for task in tasks if all(task in part.tuning.tasks for part in several)]
    crossover(study_strips(study), shared, folder)
    pairs(main, tasks, arm_name, marks_of(main), folder)
    landscapes(study.cards, folder)
    transfers(main, list(dict.fromkeys(goal for _, goal in tasks)), folder)
