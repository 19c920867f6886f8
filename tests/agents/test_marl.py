"""RLlib on the multi-agent environment: one door, one seed, one log, and a process left as it was."""

from __future__ import annotations

import logging
import random
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archgym
from archgym import Evaluator, make_objective
from archgym.errors import ContractError, MissingExtraError
from archgym.registry import agent_class
from archgym.testing import agent_checks, check_agent
from archgym.testing.problems import Mixture, Sphere
from archgym.testing.watched import Counted, drive

pytest.importorskip("ray.rllib", reason="the agent marl needs RLlib: pip install 'archgym[marl]'")
pytest.importorskip("pettingzoo", reason="the agent marl needs PettingZoo: pip install 'archgym[marl]'")
import ray
import torch

from agents._rllib import OneForAll
from archgym.marl import DesignParallelEnv

MARL = agent_class("marl")
QUICK = {"sharing": "shared", "batch": 8, "epochs": 2}
"""One policy instead of one per parameter."""

OWN = {"batch": 8, "epochs": 1}
VARIANTS: list[dict[str, Any]] = [
    OWN,
    QUICK,
    {**OWN, "groups": "subsystem"},
    {**QUICK, "groups": "subsystem", "reward": "difference"},
]


@pytest.mark.slow
def test_it_conforms() -> None:
    skip = ["another-process", "beats-random", "hyperparameters", "failures", "only-categories"]
    check_agent(MARL, skip=skip, budget=20, hyperparameters=QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [QUICK, {**OWN, "groups": "subsystem"}], ids=str)
def test_the_same_seed_writes_the_same_log_in_another_process(settings: dict[str, Any]) -> None:
    others = [check.name for check in agent_checks() if check.name != "another-process"]
    check_agent(MARL, skip=others, budget=20, hyperparameters=settings)


@pytest.mark.slow
def test_it_beats_random_search_on_every_known_problem() -> None:
    others = [check.name for check in agent_checks() if check.name != "beats-random"]
    check_agent(MARL, skip=others, long_budget=200, seeds=3)


def test_it_beats_random_search_where_parameters_are_independent() -> None:
    found = drive(MARL, Sphere(), budget=200, hyperparameters={"sharing": "shared"}).best_score
    drawn = [archgym.search("random_walk", Sphere(), budget=200, seed=seed).best_score for seed in range(9)]
    assert found > max(drawn)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_simulated_designs_log_rows_trials_and_budget_are_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    simulator = Counted(Mixture())
    result = archgym.search(MARL, simulator, budget=21, log=tmp_path, hyperparameters=settings)
    rows = len(archgym.Dataset.open(tmp_path))
    assert rows == result.trials == sum(result.counts.values()) == 21
    assert result.simulated == sum(map(len, simulator.seen)) <= result.distinct


@pytest.mark.parametrize("groups", ["parameter", "subsystem"])
def test_one_policy_for_all_reaches_every_level(groups: str) -> None:
    simulator = Mixture()
    evaluator = Evaluator(simulator, make_objective("distance", simulator))
    env = OneForAll(DesignParallelEnv(evaluator, groups=groups))
    seen = set()
    for level in range(10):
        observations, _ = env.reset()
        assert all(observations[agent] in env.observation_space(agent) for agent in env.agents)
        identities = np.array([observations[agent][-len(env.agents) :] for agent in env.agents])
        assert np.array_equal(identities, np.eye(len(env.agents)))
        *_, infos = env.step({agent: np.full(env.action_space(agent).shape, level) for agent in env.agents})
        seen |= set(infos[env.possible_agents[0]]["design"].items())
    assert seen == {(parameter.name, value) for parameter in simulator.space.parameters for value in parameter.values}


def test_it_needs_no_cluster_and_leaves_everything_as_it_was() -> None:
    log, threads = logging.getLogger("ray"), torch.get_num_threads()
    states = random.getstate(), np.random.get_state()[1].tobytes(), torch.random.get_rng_state(), log.level
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drive(MARL, Sphere(), budget=20, hyperparameters=QUICK)
    assert not ray.is_initialized()
    after = random.getstate(), np.random.get_state()[1].tobytes(), torch.random.get_rng_state(), log.level
    assert states[:2] == after[:2] and torch.equal(states[2], after[2]) and states[3] == after[3]
    assert torch.get_num_threads() == threads


@pytest.mark.slow
def test_a_run_from_the_command_line_is_quiet_and_starts_no_process(tmp_path: Path) -> None:
    code = (
        "import archgym, os\n"
        "archgym.search('marl', 'synthetic', budget=20, hyperparameters={'sharing': 'shared'})\n"
        "children = open(f'/proc/self/task/{os.getpid()}/children').read().split()\n"
        "assert not children, children\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"HOME": str(tmp_path)}, check=True)
    assert ran.stdout == ran.stderr == ""
    assert not list(tmp_path.rglob("ray_results"))


@pytest.mark.slow
def test_a_running_cluster_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    before = drive(MARL, Sphere(), budget=20, hyperparameters=QUICK).best_score
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        assert drive(MARL, Sphere(), budget=20, hyperparameters=QUICK).best_score == before
        assert ray.is_initialized()
    finally:
        ray.shutdown()


def test_it_cannot_be_asked() -> None:
    with pytest.raises(ContractError, match=r"call drive\(evaluator\), not ask\(3\)"):
        MARL(Sphere.space, seed=0).ask(3)


@pytest.mark.parametrize(
    ("missing", "named"),
    [("ray", r"ray\[rllib\]"), ("tree", r"ray\[rllib\]"), ("pettingzoo", "pettingzoo"), ("torch", "torch")],
)
def test_a_missing_library_names_the_command(missing: str, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents._marl.find_spec", lambda module: None if module == missing else module)
    assert "groups" in MARL.hyperparameters.names
    with pytest.raises(MissingExtraError, match=rf"agent marl needs {named}, .*pip install 'archgym\[marl\]'"):
        MARL(Sphere.space, seed=0)
