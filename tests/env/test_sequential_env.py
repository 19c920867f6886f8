"""SequentialEnv: masks, masked actions, order of things."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from archgym import Columns, Constraint, DesignSpace, Metric, Parameter, Status, errors
from archgym.env import SequentialEnv, make_env
from archgym.masking import LevelMasks
from archgym.simulator import Simulator
from archgym.vector_env import make_vector_env
from simulators.synthetic import Synthetic


def _too_big(columns: Columns) -> np.ndarray:
    return columns["a"] + columns["b"] + columns["c"] - 3


def _never(columns: Columns) -> np.ndarray:
    return np.ones(len(columns["a"]))


def _space(*rules: Constraint) -> DesignSpace:
    sizes = {"a": 3, "b": 5, "c": 2}
    return DesignSpace(tuple(Parameter(name, tuple(range(1, n + 1))) for name, n in sizes.items()), rules)


class Sum(Simulator):
    """Sum of three numbers, which must not exceed a limit."""

    name, version, metrics = "sum", "1", (Metric("total", "max", (0.0, 10.0)),)
    space = _space(Constraint("small", _too_big))

    def _evaluate(self, columns: Columns, fidelity: str) -> dict[str, np.ndarray]:
        return {"total": sum(columns.values())}


def _open(space: DesignSpace, beginning: tuple[int, ...], limit: int) -> list[int]:
    return np.flatnonzero(LevelMasks(space, limit).of(np.array([beginning], np.int32).reshape(1, -1))[0]).tolist()


@pytest.mark.parametrize("limit", [30, 10, 2, 1])
def test_a_level_is_open_exactly_if_a_completion_is_valid(limit: int) -> None:
    space = _space(Constraint("loose", lambda columns: columns["a"] + columns["b"] - columns["c"] - 4))
    masks = LevelMasks(space, limit)
    sizes = [range(levels) for levels in space.nvec]
    for column in range(3):
        for beginning in itertools.product(*sizes[:column]):
            every = [[*beginning, level, *rest] for level in sizes[column] for rest in itertools.product(*sizes[column + 1 :])]
            valid = sorted({design[column] for design in every if space.violation(np.array([design], np.int32))[0] == 0})
            expected = valid if column >= masks.start and valid else list(sizes[column])
            assert _open(space, beginning, limit) == expected


def test_limits_decide_where_enumeration_starts() -> None:
    space = _space(Constraint("small", _too_big))
    assert [LevelMasks(space, limit).start for limit in (30, 10, 2, 1)] == [0, 1, 2, 3]


def test_nothing_valid_leaves_every_level_open() -> None:
    assert _open(_space(Constraint("never", _never)), (1,), 100) == [0, 1, 2, 3, 4]


def test_masks_of_a_batch_equal_those_of_singles() -> None:
    masks = LevelMasks(Synthetic("constrained", parameters=6, levels=5).space, limit=700)
    for column in range(6):
        beginnings = np.random.default_rng(column).integers(0, 5, (40, column)).astype(np.int32)
        singles = np.concatenate([masks.of(row[None]) for row in beginnings])
        assert np.array_equal(masks.of(beginnings), singles)


def test_masked_sampling_always_gives_valid_designs() -> None:
    env = gym.make("archgym/Synthetic-v0", formulation="sequential", workload="constrained", parameters=5, levels=4)
    env.action_space.seed(0)
    for _ in range(50):
        _, info = env.reset()
        terminated = False
        while not terminated:
            assert np.array_equal(env.unwrapped.action_masks(), info["action_mask"].astype(bool))
            _, _, terminated, _, info = env.step(env.action_space.sample(info["action_mask"]))
        assert info["status"] == "OK"


def test_masks_are_found_through_wrappers() -> None:
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("archgym/Synthetic-v0", formulation="sequential", levels=3))
    env.reset(seed=0)
    assert env.get_wrapper_attr("action_masks")().tolist() == [True] * 3


def test_masked_actions_are_defined() -> None:
    env = SequentialEnv(make_env(simulator=Sum()).evaluator)
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [1, 0, 0, 0, 0]
    env.step(4)  # three levels: 4 is taken as 1, that is the value 2, after which nothing is valid
    assert env.action_masks().tolist() == [True] * 5
    env.step(0)
    _, reward, terminated, _, info = env.step(3)
    assert terminated and info["design"] == {"a": 2, "b": 1, "c": 2} and info["status"] == "INVALID" and reward < 0


def test_reward_is_zero_until_the_last_parameter() -> None:
    env = make_env(simulator=Sum(), formulation="sequential", steps=2)
    env.reset(seed=0)
    seen: list[Any] = [env.step(0) for _ in range(6)]
    assert [step[1] for step in seen] == [0.0, 0.0, 3.0, 0.0, 0.0, 3.0]
    assert [step[2] for step in seen] == [False] * 5 + [True]
    assert ["design" in step[4] for step in seen] == [False, False, True] * 2
    assert env.evaluator.trials == 2


def test_observations_show_what_is_set_and_what_is_next() -> None:
    env = make_env(simulator=Sum(), formulation="sequential", steps=2)

    def named(observation: np.ndarray) -> dict[str, float]:
        values = zip(env.observation_names, observation.tolist(), strict=True)
        return {name: round(value, 3) for name, value in values if value}

    assert named(env.reset(seed=0)[0]) == {"next_a": 1.0}
    assert named(env.step(0)[0]) == {"a": 0.167, "next_b": 1.0}
    env.step(0)
    complete = {"a": 0.167, "b": 0.1, "c": 0.25, "total": 0.3, "status_ok": 1.0}
    assert named(env.step(0)[0]) == {**complete, "progress": 0.5, "next_a": 1.0}
    assert named(env.step(0)[0]) == {"a": 0.167, "total": 0.3, "status_ok": 1.0, "progress": 0.5, "next_b": 1.0}
    env.step(0)
    assert named(env.step(0)[0]) == {**complete, "progress": 1.0}


def test_a_vector_of_sequences_evaluates_once_per_design() -> None:
    envs = make_vector_env(8, simulator=Sum(), formulation="sequential", max_episode_steps=-1)
    _, infos = envs.reset(seed=0)
    rng = np.random.default_rng(0)
    for step in range(9):
        mask = infos["action_mask"]
        assert np.array_equal(envs.action_masks(), mask.astype(bool))
        actions = np.array([rng.choice(np.flatnonzero(row)) for row in mask])
        _, rewards, terminations, _, infos = envs.step(actions)
        assert terminations.all() == (step % 3 == 2) and rewards.any() == terminations.all()
    assert envs.evaluator.counts[Status.OK] == 24


@pytest.mark.parametrize("action", [5, -1, 0.0, [0]])
def test_wrong_actions(action: Any) -> None:
    with pytest.raises(errors.DesignError):
        make_env(simulator=Sum(), formulation="sequential").step(action)


def test_an_exhausted_budget_leaves_the_episode_where_it_was() -> None:
    env = make_env(simulator=Sum(), formulation="sequential", budget=1)
    for _ in range(5):
        env.step(0)
    for _ in range(2):
        with pytest.raises(Exception, match="the budget is spent"):
            env.step(0)
    assert env.evaluator.trials == 1
