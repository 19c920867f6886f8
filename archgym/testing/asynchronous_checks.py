"""Checks of agents that say they can be told results as designs finish."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from archgym.metrics import Status
from archgym.objective import make_objective
from archgym.simulator import Simulator
from archgym.testing.check import expect
from archgym.testing.effort import Effort, Kind
from archgym.testing.problems import ODD_PROBLEMS, PROBLEMS, Mixture, Sphere
from archgym.wrappers import Faulty

WINDOW = 8
"""Designs in flight."""


def told_backwards(agent: Kind, effort: Effort, simulator: Simulator, budget: int, seed: int = 0) -> float:
    """Lets a fresh agent spend a budget with several designs in flight, told one by one, the newest first.

    The oldest half of those in flight stays there until the end: designs that take very long.

    Returns:
        The best score of an OK design; minus infinity if there was none.
    """
    objective = make_objective(simulator.metric_names[0], simulator)
    searcher = agent(simulator.space, seed=seed, **effort.hyperparameters)
    flying = searcher.ask(min(WINDOW, budget))
    left, best = budget - len(flying), -np.inf
    while len(flying):
        new = flying[len(flying) // 2 :] if left else flying
        for design in new[::-1]:
            metrics = simulator.evaluate(design[None])
            scores = objective.score(metrics)
            if metrics.status[0] == Status.OK:
                best = max(best, float(scores[0]))
            searcher.tell(design[None], scores, metrics)
        flying = flying[: len(flying) - len(new)]
        asked = min(len(new), left)
        if asked:
            more = simulator.space.check(searcher.ask(asked), who=f"ask({asked}) with {len(flying)} in flight")
            expect(len(more) == asked, f"{asked} designs from ask({asked}) with {len(flying)} in flight", len(more))
            flying, left = np.concatenate([flying, more]), left - asked
    return best


def _asynchronous(agent: Kind, effort: Effort) -> None:
    """If it says that it is asynchronous: told backwards, one by one, with several in flight, it goes on proposing."""
    if not agent.asynchronous:
        return
    for problem in (*PROBLEMS, *ODD_PROBLEMS):
        told_backwards(agent, effort, problem(), effort.budget)
    told_backwards(agent, effort, Faulty(Mixture(), share=0.5), effort.budget)


def asynchronous_beats_random(agent: Kind, effort: Effort) -> None:
    """If it says that it is asynchronous: told so, its mean best score is still clearly above that of random search."""
    if not agent.asynchronous:
        return
    simulator = Sphere()
    objective = make_objective("distance", simulator)
    found = [told_backwards(agent, effort, simulator, effort.long_budget, seed) for seed in range(effort.seeds)]
    draws = [simulator.space.sample(effort.long_budget, np.random.default_rng([seed, 1])) for seed in range(effort.seeds)]
    drawn = [objective.score(simulator.evaluate(designs)).max() for designs in draws]
    least = float(np.mean(drawn) + 2 * np.sqrt((np.var(found) + np.var(drawn)) / effort.seeds))
    what = (
        f"a mean best score above {least:.4g} on sphere, told backwards ({effort.long_budget} designs, {effort.seeds} seeds)"
    )
    expect(np.mean(found) > least, what, f"{np.mean(found):.4g}")


ASYNCHRONOUS_CHECKS: list[tuple[str, Callable[[Kind, Effort], None]]] = [("asynchronous", _asynchronous)]
