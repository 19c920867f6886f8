"""Pairs of agents: how often a run of one is better than a run of the other."""

from __future__ import annotations

import numpy as np

from archgym.report.panels import Figure, Section, Series
from archgym.report.scopes import ARMS, Scope, rows_of, scopes
from archgym.report.statistics import Floats, Superiority, holm, superiority
from archgym.report.study import Study, group_medians

MARGIN = 0.06
"""Chances within a half plus or minus this are as good as equal: the protocol calls smaller effects not worth claiming."""
ALPHA = 0.05


def pairwise_section(study: Study) -> Section:
    """Matrix of probabilities of superiority, with Holm's correction and equivalence marked."""
    lead = (
        "The chance that the agent of the row beats the agent of the column, in the area under the anytime curve, ties "
        "counted half. For random tickets the unit is a ticket (median over its seeds), for defaults a run. A star marks "
        "pairs that differ after Holm's correction (5 %); an equals sign marks equivalence: the 90 % interval lies within "
        f"{0.5 - MARGIN:.2f} to {0.5 + MARGIN:.2f}. Neither sign means that the data do not tell."
    )
    figures = []
    for scope in scopes(study, study.known):
        for arm in study.arms:
            figure = _together(study, scope, arm) if scope.problem is None else _matrix(study, scope, arm)
            if figure is not None:
                figures.append(figure)
    title = "Who beats whom"
    if not figures:
        skip = "This needs two agents with two or more runs each on a task whose optimum is known."
        return Section("pairwise", title, lead, skip=skip)
    return Section("pairwise", title, lead, figures, ("Task", "Arm"))


def _values(study: Study, problem: int, agent: int, arm: str) -> Floats:
    """Minus the anytime area, smaller is better: one value per ticket, or per run where there is one ticket."""
    rows = rows_of(study, Scope("", problem, (problem,)), agent, arm)
    rows = rows[np.isfinite(study.area[rows])]
    return group_medians(-study.area[rows], study.units(rows))[1] if len(rows) else np.zeros(0)


def _pairs(study: Study, problem: int, arm: str) -> tuple[list[int], dict[tuple[int, int], Superiority]]:
    values = {agent: _values(study, problem, agent, arm) for agent in range(len(study.agents))}
    there = [agent for agent, held in values.items() if len(held) > 1]
    return there, {(a, b): superiority(values[a], values[b]) for a in there for b in there if a != b}


def _matrix(study: Study, scope: Scope, arm: str) -> Figure | None:
    there, pairs = _pairs(study, scope.problems[0], arm)
    if len(there) < 2:
        return None
    once = [pair for pair in pairs if pair[0] < pair[1]]
    adjusted = dict(zip(once, holm([pairs[pair].p_value for pair in once]), strict=True))
    rows = []
    for (a, b), found in pairs.items():
        p_value = float(adjusted[min(a, b), max(a, b)])
        same = abs(found.chance - 0.5) + 1.645 * found.error <= MARGIN
        mark = "=" if same else "*" if p_value < ALPHA else ""
        rows.append((study.agents[a], study.agents[b], found.chance, found.low, found.high, p_value, mark))
    names = ("row", "column", "chance", "low", "high", "p_holm", "mark")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    options = {"order": [study.agents[agent] for agent in there]}
    return Figure((scope.label, ARMS[arm]), "matrix", [Series("pairs", columns)], options)


def _together(study: Study, scope: Scope, arm: str) -> Figure | None:
    """Mean over tasks, with the range; no test, since tasks on related workloads are not independent."""
    chances: dict[tuple[int, int], list[float]] = {}
    for problem in scope.problems:
        for pair, found in _pairs(study, problem, arm)[1].items():
            chances.setdefault(pair, []).append(found.chance)
    if not chances:
        return None
    rows = [
        (study.agents[a], study.agents[b], float(np.mean(seen)), min(seen), max(seen), len(seen), "")
        for (a, b), seen in chances.items()
    ]
    names = ("row", "column", "chance", "least", "most", "tasks", "mark")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    there = sorted({agent for pair in chances for agent in pair})
    note = "Means over tasks; hover for the range. Nothing is tested here: tasks on related workloads are not independent."
    options = {"order": [study.agents[agent] for agent in there]}
    return Figure((scope.label, ARMS[arm]), "matrix", [Series("pairs", columns)], options, note)
