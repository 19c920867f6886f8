"""All runs of a report as arrays: who ran on what, and how good the best design was at every number of designs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.landscape import CEILING
from archgym.report.statistics import Floats, Whole

Summary = Mapping[str, Any]

DEFAULT = "default"
"""The ticket of an agent's documented default settings."""
CONTROL = "random_walk"
EPSILONS = ("0", "0.001", "0.01", "0.05", "0.1")


@dataclass(frozen=True)
class Problem:
    """A task without its budget, so that runs of different lengths are seen together.

    Attributes:
        label: for people, unique in the study.
        size: designs in the space; None where that is not known.
        record: what the store says about the task (``archgym.manifest.describe_task``); empty if nothing.
    """

    label: str
    simulator: str
    workload: str
    objective: str
    size: int | None
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def goals(self) -> dict[str, str]:
        """Metric -> "min", "max" or "info"."""
        return {metric["name"]: metric["goal"] for metric in self.record.get("metrics", ())}


class Study:
    """Runs as arrays; row i of every array is ``runs[i]``.

    Attributes:
        runs: the summaries, R of them.
        problems: every task; agents: every label, the best first.
        problem: (R,) index into ``problems``; agent: (R,) index into ``agents``.
        ticket: (R,) index into ``tickets``; tickets: (agent index, name).
        default: (R,) bool, whether it ran with the default settings; failed: (R,) bool.
        budget: (R,) designs that a run was allowed.
        marks: (M,) numbers of designs at which curves are read.
        curves: (R, M) quantile regret of the best design so far; nan beyond the budget or where the optimum is not known.
    """

    def __init__(self, runs: Sequence[Summary], tasks: Mapping[str, Mapping[str, Any]]) -> None:
        self.runs = list(runs)
        self.problems, self.problem = _problems(self.runs, tasks)
        labels = list(dict.fromkeys(str(run["label"]) for run in self.runs))
        position = {label: index for index, label in enumerate(labels)}
        agent = np.array([position[str(run["label"])] for run in self.runs], np.intp)
        self.failed = np.array([run["state"] != "finished" for run in self.runs], bool)
        self.budget = np.array([float(run["budget"]) for run in self.runs])
        self.marks = np.array(sorted({int(mark) for run in self.runs for mark in run["marks"]}), np.int64)
        self.curves = self._read("quantile")
        # A failed run says 1.0 whether or not the optimum is known.
        self.known = np.array(
            [bool(np.isfinite(self.curves[(self.problem == p) & ~self.failed]).any()) for p in range(len(self.problems))], bool
        )
        self._judge()
        self.area = self._areas()
        order = _ranked(self.area, self.problem, agent, len(labels))
        self.agents = [labels[index] for index in order]
        self.agent = np.argsort(order)[agent]
        self.tickets = sorted({(int(a), str(run["ticket"])) for a, run in zip(self.agent, self.runs, strict=True)})
        found = {ticket: index for index, ticket in enumerate(self.tickets)}
        self.ticket = np.array([found[int(a), str(r["ticket"])] for a, r in zip(self.agent, self.runs, strict=True)], np.intp)
        self.default = np.array([str(run["ticket"]) == DEFAULT for run in self.runs], bool)

    def _read(self, name: str) -> Floats:
        """One of the summaries' curves at all marks; carried forward between a run's own marks, nan after its budget."""
        column = {int(mark): index for index, mark in enumerate(self.marks)}
        table = np.full((len(self.runs), len(self.marks)), np.nan)
        for row, run in enumerate(self.runs):
            own = [column[int(mark)] for mark in run["marks"]]
            values = [math.nan if value is None else float(value) for value in run[name]]
            table[row, own] = values
            if own and len(own) < own[-1] + 1:
                here = np.searchsorted(own, np.arange(own[-1] + 1), side="right") - 1
                table[row, : own[-1] + 1] = np.where(here >= 0, np.array(values)[here], math.nan)
        return table

    def _judge(self) -> None:
        """Where the optimum is known, a run without a good design, or a failed one, is as bad as can be."""
        reached = self.marks[None, :] <= self.budget[:, None]
        worst = np.isnan(self.curves) & self.known[self.problem][:, None] & reached
        self.curves[worst | (self.failed & self.known[self.problem])[:, None] & reached] = 1.0
        self.curves[~self.known[self.problem]] = np.nan

    def _areas(self) -> Floats:
        """Area under each run's anytime curve: mean over log10 n of -log10(quantile + 1 / N); nan where not known."""
        floor = np.array([self.floor(p) for p in range(len(self.problems))])[self.problem]
        heights = -np.log10(self.curves + floor[:, None])
        x = np.log10(np.maximum(self.marks, 1))
        inside = np.isfinite(heights)
        pieces = (heights[:, 1:] + heights[:, :-1]) / 2 * np.diff(x)
        length = np.where(inside, x, -np.inf).max(axis=1, initial=0.0) - (x[0] if len(x) else 0.0)
        sums = np.where(np.isfinite(pieces), pieces, 0.0).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where((length > 0) & inside.any(axis=1), sums / length, np.nan)

    def floor(self, problem: int) -> float:
        """What is added to quantiles before a logarithm: 1 / N, or the least quantile seen where N is not known."""
        size = self.problems[problem].size
        if size:
            return 1.0 / size
        seen = self.curves[self.problem == problem]
        seen = seen[seen > 0]
        return float(seen.min()) if len(seen) else 1e-6

    @cached_property
    def costs(self) -> Floats:
        """(R, M) minus the best score so far; infinite where there was none or the run failed, nan beyond the budget."""
        costs = -self._read("best")
        reached = self.marks[None, :] <= self.budget[:, None]
        costs[reached & (np.isnan(costs) | self.failed[:, None])] = np.inf
        return np.where(reached, costs, np.nan)

    @cached_property
    def final(self) -> Floats:
        """(R,) quantile regret at the end of each run."""
        return _last(self.curves)

    @cached_property
    def final_cost(self) -> Floats:
        """(R,) cost of the best design of each run."""
        return _last(self.costs)

    @cached_property
    def regret(self) -> Floats:
        """(R,) relative regret at the end of each run; infinite where it failed, nan where the optimum is not known."""
        values = _last(self._read("regret"))
        known = np.array([np.isfinite(values[self.problem == p]).any() for p in range(len(self.problems))], bool)
        return np.where(known[self.problem] & (self.failed | np.isnan(values)), np.inf, values)

    @cached_property
    def rated(self) -> NDArray[np.bool_]:
        """(P,) tasks whose best score is known, so that runs have a regret; quantiles need the whole table."""
        finite = np.isfinite(self.regret)
        return np.array([bool(finite[self.problem == p].any()) for p in range(len(self.problems))], bool)

    @cached_property
    def hits(self) -> dict[str, Floats]:
        """Relative regret -> (R,) first number of designs that reached it, infinite if none did."""
        found: dict[str, Floats] = {}
        for epsilon in EPSILONS:
            raw = [None if run["state"] != "finished" else (run.get("hits") or {}).get(epsilon) for run in self.runs]
            found[epsilon] = np.array([np.inf if value is None else float(value) for value in raw])
        return found

    @cached_property
    def ceilings(self) -> dict[int, str]:
        """Tasks too easy to tell agents apart -> why."""
        found: dict[int, str] = {}
        for problem in range(len(self.problems)):
            here = (self.problem == problem) & np.isfinite(self.regret)
            control = here & np.array([run["agent"] == CONTROL for run in self.runs], bool)
            who, rows = ("random search", control) if control.any() else ("the median run", here)
            if rows.any() and (needed := float(np.median(self.hits["0.01"][rows]))) < CEILING:
                found[problem] = f"{who} is within 1 % of the optimum after {needed:.0f} designs"
        return found

    def arm(self, name: str) -> NDArray[np.bool_]:
        """(R,) runs of an arm: "default", or "tickets" for everything that is not the default."""
        return self.default if name == DEFAULT else ~self.default

    @cached_property
    def arms(self) -> list[str]:
        """Arms that have runs."""
        return [name for name in (DEFAULT, "tickets") if self.arm(name).any()]

    def units(self, rows: Whole) -> Whole:
        """What is resampled as a whole among these runs: the ticket if there are several of the agent, else the run."""
        several = len(np.unique(self.ticket[rows])) > 1
        return self.ticket[rows] if several else rows


def group_medians(values: Floats, groups: Whole) -> tuple[Whole, Floats]:
    """Median of each group: the groups, rising, and their medians; nan values are left out of none (they give nan)."""
    order = np.lexsort((values, groups))
    found, first, counts = np.unique(groups[order], return_index=True, return_counts=True)
    rising = values[order]
    low, high = rising[first + (counts - 1) // 2], rising[first + counts // 2]
    return found, np.where(low == high, low, (low + high) / 2)


def _last(table: Floats) -> Floats:
    """The last value of each row that is not nan."""
    if not table.shape[1]:
        return np.full(len(table), np.nan)
    there = ~np.isnan(table)
    last = table.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    return np.asarray(table[np.arange(len(table)), last])


def _ranked(area: Floats, problem: Whole, agent: Whole, agents: int) -> Whole:
    """Agents by their mean rank over tasks in median anytime area, the best first; those without one keep their order."""
    ranks = np.full((int(problem.max(initial=-1)) + 1, agents), np.nan)
    for task in range(len(ranks)):
        medians = np.full(agents, np.nan)
        for who in range(agents):
            values = area[(problem == task) & (agent == who)]
            if len(values) and not np.isnan(values).all():
                medians[who] = np.nanmedian(values)
        there = np.flatnonzero(~np.isnan(medians))
        ranks[task, there[np.argsort(-medians[there], kind="stable")]] = np.arange(len(there))
    some = ~np.isnan(ranks).all(axis=0)
    mean = np.full(agents, np.inf)
    mean[some] = np.nanmean(ranks[:, some], axis=0)
    return np.argsort(mean, kind="stable")


def _problems(runs: Sequence[Summary], tasks: Mapping[str, Mapping[str, Any]]) -> tuple[list[Problem], Whole]:
    seen: dict[str, int] = {}
    problems: list[Problem] = []
    index = []
    for run in runs:
        record = tasks.get(run["task"], {})
        space = record.get("space", {})
        content = [record.get("simulator"), record.get("workload"), space.get("digest")]
        key = json.dumps([run["simulator"], run["workload"], run["objective"], *content], sort_keys=True)
        if key not in seen:
            seen[key] = len(problems)
            sizes = [len(parameter["values"]) for parameter in space.get("parameters", ())]
            name = f"{run['simulator']} {run['workload']} · {run['objective']}"
            arguments = (record.get("simulator") or {}).get("arguments", {})
            taken = any(problem.label == name for problem in problems)
            extra = ", ".join(f"{key}={value}" for key, value in arguments.items() if key != "workload") if taken else ""
            label = f"{name} ({extra or len(problems) + 1})" if taken else name
            size = math.prod(sizes) if sizes else None
            problems.append(Problem(label, run["simulator"], run["workload"], run["objective"], size, record))
        index.append(seen[key])
    return problems, np.array(index, np.intp)
