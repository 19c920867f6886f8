"""Gaussian-process optimisation: its model, its batches, and what it does with odd scores and spaces."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import archgym
from archgym import DesignSpace, Evaluator, Parameter, make_objective
from archgym.errors import MissingExtraError
from archgym.registry import agent_class
from archgym.testing import check_agent
from archgym.testing.problems import Constrained, Mixture

pytest.importorskip("skopt", reason="the agent bayes_gp needs scikit-optimize: pip install 'archgym[bayes]'")
from agents import bayes_gp

BayesGP = agent_class("bayes_gp")


def test_it_conforms() -> None:
    check_agent(BayesGP, skip=["beats-random"], budget=30, hyperparameters={"initial": 8})


def test_it_finds_the_optimum_of_a_smooth_problem_where_random_search_is_far() -> None:
    simulator = archgym.make_simulator("synthetic", parameters=6, levels=5)
    gp = [archgym.search("bayes_gp", simulator, budget=64, seed=seed).best_score for seed in range(3)]
    random = [archgym.search("random_walk", simulator, budget=64, seed=seed).best_score for seed in range(5)]
    assert np.median(gp) >= -1
    assert np.median(random) <= -3


@pytest.mark.slow
def test_it_beats_random_search_on_every_known_problem() -> None:
    others = [check.name for check in archgym.testing.agent_checks() if check.name != "beats-random"]
    check_agent(BayesGP, skip=others, long_budget=150, seeds=5)


@pytest.mark.parametrize("acquisition", ["EI", "LCB", "PI", "gp_hedge"])
def test_every_acquisition_function_beats_random_search(acquisition: str) -> None:
    simulator = Mixture()
    settings = {"acquisition": acquisition}
    gp = [archgym.search("bayes_gp", simulator, budget=64, seed=s, hyperparameters=settings).best_score for s in range(3)]
    random = [archgym.search("random_walk", simulator, budget=64, seed=s).best_score for s in range(9)]
    assert np.median(gp) > np.median(random)


def test_a_lie_is_what_fitting_anew_would_give() -> None:
    from skopt.learning.gaussian_process.kernels import ConstantKernel, Matern

    rng = np.random.default_rng(0)
    kernel = ConstantKernel(2.0) * Matern(np.array([0.5, 0.8, 1.1]), nu=2.5)
    features, costs, points = rng.random((12, 3)), rng.normal(size=12), rng.random((20, 3))
    told = bayes_gp._Posterior(kernel, 0.01, features, costs, points)
    told.lie(4, -1.5)
    told.lie(7, 0.5)
    anew = bayes_gp._Posterior(kernel, 0.01, np.concatenate([features, points[[4, 7]]]), np.append(costs, [-1.5, 0.5]), points)
    for got, expected in zip(told.predict(None), anew.predict(None), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-9)


def test_ordered_parameters_are_one_feature_and_others_one_per_level() -> None:
    space = DesignSpace(
        (Parameter("size", (1, 2, 4)), Parameter("kind", ("a", "b", "c"), ordered=False), Parameter("fixed", (1,)))
    )
    size, kind, fixed = bayes_gp._feature_tables(space)
    assert size.tolist() == [[0.0], [0.5], [1.0]]
    assert kind.tolist() == np.eye(3).tolist()
    assert fixed.tolist() == [[0.0]]


@pytest.mark.parametrize("scale", ["rank", "linear", "log", "clipped"])
def test_penalties_do_not_stretch_the_scale(scale: str) -> None:
    scores = np.array([-1.0, -2.0, -1e30, -3.0, -1e29])
    costs = bayes_gp._costs(scores, np.array([True, True, False, True, False]), scale)
    assert (np.diff(costs[[0, 1, 3, 4, 2]]) >= 0).all()
    assert np.ptp(costs) < 10


def test_a_long_tail_is_clipped_as_far_from_the_median_as_the_best_is() -> None:
    scores = -np.array([1.0, 2.0, 4.0, 100.0, 1e9])
    assert bayes_gp._costs(scores, np.ones(5, bool), "clipped").tolist() == [1.0, 2.0, 4.0, 7.0, 7.0]
    assert bayes_gp._costs(np.zeros(5), np.ones(5, bool), "clipped").tolist() == [0.0] * 5


def test_the_history_keeps_the_best_and_the_latest() -> None:
    costs = np.array([0.0, 9.0, 8.0, 1.0, 7.0, 6.0])
    assert bayes_gp._subset(costs, 4).tolist() == [0, 3, 4, 5]
    assert bayes_gp._subset(costs, 6).tolist() == [0, 1, 2, 3, 4, 5]


def test_it_proposes_nothing_that_breaks_a_stated_constraint_after_the_start() -> None:
    simulator = Constrained()
    evaluator = Evaluator(simulator, make_objective("distance", simulator), budget=48)
    agent = BayesGP(simulator.space, seed=0, initial=8)
    agent.drive(evaluator)
    assert evaluator.counts[archgym.Status.INVALID] <= 8


def test_a_small_space_is_exhausted_before_it_repeats() -> None:
    space = DesignSpace((Parameter("x", (1, 2, 3, 4)), Parameter("kind", ("a", "b", "c"), ordered=False)))
    agent = BayesGP(space, seed=0, initial=4)
    seen = []
    for n in (3, 1, 5, 3, 4):
        designs = agent.ask(n)
        agent.tell(designs, -designs.sum(axis=1).astype(float), archgym.Metrics.empty(("distance",), n))
        seen.append(designs)
    assert len(np.unique(np.concatenate(seen[:4]), axis=0)) == 12
    assert seen[4].shape == (4, 2)


def test_designs_of_others_replace_the_initial_ones() -> None:
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    foreign = simulator.space.sample(60, 0)
    metrics = simulator.evaluate(foreign)
    warm, cold = BayesGP(simulator.space, seed=1), BayesGP(simulator.space, seed=1)
    warm.tell(foreign, objective.score(metrics), metrics)
    near, random = warm.ask(8), cold.ask(8)
    assert objective.score(simulator.evaluate(near)).mean() > objective.score(simulator.evaluate(random)).mean() + 3


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skopt", None)
    with pytest.raises(MissingExtraError, match=r"bayes_gp needs scikit-optimize.*pip install 'archgym\[bayes\]'"):
        BayesGP(Mixture.space, seed=0)
