"""The lottery: every ticket's result, the chance that the best of k wins, and whether it is the tickets or the seeds."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.report.panels import Figure, Section, Series
from archgym.report.scopes import ALL, ordered_tasks, scopes, task_label
from archgym.report.statistics import Whole, share_interval, ticket_share
from archgym.report.study import DEFAULT, Study, group_medians

WIN_REGRET = 0.01
WIN_QUANTILE = 0.001
FEWEST = 5
"""With fewer tickets than this there is no lottery to speak of."""


def lottery_section(study: Study) -> Section:
    """One strip per agent and task with the median result of every ticket."""
    lead = (
        "Each dot is one ticket: one setting of an agent's hyper-parameters, judged by the median of its seeds. Further left "
        "is better; the bar at the left edge counts the tickets whose median is a true optimum, its darker part those that "
        "reach it with every seed. A wide strip means that the choice of hyper-parameters decides the result."
    )
    title = "The hyper-parameter lottery"
    if len(study.tickets) == len(study.agents):
        return Section("lottery", title, lead, skip="Every agent ran with one setting only: there is no lottery to draw.")
    figures = [_strip(study, problem) for problem in ordered_tasks(study)]
    return Section("lottery", title, lead, figures, ("Task",))


def _strip(study: Study, problem: int) -> Figure:
    known = bool(study.known[problem])
    values = study.final if known else study.final_cost
    series = []
    for agent, name in enumerate(study.agents):
        rows = np.flatnonzero((study.problem == problem) & (study.agent == agent))
        if not len(rows):
            continue
        tickets, medians = group_medians(values[rows], study.ticket[rows])
        _, worst = group_worst(values[rows], study.ticket[rows])
        names = [study.tickets[ticket][1] for ticket in tickets]
        drawn = [index for index, ticket in enumerate(names) if ticket != DEFAULT] or [0]
        best = min(drawn, key=lambda index: medians[index])
        mark = ["default" if ticket == DEFAULT else "best" if index == best else "" for index, ticket in enumerate(names)]
        measure = "quantile" if known else "cost"
        columns = {"ticket": names, measure: medians, "worst_seed": worst, "mark": mark}
        series.append(Series(name, columns, agent))
    options = {
        "value": "quantile" if known else "cost",
        "axis": "share of all designs that are better (quantile regret)" if known else study.problems[problem].objective,
        "floor": study.floor(problem) if known else None,
        "edge": known,
        "tickets": True,
    }
    note = "" if known else "This task has no table of all designs, so costs are shown; archgym optimum makes one."
    return Figure((task_label(study, problem),), "strip", series, options, note)


def group_worst(values: np.ndarray, groups: Whole) -> tuple[Whole, np.ndarray]:
    """Largest value of each group."""
    order = np.lexsort((values, groups))
    found, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    return found, values[order][first + counts - 1]


def curve_section(study: Study) -> Section:
    """Chance that the best of k tickets wins, with exact bands, up to a fifth of the tickets."""
    lead = (
        "How many tickets one has to draw. A ticket wins if the median of its seeds is good enough; the best of k tickets "
        "wins with probability 1 - (1 - w)^k. Bands are exact (Clopper-Pearson, 95 %); curves end at a fifth of the tickets, "
        "beyond which the data bound nothing."
    )
    figures = []
    rules = (
        ("Within 1 % of the optimum", study.regret, WIN_REGRET),
        ("Among the best 0.1 % of designs", study.final, WIN_QUANTILE),
    )
    for problem in ordered_tasks(study):
        for label, values, limit in rules:
            series = []
            for agent, name in enumerate(study.agents):
                rows = np.flatnonzero((study.problem == problem) & (study.agent == agent) & ~study.default)
                if not len(rows) or not np.isfinite(np.minimum(values[rows], 1.0)).all():
                    continue
                _, medians = group_medians(values[rows], study.ticket[rows])
                if len(medians) < FEWEST:
                    continue
                wins = int((medians <= limit).sum())
                k = np.arange(1, len(medians) // 5 + 1)
                chance = share_interval(wins, len(medians))
                columns = {"k": k, **{key: 1 - (1 - getattr(chance, key)) ** k for key in ("value", "low", "high")}}
                series.append(Series(f"{name} ({wins} of {len(medians)})", columns, agent))
            options = {"x": "k", "x_title": "tickets drawn, k", "y_title": "chance that the best one wins", "y_range": [0, 1]}
            path = (task_label(study, problem), label)
            if series:
                figures.append(Figure(path, "lines", series, options, "In brackets: winning tickets of all drawn ones."))
    if not figures:
        skip = f"No agent ran {FEWEST} or more tickets on a task whose optimum is known: there is no curve to draw."
        return Section("tickets", "The ticket curve", lead, skip=skip)
    return Section("tickets", "The ticket curve", lead, figures, ("Task", "A ticket wins"))


def variance_section(study: Study) -> Section:
    """Intraclass correlation of tickets, per agent."""
    lead = (
        "How much of the spread between runs is due to the ticket, and how much to the seed: the share of variance of the "
        "anytime area that lies between tickets (intraclass correlation, bootstrap over tickets). Random walk has no "
        "effective hyper-parameters, so its share must be zero. A lottery of hyper-parameters is shown only where an agent's "
        "interval lies clear of random walk's."
    )
    figures = []
    for scope in scopes(study, study.known):
        names, found, agents = [], [], []
        for agent, name in enumerate(study.agents):
            rows = np.flatnonzero(np.isin(study.problem, scope.problems) & (study.agent == agent) & ~study.default)
            rows = rows[np.isfinite(study.area[rows])]
            if len(np.unique(study.ticket[rows])) < FEWEST:
                continue
            values = study.area[rows].copy()
            for problem in scope.problems:
                here = study.problem[rows] == problem
                values[here] -= values[here].mean() if here.any() else 0.0
            share = ticket_share(values, study.ticket[rows] * len(study.problems) + study.problem[rows])
            if np.isfinite(share.value):
                names.append(name)
                agents.append(agent)
                found.append(share)
        if names:
            columns = {
                "agent": names,
                "share": [max(share.value, 0.0) for share in found],
                "low": [max(share.low, 0.0) for share in found],
                "high": [max(share.high, 0.0) for share in found],
            }
            options: dict[str, Any] = {
                "label": "agent",
                "value": "share",
                "axis": "share of variance between tickets",
                "agents": agents,
            }
            options |= {"range": [0, 1], "percent": True}
            figures.append(Figure((scope.label,), "bars", [Series("ticket", columns)], options))
    if not figures:
        skip = f"This needs {FEWEST} or more tickets of an agent with two or more seeds each."
        return Section("variance", "Tickets or seeds?", lead, skip=skip)
    note = "" if figures[0].path[0] != ALL else "Areas are centred within each task first."
    figures[0] = Figure(figures[0].path, "bars", figures[0].series, figures[0].options, note)
    return Section("variance", "Tickets or seeds?", lead, figures, ("Task",))
