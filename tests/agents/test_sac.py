"""SAC: what it needs, its warm-up, what its encodings reach, and that it learns within a small budget."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import archgym
from agents.sac import SAC
from archgym import Designs
from archgym.errors import HyperparameterError, MissingExtraError
from archgym.evaluator import Evaluator
from archgym.testing.problems import Mixture, NothingValid, OnePoint, Sphere
from archgym.testing.watched import Counted, drive


def proposed(budget: int, **settings: Any) -> Designs:
    """All designs of a run on the sphere, in order."""
    simulator = Counted(Sphere())
    drive(SAC, simulator, budget=budget, hyperparameters=settings)
    return np.concatenate(simulator.seen)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3", None)
    assert SAC.hyperparameters["warmup"].default == 32
    with pytest.raises(MissingExtraError, match=r"agent sac needs .* pip install 'archgym\[rl\]'"):
        SAC(Sphere.space, seed=0)


class TestTraining:
    """Needs the library."""

    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("stable_baselines3", reason="the agent sac needs the extra 'rl'")

    @pytest.mark.parametrize("problem", [Sphere, Mixture])
    def test_beats_random_search_by_far(self, problem: type[Sphere]) -> None:
        objective = archgym.make_objective("distance", problem())
        found, drawn = [], []
        for seed in range(2):
            found.append(drive(SAC, problem(), budget=300, seed=seed).best_score)
            designs = problem.space.sample(300, np.random.default_rng([seed, 1]))
            drawn.append(objective.score(problem().evaluate(designs)).max())
        assert np.mean(found) > np.mean(drawn) / 2  # scores are minus distances

    @pytest.mark.parametrize("warmup", [16, 32])
    def test_learning_begins_right_after_the_warmup(self, warmup: int) -> None:
        slow, fast = (proposed(warmup + 8, warmup=warmup, learning_rate=rate) for rate in (0.0005, 0.02))
        assert np.array_equal(slow[:warmup], fast[:warmup])
        assert not np.array_equal(slow[warmup:], fast[warmup:])

    def test_the_warmup_is_uniform_and_reaches_every_level(self) -> None:
        designs = proposed(128, warmup=128)
        counts = np.stack([np.bincount(column, minlength=12) for column in designs.T])
        assert counts.min() > 0
        assert ((counts - 128 / 12) ** 2 / (128 / 12)).sum() < 130  # chi-square with 88 degrees of freedom

    def test_the_released_mapper_reaches_three_levels(self) -> None:
        designs = proposed(120, encoding="three_level")
        assert {tuple(np.unique(column)) for column in designs.T} == {(0, 6, 11)}

    def test_settings_reach_the_library(self) -> None:
        settings = {"batch": 4, "gradient_steps": 2, "learning_rate": 0.01, "minibatch": 64, "layers": 1, "width": 32}
        agent = SAC(Sphere.space, seed=0, target_entropy=-0.5, **settings)
        learner: Any = agent._learner(Evaluator(Sphere(), archgym.make_objective("distance", Sphere())))
        assert (agent.batch, learner.n_envs, learner.gradient_steps, learner.batch_size) == (4, 4, 2, 64)
        assert (learner.lr_schedule(1), learner.target_entropy) == (0.01, -4.0)
        assert learner.policy.net_arch == [32] and not learner.logger.output_formats

    @pytest.mark.parametrize("problem", [OnePoint, NothingValid])
    def test_odd_spaces_with_the_released_mapper(self, problem: type[OnePoint]) -> None:
        assert drive(SAC, problem(), budget=60, hyperparameters={"encoding": "three_level"}).trials == 60

    @pytest.mark.parametrize("encoding", ["multidiscrete", "sequential"])
    def test_encodings_without_numbers_are_refused(self, encoding: str) -> None:
        with pytest.raises(HyperparameterError, match="agent sac: encoding must be one of continuous, three_level"):
            SAC(Sphere.space, seed=0, encoding=encoding)
