"""The top and the end of the page: the sweep in words, its tasks and agents, failed runs, protocol and machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym.report.costs import seconds
from archgym.report.panels import Section, Table
from archgym.report.scopes import ARMS, ranked_tasks, rows_of, scopes
from archgym.report.statistics import FEWEST, interquartile_mean, middle_interval, share_interval
from archgym.report.study import Study

MOST_REASONS = 20


def facts(study: Study) -> list[tuple[str, str]]:
    """A few numbers for the top of the page: figure, what it is."""
    trials = sum(int(run.get("trials") or 0) for run in study.runs)
    return [
        (f"{len(study.runs):,}", "runs"),
        (_short(trials), "designs evaluated"),
        (str(len(study.agents)), "agents" if len(study.agents) != 1 else "agent"),
        (str(len(study.problems)), "tasks" if len(study.problems) != 1 else "task"),
        (f"{len(study.tickets):,}", "tickets" if len(study.tickets) != 1 else "ticket"),
        (_hours(float(seconds(study).sum())), "of computing"),
    ]


def words(study: Study) -> list[str]:
    """The summary: what was run, which tasks tell agents apart, which agent is where, what failed."""
    return [_what(study), *_tasks(study), *_standing(study), _failed(study)]


def _what(study: Study) -> str:
    budgets = sorted({float(run["budget"]) for run in study.runs})
    seeds = len({run["seed"] for run in study.runs})
    budget = f"{budgets[0]:,.0f}" if len(budgets) == 1 else f"{budgets[0]:,.0f} to {budgets[-1]:,.0f}"
    simulators = _listed(sorted({problem.simulator for problem in study.problems}))
    return (
        f"{_count(len(study.agents), 'agent')} searched {_count(len(study.problems), 'task')} of {simulators} with {budget} "
        f"designs per run: {_count(len(study.tickets), 'hyper-parameter ticket')}, {_count(seeds, 'seed')}, "
        f"{_count(len(study.runs), 'run')}."
    )


def _tasks(study: Study) -> list[str]:
    said = []
    unknown = [p for p in range(len(study.problems)) if not study.known[p]]
    if study.ceilings:
        names = _listed([f"{study.problems[p].label} ({why})" for p, why in sorted(study.ceilings.items())])
        said.append(f"Too easy to tell agents apart, and left out of rankings (ceiling tasks): {names}.")
    if unknown:
        names = _listed([study.problems[p].label for p in unknown])
        said.append(
            f"Without a table of all designs: {names}. These show costs instead of quantiles, and are left out of rankings."
        )
    if not study.ceilings and not unknown:
        said.append("The true optimum of every task is known, and none is so easy that random search finds it at once.")
    return said


def _standing(study: Study) -> list[str]:
    ranked = ranked_tasks(study)
    if not ranked or len(study.agents) < 2:
        return []
    said = []
    for arm in study.arms:
        scores: dict[str, float] = {}
        for agent, name in enumerate(study.agents):
            means = []
            for problem in ranked:
                rows = np.flatnonzero((study.problem == problem) & (study.agent == agent) & study.arm(arm))
                values = study.area[rows]
                if len(values) and np.isfinite(values).all():
                    means.append(float(np.median(values)))
            if len(means) == len(ranked):
                scores[name] = float(np.mean(means))
        if len(scores) > 1:
            order = sorted(scores, key=lambda name: -scores[name])
            listed = ", ".join(f"{name} {scores[name]:.2f}" for name in order)
            tasks = _count(len(ranked), "task")
            said.append(f"{ARMS[arm]}, median area under the anytime curve over {tasks} (larger is better): {listed}.")
    said.append("Whether such differences are more than chance is shown under “Who beats whom”, task by task.")
    return said


def _failed(study: Study) -> str:
    failed = int(study.failed.sum())
    if not failed:
        return "No run failed."
    share = failed / len(study.runs)
    return f"{_count(failed, 'run')} failed ({share:.2%}); they are counted as the worst everywhere, and listed below."


def tasks_section(study: Study) -> Section:
    """One row per task."""
    lead = (
        "A ceiling task is one where random search is within 1 % of the optimum after fewer than 20 designs: equality of "
        "agents on it says nothing."
    )
    rows = []
    for p, problem in enumerate(study.problems):
        here = np.flatnonzero(study.problem == p)
        best = [float(study.runs[row]["best_score"]) for row in here if study.runs[row].get("best_score") is not None]
        optimal = float((study.hits["0"][here] <= study.budget[here]).mean()) if study.rated[p] else None
        hits = float(np.median(study.hits["0.01"][here])) if study.rated[p] else np.nan
        kind = "no table" if not study.known[p] else "ceiling" if p in study.ceilings else "ranked"
        rows.append(
            (
                problem.label,
                problem.size,
                len(here),
                len(np.unique(study.agent[here])),
                max(best, default=None),
                optimal,
                hits,
                kind,
            )
        )
    columns = (
        "task",
        "designs in the space",
        "runs",
        "agents",
        "best score found",
        "runs at the optimum",
        "median designs to 1 %",
        "kind",
    )
    note = "An empty cell means not known, or that more than half of the runs never arrive."
    return Section("tasks", "Tasks", lead, tables=(Table("All tasks", columns, rows, note),))


def agents_section(study: Study) -> Section:
    """One row per agent and arm, for all ranked tasks together or one at a time."""
    lead = (
        "Interquartile mean, share of successes and the 90 % quantile side by side, because each of them hides something. "
        "Shares have exact intervals; means have bootstrap intervals, left out where resampling finds no spread."
    )
    columns: tuple[str, ...] = (
        "agent",
        "arm",
        "runs",
        "tickets",
        "failed",
        "IQM of quantile regret",
        "95 % interval",
        "90 % quantile of it",
    )
    columns += ("share within 1 %", "interval of the share", "anytime area (IQM)")
    tables = []
    for scope in scopes(study, study.known):
        rows = []
        for agent, name in enumerate(study.agents):
            for arm in study.arms:
                held = rows_of(study, scope, agent, arm)
                if len(held):
                    rows.append((name, ARMS[arm].lower(), *_numbers(study, held)))
        tables.append(Table(scope.label, columns, rows, path=(scope.label,)))
    if not tables:
        rows = [
            (name, int((study.agent == agent).sum()), int(study.failed[study.agent == agent].sum()))
            for agent, name in enumerate(study.agents)
        ]
        return Section("agents", "Agents", lead, tables=(Table("Agents", ("agent", "runs", "failed"), rows),))
    return Section("agents", "Agents", lead, tables=tables, selectors=("Task",))


def _numbers(study: Study, rows: np.ndarray) -> tuple[Any, ...]:
    final = study.final[rows]
    middle = middle_interval(final, study.units(rows), study.problem[rows])
    interval = (
        f"{middle.low:.3g} to {middle.high:.3g}"
        if middle.high > middle.low and len(np.unique(study.units(rows))) >= FEWEST
        else ""
    )
    near = share_interval(int((study.hits["0.01"][rows] <= study.budget[rows]).sum()), len(rows))
    area = float(interquartile_mean(study.area[rows]))
    return (
        len(rows),
        len(np.unique(study.ticket[rows])),
        int(study.failed[rows].sum()),
        middle.value,
        interval,
        float(np.quantile(final, 0.9)),
        near.value,
        f"{near.low:.0%} to {near.high:.0%}",
        area,
    )


def end_section(study: Study, about: Mapping[str, Any]) -> Section:
    """Failed runs, the protocol written down before the sweep, sources, machine and versions."""
    tables = []
    if study.failed.any():
        reasons = Counter(
            (str(study.runs[row]["label"]), str(study.runs[row]["reason"])) for row in np.flatnonzero(study.failed)
        )
        rows = [(label, reason, count) for (label, reason), count in reasons.most_common(MOST_REASONS)]
        tables.append(Table("Failed runs", ("agent", "reason", "runs"), rows, "The most frequent reasons."))
    for title, key in (
        ("Protocol, written down before the sweep", "protocol"),
        ("Sources", "sources"),
        ("Machine and versions", "machine"),
    ):
        content = about.get(key) or {}
        if content:
            tables.append(Table(title, ("what", "value"), [(str(name), _text(value)) for name, value in content.items()]))
    skip = "" if tables else "No run failed, and nothing is known about the machine."
    return Section("about", "Failed runs, protocol and machine", "", tables=tables, skip=skip)


def _text(value: Any) -> str:
    return ", ".join(_text(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _short(number: float) -> str:
    for limit, unit in ((1e9, "billion"), (1e6, "million")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number:,.0f}"


def _hours(spent: float) -> str:
    if spent >= 3600:
        return f"{spent / 3600:,.1f} h"
    return f"{spent / 60:.0f} min" if spent >= 120 else f"{spent:.3g} s"
