"""NSGA-II: fronts, and what it takes for better."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import archgym
from archgym import DesignSpace, Evaluator, Parameter, make_objective
from archgym.errors import MissingExtraError
from archgym.pareto import hypervolume, non_dominated
from archgym.registry import agent_class
from archgym.testing import check_agent
from archgym.testing.problems import Constrained, Mixture

pytest.importorskip("pymoo", reason="the agent nsga2 needs pymoo: pip install 'archgym[bayes]'")
NSGA2 = agent_class("nsga2")
BOTH = "weighted:distance=1,area=1"


def test_it_conforms() -> None:
    check_agent(NSGA2, budget=80, seeds=5)


def front_of(
    simulator: archgym.Simulator, seed: int, budget: int = 1000, **settings: object
) -> tuple[archgym.Agent, Evaluator]:
    agent = NSGA2(simulator.space, seed=seed, **settings)
    evaluator = Evaluator(simulator, make_objective(BOTH, simulator), budget=budget)
    agent.drive(evaluator)
    return agent, evaluator


def test_its_front_covers_most_of_the_true_one_and_random_search_does_not() -> None:
    simulator = archgym.make_simulator("synthetic", workload="sphere", parameters=12, levels=8)
    corner = np.array([150.0, 70.0])
    whole = hypervolume(simulator.front(), corner)
    shares, random = [], []
    for seed in range(3):
        agent, _ = front_of(simulator, seed)
        _, costs = agent.front()
        shares.append(hypervolume(costs, corner) / whole)
        metrics = simulator.evaluate(simulator.space.sample(1000, seed))
        random.append(hypervolume(np.stack([metrics["distance"], metrics["area"]], axis=1), corner) / whole)
    assert np.median(shares) > 0.9
    assert np.median(random) < 0.8


def test_the_front_is_distinct_non_dominated_and_what_the_simulator_says() -> None:
    simulator = archgym.make_simulator("synthetic", workload="constrained")
    agent, evaluator = front_of(simulator, 0, budget=300)
    designs, costs = agent.front()
    assert len(np.unique(designs, axis=0)) == len(designs) > 3
    assert non_dominated(costs).all() and np.isfinite(costs).all()
    assert np.array_equal(costs, evaluator.objective.costs(simulator.evaluate(designs)))


def test_a_front_of_nothing_is_empty() -> None:
    designs, costs = NSGA2(Mixture.space, seed=0).front()
    assert designs.shape == (0, 8) and len(costs) == 0


def test_valid_designs_beat_invalid_ones_and_less_invalid_ones_the_rest() -> None:
    simulator = Constrained()
    evaluator = Evaluator(simulator, make_objective("distance", simulator), budget=320)
    NSGA2(simulator.space, seed=0, population=16).drive(evaluator)
    assert evaluator.counts[archgym.Status.OK] > 160  # three in ten of random ones


def test_without_an_evaluator_it_maximises_the_score() -> None:
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    agent = NSGA2(simulator.space, seed=0, population=16)
    scores = []
    for n in [16, 5, 27] * 8:
        designs = agent.ask(n)
        metrics = simulator.evaluate(designs)
        scores.append(objective.score(metrics))
        agent.tell(designs, scores[-1], metrics)
    assert np.concatenate(scores[-3:]).mean() > np.concatenate(scores[:3]).mean() + 3


def test_designs_of_others_join_the_population() -> None:
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    agent = NSGA2(simulator.space, seed=0)
    foreign = np.repeat(simulator.optimum, 40, axis=0)
    foreign[np.arange(40), np.arange(40) % 8] = 0
    metrics = simulator.evaluate(foreign)
    agent.tell(foreign, objective.score(metrics), metrics)
    assert objective.score(simulator.evaluate(agent.ask(16))).mean() > -10  # random designs: about -21


def test_a_small_space_is_nearly_exhausted_before_it_repeats() -> None:
    space = DesignSpace((Parameter("x", (1, 2, 3, 4)), Parameter("kind", ("a", "b"), ordered=False)))
    asked = NSGA2(space, seed=0).ask(30)
    assert asked.shape == (30, 2)
    assert len(np.unique(asked, axis=0)) >= 7


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymoo", None)
    with pytest.raises(MissingExtraError, match=r"nsga2 needs pymoo.*pip install 'archgym\[bayes\]'"):
        NSGA2(Mixture.space, seed=0)
