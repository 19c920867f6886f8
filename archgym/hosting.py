"""What environments of every kind share: they stand around an evaluator, which they build, describe and seal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArgumentError, RunExistsError, UnknownNameError
from archgym.evaluator import Evaluator, check_budget
from archgym.manifest import describe_run, describe_task
from archgym.metrics import Status
from archgym.objective import Objective, make_objective
from archgym.registry import make_simulator
from archgym.simulator import Simulator
from archgym.stepping import Outcome, Stepper, check_count
from archgym.trials import MANIFEST, TrialLog
from archgym.wrappers import Cached

RENDER_MODES = ("ansi",)
FORMULATIONS = ("design", "sequential")
EXTERNAL = "external"
"""What the manifest of an environment's log names as the agent: the program that steps it, unknown to archgym."""

STATUS_NAMES = np.array([status.name for status in Status])


class Host:
    """What all environments share: they stand around an evaluator.

    Attributes:
        evaluator: prices, counts and logs every design.
    """

    evaluator: Evaluator
    _stepper: Stepper
    _owns_log: bool

    def _host(self, stepper: Stepper, render_mode: str | None, owns_log: bool) -> None:
        check_render_mode(render_mode)
        self.evaluator, self._stepper, self._owns_log = stepper.evaluator, stepper, owns_log

    @property
    def simulator(self) -> Simulator:
        """The simulator, without the cache around it; its docstring documents parameters and metrics."""
        inner = self.evaluator.simulator
        return inner.inner if isinstance(inner, Cached) else inner

    @property
    def objective(self) -> Objective:
        """What the reward is the score of."""
        return self.evaluator.objective

    @property
    def observation_names(self) -> tuple[str, ...]:
        """Name of each number of an observation."""
        return self._stepper.names

    def _seal(self) -> None:
        if not self._owns_log:
            return
        self._owns_log = False
        self.evaluator.close()
        if self.evaluator.log is not None:
            self.evaluator.log.close("finished", self.evaluator.summary())


def build_evaluator(
    simulator: str | Simulator,
    objective: str | Objective | None,
    budget: float | None,
    log: str | os.PathLike[str] | None,
    arguments: dict[str, Any],
) -> Evaluator:
    """The evaluator of an environment that stands on its own; arguments and errors as in ``make_env``."""
    if budget is not None:
        check_budget(budget)
    if isinstance(simulator, str):
        problem = make_simulator(simulator, **arguments)
    elif arguments:
        given = ", ".join(arguments)
        raise ArgumentError(
            f"{simulator.name}: {given} cannot be set on a simulator that is built already; build it with them"
        )
    else:
        problem = simulator
    goal = make_objective(problem.metric_names[0] if objective is None else objective, problem)
    trial_log = None
    if log is not None:
        if (Path(log) / MANIFEST).exists():
            raise RunExistsError(
                f"{log} already holds a run. An environment always starts a new one: give it a folder of its own as log=; "
                f"archgym.Dataset.open({str(log)!r}) reads the other run, finished or not."
            )
        trial_log = TrialLog.create(log, describe_run(describe_task(problem, goal, budget), EXTERNAL, {}, None))
    return Evaluator(Cached(problem) if problem.deterministic else problem, goal, budget=budget, log=trial_log)


def check_arguments(formulation: str, steps: int, render_mode: str | None) -> None:
    """Checks what no simulator is needed for, so that nothing is built or written for a wrong call.

    Raises:
        UnknownNameError: no such formulation or render mode.
        ArgumentError: ``steps`` is not a whole number from 1.
    """
    if formulation not in FORMULATIONS:
        raise UnknownNameError("formulation", formulation, FORMULATIONS)
    check_count("steps", steps)
    check_render_mode(render_mode)


def check_render_mode(render_mode: str | None) -> None:
    """Raises ``UnknownNameError`` unless there is such a render mode."""
    if render_mode is not None and render_mode not in RENDER_MODES:
        raise UnknownNameError("render mode", render_mode, RENDER_MODES)


def design_info(evaluator: Evaluator, outcome: Outcome | None) -> dict[str, Any]:
    """What ``info`` tells of a design; nothing if none was completed."""
    if outcome is None:
        return {}
    # A metric without a value is left out: NaN differs from itself, and equal steps must give equal infos.
    metrics = {name: value for name, value in outcome.metrics.row(0).items() if np.isfinite(value)}
    info: dict[str, Any] = {
        "design": evaluator.simulator.space.describe(outcome.designs[0]),
        "metrics": metrics,
        "status": Status(outcome.metrics.status[0]).name,
        "score": float(outcome.scores[0]),
    }
    if 0 in outcome.metrics.reasons:
        info["reason"] = outcome.metrics.reasons[0]
    return info


def batch_info(evaluator: Evaluator, outcome: Outcome | None) -> dict[str, Any]:
    """``design_info`` of N designs: (N,) arrays, each with a mask of the same name behind an underscore."""
    if outcome is None:
        return {}
    n, metrics = len(outcome.designs), outcome.metrics
    info: dict[str, Any] = {
        "design": _masked(evaluator.simulator.space.decode(outcome.designs)),
        "metrics": _masked({name: values.copy() for name, values in metrics.columns.items()}),
        "status": STATUS_NAMES[metrics.status],
        "score": outcome.scores.copy(),
    }
    info.update({f"_{key}": np.ones(n, bool) for key in tuple(info)})
    if metrics.reasons:
        rows = list(metrics.reasons)
        info["reason"], info["_reason"] = np.full(n, None, object), np.zeros(n, bool)
        info["reason"][rows], info["_reason"][rows] = list(metrics.reasons.values()), True
    return info


def _masked(columns: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    masks = {f"_{name}": np.isfinite(v) if v.dtype.kind == "f" else np.ones(len(v), bool) for name, v in columns.items()}
    return {**columns, **masks}
