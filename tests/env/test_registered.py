"""Holds for every registered environment and formulation."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from described import NEEDED_BY_ENVIRONMENT
from gymnasium.utils.env_checker import check_env, data_equivalence

import archgym


@pytest.mark.parametrize("steps", [1, 3])
def test_check_env_without_a_warning(env_id: str, formulation: str, steps: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make(
            env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), formulation=formulation, steps=steps, render_mode="ansi"
        )
        check_env(env.unwrapped)


def test_two_instances_agree(env_id: str, formulation: str) -> None:
    one, two = (gym.make(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), formulation=formulation, steps=2) for _ in range(2))
    assert data_equivalence(one.reset(seed=3), two.reset(seed=3), exact=True)
    one.action_space.seed(3)
    for _ in range(30):
        action = one.action_space.sample()
        first, second = one.step(action), two.step(action)
        assert data_equivalence(first, second, exact=True)
        assert first[0] in one.observation_space
        if first[2]:
            assert data_equivalence(one.reset(), two.reset(), exact=True)


def test_spaces_and_environments_pickle(env_id: str, formulation: str) -> None:
    for env in (
        gym.make(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), formulation=formulation),
        gym.make_vec(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), num_envs=3, formulation=formulation),
    ):
        for space in (env.action_space, env.observation_space):
            assert pickle.loads(pickle.dumps(space)) == space
        env.reset(seed=1)
        env.action_space.seed(1)
        action = env.action_space.sample()
        for twin in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
            assert data_equivalence(_plain(env.unwrapped.step(action)), _plain(twin.unwrapped.step(action)), exact=True)
            env.reset(seed=1)


def test_no_step_is_dropped_and_the_log_is_that_of_a_search(env_id: str, formulation: str, tmp_path: Path) -> None:
    env = gym.make(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), formulation=formulation, log=tmp_path / "env")
    simulator = env.unwrapped.simulator
    length = simulator.space.dimensions if formulation == "sequential" else 1
    env.reset(seed=0)
    env.action_space.seed(0)
    taken, rewards = [], []
    for _ in range(5 * length):
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        if terminated:
            taken.append(info["design"])
            rewards.append(reward)
            env.reset()
    env.close()
    env.close()
    archgym.search("random_walk", simulator, budget=5, log=tmp_path / "search")
    logged, searched = (archgym.Dataset.open(tmp_path / name).to_arrow() for name in ("env", "search"))
    assert logged.schema == searched.schema
    assert logged["trial"].to_pylist() == list(range(5))
    assert logged["score"].to_pylist() == rewards
    assert logged.select(list(simulator.space.names)).to_pylist() == taken
    ours, theirs = (archgym.Dataset.open(tmp_path / name).runs[0].manifest for name in ("env", "search"))
    assert ours.keys() == theirs.keys() and ours["state"] == "finished"
    assert (ours["agent"], ours["hyperparameters"], ours["seed"]) == ("external", {}, None)
    valid = [reward for reward, status in zip(rewards, logged["status"].to_pylist(), strict=True) if status == "OK"]
    assert ours["best"].keys() == theirs["best"].keys() and ours["best"]["score"] == max(valid, default=None)


def test_vector_steps_are_all_logged(env_id: str, formulation: str, tmp_path: Path) -> None:
    envs = gym.make_vec(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), num_envs=4, formulation=formulation, log=tmp_path)
    length = envs.unwrapped.simulator.space.dimensions if formulation == "sequential" else 1
    envs.reset(seed=0)
    envs.action_space.seed(0)
    scores = []
    for _ in range(3 * length):
        _, rewards, terminations, _, _ = envs.step(envs.action_space.sample())
        if terminations.all():
            scores += rewards.tolist()
    envs.close()
    assert archgym.Dataset.open(tmp_path).to_arrow()["score"].to_pylist() == scores and len(scores) == 12


def test_vector_equals_gymnasiums_own_vectorisation(env_id: str, formulation: str) -> None:
    ours = gym.make_vec(env_id, **NEEDED_BY_ENVIRONMENT.get(env_id, {}), num_envs=3, formulation=formulation, steps=2)
    theirs = gym.make_vec(
        env_id,
        **NEEDED_BY_ENVIRONMENT.get(env_id, {}),
        num_envs=3,
        formulation=formulation,
        steps=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": gym.vector.AutoresetMode.SAME_STEP},
    )
    assert ours.single_action_space == theirs.single_action_space and ours.action_space == theirs.action_space
    assert ours.observation_space == theirs.observation_space
    assert np.array_equal(ours.reset(seed=0)[0], theirs.reset(seed=0)[0])
    ours.action_space.seed(0)
    for _ in range(2 * 2 * ours.unwrapped.simulator.space.dimensions):
        actions = ours.action_space.sample()
        mine, other = ours.step(actions), theirs.step(actions)
        for left, right in zip(mine[:4], other[:4], strict=True):
            assert np.array_equal(left, right)
        assert ("final_obs" in mine[4]) == ("final_obs" in other[4]) == bool(mine[2].any())
        if "final_obs" in mine[4]:
            assert np.array_equal(np.stack(mine[4]["final_obs"]), np.stack(other[4]["final_obs"]))
            assert _known(_plain(mine[4]["final_info"])) == _known(_plain(other[4]["final_info"]))
        if formulation == "sequential":
            assert np.array_equal(mine[4]["action_mask"], other[4]["action_mask"])


def test_make_by_module_prefix(env_id: str, formulation: str) -> None:
    arguments = {**NEEDED_BY_ENVIRONMENT.get(env_id, {}), "formulation": formulation}
    code = f"import gymnasium; gymnasium.make('archgym:{env_id}', **{arguments}).reset(seed=0)"
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)


def _plain(value: Any) -> Any:
    """Arrays as lists, NaN as None and masked entries as None, so that == compares them."""
    if isinstance(value, dict):
        return {key: _plain(_visible(value, key)) for key in value}
    if isinstance(value, np.ndarray | tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and np.isnan(value) else value


def _known(info: dict[str, Any]) -> dict[str, Any]:
    """Without metrics that no environment has, because all designs are INVALID: Gymnasium does not name them, we mask them."""
    metrics = {name: each for name, each in info["metrics"].items() if any(value not in (None, False) for value in each)}
    return {**info, "metrics": metrics}


def _visible(info: dict[str, Any], key: str) -> Any:
    mask, values = info.get(f"_{key}"), info[key]
    if mask is None or isinstance(values, dict):
        return values
    return [value if shown else None for value, shown in zip(values, mask, strict=True)]
