"""Sample efficiency: designs needed to come near the optimum, and how many runs ever do."""

from __future__ import annotations

import numpy as np

from archgym.report.panels import Figure, Section, Series, Table
from archgym.report.scopes import ARMS, Scope, rows_of, scopes
from archgym.report.statistics import share_interval, solved_share
from archgym.report.study import Study

TARGETS = {"0.01": "Within 1 %", "0.05": "Within 5 %", "0.1": "Within 10 %", "0": "The optimum"}
POINTS = 48


def efficiency_section(study: Study) -> Section:
    """ECDF of running times, and a table of designs needed."""
    lead = (
        "How many designs an agent needs to come within 1, 5 or 10 % of the optimum. Curves give the share of runs that are "
        "there after n designs; runs that never arrive stay in and keep the curve below 1. Expected designs (ERT) are all "
        "designs spent divided by successes, as if failed runs were started again."
    )
    figures, tables = [], []
    for scope in scopes(study, study.rated):
        for arm in study.arms:
            rows = [rows_of(study, scope, agent, arm) for agent in range(len(study.agents))]
            if not any(len(found) for found in rows):
                continue
            for key, label in TARGETS.items():
                figures.append(_ecdf(study, (scope.label, ARMS[arm], label), rows, key))
                tables.append(_table(study, (scope.label, ARMS[arm], label), rows, key))
    title = "Sample efficiency"
    if not figures:
        return Section("efficiency", title, lead, skip="The optimum of no task is known, so no run can be said to reach it.")
    return Section("efficiency", title, lead, figures, ("Task", "Arm", "Target"), tables)


def _ecdf(study: Study, path: tuple[str, ...], rows: list[np.ndarray], key: str) -> Figure:
    series = []
    for agent, found in enumerate(rows):
        if len(found):
            longest = float(study.budget[found].max())
            at = np.unique(np.geomspace(1, max(longest, 1), POINTS).round())
            shares = solved_share(study.hits[key][found], study.budget[found], at)
            series.append(Series(study.agents[agent], {"designs": at, "value": shares}, agent))
    options = {"x": "designs", "x_title": "designs evaluated", "x_log": True, "step": True}
    return Figure(path, "lines", series, options | {"y_title": "share of runs there", "y_range": [0, 1.02]})


def _table(study: Study, path: tuple[str, ...], rows: list[np.ndarray], key: str) -> Table:
    lines = []
    for agent, found in enumerate(rows):
        if not len(found):
            continue
        times = study.hits[key][found]
        there = np.isfinite(times)
        share = share_interval(int(there.sum()), len(found))
        median = float(np.median(times))
        median_text = median if np.isfinite(median) else "more than half never arrive"
        ert = expected_designs(times, study.budget[found])
        interval = f"{share.low:.0%} to {share.high:.0%}"
        row = (
            study.agents[agent],
            len(found),
            share.value,
            interval,
            median_text,
            ert if np.isfinite(ert) else "never reached",
        )
        lines.append(row)
    columns = ("agent", "runs", "share of runs", "95 % interval of the share", "median designs", "expected designs (ERT)")
    return Table(f"{path[2]}: designs needed", columns, lines, path=path)


def expected_designs(times: np.ndarray, budgets: np.ndarray) -> float:
    """Expected running time with restarts: designs spent until success or the budget, over successes; infinite for none."""
    there = times <= budgets
    return float(np.minimum(times, budgets).sum() / there.sum()) if there.any() else np.inf


def crossover_section(study: Study) -> Section:
    """Wall time to 1 % of the optimum as a function of what one design costs to simulate."""
    lead = (
        "Which agent for your simulator? Expected time until a design within 1 % of the optimum is found, against the time "
        "that one simulation takes: expected designs x (the agent's own time per design + simulation). Cheap agents win on "
        "the left, sample-efficient ones on the right."
    )
    costs = np.geomspace(2e-6, 10, 25)
    figures = []
    spent = np.array([float(run.get("agent_seconds") or 0) for run in study.runs])
    trials = np.array([max(float(run.get("trials") or 0), 1) for run in study.runs])
    for scope in scopes(study, study.rated):
        for arm in study.arms:
            series = []
            for agent, name in enumerate(study.agents):
                rows = rows_of(study, Scope("", scope.problem, scope.problems), agent, arm)
                if not len(rows):
                    continue
                designs = expected_designs(study.hits["0.01"][rows], study.budget[rows])
                own = spent[rows].sum() / trials[rows].sum()
                if np.isfinite(designs):
                    series.append(Series(name, {"simulation": costs, "value": designs * (own + costs)}, agent))
            if series:
                options = {"x": "simulation", "x_title": "seconds per simulation", "x_log": True, "y_log": True}
                options |= {"y_title": "expected seconds to within 1 %"}
                note = "Agents that never come within 1 % are not drawn. Agent seconds were measured in this sweep."
                figures.append(Figure((scope.label, ARMS[arm]), "lines", series, options, note))
    title = "Which agent for which simulator"
    if not figures:
        return Section("crossover", title, lead, skip="No run is known to have come within 1 % of an optimum.")
    return Section("crossover", title, lead, figures, ("Task", "Arm"))
