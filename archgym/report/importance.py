"""Which hyper-parameters matter: the share of variance that each explains alone."""

from __future__ import annotations

import numpy as np

from archgym.report.panels import Figure, Section, Series
from archgym.report.scopes import scopes
from archgym.report.statistics import RESAMPLES, Floats, Whole, main_effects
from archgym.report.study import Study

FEWEST = 16
"""With fewer tickets no main effect can be told from chance."""


def importance_section(study: Study) -> Section:
    """Bars per agent: main effects of its hyper-parameters on the anytime area of its tickets."""
    lead = (
        "How much of the difference between tickets each hyper-parameter explains on its own: its main effect on the mean "
        "anytime area of a ticket, as a share of the variance, less what chance would explain (epsilon squared). Whiskers "
        "are 95 % bootstrap intervals over tickets. What no bar explains is interaction and noise."
    )
    figures = []
    for agent, name in enumerate(study.agents):
        for scope in scopes(study, study.known):
            found = _effects(study, agent, scope.problems)
            if found is None:
                continue
            names, shares, low, high, tickets = found
            order = np.argsort(-shares, kind="stable")
            columns = {
                "hyperparameter": [names[index] for index in order],
                "rank": np.arange(1, len(order) + 1),
                "share": shares[order],
                "low": low[order],
                "high": high[order],
            }
            options = {"label": "hyperparameter", "value": "share", "axis": "share of variance explained", "percent": True}
            options |= {"agents": [agent] * len(order), "range": [0, 1]}
            note = f"{tickets} tickets."
            figures.append(Figure((name, scope.label), "bars", [Series(name, columns, agent)], options, note))
    title = "Which hyper-parameters matter"
    if not figures:
        skip = f"No agent with hyper-parameters ran {FEWEST} or more tickets on a task whose optimum is known."
        return Section("importance", title, lead, skip=skip)
    return Section("importance", title, lead, figures, ("Agent", "Task"))


def _effects(study: Study, agent: int, problems: tuple[int, ...]) -> tuple[list[str], Floats, Floats, Floats, int] | None:
    """Names, shares, interval ends and the number of tickets; None where there is too little to see."""
    rows = np.flatnonzero(np.isin(study.problem, problems) & (study.agent == agent) & ~study.default)
    rows = rows[np.isfinite(study.area[rows])]
    tickets = np.unique(study.ticket[rows])
    if len(tickets) < FEWEST:
        return None
    means = _ticket_means(study, rows, tickets, problems)
    first = [int(rows[np.argmax(study.ticket[rows] == ticket)]) for ticket in tickets]
    settings = [study.runs[row].get("hyperparameters") or {} for row in first]
    names = [name for name in settings[0] if len({repr(each.get(name)) for each in settings}) > 1]
    if not names or not np.ptp(means):
        return None
    columns = [np.unique([repr(each.get(name)) for each in settings], return_inverse=True)[1] for name in names]
    levels = np.stack([column.reshape(-1) for column in columns], axis=1)
    shares = main_effects(levels, means)
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(RESAMPLES):
        picked = rng.integers(0, len(tickets), len(tickets))
        drawn.append(main_effects(levels[picked], means[picked]))
    seen = np.array(drawn)
    seen[np.isnan(seen)] = 0.0
    low, high = np.quantile(seen, [0.025, 0.975], axis=0)
    return names, np.nan_to_num(shares), low, high, len(tickets)


def _ticket_means(study: Study, rows: Whole, tickets: Whole, problems: tuple[int, ...]) -> Floats:
    """Mean standardised area of each ticket over tasks and seeds."""
    values = study.area[rows].copy()
    for problem in problems:
        here = study.problem[rows] == problem
        if here.any():
            values[here] = (values[here] - values[here].mean()) / (values[here].std() or 1.0)
    index = np.searchsorted(tickets, study.ticket[rows])
    return np.asarray(np.bincount(index, weights=values) / np.bincount(index))
