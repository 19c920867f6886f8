"""Independent PPO in torch: one door, one seed, one log, and what its settings do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archgym
from archgym import Evaluator, make_objective
from archgym.errors import ContractError, MissingExtraError
from archgym.registry import agent_class
from archgym.testing import agent_checks, check_agent
from archgym.testing.problems import Constrained, Interaction, Mixture, OnlyCategories, Sphere
from archgym.testing.watched import Counted, drive

pytest.importorskip("torch", reason="the agent marl_ppo needs torch: pip install 'archgym[marl]'")
import torch

from agents._marl import normal_scores

MARLPPO = agent_class("marl_ppo")
CHECKS = [check.name for check in agent_checks()]
VARIANTS: list[dict[str, Any]] = [
    {},
    {"sharing": "shared"},
    {"groups": "subsystem"},
    {"reward": "difference", "batch": 8},
    {"groups": "subsystem", "sharing": "shared", "reward": "difference", "batch": 8},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_every_variant_conforms(settings: dict[str, Any]) -> None:
    slow = ["another-process", "beats-random", "hyperparameters"]
    check_agent(MARLPPO, skip=slow, budget=60, hyperparameters=settings)


@pytest.mark.parametrize("settings", VARIANTS[:3], ids=str)
def test_it_beats_random_search(settings: dict[str, Any]) -> None:
    others = [name for name in CHECKS if name != "beats-random"]
    check_agent(MARLPPO, skip=others, hyperparameters=settings, long_budget=300, seeds=5)


def test_the_same_seed_writes_the_same_log_in_another_process() -> None:
    check_agent(MARLPPO, skip=[name for name in CHECKS if name != "another-process"], budget=60)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_simulated_designs_log_rows_trials_and_budget_are_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    simulator = Counted(Mixture())
    result = archgym.search(MARLPPO, simulator, budget=61, log=tmp_path, hyperparameters=settings)
    rows = len(archgym.Dataset.open(tmp_path))
    assert rows == result.trials == sum(result.counts.values()) == 61
    assert result.simulated == sum(map(len, simulator.seen)) <= result.distinct


def test_difference_rewards_pay_for_counterfactual_designs() -> None:
    simulator = Counted(OnlyCategories())
    drive(MARLPPO, simulator, budget=24, hyperparameters={"reward": "difference", "batch": 4})
    designs = np.concatenate(simulator.seen)
    joint, first = designs[:4], designs[4:8]
    changed = (first[:, None] != joint[None]).sum(axis=2).min(axis=1)
    assert (changed <= 1).all()  # each differs from a joint design in one agent's parameter


def test_a_batch_is_one_call_of_the_simulator() -> None:
    simulator = Counted(Sphere())
    drive(MARLPPO, simulator, budget=160, hyperparameters={"batch": 16})
    assert [len(batch) for batch in simulator.seen[-5:]] == [16] * 5


def test_it_settles_on_the_optimum_of_independent_categories() -> None:
    simulator = OnlyCategories()
    counted = Counted(simulator)
    drive(MARLPPO, counted, budget=1500, hyperparameters={"entropy": 0.01})
    last = np.concatenate(counted.seen)[-200:]
    assert (last == simulator.optimum).mean() > 0.9


def test_entropy_keeps_it_from_settling() -> None:
    def spread(entropy: float) -> float:
        counted = Counted(Interaction())
        drive(MARLPPO, counted, budget=800, hyperparameters={"entropy": entropy})
        return float(np.concatenate(counted.seen)[-100:].std(axis=0).mean())

    assert spread(0.3) > 2 * spread(0.0)


def test_penalties_of_invalid_designs_do_not_drown_the_scores() -> None:
    simulator = Constrained()
    found = [drive(MARLPPO, simulator, budget=500, seed=seed).best_score for seed in range(5)]
    drawn = [archgym.search("random_walk", simulator, budget=500, seed=seed).best_score for seed in range(5)]
    assert np.median(found) >= np.median(drawn)


def test_normal_scores_know_ranks_and_ties_only() -> None:
    assert normal_scores(np.array([3.0, 3.0, 3.0])).tolist() == [0.0, 0.0, 0.0]
    scores = normal_scores(np.array([-1e300, 2.0, 1.0, 2.0, 7e9]))
    assert scores[0] < scores[2] < scores[1] == scores[3] < scores[4]
    assert scores[0] == pytest.approx(-scores[4]) and normal_scores(np.array([5.0])).tolist() == [0.0]


def test_it_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    torch.set_num_threads(2)
    drive(MARLPPO, Sphere(), budget=40)
    assert torch.get_num_threads() == 2 and torch.equal(torch.random.get_rng_state(), state)
    torch.set_num_threads(threads)


def test_a_long_run_finds_the_optimum_where_parameters_interact() -> None:
    simulator = Interaction()
    evaluator = Evaluator(simulator, make_objective("distance", simulator), budget=2000)
    MARLPPO(simulator.space, seed=0).drive(evaluator)
    assert evaluator.best_score >= -3


def test_it_cannot_be_asked() -> None:
    with pytest.raises(ContractError, match=r"call drive\(evaluator\), not ask\(3\)"):
        MARLPPO(Sphere.space, seed=0).ask(3)


def test_without_torch_its_settings_are_known_and_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents._marl.find_spec", lambda module: None)
    assert "entropy" in MARLPPO.hyperparameters.names
    with pytest.raises(MissingExtraError, match=r"agent marl_ppo needs torch.*pip install 'archgym\[marl\]'"):
        MARLPPO(Sphere.space, seed=0)
