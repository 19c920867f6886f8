"""CMA-ES for mixed spaces: where it looks, what it remembers, when it restarts."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import archgym
from archgym import DesignSpace, Evaluator, Parameter, make_objective
from archgym.errors import MissingExtraError
from archgym.registry import agent_class
from archgym.testing import check_agent
from archgym.testing.problems import Mixture, OnePoint

pytest.importorskip("cmaes", reason="the agent cma_es needs cmaes: pip install 'archgym[bayes]'")
CMAES = agent_class("cma_es")


def test_it_conforms() -> None:
    check_agent(CMAES, budget=80, long_budget=300, seeds=5)


@pytest.mark.parametrize("workload", ["sphere", "ruggedness", "constrained"])
def test_it_is_far_ahead_of_random_search(workload: str) -> None:
    simulator = archgym.make_simulator("synthetic", workload=workload)
    runs = {
        agent: [archgym.search(agent, simulator, budget=300, seed=seed).best_score for seed in range(5)]
        for agent in ("cma_es", "random_walk")
    }
    assert np.median(runs["cma_es"]) > np.median(runs["random_walk"]) / 4  # scores are negated distances


def test_no_design_is_proposed_twice_while_others_are_left() -> None:
    space = DesignSpace((Parameter("x", tuple(range(6))), Parameter("kind", ("a", "b", "c"), ordered=False)))
    agent = CMAES(space, seed=0)
    seen = tell_until(agent, space, 18)
    assert len(np.unique(seen, axis=0)) == space.size
    assert agent.ask(5).shape == (5, 2)  # exhausted: repeats


def tell_until(agent: archgym.Agent, space: DesignSpace, n: int) -> archgym.Designs:
    rows = []
    for _ in range(n):
        designs = agent.ask(1)
        metrics = archgym.Metrics.empty(("distance",), 1)
        agent.tell(designs, -designs.sum(axis=1).astype(float), metrics)
        rows.append(designs)
    return np.concatenate(rows)


def test_designs_of_others_are_where_it_starts_and_are_not_proposed() -> None:
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    warm, cold = CMAES(simulator.space, seed=1), CMAES(simulator.space, seed=1)
    foreign = np.concatenate([simulator.optimum, simulator.space.sample(20, 0)])
    metrics = simulator.evaluate(foreign)
    warm.tell(foreign, objective.score(metrics), metrics)
    near, far = warm.ask(16), cold.ask(16)
    assert objective.score(simulator.evaluate(near)).mean() > objective.score(simulator.evaluate(far)).mean()
    assert not {row.tobytes() for row in near} & {row.tobytes() for row in foreign}


def test_a_converged_run_restarts_with_more_designs_per_generation() -> None:
    simulator = archgym.make_simulator("synthetic", workload="sphere", parameters=4, levels=4)
    evaluator = Evaluator(simulator, make_objective("distance", simulator), budget=200)
    agent = CMAES(simulator.space, seed=0, population=6, patience=1)
    agent.drive(evaluator)
    assert evaluator.distinct == 200
    assert agent._population > 6


def test_all_levels_stay_possible_in_a_space_of_single_levels_and_pairs() -> None:
    space = DesignSpace((Parameter("fixed", (1,)), Parameter("pair", (1, 2)), Parameter("flag", (False, True), ordered=False)))
    seen = tell_until(CMAES(space, seed=0), space, 4)
    assert len(np.unique(seen, axis=0)) == 4
    assert CMAES(OnePoint.space, seed=0).ask(3).tolist() == [[0, 0]] * 3


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(MissingExtraError, match=r"cma_es needs cmaes.*pip install 'archgym\[bayes\]'"):
        CMAES(Mixture.space, seed=0)
