"""Checks of whole runs: an agent drives an evaluator until its budget is spent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from archgym.evaluator import Evaluator
from archgym.manifest import describe_run, describe_task
from archgym.metrics import Status
from archgym.objective import make_objective
from archgym.search import resume, search
from archgym.testing.check import Mismatch, expect
from archgym.testing.effort import Effort, Kind, difference
from archgym.testing.problems import (
    PROBLEMS,
    Constrained,
    Mixture,
    NothingValid,
    OneParameter,
    OnePoint,
    OnlyCategories,
    Problem,
)
from archgym.testing.watched import Counted
from archgym.trials import TrialLog
from archgym.wrappers import Faulty

SECONDS = ["run", "agent_seconds", "simulator_seconds"]
"""Columns in which two logs of the same run differ."""


def _spends(agent: Kind, effort: Effort, problem: type[Problem]) -> None:
    evaluator = effort.drive(agent, problem())
    expect(evaluator.trials == effort.budget, f"{effort.budget} trials on {problem.name}", evaluator.trials)


def _all_invalid(agent: Kind, effort: Effort) -> None:
    """It spends its budget where every design is INVALID."""
    _spends(agent, effort, NothingValid)


def _one_design(agent: Kind, effort: Effort) -> None:
    """It spends its budget in a space of one design."""
    _spends(agent, effort, OnePoint)


def _one_parameter(agent: Kind, effort: Effort) -> None:
    """It spends its budget in a space of one parameter."""
    _spends(agent, effort, OneParameter)


def _only_categories(agent: Kind, effort: Effort) -> None:
    """It spends its budget where no parameter is ordered."""
    _spends(agent, effort, OnlyCategories)


def _constraints(agent: Kind, effort: Effort) -> None:
    """It spends its budget, and finds valid designs, where most designs break a constraint."""
    evaluator = effort.drive(agent, Constrained())
    expect(evaluator.trials == effort.budget, f"{effort.budget} trials", evaluator.trials)
    expect(evaluator.counts[Status.OK], "at least one valid design", evaluator.counts)


def _failures(agent: Kind, effort: Effort) -> None:
    """It spends its budget where half of all designs fail, time out, are suspect or invalid."""
    evaluator = effort.drive(agent, Faulty(Mixture(), share=0.5))
    expect(evaluator.trials == effort.budget, f"{effort.budget} trials", evaluator.trials)
    expect(evaluator.counts[Status.FAILED], "designs that fail among those proposed", evaluator.counts)


def _hyperparameters(agent: Kind, effort: Effort) -> None:
    """It runs with the least, the greatest and random levels of its hyper-parameters."""
    space = agent.hyperparameters
    ends = [np.zeros((1, space.dimensions), np.int32), (space.nvec[None, :] - 1).astype(np.int32)]
    settings = np.concatenate([*ends, space.sample(3, 0)])
    for row in settings[space.contains(settings)]:
        chosen = {**space.describe(row), **effort.hyperparameters}
        evaluator = effort.drive(agent, Mixture(), hyperparameters=chosen)
        expect(evaluator.trials == effort.budget, f"{effort.budget} trials with {chosen}", evaluator.trials)


def _budget_exact(agent: Kind, effort: Effort) -> None:
    """It spends exactly its budget, also one that is smaller than a batch or no multiple of it."""
    batch = agent(Mixture.space, seed=0, **effort.hyperparameters).batch
    for budget in sorted({1, 7, max(batch - 1, 1), batch + 1}):
        evaluator = effort.drive(agent, Mixture(), budget=budget)
        expect(evaluator.trials == evaluator.spent == budget, f"{budget} trials from a budget of {budget}", evaluator.trials)


def _every_trial_logged(agent: Kind, effort: Effort) -> None:
    """Trials, rows of the log and designs that reached the simulator are the same, in number and kind."""
    simulator = Counted(Mixture())
    task = describe_task(simulator, make_objective("distance", simulator), effort.budget)
    with tempfile.TemporaryDirectory() as scratch:
        log = TrialLog.create(scratch, describe_run(task, agent.name, {}, 0))
        evaluator = effort.drive(agent, simulator, log=log)
        logged = np.concatenate([chunk.designs for chunk in log.chunks()])
        log.close("interrupted")
    simulated = np.concatenate(simulator.seen)
    expect(len(logged) == evaluator.trials, f"{evaluator.trials} rows in the log", len(logged))
    expect(np.array_equal(logged, simulated), "every simulated design in the log", difference(logged, simulated))


class _Interrupted(Exception):
    """Stands for whatever ends a run before its time."""


def _interrupt_after(trials: int) -> Callable[[Evaluator], None]:
    def progress(evaluator: Evaluator) -> None:
        if evaluator.trials >= trials:
            raise _Interrupted

    return progress


def _resumes(agent: Kind, effort: Effort) -> None:
    """An interrupted run resumes, by replay, to the very log of an uninterrupted one."""
    settings: dict[str, Any] = {"budget": effort.budget, "hyperparameters": effort.hyperparameters, "objective": "distance"}
    with tempfile.TemporaryDirectory() as scratch:
        whole, broken = Path(scratch, "whole"), Path(scratch, "broken")
        search(agent, Mixture(), log=whole, **settings)
        try:
            search(agent, Mixture(), log=broken, progress=_interrupt_after(effort.budget // 3), **settings)
        except _Interrupted:
            resume(broken, simulator=Mixture(), agent=agent)
        else:
            raise Mismatch("an interruption at a third of the budget to end the run", "a finished run")
        from archgym.dataset import Dataset  # pyarrow, needed for sealed logs only

        expected, got = (Dataset.open(folder).to_arrow().drop_columns(SECONDS) for folder in (whole, broken))
    expect(got.num_rows == expected.num_rows, f"{expected.num_rows} trials after resuming", got.num_rows)
    for name in expected.column_names:
        expect(got[name].equals(expected[name]), f"column {name!r} of an uninterrupted run", "another one")


def beats_random(agent: Kind, effort: Effort) -> None:
    """On three known problems its mean best score over all seeds is clearly above that of random search."""
    for problem in PROBLEMS:
        simulator = problem()
        objective = make_objective("distance", simulator)
        found, drawn = [], []
        for seed in range(effort.seeds):
            found.append(effort.drive(agent, simulator, budget=effort.long_budget, seed=seed).best_score)
            designs = simulator.space.sample(effort.long_budget, np.random.default_rng([seed, 1]))
            drawn.append(objective.score(simulator.evaluate(designs)).max())
        # Twice the standard error of the difference, so that random search itself does not pass.
        margin = 2 * np.sqrt((np.var(found) + np.var(drawn)) / effort.seeds)
        least = float(np.mean(drawn) + margin)
        what = f"a mean best score above {least:.4g} on {problem.name} ({effort.long_budget} designs, {effort.seeds} seeds)"
        expect(np.mean(found) > least, what, f"{np.mean(found):.4g}")


RUN_CHECKS: list[tuple[str, Callable[[Kind, Effort], None]]] = [
    ("all-invalid", _all_invalid),
    ("one-design", _one_design),
    ("one-parameter", _one_parameter),
    ("only-categories", _only_categories),
    ("constraints", _constraints),
    ("failures", _failures),
    ("hyperparameters", _hyperparameters),
    ("budget-exact", _budget_exact),
    ("every-trial-logged", _every_trial_logged),
    ("resumes", _resumes),
]
