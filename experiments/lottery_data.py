"""Runs of the lottery study as arrays: one row per planned run, one column per mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.sweep.plan import PlannedRun

FIRST_MARK = 10
"""Areas begin here: before, every agent of the study is a random walk."""

EPS = (0.0, 0.001, 0.01, 0.05, 0.1)

Floats = NDArray[np.float64]
Task = tuple[str, str]


@dataclass(frozen=True)
class Runs:
    """Runs of one budget.

    Attributes:
        size: designs in the space.
        marks: (M,) numbers of designs at which curves were read.
        label, ticket: (R,) strings: agent (or ``agent: arm``), ticket.
        task: (R,) index into ``tasks``; seed: (R,).
        quantile, regret: (R, M) of the best design so far; 1 and infinity where a run failed.
        hits: (R, 5) first number of designs with a relative regret of at most ``EPS``; infinity if never.
        agent_seconds, simulator_seconds, distinct: (R,).
        failed: (R,) bool.
        tasks: workload and objective.
        settings: label -> settings of its tickets t0000, t0001, ..., in order.
    """

    size: int
    marks: NDArray[np.int64]
    label: NDArray[Any]
    ticket: NDArray[Any]
    task: NDArray[np.int64]
    seed: NDArray[np.int64]
    quantile: Floats
    regret: Floats
    hits: Floats
    agent_seconds: Floats
    simulator_seconds: Floats
    distinct: Floats
    failed: NDArray[np.bool_]
    tasks: tuple[Task, ...]
    settings: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.label)

    @property
    def budget(self) -> int:
        """Designs of every run."""
        return int(self.marks[-1])

    @cached_property
    def labels(self) -> list[str]:
        """Distinct labels, in the order of the plan."""
        return list(dict.fromkeys(self.label.tolist()))

    @cached_property
    def area(self) -> Floats:
        """Primary metric of each run, (R,), up to the budget."""
        return self.areas_until(self.budget)

    def areas_until(self, mark: int) -> Floats:
        """Area under each anytime curve from ``FIRST_MARK`` to ``mark`` designs, (R,)."""
        return anytime_areas(self.marks, self.quantile, self.size, mark)

    def column(self, mark: int) -> int:
        """Column of a mark."""
        return int(np.searchsorted(self.marks, mark))

    def where(self, label: str, task: Task | None = None) -> NDArray[np.intp]:
        """Rows of one label, on one task or on all."""
        return self._index.get((label, -1 if task is None else self.tasks.index(task)), np.zeros(0, np.intp))

    @cached_property
    def _index(self) -> dict[tuple[str, int], NDArray[np.intp]]:
        found: dict[tuple[str, int], NDArray[np.intp]] = {}
        for label in self.labels:
            rows = np.flatnonzero(self.label == label)
            found[label, -1] = rows
            for task in range(len(self.tasks)):
                found[label, task] = rows[self.task[rows] == task]
        return found

    def tickets(self, label: str, task: Task, seeds: int) -> NDArray[np.intp]:
        """Rows of the tickets of an agent on a task, (T, S), default excluded.

        An agent without tickets has its runs cut into blocks of ``seeds``, which stand for tickets: the negative control.
        """
        rows = self.where(label, task)
        drawn = rows[self.ticket[rows] != "default"]
        if len(drawn):
            order = np.lexsort((self.seed[drawn], self.ticket[drawn]))
            return drawn[order].reshape(len(np.unique(self.ticket[drawn])), -1)
        rows = rows[np.argsort(self.seed[rows], kind="stable")]
        return rows[: len(rows) // seeds * seeds].reshape(-1, seeds)

    def ticket_areas(self, label: str, task: Task) -> Floats:
        """Areas of the tickets of an agent on a task, (T, S)."""
        return self.area[self.tickets(label, task, 1)]


def anytime_areas(marks: NDArray[np.int64], quantile: Floats, size: int, until: int) -> Floats:
    """Mean over log10 n of -log10(quantile + 1 / size), n from ``FIRST_MARK`` to ``until``; one number per row.

    Raises:
        ValueError: ``until`` is not a mark.
    """
    chosen = np.flatnonzero((marks >= FIRST_MARK) & (marks <= until))
    if not len(chosen) or marks[chosen[-1]] != until:
        raise ValueError(f"areas end at a mark, got {until}; marks are {marks.tolist()}")
    x = np.log10(marks[chosen])
    y = -np.log10(quantile[:, chosen] + 1 / size)
    return np.asarray(np.trapezoid(y, x, axis=1) / (x[-1] - x[0]))


def collect(planned: Sequence[PlannedRun], summaries: Iterable[Mapping[str, Any]], size: int) -> Runs:
    """Brings plan and summaries together; a run that several arms share counts in each of them.

    Args:
        planned: all runs of a plan, of one budget.
        summaries: of runs, by id; others are ignored.
        size: designs in the space.

    Raises:
        ValueError: a planned run has no summary: the sweep is not complete.
    """
    found = {summary["id"]: summary for summary in summaries}
    missing = sum(run.id not in found for run in planned)
    if missing:
        raise ValueError(f"{missing} of {len(planned)} runs are not there yet: run the sweep first")
    rows = [found[run.id] for run in planned]
    marks = np.array(next(row["marks"] for row in rows if row["state"] == "finished"), np.int64)
    tasks = tuple(dict.fromkeys((run.workload, run.objective) for run in planned))
    settings: dict[str, dict[str, Mapping[str, Any]]] = {}
    for run in planned:
        if run.ticket != "default":
            settings.setdefault(run.label, {})[run.ticket] = run.hyperparameters
    quantile = np.array([_curve(row, "quantile", marks, 1.0) for row in rows])
    regret = np.array([_curve(row, "regret", marks, np.inf) for row in rows])
    hits = np.array([[_number(row["hits"].get(key)) for key in HIT_KEYS] for row in rows])
    return Runs(
        size=size,
        marks=marks,
        label=np.array([run.label for run in planned]),
        ticket=np.array([run.ticket for run in planned]),
        task=np.array([tasks.index((run.workload, run.objective)) for run in planned]),
        seed=np.array([run.seed for run in planned]),
        quantile=quantile,
        regret=regret,
        hits=hits,
        agent_seconds=np.array([float(row["agent_seconds"]) for row in rows]),
        simulator_seconds=np.array([float(row["simulator_seconds"]) for row in rows]),
        distinct=np.array([float(row["distinct"]) for row in rows]),
        failed=np.array([row["state"] != "finished" for row in rows]),
        tasks=tasks,
        settings={label: [tickets[name] for name in sorted(tickets)] for label, tickets in settings.items()},
    )


HIT_KEYS = ("0", "0.001", "0.01", "0.05", "0.1")


def _curve(row: Mapping[str, Any], name: str, marks: NDArray[np.int64], worst: float) -> list[float]:
    values = row[name] if row["state"] == "finished" else []
    if len(values) != len(marks):
        return [worst] * len(marks)
    return [worst if value is None else float(value) for value in values]


def _number(value: float | None) -> float:
    return np.inf if value is None else float(value)
