"""Tree-structured Parzen estimator: what the study is told, and that nothing is proposed twice."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import archgym
from archgym import DesignSpace, Parameter, make_objective
from archgym.errors import MissingExtraError
from archgym.registry import agent_class
from archgym.testing import check_agent
from archgym.testing.problems import Mixture, NothingValid

pytest.importorskip("optuna", reason="the agent bayes_tpe needs optuna: pip install 'archgym[bayes]'")
BayesTPE = agent_class("bayes_tpe")


def test_it_conforms() -> None:
    check_agent(BayesTPE, skip=["beats-random"], budget=40)


def test_it_is_ahead_of_random_search_after_few_designs() -> None:
    simulator = archgym.make_simulator("synthetic")
    runs = {
        agent: [archgym.search(agent, simulator, budget=120, seed=seed).best_score for seed in range(3)]
        for agent in ("bayes_tpe", "random_walk")
    }
    assert np.median(runs["bayes_tpe"]) > np.median(runs["random_walk"]) / 1.5  # scores are negated distances


@pytest.mark.slow
def test_it_beats_random_search_on_every_known_problem() -> None:
    others = [check.name for check in archgym.testing.agent_checks() if check.name != "beats-random"]
    check_agent(BayesTPE, skip=others, long_budget=150, seeds=5)


def test_designs_of_others_steer_it() -> None:
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    near = np.repeat(simulator.optimum, 60, axis=0)
    near[np.arange(60), np.arange(60) % 8] = 0
    foreign = np.concatenate([near, simulator.space.sample(60, 0)])
    metrics = simulator.evaluate(foreign)
    warm, cold = BayesTPE(simulator.space, seed=1), BayesTPE(simulator.space, seed=1)
    warm.tell(foreign, objective.score(metrics), metrics)
    asked, random = warm.ask(16), cold.ask(16)
    assert objective.score(simulator.evaluate(asked)).mean() > objective.score(simulator.evaluate(random)).mean() + 3
    assert not {row.tobytes() for row in asked} & {row.tobytes() for row in foreign}


def test_a_small_space_is_exhausted_before_it_repeats() -> None:
    space = DesignSpace((Parameter("x", (1, 2, 3, 4)), Parameter("kind", ("a", "b"), ordered=False)))
    agent = BayesTPE(space, seed=0)
    asked = np.concatenate([agent.ask(3), agent.ask(5)])
    assert len(np.unique(asked, axis=0)) == 8
    assert agent.ask(4).shape == (4, 2)


def test_less_invalid_counts_as_better() -> None:
    simulator = NothingValid()
    objective = make_objective("distance", simulator)
    agent = BayesTPE(simulator.space, seed=0)
    rows = []
    for _ in range(8):
        designs = agent.ask(8)
        metrics = simulator.evaluate(designs)
        agent.tell(designs, objective.score(metrics), metrics)
        rows.append(designs)
    assert rows[0][:, 0].mean() > np.concatenate(rows[4:6])[:, 0].mean()


def test_optuna_stays_silent(capfd: pytest.CaptureFixture[str]) -> None:
    archgym.search("bayes_tpe", "synthetic", budget=30)
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"bayes_tpe needs optuna.*pip install 'archgym\[bayes\]'"):
        BayesTPE(Mixture.space, seed=0)
