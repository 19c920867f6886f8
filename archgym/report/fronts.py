"""What the best designs look like: trade-offs between metrics, hypervolume, and parallel coordinates."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from archgym.pareto import non_dominated
from archgym.report.panels import Figure, Section, Series
from archgym.report.scopes import ordered_tasks, task_label
from archgym.report.study import Study

MOST_METRICS = 4
MOST_POINTS = 250
MOST_DESIGNS = 60
MOST_PAIRS = 24


def front_section(study: Study) -> Section:
    """Best designs of all runs in two metrics at a time, the non-dominated ones joined."""
    lead = (
        "Every dot is the best design of a run (whatever its objective was), in two metrics at a time. The line joins those "
        "that no other one dominates: the trade-off that the sweep has found, a lower bound of what the space holds."
    )
    groups: dict[tuple[str, str], list[int]] = {}
    for row, run in enumerate(study.runs):
        if run.get("best_metrics"):
            groups.setdefault((run["simulator"], run["workload"]), []).append(row)
    figures: list[Figure] = []
    for (simulator, workload), rows in groups.items():
        goals = study.problems[study.problem[rows[0]]].goals
        metrics = [name for name in study.runs[rows[0]]["best_metrics"] if goals.get(name, "min") != "info"][:MOST_METRICS]
        for first, second in combinations(metrics, 2):
            if len(figures) < MOST_PAIRS:
                figures.append(_trade_off(study, rows, (f"{simulator} {workload}", f"{first} and {second}"), goals))
    if not figures:
        return Section("front", "Trade-offs", lead, skip="No simulator of this sweep has two metrics to trade.")
    return Section("front", "Trade-offs", lead, figures, ("Workload", "Metrics"))


def _trade_off(study: Study, rows: list[int], path: tuple[str, str], goals: dict[str, str]) -> Figure:
    first, second = path[1].split(" and ")
    points = np.array([[study.runs[row]["best_metrics"].get(name, np.nan) for name in (first, second)] for row in rows], float)
    signs = np.array([-1.0 if goals.get(name) == "max" else 1.0 for name in (first, second)])
    keep = non_dominated(points * signs)
    series = []
    for agent, name in enumerate(study.agents):
        own = np.flatnonzero(study.agent[rows] == agent)
        if not len(own):
            continue
        _, places = np.unique(points[own], axis=0, return_index=True)
        places = np.sort(places)[:: max(1, len(places) // MOST_POINTS)]
        picked = own[places]
        columns = {first: points[picked, 0], second: points[picked, 1]}
        series.append(Series(name, columns, agent))
    front = np.unique(points[keep], axis=0)
    series.append(Series("not dominated", {first: front[:, 0], second: front[:, 1]}, None, "front"))
    return Figure(path, "points", series, {"x": first, "y": second}, f"Not dominated by any other: {len(front)}.")


def hypervolume_section(study: Study) -> Section:
    """Hypervolume of every run's front, a strip per agent."""
    lead = "The volume that each run's own front dominates: a share of the true front's where that is known. Right is better."
    figures = []
    for problem in ordered_tasks(study):
        series = []
        for agent, name in enumerate(study.agents):
            rows = np.flatnonzero((study.problem == problem) & (study.agent == agent))
            values = [study.runs[row].get("hypervolume") for row in rows]
            held = [
                (str(study.runs[row]["ticket"]), study.runs[row]["seed"], v) for row, v in zip(rows, values, strict=True) if v
            ]
            if held:
                tickets, seeds, volumes = zip(*held, strict=True)
                columns = {"ticket": tickets, "seed": seeds, "hypervolume": volumes, "mark": [""] * len(held)}
                series.append(Series(name, columns, agent))
        if series:
            options = {"value": "hypervolume", "axis": "hypervolume", "floor": None, "edge": False}
            figures.append(Figure((task_label(study, problem),), "strip", series, options))
    if not figures:
        skip = "No objective of this sweep uses several metrics, so no run has a front of its own."
        return Section("hypervolume", "Hypervolume", lead, skip=skip)
    return Section("hypervolume", "Hypervolume", lead, figures, ("Task",))


def designs_section(study: Study) -> Section:
    """Parallel coordinates of the best distinct designs of each task."""
    lead = (
        f"The best distinct designs that any run found, up to {MOST_DESIGNS} per task: one line per design, one row per "
        "parameter, levels from left to right. Where lines run together, good designs agree; where they fan out, the "
        "parameter hardly matters."
    )
    figures = []
    for problem in ordered_tasks(study):
        rows = [int(row) for row in np.flatnonzero(study.problem == problem) if study.runs[row].get("best_design")]
        scored = [row for row in rows if study.runs[row].get("best_score") is not None]
        scored.sort(key=lambda row: -float(study.runs[row]["best_score"]))
        designs: dict[str, int] = {}
        for row in scored:
            designs.setdefault(repr(study.runs[row]["best_design"]), row)
        picked = list(designs.values())[:MOST_DESIGNS]
        if picked:
            figures.append(_parallel(study, problem, picked))
    if not figures:
        return Section("designs", "The best designs", lead, skip="No run found a design that is OK.")
    return Section("designs", "The best designs", lead, figures, ("Task",))


def _parallel(study: Study, problem: int, rows: list[int]) -> Figure:
    designs = [study.runs[row]["best_design"] for row in rows]
    names = list(designs[0])
    declared = {p["name"]: list(p["values"]) for p in study.problems[problem].record.get("space", {}).get("parameters", ())}
    levels: dict[str, list[object]] = {}
    for name in names:
        seen = {design.get(name) for design in designs}
        levels[name] = declared.get(name) or sorted(seen, key=lambda v: (isinstance(v, str), v))
    series = []
    for agent, label in enumerate(study.agents):
        own = [index for index, row in enumerate(rows) if study.agent[row] == agent]
        if own:
            columns = {"score": [study.runs[rows[index]]["best_score"] for index in own]}
            columns |= {name: [designs[index].get(name) for index in own] for name in names}
            series.append(Series(label, columns, agent))
    options = {"parameters": names, "levels": [[str(value) for value in levels[name]] for name in names]}
    return Figure((task_label(study, problem),), "parallel", series, options, f"{len(rows)} designs; colours tell the agent.")
