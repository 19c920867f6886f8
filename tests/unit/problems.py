"""What several unit tests run: a slow simulator on a clock of its own, and logs of small runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym import Columns, Evaluator, Simulator, TrialLog, make_objective
from archgym.manifest import describe_run, describe_task
from archgym.testing.problems import Sphere


class Clock:
    """Stands in for ``perf_counter``; moves only when told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("archgym.evaluator.perf_counter", lambda: self.now)


class Slow(Sphere):
    """A sphere whose designs take a while on a ``Clock``.

    Attributes:
        batches: how many designs each call brought.
    """

    fidelities: Mapping[str, float] = {"full": 1.0, "quick": 0.1}

    def __init__(self, clock: Clock, seconds: float, first: float | None = None) -> None:
        self.clock, self.seconds, self.first = clock, seconds, first
        self.batches: list[int] = []

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        n = len(columns["x0"])
        self.clock.now += self.seconds * n
        if not self.batches and self.first is not None:
            self.clock.now += self.first
        self.batches.append(n)
        return super()._evaluate(columns, fidelity)


def make_manifest(
    simulator: Simulator, budget: float | None = 100, agent: str = "random_walk", seed: int = 0
) -> dict[str, Any]:
    """A manifest of a run that minimises the simulator's first metric."""
    objective = make_objective(simulator.metric_names[0], simulator)
    return describe_run(describe_task(simulator, objective, budget), agent, {}, seed)


def make_evaluator(simulator: Simulator, budget: float | None = None, log: TrialLog | None = None) -> Evaluator:
    """An evaluator that minimises the simulator's first metric."""
    return Evaluator(simulator, make_objective(simulator.metric_names[0], simulator), budget=budget, log=log)


def write_run(
    folder: Path, simulator: Simulator, sizes: tuple[int, ...] = (5, 3), seed: int = 0, close: str = "finished"
) -> None:
    """Logs random batches of the given sizes."""
    log = TrialLog.create(folder, make_manifest(simulator, seed=seed))
    evaluator = make_evaluator(simulator, log=log)
    rng = np.random.default_rng(seed)
    for n in sizes:
        evaluator.evaluate(simulator.space.sample(n, rng))
    if close:
        log.close(close)
