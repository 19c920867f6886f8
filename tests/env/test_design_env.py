"""DesignEnv, DesignVectorEnv and how they are built, on synthetic problems."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

import archgym
from archgym import BudgetExhausted, Evaluator, Faulty, Metrics, errors
from archgym.env import DesignEnv, SequentialEnv, make_env
from archgym.vector_env import DesignVectorEnv, make_vector_env
from archgym.wrappers import Wrapper
from simulators.synthetic import Synthetic

ID = "archgym/Synthetic-v0"


class Counting(Wrapper):
    """Counts calls and designs."""

    calls = designs = 0

    def evaluate(self, designs: np.ndarray, fidelity: str = "full") -> Metrics:
        self.calls, self.designs = self.calls + 1, self.designs + len(designs)
        return self.inner.evaluate(designs, fidelity)


def _evaluator(simulator: archgym.Simulator, budget: float | None = None) -> Evaluator:
    return Evaluator(simulator, archgym.make_objective("distance", simulator), budget=budget)


def test_a_step_tells_design_metrics_and_score() -> None:
    env = gym.make(ID, levels=3, parameters=3, objective="area")
    observation, info = env.reset(seed=0)
    assert not observation.any() and info == {}
    observation, reward, terminated, truncated, info = env.step(np.array([2, 0, 1]))
    assert info["design"] == {"x0": 2, "x1": 0, "x2": 1} and info["status"] == "OK" and "reason" not in info
    assert info["metrics"]["area"] == 3.0 and reward == info["score"] == -3.0
    assert (terminated, truncated) == (True, False)
    values = dict(zip(env.unwrapped.observation_names, observation.tolist(), strict=True))
    assert values["x0"] == pytest.approx(5 / 6) and values["status_ok"] == 1.0 and values["progress"] == 1.0
    assert values["area"] == pytest.approx(np.log(4) / np.log(1e6 + 1))


def test_an_invalid_design_is_data() -> None:
    env = gym.make(ID, workload="constrained", parameters=3, levels=3)
    env.reset(seed=0)
    observation, reward, _, _, info = env.step(np.array([2, 2, 2]))
    assert info["status"] == "INVALID" and info["metrics"] == {} and info["reason"].startswith("budget: ")
    assert np.isfinite(reward) and observation in env.observation_space
    values = dict(zip(env.unwrapped.observation_names, observation.tolist(), strict=True))
    assert values["violation"] == pytest.approx(3 / 4) and values["status_invalid"] == 1.0 and values["area"] == 0.0


def test_steps_make_longer_episodes_and_a_step_after_the_end_starts_anew() -> None:
    env = DesignEnv(_evaluator(Synthetic()), steps=3)
    env.reset(seed=0)
    ends = [env.step(np.zeros(8, np.int64))[2] for _ in range(7)]
    assert ends == [False, False, True, False, False, True, False]
    assert env.evaluator.trials == 7


def test_reset_never_bills_the_budget_and_the_budget_ends_exactly() -> None:
    env = gym.make(ID, budget=3)
    for _ in range(3):
        env.reset(seed=0)
        env.step(env.action_space.sample())
    env.reset(seed=0)
    with pytest.raises(BudgetExhausted):
        env.step(env.action_space.sample())
    assert env.unwrapped.evaluator.trials == 3


def test_vector_budget_logs_the_affordable_part(tmp_path: Path) -> None:
    envs = gym.make_vec(ID, num_envs=8, budget=20, log=tmp_path)
    envs.reset(seed=0)
    for _ in range(2):
        envs.step(envs.action_space.sample())
    with pytest.raises(BudgetExhausted) as caught:
        envs.step(envs.action_space.sample())
    assert len(caught.value.scores) == 4
    with pytest.raises(BudgetExhausted):
        envs.step(envs.action_space.sample())
    envs.close()
    assert len(archgym.Dataset.open(tmp_path)) == 20


def test_one_simulator_call_per_vector_step() -> None:
    counting = Counting(Synthetic())
    envs = DesignVectorEnv(_evaluator(counting), 16)
    envs.reset(seed=0)
    for _ in range(3):  # the evaluator first tries one design, to see how slow the simulator is
        envs.step(envs.action_space.sample())
    counting.calls = counting.designs = 0
    for _ in range(10):
        envs.step(envs.action_space.sample())
    assert (counting.calls, counting.designs) == (10, 160)


def test_vector_infos_are_arrays_with_masks() -> None:
    faulty = Faulty(Synthetic(parameters=3, levels=4), share=0.5)
    envs = make_vector_env(64, simulator=faulty)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    _, rewards, terminations, truncations, infos = envs.step(actions)
    assert terminations.all() and not truncations.any()
    assert np.array_equal(infos["design"]["x0"], actions[:, 0]) and np.array_equal(infos["score"], rewards)
    ok = infos["status"] == "OK"
    assert 0 < ok.sum() < 64
    distance, known = infos["metrics"]["distance"], infos["metrics"]["_distance"]
    assert np.array_equal(np.isfinite(distance), known) and known[ok].all() and not known[infos["status"] == "FAILED"].any()
    assert np.array_equal(infos["_reason"], ~ok) and all("on purpose" in reason for reason in infos["reason"][~ok])


def test_vector_wrappers_of_gymnasium_fit() -> None:
    envs = DictInfoToList(RecordEpisodeStatistics(gym.make_vec(ID, num_envs=3, workload="constrained")))
    envs.reset(seed=0)
    *_, infos = envs.step(np.array([[5] * 8, [0] * 8, [1] * 8]))
    assert [info["status"] for info in infos] == ["INVALID", "OK", "OK"]
    assert infos[0]["metrics"] == {} and infos[1]["metrics"]["area"] == 0.0 and infos[2]["episode"]["l"] == 1


def test_max_episode_steps_truncates_vector_episodes() -> None:
    envs = gym.make_vec(ID, num_envs=2, steps=5, max_episode_steps=2)
    envs.reset(seed=0)
    flags = [envs.step(envs.action_space.sample())[2:4] for _ in range(4)]
    assert [bool(truncated.all()) for _, truncated in flags] == [False, True, False, True]
    assert not any(terminated.any() for terminated, _ in flags)


def test_a_thousand_environments_are_fast() -> None:
    envs = DesignVectorEnv(_evaluator(Synthetic()), 1024)
    envs.reset(seed=0)
    actions = envs.action_space.sample()
    envs.step(actions)
    start = time.perf_counter()
    for _ in range(20):
        envs.step(actions)
    assert 20 * 1024 / (time.perf_counter() - start) > 50_000


def test_render_is_a_short_text() -> None:
    env = gym.make(ID, render_mode="ansi")
    env.reset(seed=0)
    assert "no design yet" in env.render()
    env.step(env.action_space.sample())
    assert "status: OK" in env.render() and "distance=" in env.render()
    assert make_env(simulator="synthetic").render() is None
    envs = gym.make_vec(ID, num_envs=2, render_mode="ansi")
    envs.reset(seed=0)
    envs.step(envs.action_space.sample())
    assert len(envs.render()) == 2 and "x0=" in envs.render()[1]


def test_the_simulator_behind_the_cache_is_reachable() -> None:
    simulator = Synthetic()
    env = make_env(simulator=simulator)
    assert env.simulator is simulator and env.objective.text == "distance"


def test_closing_an_environment_around_an_evaluator_leaves_its_log_open(tmp_path: Path) -> None:
    owner = make_env(simulator="synthetic", log=tmp_path)
    guest = SequentialEnv(owner.evaluator)
    guest.close()
    owner.step(owner.action_space.sample())
    owner.close()
    assert len(archgym.Dataset.open(tmp_path)) == 1


def test_a_killed_process_leaves_a_readable_log(tmp_path: Path) -> None:
    code = (
        "import gymnasium, archgym, time\n"
        f"envs = gymnasium.make_vec({ID!r}, num_envs=4, log={str(tmp_path)!r})\n"
        "envs.reset(seed=0)\n"
        "for _ in range(5): envs.step(envs.action_space.sample())\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    dataset = archgym.Dataset.open(tmp_path)
    assert len(dataset) == 20 and dataset.runs[0].manifest["state"] == "running"


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"formulation": "sequentil"}, errors.UnknownNameError, "Did you mean 'sequential'"),
        ({"objective": "distanc"}, errors.UnknownNameError, "Did you mean 'distance'"),
        ({"workload": "spher"}, errors.UnknownNameError, "Did you mean 'sphere'"),
        ({"speed": 3}, errors.UnknownNameError, "no argument named 'speed'"),
        ({"render_mode": "human"}, errors.UnknownNameError, "no render mode named 'human'"),
        ({"budget": 0}, errors.BudgetError, "positive number of designs, got 0"),
        ({"steps": 0}, errors.ArgumentError, "steps must be a whole number from 1, got 0"),
        ({"simulator": Synthetic(), "workload": "sphere"}, errors.ArgumentError, "workload cannot be set"),
    ],
)
def test_wrong_arguments_say_what_to_do(arguments: dict, error: type[Exception], words: str, tmp_path: Path) -> None:
    for make in (gym.make, gym.make_vec):
        with pytest.raises(error, match=words):
            make(ID, log=tmp_path / "log", **arguments)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("arguments", [{"num_envs": 0}, {"num_envs": 2.5}, {"max_episode_steps": 0}])
def test_wrong_counts_of_a_vector_environment(arguments: dict) -> None:
    with pytest.raises(errors.ArgumentError, match="must be a whole number from 1"):
        gym.make_vec(ID, **arguments)


def test_a_log_folder_that_holds_another_run(tmp_path: Path) -> None:
    gym.make(ID, log=tmp_path)
    with pytest.raises(errors.RunExistsError, match="already holds a run"):
        gym.make(ID, log=tmp_path)


@pytest.mark.parametrize("action", [np.zeros(7, int), np.full(8, 6), np.zeros(8), np.zeros((1, 8), int)])
def test_wrong_actions(action: np.ndarray) -> None:
    env = make_env(simulator="synthetic")
    with pytest.raises(errors.DesignError):
        env.step(action)
    assert env.evaluator.trials == 0


def test_wrong_number_of_vector_actions() -> None:
    envs = make_vector_env(3, simulator="synthetic")
    with pytest.raises(errors.DesignError, match=r"shape \(3, 8\), got \(2, 8\)"):
        envs.step(np.zeros((2, 8), int))
