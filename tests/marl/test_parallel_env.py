"""DesignParallelEnv: PettingZoo's own tests, groups, rewards, billing and errors."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from described import NEEDED

import archgym
from archgym import BudgetExhausted, Evaluator, errors, make_objective, make_simulator
from archgym.grouping import difference_rewards, resolve_groups
from archgym.testing.problems import Interaction, Mixture, Sphere

pytest.importorskip("pettingzoo", reason="DesignParallelEnv needs PettingZoo: pip install 'archgym[marl]'")
from pettingzoo.test import parallel_api_test, parallel_seed_test

from archgym.marl import DesignParallelEnv

OWN = {"first": ["size0", "policy1", "size2"], "second": ["policy0"], "third": ["policy3", "policy2", "size3", "size1"]}


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def mixture(budget: float | None = None, **arguments: Any) -> DesignParallelEnv:
    return archgym.parallel_env(Mixture(), budget=budget, **arguments)


def act(env: DesignParallelEnv, level: int) -> dict[str, Any]:
    """Every agent sets all of its parameters to one level."""
    return {agent: np.full(env.action_space(agent).shape, level) for agent in env.agents}


@pytest.mark.parametrize("reward", ["shared", "difference"])
@pytest.mark.parametrize("groups", ["parameter", "subsystem", OWN], ids=["parameter", "subsystem", "own"])
@pytest.mark.parametrize("steps", [1, 3])
def test_pettingzoo_accepts_it(groups: Any, reward: str, steps: int) -> None:
    parallel_api_test(mixture(groups=groups, reward=reward, steps=steps), num_cycles=20)
    parallel_seed_test(lambda: mixture(groups=groups, reward=reward, steps=steps), num_cycles=20)
    assert mixture(groups=groups).metadata["is_parallelizable"]


@pytest.mark.parametrize("simulator", archgym.list_simulators())
def test_every_simulator_has_one(simulator: str) -> None:
    env = archgym.parallel_env(simulator, groups="subsystem", **NEEDED.get(simulator, {}))
    parallel_api_test(env, num_cycles=3)
    assert env.evaluator.trials == 2  # the test resets twice, and an episode is one design


@pytest.mark.parametrize("groups", ["parameter", "subsystem", OWN], ids=["parameter", "subsystem", "own"])
def test_actions_of_all_agents_make_one_design_and_metrics_are_the_simulators(groups: Any) -> None:
    env, rng = mixture(groups=groups), np.random.default_rng(0)
    for design in env.simulator.space.sample(10, rng):
        observations, infos = env.reset()
        assert not any(seen.any() for seen in observations.values()) and infos == {agent: {} for agent in env.agents}
        own = {agent: design[columns] for agent, columns in env.groups.items()}
        actions = {agent: a[0] if env.action_space(agent).shape == () else a for agent, a in own.items()}
        assert all(env.action_space(agent).contains(action) for agent, action in actions.items())
        observations, rewards, terminations, truncations, infos = env.step(actions)
        metrics = env.simulator.evaluate(design[None])
        for agent in env.possible_agents:
            assert infos[agent]["design"] == env.simulator.space.describe(design)
            assert infos[agent]["metrics"] == metrics.row(0) and infos[agent]["status"] == "OK"
            assert rewards[agent] == infos[agent]["score"] == -metrics["distance"][0]
            assert observations[agent] in env.observation_space(agent)
            assert np.array_equal(observations[agent], env.state())
        assert all(terminations.values()) and not any(truncations.values()) and env.agents == []
    assert env.evaluator.trials == 10


def test_spaces_follow_the_groups() -> None:
    env = mixture(groups=OWN)
    assert env.possible_agents == ["first", "second", "third"]
    assert env.action_space("first").nvec.tolist() == [10, 5, 10]
    assert env.action_space("second").n == 5
    assert mixture(groups="subsystem").possible_agents == ["sizes", "policies"]
    assert mixture().possible_agents == list(Mixture.space.names)
    assert len(env.observation_names) == env.observation_space("first").shape[0]


def test_steps_make_longer_episodes_that_show_progress() -> None:
    env = mixture(steps=2)
    env.reset()
    first = env.step(act(env, 0))
    assert env.agents and not any(first[2].values()) and env.state()[-1] == 0.5
    second = env.step(act(env, 1))
    assert not env.agents and all(second[2].values()) and env.state()[-1] == 1.0
    assert env.step({}) == ({}, {}, {}, {}, {})
    with pytest.raises(errors.ArgumentError, match=r"call reset\(\)"):
        env.step(dict.fromkeys(env.possible_agents, 0))


def test_a_difference_is_what_an_agent_adds_to_the_reference() -> None:
    simulator = Interaction()
    env = archgym.parallel_env(simulator, reward="difference", reference={"x0": 3, "x5": 1})
    reference, objective = simulator.space.encode({"x0": 3, "x5": 1})[0], make_objective("distance", simulator)
    design = simulator.space.sample(1, 1)[0]
    design[2] = reference[2]
    env.reset()
    _, rewards, _, _, infos = env.step(dict(zip(env.agents, design, strict=True)))
    for column, agent in enumerate(env.possible_agents):
        other = design.copy()
        other[column] = reference[column]
        own, without = objective.score(simulator.evaluate(np.stack([design, other])))
        assert rewards[agent] == own - without and infos[agent]["score"] == own
    assert rewards["x2"] == 0.0
    assert env.evaluator.trials == 1 + (design != reference).sum()


def test_differences_of_separable_parts_do_not_depend_on_the_others() -> None:
    simulator = Sphere()
    evaluator = Evaluator(simulator, make_objective("distance", simulator))
    columns = list(resolve_groups(simulator.space, "parameter").values())
    designs = simulator.space.sample(20, 0)
    designs[:, 3] = 7
    _, scores, differences = difference_rewards(evaluator, designs, columns, simulator.space.default[0])
    assert len(np.unique(scores)) > 1 and len(np.unique(differences[:, 3])) == 1


def test_counterfactual_designs_are_logged_and_billed(tmp_path: Path) -> None:
    env = mixture(groups="subsystem", reward="difference", budget=8, log=tmp_path)
    for level in (1, 2):
        env.reset()
        env.step(act(env, level))
    assert env.evaluator.spent == env.evaluator.trials == 6
    env.reset()
    with pytest.raises(BudgetExhausted):
        env.step(act(env, 3))
    assert env.evaluator.remaining == 0
    env.close()
    columns = archgym.Dataset.open(tmp_path).to_arrow().to_pydict()
    assert columns["size0"] == [2, 1, 2, 4, 1, 4, 8, 1]
    assert columns["policy0"] == ["b", "b", "a", "c", "c", "a", "d", "d"]


def test_one_log_row_per_design_and_the_budget_ends_exactly(tmp_path: Path) -> None:
    env = mixture(budget=5, log=tmp_path)
    for level in range(5):
        env.reset()
        env.step(act(env, min(level, 4)))
    env.reset()
    with pytest.raises(BudgetExhausted):
        env.step(act(env, 0))
    env.close()
    dataset = archgym.Dataset.open(tmp_path)
    assert len(dataset) == env.evaluator.trials == 5
    assert dataset.runs[0].manifest["state"] == "finished" and dataset.runs[0].manifest["agent"] == "external"


def test_an_invalid_design_is_data() -> None:
    env = archgym.parallel_env("synthetic", workload="constrained", parameters=3, levels=3)
    env.reset()
    observations, rewards, _, _, infos = env.step(dict.fromkeys(env.agents, 2))
    assert infos["x0"]["status"] == "INVALID" and infos["x0"]["metrics"] == {} and "reason" in infos["x0"]
    assert np.isfinite(rewards["x0"]) and observations["x0"] in env.observation_space("x0")


def test_agents_get_arrays_of_their_own() -> None:
    env = mixture()
    observations, _ = env.reset()
    observations["size0"][:] = 5.0
    assert not observations["size1"].any() and not env.state().any()


def test_render_is_a_short_text() -> None:
    env = mixture(render_mode="ansi")
    env.reset()
    assert "no design yet" in env.render()
    env.step(act(env, 0))
    assert "status: OK" in env.render() and mixture().render() is None


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        ("paramter", errors.UnknownNameError, "no grouping named 'paramter'. Did you mean 'parameter'"),
        ({"a": ["size0", "sze1"]}, errors.UnknownNameError, "no parameter named 'sze1'. Did you mean 'size1'"),
        ({"a": ["size0", "size1"], "b": ["size0"]}, errors.ArgumentError, "got size0 in a and b"),
        ({"a": ["size0", "size0"]}, errors.ArgumentError, "got size0 in a twice"),
        ({**OWN, "third": ["size3", "policy2", "policy3"]}, errors.ArgumentError, "got size1 in none"),
        ({**OWN, "idle": []}, errors.ArgumentError, "group idle must be a list of one or more parameters"),
        ({"a": "size0"}, errors.ArgumentError, "group a must be a list of one or more parameters, got 'size0'"),
    ],
)
def test_wrong_groups(groups: Any, error: type[Exception], words: str, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        mixture(groups=groups, log=tmp_path / "log")
    assert words in str(caught.value) and not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"reward": "diference"}, errors.UnknownNameError, "no reward named 'diference'. Did you mean 'difference'"),
        ({"reference": {"sze0": 1}}, errors.UnknownNameError, "Did you mean 'size0'"),
        ({"reference": {"size0": 3}}, errors.UnknownNameError, "no level named '3'"),
        ({"steps": 0}, errors.ArgumentError, "steps must be a whole number from 1, got 0"),
        ({"render_mode": "human"}, errors.UnknownNameError, "no render mode named 'human'"),
        ({"objective": "distanc"}, errors.UnknownNameError, "Did you mean 'distance'"),
        ({"budget": 0}, errors.BudgetError, "positive number of designs, got 0"),
        ({"workload": "x"}, errors.ArgumentError, "workload cannot be set"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception], words: str, tmp_path: Path) -> None:
    with pytest.raises(error) as caught:
        mixture(log=tmp_path / "log", **arguments)
    assert words in str(caught.value) and not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"second": None}, "needs one action of each of"),
        ({"fourth": 0}, "needs one action of each of"),
        ({"second": 5}, "parameter policy0: level must be 0..4, got 5"),
        ({"second": 1.0}, "designs must be integers"),
        ({"second": [1]}, r"the action of second must have shape (), got (1,)"),
        ({"first": [0, 0]}, r"the action of first must have shape (3,), got (2,)"),
    ],
)
def test_wrong_actions(change: dict[str, Any], words: str) -> None:
    env = mixture(groups=OWN)
    env.reset()
    actions = {agent: action for agent, action in {**act(env, 0), **change}.items() if action is not None}
    with pytest.raises(errors.DesignError) as caught:
        env.step(actions)
    assert words in str(caught.value) and env.evaluator.trials == 0


def test_a_missing_library_names_the_command_and_breaks_nothing_else() -> None:
    code = (
        "import sys; sys.modules['pettingzoo'] = None\n"
        "import archgym\n"
        "assert archgym.search('random_walk', 'synthetic', budget=3).trials == 3\n"
        "try: archgym.parallel_env\n"
        "except archgym.errors.MissingExtraError as error: print(error)\n"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pettingzoo" in printed and "pip install 'archgym[marl]'" in printed


def test_the_workload_reaches_the_simulator() -> None:
    env = archgym.parallel_env("dram", workload="random", groups="subsystem", objective="latency_ns")
    assert env.simulator.workload == "random" and env.possible_agents == list(make_simulator("dram").space.groups)
