"""PPO: what it needs, that it learns in every encoding, and that its settings reach the library."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import archgym
from agents.ppo import PPO
from archgym.errors import HyperparameterError, MissingExtraError
from archgym.evaluator import Evaluator
from archgym.testing.problems import Mixture, NothingValid, OnePoint, Sphere
from archgym.testing.watched import Counted, drive


def random_best(simulator: Any, budget: int, seeds: int) -> float:
    """Mean over seeds of the best score of random search."""
    objective = archgym.make_objective(simulator.metric_names[0], simulator)
    samples = [simulator.space.sample(budget, np.random.default_rng([seed, 1])) for seed in range(seeds)]
    return float(np.mean([objective.score(simulator.evaluate(designs)).max() for designs in samples]))


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert PPO.hyperparameters["rollout"].default == 32
    with pytest.raises(MissingExtraError, match=r"agent ppo needs .* pip install 'archgym\[rl\]'"):
        PPO(Sphere.space, seed=0)


class TestTraining:
    """Needs the library."""

    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("stable_baselines3", reason="the agent ppo needs the extra 'rl'")

    @pytest.mark.parametrize("problem", [Sphere, Mixture])
    def test_beats_random_search_by_far(self, problem: type[Sphere]) -> None:
        found = np.mean([drive(PPO, problem(), budget=500, seed=seed).best_score for seed in range(3)])
        assert found > random_best(problem(), 500, 3) / 2  # scores are minus distances

    @pytest.mark.parametrize(
        "settings",
        [{"encoding": "continuous"}, {"encoding": "sequential", "layers": 1, "learning_rate": 0.03}],
        ids=lambda settings: settings["encoding"],
    )
    def test_every_encoding_that_reaches_all_levels_learns(self, settings: dict[str, Any]) -> None:
        simulator = Counted(Sphere())
        scores = []
        for seed in range(2):
            simulator.seen.clear()
            drive(PPO, simulator, budget=800, seed=seed, hyperparameters=settings)
            designs = np.concatenate(simulator.seen)
            distance = Sphere().evaluate(designs)["distance"]
            scores.append((distance[:100].mean(), distance[-100:].mean()))
        first, last = np.mean(scores, axis=0)
        assert last < first / 3

    def test_a_long_run_settles_at_the_optimum(self) -> None:
        simulator = Counted(archgym.make_simulator("synthetic", workload="sphere"))
        evaluator = drive(PPO, simulator, budget=3000)
        late = np.concatenate(simulator.seen)[-500:]
        assert evaluator.best_score == 0
        assert simulator.evaluate(late)["distance"].mean() < 2

    def test_settings_reach_the_library(self) -> None:
        settings = {"rollout": 16, "epochs": 2, "learning_rate": 0.01, "clip": 0.1, "entropy": 0.1, "layers": 2, "width": 16}
        agent = PPO(Sphere.space, seed=0, **settings)
        learner: Any = agent._learner(Evaluator(Sphere(), archgym.make_objective("distance", Sphere())))
        assert (agent.batch, learner.n_envs, learner.n_epochs, learner.ent_coef) == (16, 16, 2, 0.1)
        assert (learner.lr_schedule(1), learner.clip_range(1), learner.policy.net_arch) == (0.01, 0.1, [16, 16])
        assert learner.device.type == "cpu" and not learner.logger.output_formats

    @pytest.mark.parametrize("problem", [OnePoint, NothingValid])
    @pytest.mark.parametrize("encoding", ["continuous", "three_level", "sequential"])
    def test_odd_spaces_in_other_encodings(self, problem: type[OnePoint], encoding: str) -> None:
        assert drive(PPO, problem(), budget=70, hyperparameters={"encoding": encoding}).trials == 70

    def test_an_unknown_encoding_is_refused(self) -> None:
        with pytest.raises(HyperparameterError, match="agent ppo: encoding must be one of multidiscrete, continuous"):
            PPO(Sphere.space, seed=0, encoding="one_hot")
