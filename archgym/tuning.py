"""Hyper-parameter search one level up: an agent's settings are a design space, and a setting is priced by running the agent.

So every agent can tune every other agent, and the trials of tuning are logged like any others.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from time import perf_counter
from typing import Any

import numpy as np

from archgym.agent import Agent, resolve_hyperparameters
from archgym.errors import HyperparameterError
from archgym.manifest import describe_task, task_digest
from archgym.metrics import Metric
from archgym.objective import Objective, make_objective
from archgym.optimum import find_table
from archgym.registry import agent_class
from archgym.search import Progress, Result, resumable, resume, search
from archgym.simulator import PointSimulator, Simulator
from archgym.space import DesignSpace
from archgym.standing import find_standing
from archgym.tabulated import Tabulated

TUNING_SEED = 1000
"""First replicate that tickets are judged by."""

FRESH_SEED = 2000
"""First replicate that the chosen ticket is reported with; no seed serves both purposes."""


class Tuning(PointSimulator):
    """A simulator whose designs are settings ("tickets") of an agent, and whose metrics are what the agent's runs found.

    A ticket whose runs break down is FAILED: a setting may make a learner diverge.  Budget and seeds are no settings, so all
    tickets get the same.

    Args:
        agent: a name that ``list_agents`` gives, or an ``Agent`` subclass.
        simulator: what its runs search; answered from the table of its space if that is in the cache.
        objective: of these runs; the simulator's first metric by default.
        budget: of each run, in cost units.
        seeds: replicates that a ticket's score is the mean of.
        held: hyper-parameters that are not tuned, with their values.

    Attributes:
        metrics: ``mean_score`` (larger is better), ``score_deviation`` over the seeds, ``seconds`` per run, and where the
            optimum of the space is known ``mean_regret`` and ``mean_quantile``.

    Raises:
        HyperparameterError: nothing is left to tune, no seed, or a held setting that the agent does not have.
        ArchGymError: a name that does not exist; a library that is not installed.
    """

    name = "tuning"
    version = "1"

    def __init__(
        self,
        agent: str | type[Agent],
        simulator: Simulator,
        objective: str | Objective | None = None,
        budget: float = 1000,
        seeds: Sequence[int] = tuple(range(TUNING_SEED, TUNING_SEED + 3)),
        held: Mapping[str, Any] | None = None,
    ) -> None:
        self.agent = agent_class(agent) if isinstance(agent, str) else agent
        self.problem = simulator
        self.objective = make_objective(simulator.metric_names[0] if objective is None else objective, simulator)
        self.budget, self.seeds, self.held = budget, tuple(seeds), dict(held or {})
        complete = resolve_hyperparameters(self.agent, self.held)
        self.agent(simulator.space, seed=0, **complete)  # a library that is missing is told now, not as a failed ticket
        free = tuple(p for p in self.agent.hyperparameters.parameters if p.name not in self.held)
        if not free:
            raise HyperparameterError(f"agent {self.agent.name} has no hyper-parameter to tune" + (" left" if held else ""))
        if not self.seeds:
            raise HyperparameterError(f"tuning {self.agent.name} needs at least one seed, got none")
        self.space = DesignSpace(free, name=f"{self.agent.name} settings")
        self._task = describe_task(simulator, self.objective, budget)
        self.workload = f"{self.agent.name} on {simulator.name} {simulator.workload}".rstrip()
        self.arguments = {
            "agent": self.agent.name,
            "task": task_digest(self._task),
            "objective": self.objective.text,
            "budget": self._task["budget"],
            "seeds": list(self.seeds),
            "held": self.held,
        }
        table = find_table(simulator) if simulator.deterministic else None
        self._source = simulator if table is None else Tabulated(simulator, table)
        known = find_standing(simulator, self.objective, 0.0)
        self._known = [name for name, value in known._asdict().items() if value is not None]
        self.metrics = (
            Metric("mean_score", goal="max", doc="best score of a run, mean over the seeds"),
            Metric("score_deviation", goal="info", doc="standard deviation of the best score over the seeds"),
            Metric("seconds", goal="info", doc="time of one run, mean over the seeds; differs from machine to machine"),
            *(Metric(f"mean_{name}", goal="info", doc=f"{name} of a run, mean over the seeds") for name in self._known),
        )

    @property
    def workload_digest(self) -> str:
        """Hash of the runs that price a ticket: their task, agent, seeds and held settings."""
        return hashlib.sha256(json.dumps(dict(self.arguments), sort_keys=True).encode()).hexdigest()

    def settings(self, design: Mapping[str, Any]) -> dict[str, Any]:
        """Complete settings of a ticket, with those held."""
        return {**self.held, **design}

    def run(self, settings: Mapping[str, Any], seed: int) -> Result:
        """One run of the agent on the problem."""
        return search(
            self.agent, self._source, objective=self.objective, budget=self.budget, seed=seed, hyperparameters=settings
        )

    def _evaluate_point(self, design: dict[str, Any], fidelity: str) -> Mapping[str, float]:
        start = perf_counter()
        results = [self.run(self.settings(design), seed) for seed in self.seeds]
        scores = [result.best_score for result in results]
        if not np.isfinite(scores).all():
            raise RuntimeError(f"{sum(not np.isfinite(score) for score in scores)} of {len(scores)} runs found no OK design")
        return {
            "mean_score": fmean(scores),
            "score_deviation": pstdev(scores),
            "seconds": (perf_counter() - start) / len(results),
            **{f"mean_{name}": fmean(getattr(result, name) for result in results) for name in self._known},
        }


@dataclass(frozen=True)
class Tuned:
    """What tuning found.

    Attributes:
        settings: of the best ticket, complete with those held; empty if every ticket failed.
        result: the search over tickets; its best score is over-rated, because the ticket was chosen by it.
        default, best: mean score of the default settings and of the best ticket on fresh seeds; NaN where a run found nothing.
        fresh: the seeds of these.
        designs: evaluated in all, tuning and fresh runs together.
    """

    settings: dict[str, Any]
    result: Result
    default: float
    best: float
    fresh: tuple[int, ...]
    designs: float


def tune(
    tuning: Tuning,
    *,
    tuner: str | type[Agent] = "random_walk",
    tickets: int = 32,
    seed: int = 0,
    log: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Tuned:
    """Searches an agent's settings, and runs the best ones and the defaults again on as many fresh seeds.

    Args:
        tuning: the agent and what it is tuned on.
        tuner: the agent that searches the settings.
        tickets: how many settings it may try.
        seed: replicate number of the tuner.
        log: folder for the trial log; an unfinished search of the same kind there is resumed.
        progress: called after every batch of tickets.

    Raises:
        ArchGymError: as ``search`` and ``resume``.
    """
    if log is not None and resumable(log) == [Path(log)]:
        result = resume(
            log, simulator=tuning, agent=agent_class(tuner) if isinstance(tuner, str) else tuner, progress=progress
        )
    else:
        result = search(tuner, tuning, objective="mean_score", budget=tickets, seed=seed, log=log, progress=progress)
    fresh = tuple(range(FRESH_SEED, FRESH_SEED + len(tuning.seeds)))
    if not result.best_design:
        return Tuned({}, result, float("nan"), float("nan"), fresh, result.simulated * len(fresh) * tuning.budget)
    best = resolve_hyperparameters(tuning.agent, tuning.settings(result.best_design))
    default = resolve_hyperparameters(tuning.agent, tuning.held)
    means = [fmean(tuning.run(settings, replicate).best_score for replicate in fresh) for settings in (default, best)]
    usual, tuned = (mean if np.isfinite(mean) else float("nan") for mean in means)
    return Tuned(best, result, usual, tuned, fresh, (result.simulated + 2) * len(fresh) * tuning.budget)
