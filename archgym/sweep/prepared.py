"""What a run searches, built once per process: simulator, objective, task, and how good each score is.

A worker executes thousands of runs of a few tasks.  Everything that is the same for all of them is remembered here.
"""

from __future__ import annotations

import fcntl
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Agent
from archgym.errors import LogError
from archgym.manifest import describe_task
from archgym.objective import Objective, make_objective
from archgym.optimum import Landscape, Table, enumerate_space, find_table, relative_regret, table_path
from archgym.pareto import hypervolume
from archgym.registry import agent_class, make_simulator
from archgym.simulator import Simulator
from archgym.standing import known_best
from archgym.tabulated import Tabulated

if TYPE_CHECKING:
    from archgym.sweep.plan import PlannedRun

MARGIN = 0.1
"""The reference point of a hypervolume lies this share of the true front's extent beyond its worst costs."""


@dataclass(frozen=True)
class Yardstick:
    """The true front of a task, to measure other fronts against.

    Attributes:
        ideal: (K,) least cost of each metric on the true front.
        extent: (K,) by how much the worst cost on it is larger; one where it is not.
        volume: hypervolume of the true front in these units.
    """

    ideal: NDArray[np.float64]
    extent: NDArray[np.float64]
    volume: float

    @staticmethod
    def of(costs: NDArray[np.float64]) -> Yardstick:
        """From the costs of the true front, (F, K)."""
        ideal = costs.min(axis=0)
        extent = costs.max(axis=0) - ideal
        extent[extent == 0] = 1.0
        return Yardstick(ideal, extent, _volume((costs - ideal) / extent))

    def share(self, costs: NDArray[np.float64]) -> float:
        """Hypervolume of a front, (F, K) costs, as a share of the true one's."""
        return _volume((costs - self.ideal) / self.extent) / self.volume


@dataclass(frozen=True)
class Prepared:
    """One task, ready to be searched.

    Attributes:
        simulator: answers from the table of its space where the sweep says so.
        objective: what a score is.
        task: its record (``archgym.manifest.describe_task``).
        landscape: every score of the space, or None where the space was not enumerated.
        best_known: score of the optimum, also from the summary that ships with the simulator; or None.
    """

    simulator: Simulator
    objective: Objective
    task: dict[str, Any]
    landscape: Landscape | None
    best_known: float | None

    def quantile(self, scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Share of the space's designs that are strictly better than each score, or None."""
        return None if self.landscape is None else self.landscape.quantile(scores)

    def regret(self, scores: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Relative distance of each score's cost to the optimum, or None."""
        return None if self.best_known is None else relative_regret(scores, self.best_known)

    @cached_property
    def yardstick(self) -> Yardstick | None:
        """The true front, or None under one metric and where it is not known."""
        if self.landscape is None or len(self.objective.used) < 2:
            return None
        metrics = self.landscape.table.metrics
        rows = self.landscape.table.front(self.objective)
        return Yardstick.of(self.objective.costs(metrics.take(rows))) if len(rows) else None


def prepare(run: PlannedRun) -> Prepared:
    """The task of a run; the same object for every run of that task in this process.

    Raises:
        ArchGymError: names, arguments or an objective that do not fit.
    """
    arguments = json.dumps(run.arguments, sort_keys=True)
    return _prepared(run.simulator, arguments, run.objective, run.budget, run.tabulated)


def make_table(simulator: Simulator) -> Table:
    """As ``enumerate_space``; of several processes that want the same table one makes it and the others wait.

    Raises:
        ArchGymError: as there.
    """
    lock = table_path(simulator).with_suffix(".lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return enumerate_space(simulator)
    except LogError:
        raise
    except OSError as error:
        raise LogError(f"cannot write to {lock.parent}: {error.strerror or error}") from error


@lru_cache(maxsize=64)
def find_agent(name: str) -> type[Agent]:
    """The class of an agent; looking entry points up takes longer than many a run."""
    return agent_class(name)


@lru_cache(maxsize=32)
def _prepared(simulator: str, arguments: str, objective: str, budget: float, tabulated: bool) -> Prepared:
    problem, table = _simulator(simulator, arguments, tabulated)
    real = problem.inner if isinstance(problem, Tabulated) else problem
    goal = make_objective(objective, real)
    landscape = None if table is None else table.landscape(goal)
    best = known_best(real, goal) if landscape is None else landscape.best_score
    return Prepared(problem, goal, describe_task(problem, goal, budget), landscape, best)


@lru_cache(maxsize=8)
def _simulator(name: str, arguments: str, tabulated: bool) -> tuple[Simulator, Table | None]:
    real = make_simulator(name, **json.loads(arguments))
    if tabulated:
        table = find_table(real) or make_table(real)
        return Tabulated(real, table), table
    if not real.deterministic:
        return real, None
    try:
        return real, find_table(real)
    except LogError:
        return real, None  # a damaged cache must not spoil runs that can do without it


def _volume(costs: NDArray[np.float64]) -> float:
    return hypervolume(costs, np.full(costs.shape[1], 1 + MARGIN))
