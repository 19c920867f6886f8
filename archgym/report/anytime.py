"""Anytime curves, performance profiles and ranks by budget: how good agents are after so many designs."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.report.panels import Figure, Section, Series
from archgym.report.scopes import ARMS, Scope, ranked_tasks, rows_of, scopes
from archgym.report.statistics import FEWEST, LEVEL, interquartile_mean, resampled_middles
from archgym.report.study import Study

RANK_MARKS = (10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def anytime_section(study: Study) -> Section:
    """IQM of quantile regret against designs, log-log, with bands and the closed form of random search."""
    lead = (
        "The interquartile mean of quantile regret after n designs: 10^-3 means that one design in a thousand is better. "
        "Bands are 95 % bootstrap intervals, resampled within each task: whole tickets for random tickets, seeds for "
        "defaults. The dashed line is what random search reaches on average, 1 / (n + 1). Fewer "
        "than five runs or tickets get no band."
    )
    figures = []
    for scope in scopes(study):
        for arm in study.arms:
            series = [line for agent in range(len(study.agents)) if (line := _line(study, scope, agent, arm))]
            if series:
                figures.append(_figure(study, scope, arm, series))
    if not figures:
        return Section("anytime", "Anytime curves", lead, skip="No run has a curve: summaries hold no marks.")
    return Section("anytime", "Anytime curves", lead, figures, ("Task", "Arm"))


def _line(study: Study, scope: Scope, agent: int, arm: str) -> Series | None:
    rows = rows_of(study, scope, agent, arm)
    if not len(rows):
        return None
    inside = study.marks <= study.budget[rows].min()
    known = bool(study.known[list(scope.problems)].all())
    values = (study.curves if known else study.costs)[rows][:, inside]
    if known:
        floors = np.array([study.floor(problem) for problem in range(len(study.problems))])
        values = values + floors[study.problem[rows]][:, None]
    columns = {"designs": study.marks[inside], "value": interquartile_mean(values)}
    if len(np.unique(study.units(rows))) >= FEWEST:
        drawn = resampled_middles(values, study.units(rows), study.problem[rows])
        low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        columns |= {"low": low, "high": high}
    return Series(study.agents[agent], columns, agent)


def _figure(study: Study, scope: Scope, arm: str, series: list[Series]) -> Figure:
    known = bool(study.known[list(scope.problems)].all())
    longest = max(int(np.max(line.columns["designs"], initial=1)) for line in series)
    options: dict[str, Any] = {"x": "designs", "x_title": "designs evaluated", "x_log": True}
    if known:
        n = np.unique(np.geomspace(1, longest, 30).round())
        series = [*series, Series("random search, 1 / (n + 1)", {"designs": n, "value": 1 / (n + 1)}, None, "reference")]
        options |= {"y_title": "quantile regret + 1/N (IQM)", "y_log": True}
        note = ""
    else:
        options |= {"y_title": f"{study.problems[scope.problems[0]].objective}, minus the score (IQM)"}
        note = "This task has no table of all designs, so costs are shown; archgym optimum makes one."
    return Figure((scope.label, ARMS[arm]), "lines", series, options, note)


def profile_section(study: Study) -> Section:
    """Share of runs whose final regret is at most tau."""
    lead = (
        "The share of runs that end within a given distance of the optimum. The height at the left edge is the share of runs "
        "that found a true optimum; failed runs never count."
    )
    taus = np.concatenate([[0.0], np.geomspace(1e-4, 10, 41)])
    figures = []
    for scope in scopes(study, study.rated):
        for arm in study.arms:
            series = []
            for agent, name in enumerate(study.agents):
                rows = rows_of(study, scope, agent, arm)
                if len(rows) and not np.isnan(study.regret[rows]).any():
                    shares = (study.regret[rows][:, None] <= taus).mean(axis=0)
                    series.append(Series(name, {"tau": np.maximum(taus, 5e-5), "value": shares}, agent))
            if series:
                options: dict[str, Any] = {
                    "x": "tau",
                    "x_title": "relative regret at the end of the run, at most (left edge: none)",
                }
                options |= {"x_log": True, "x_percent": True, "y_title": "share of runs", "y_range": [0, 1.02], "step": True}
                figures.append(Figure((scope.label, ARMS[arm]), "lines", series, options))
    if not figures:
        return Section("profile", "Performance profile", lead, skip="The optimum of no task is known, so there is no regret.")
    return Section("profile", "Performance profile", lead, figures, ("Task", "Arm"))


def rank_section(study: Study) -> Section:
    """Mean rank of every agent against the budget."""
    lead = (
        "Does the order of agents change with the budget? For each task that can be ranked, agents are ranked by the "
        "interquartile mean of their quantile regret after n designs, ties sharing their mean rank; shown are the mean over "
        "tasks and the range from task to task. Tasks on related traces are not independent: this describes, it does not "
        "test."
    )
    ranked = ranked_tasks(study)
    if len(ranked) < 2 or len(study.agents) < 2:
        return Section(
            "ranks", "Rank by budget", lead, skip="This needs two or more tasks that can be ranked, and two agents."
        )
    figures = []
    for arm in study.arms:
        marks = [mark for mark in RANK_MARKS if mark in study.marks]
        table = np.full((len(ranked), len(marks), len(study.agents)), np.nan)
        for t, problem in enumerate(ranked):
            for agent in range(len(study.agents)):
                rows = rows_of(study, Scope("", problem, (problem,)), agent, arm)
                if len(rows):
                    table[t, :, agent] = interquartile_mean(study.curves[rows][:, np.searchsorted(study.marks, marks)])
        ranks = mid_ranks(table)
        series = []
        for agent, name in enumerate(study.agents):
            own = ranks[:, :, agent]
            full = ~np.isnan(own).any(axis=0)
            if full.any():
                columns = {"designs": np.array(marks)[full], "value": own[:, full].mean(axis=0)}
                columns |= {"low": own[:, full].min(axis=0), "high": own[:, full].max(axis=0)}
                series.append(Series(name, columns, agent))
        options: dict[str, Any] = {
            "x": "designs",
            "x_title": "designs evaluated",
            "x_log": True,
            "y_title": "mean rank (1 is best)",
        }
        options |= {"y_reversed": True, "markers": True, "faint": True}
        if series:
            figures.append(
                Figure((ARMS[arm],), "lines", series, options, f"{len(ranked)} tasks; only budgets that every task has.")
            )
    return Section("ranks", "Rank by budget", lead, figures, ("Arm",))


def mid_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, 1 for the smallest, ties sharing their mean; nan stays nan and counts for nobody."""
    less = (values[..., None, :] < values[..., :, None]).sum(axis=-1)
    equal = (values[..., None, :] == values[..., :, None]).sum(axis=-1)
    return np.where(np.isnan(values), np.nan, less + (equal + 1) / 2)
