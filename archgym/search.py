"""Runs: an agent drives an evaluator until the budget is spent; resuming is driving again over the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Agent, resolve_hyperparameters
from archgym.errors import HyperparameterError, LogError, ReplayError, UnknownNameError
from archgym.evaluator import BudgetExhausted, Evaluator, check_budget, default_window
from archgym.manifest import describe_run, describe_task, run_entropy
from archgym.objective import Objective, make_objective
from archgym.registry import agent_class, make_simulator
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.trials import TrialLog, read_manifest
from archgym.warm_start import PastTrials, past_trials, recorded_past_trials
from archgym.wrappers import Cached

Progress = Callable[[Evaluator], None]


@dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
        best_design: parameter -> value of the best design at full fidelity; empty if none was OK.
        best_levels: (D,) its levels, or None.
        best_score: its score, larger is better; minus infinity if none was OK.
        best_metrics: its metrics.
        regret: relative distance of its cost to the optimum of the space; None where the optimum is not known.
        quantile: share of the space's designs that are strictly better; None where the space was not enumerated.
        scores: (trials,) float64 in the order of the log; ``np.maximum.accumulate`` of it is the anytime curve.
        front: (F, D) levels of the designs that no other one dominates in the metrics of the objective, and front_costs,
            (F, K), what they cost; None under an objective of one metric.
        trials: designs proposed; distinct: different ones among them; simulated: those that reached the simulator.
        counts: trials per status name.
        agent_seconds, simulator_seconds: where the time went.
        folder: where the log is; None without one.
        task: what was searched (the manifest's task).
    """

    best_design: dict[str, Any]
    best_levels: NDArray[np.int32] | None
    best_score: float
    best_metrics: dict[str, float]
    regret: float | None
    quantile: float | None
    trials: int
    distinct: int
    simulated: int
    counts: dict[str, int]
    agent_seconds: float
    simulator_seconds: float
    folder: Path | None = None
    task: dict[str, Any] = field(default_factory=dict, repr=False)
    scores: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), repr=False)
    front: Designs | None = field(default=None, repr=False)
    front_costs: NDArray[np.float64] | None = field(default=None, repr=False)


def search(
    agent: str | type[Agent],
    simulator: str | Simulator,
    *,
    objective: str | Objective | None = None,
    budget: float = 1000,
    seed: int = 0,
    log: str | os.PathLike[str] | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    warm_start: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Searches a design space.

    Args:
        agent: a name that ``list_agents`` gives, or an ``Agent`` subclass.
        simulator: a name that ``list_simulators`` gives, or a simulator.
        objective: see ``archgym.objective``; the simulator's first metric by default.
        budget: cost units; one design at full fidelity costs 1.
        seed: replicate number; the agent's random stream is derived from it, the task, the agent and its settings.
        log: folder for the trial log; nothing is written without it.
        hyperparameters: the agent's settings where they differ from its defaults.
        warm_start: folder with past runs, whose trials of this task are told to the agent first; they cost no budget.
        progress: called after every batch with the evaluator.

    Raises:
        ArchGymError: a name, setting or folder that does not fit; the message says what to do.
        KeyboardInterrupt: passed on after the log was left in a state that ``resume`` continues.
    """
    chosen = agent_class(agent) if isinstance(agent, str) else agent
    problem = make_simulator(simulator) if isinstance(simulator, str) else simulator
    goal = make_objective(problem.metric_names[0] if objective is None else objective, problem)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**63:
        raise HyperparameterError(f"the seed must be a whole number from 0 to 2**63 - 1, got {seed!r}")
    settings = resolve_hyperparameters(chosen, hyperparameters or {})
    check_budget(budget)
    task = describe_task(problem, goal, budget)
    past = past_trials(chosen, problem, warm_start) if warm_start is not None else None
    window = default_window(problem) if chosen.asynchronous else 1
    manifest = describe_run(task, chosen.name, settings, seed, past.record() if past else None, window)
    trial_log = TrialLog.create(log, manifest) if log is not None else None
    return _drive(chosen, problem, goal, task, settings, seed, trial_log, progress, past, window)


def resume(
    folder: str | os.PathLike[str],
    *,
    simulator: Simulator | None = None,
    agent: type[Agent] | None = None,
    progress: Progress | None = None,
) -> Result:
    """Goes on with an interrupted run, to the same log as if it had never been interrupted.

    Args:
        folder: the run's folder.
        simulator: the simulator, if it is not one that its manifest's name and arguments rebuild.
        agent: the agent's class, if it is not a registered one.
        progress: called after every batch.

    Raises:
        LogError: no unfinished run there.
        ReplayError: simulator, workload or agent are not what they were.
    """
    trial_log = TrialLog.reopen(folder)
    manifest = trial_log.manifest
    try:
        chosen = agent or agent_class(manifest["agent"])
        recorded = manifest["simulator"]
        problem = simulator or make_simulator(recorded["name"], **recorded["arguments"])
        goal = make_objective(manifest["objective"], problem)
        budget = manifest["budget"]
    except UnknownNameError:
        raise
    except KeyError as error:
        raise LogError(f"{folder}: the manifest lacks {error}; it is not that of a run that can be resumed") from error
    task = describe_task(problem, goal, budget)
    for part in ("simulator", "workload", "space"):
        if task[part] != manifest[part]:
            raise ReplayError(
                f"cannot resume {folder}: the {part} was {_short(manifest[part])} and is now {_short(task[part])}"
            )
    past = recorded_past_trials(chosen, problem, manifest.get("warm_start"))
    settings, seed, window = manifest["hyperparameters"], manifest["seed"], manifest.get("in_flight", 1)
    return _drive(chosen, problem, goal, task, settings, seed, trial_log, progress, past, window)


def _drive(
    chosen: type[Agent],
    problem: Simulator,
    goal: Objective,
    task: dict[str, Any],
    settings: Mapping[str, Any],
    seed: int,
    trial_log: TrialLog | None,
    progress: Progress | None,
    past: PastTrials | None,
    window: int,
) -> Result:
    cached = Cached(problem) if problem.deterministic else None
    evaluator = Evaluator(cached or problem, goal, budget=task["budget"], log=trial_log, progress=progress, window=window)
    state = "interrupted"
    try:
        searcher = chosen(problem.space, seed=run_entropy(task, chosen.name, settings, seed), **settings)
        if past is not None:
            searcher.tell(past.designs, goal.score(past.metrics), past.metrics)
        try:
            searcher.drive(evaluator)
        except BudgetExhausted:
            pass
        if not evaluator.replayed:
            raise ReplayError(f"cannot resume: the log holds more trials than the agent proposes ({evaluator.trials})")
        state = "finished"
    finally:
        evaluator.close()
        result = _result(evaluator, cached, task, trial_log)
        if trial_log is not None:
            trial_log.close(state, evaluator.summary())
    return result


def _result(evaluator: Evaluator, cached: Cached | None, task: dict[str, Any], trial_log: TrialLog | None) -> Result:
    levels = evaluator.best_design
    known = evaluator.standing
    front, front_costs = evaluator.front or (None, None)
    return Result(
        best_design={} if levels is None else evaluator.simulator.space.describe(levels),
        best_levels=levels,
        best_score=evaluator.best_score,
        best_metrics=evaluator.best_metrics,
        regret=known.regret,
        quantile=known.quantile,
        trials=evaluator.trials,
        distinct=evaluator.distinct,
        simulated=cached.misses if cached else evaluator.trials,
        counts={status.name: count for status, count in evaluator.counts.items()},
        agent_seconds=evaluator.agent_seconds,
        simulator_seconds=evaluator.simulator_seconds,
        folder=trial_log.folder if trial_log else None,
        task=task,
        scores=evaluator.scores,
        front=front,
        front_costs=front_costs,
    )


def _short(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {str(value)[:60]}" for key, value in record.items() if key != "parameters")


def resumable(folder: str | os.PathLike[str]) -> list[Path]:
    """Folders of unfinished runs at or below ``folder``, sorted."""
    root = Path(folder)
    candidates = [path.parent for path in root.rglob("manifest.json")] if root.is_dir() else []
    return sorted(path for path in candidates if read_manifest(path).get("state") != "finished")
