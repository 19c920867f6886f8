"""Which runs a figure looks at: one task, or all tasks that can be ranked; and which arm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.report.statistics import Whole
from archgym.report.study import DEFAULT, Study

ALL = "All ranked tasks"
ARMS = {DEFAULT: "Default settings", "tickets": "A random ticket"}


@dataclass(frozen=True)
class Scope:
    """Some runs under one name.

    Attributes:
        label: for the selector.
        problem: index of the task; None for several.
        problems: indices of all of them.
    """

    label: str
    problem: int | None
    problems: tuple[int, ...]


def ranked_tasks(study: Study) -> tuple[int, ...]:
    """Tasks whose optimum is known and that are no ceiling tasks."""
    return tuple(p for p in range(len(study.problems)) if study.known[p] and p not in study.ceilings)


def ordered_tasks(study: Study) -> list[int]:
    """All tasks, those that can be ranked first, so that they are what a reader sees first."""
    ranked = ranked_tasks(study)
    return [*ranked, *(p for p in range(len(study.problems)) if p not in ranked)]


def scopes(study: Study, known: NDArray[np.bool_] | None = None) -> Iterator[Scope]:
    """All ranked tasks together where there are several, then every task.

    Args:
        study: the runs.
        known: (P,) the tasks to be seen, for example ``study.known``; all if not given.
    """
    ranked = ranked_tasks(study)
    if len(ranked) > 1:
        yield Scope(ALL, None, ranked)
    for problem in ordered_tasks(study):
        if known is None or known[problem]:
            yield Scope(task_label(study, problem), problem, (problem,))


def task_label(study: Study, problem: int) -> str:
    """The task's name for a selector; ceiling tasks say so."""
    return study.problems[problem].label + (" (ceiling task)" if problem in study.ceilings else "")


def rows_of(study: Study, scope: Scope, agent: int, arm: str) -> Whole:
    """Rows of one agent's runs in a scope and an arm."""
    inside = np.isin(study.problem, scope.problems) & (study.agent == agent) & study.arm(arm)
    return np.flatnonzero(inside)
