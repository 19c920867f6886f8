"""A simulator that keeps a record, and an evaluator that hands out nothing that can be written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from archgym.agent import Agent
from archgym.evaluator import BudgetExhausted, Evaluator
from archgym.metrics import Metrics
from archgym.objective import Scores, make_objective
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.wrappers import Wrapper


class Counted(Wrapper):
    """Keeps every batch that reaches the wrapped simulator.

    Attributes:
        seen: the batches, in order.
    """

    def __init__(self, inner: Simulator) -> None:
        super().__init__(inner)
        self.seen: list[Designs] = []

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator."""
        self.seen.append(self.space.check(designs).copy())
        return self.inner.evaluate(designs, fidelity)


class Watched(Evaluator):
    """An ``Evaluator`` whose answers are read-only, so that an agent that modifies what it is told fails."""

    def __init__(self, simulator: Simulator, budget: float, **options: Any) -> None:
        objective = make_objective(simulator.metric_names[0], simulator)
        super().__init__(simulator, objective, budget=budget, **options)

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> tuple[Metrics, Scores]:
        """As ``Evaluator.evaluate``."""
        metrics, scores = super().evaluate(designs, fidelity)
        metrics.status.flags.writeable = metrics.violation.flags.writeable = scores.flags.writeable = False
        for values in metrics.columns.values():
            values.flags.writeable = False
        return metrics, scores


def drive(
    agent: type[Agent],
    simulator: Simulator,
    *,
    budget: float,
    seed: int = 0,
    hyperparameters: Mapping[str, Any] | None = None,
    **options: Any,
) -> Watched:
    """Lets a fresh agent spend a budget; returns the evaluator that saw it.

    Args:
        agent: the agent's class.
        simulator: what it searches.
        budget: cost units.
        seed: the agent's.
        hyperparameters: the agent's settings.
        options: further arguments of ``Evaluator``.
    """
    evaluator = Watched(simulator, budget, **options)
    searcher = agent(simulator.space, seed=seed, **(hyperparameters or {}))
    try:
        searcher.drive(evaluator)
    except BudgetExhausted:
        pass
    return evaluator
