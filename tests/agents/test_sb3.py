"""What the agents built on stable-baselines3 share: runs, encodings, the policy and the buffers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import archgym
from agents.ppo import PPO
from agents.sac import SAC
from archgym import Designs, DesignSpace, Parameter, make_objective
from archgym.errors import ContractError
from archgym.evaluator import Evaluator
from archgym.metrics import Status
from archgym.testing.effort import Effort
from archgym.testing.isolation import in_another_process
from archgym.testing.problems import Constrained, Mixture
from archgym.testing.watched import Counted, drive

pytest.importorskip("stable_baselines3", reason="the agents ppo and sac need the extra 'rl'")
import torch

from agents._sb3_buffers import RankedReplay, RankedRollout, normal_scores
from agents._sb3_env import ENCODINGS
from agents._sb3_policy import Levels

CASES = [(PPO, encoding) for encoding in ENCODINGS] + [(SAC, "continuous"), (SAC, "three_level")]
all_cases = pytest.mark.parametrize(("agent", "encoding"), CASES, ids=lambda value: getattr(value, "name", value))
SPACE = DesignSpace((Parameter("a", tuple(range(8))), Parameter("b", (1, 2)), Parameter("c", tuple(range(5)))))


def proposed(agent: type[archgym.Agent], encoding: str, seed: int = 0) -> Designs:
    """All designs of a short run, in order."""
    return Effort({"encoding": encoding}, 90, 0, 0).propose(agent, Mixture, seed)


def environment(encoding: str, n: int = 6) -> Any:
    simulator = Mixture()
    return ENCODINGS[encoding](Evaluator(simulator, make_objective("distance", simulator)), n)


@all_cases
def test_trials_rows_and_simulated_designs_are_the_budget(agent: type[archgym.Agent], encoding: str, tmp_path: Path) -> None:
    simulator, budget = Counted(Mixture()), 101  # no multiple of a rollout
    simulator.deterministic = False  # so that no cache stands before the count
    result = archgym.search(agent, simulator, budget=budget, log=tmp_path / "run", hyperparameters={"encoding": encoding})
    log = archgym.Dataset.open(tmp_path).to_arrow()
    seen = np.concatenate(simulator.seen)
    assert result.trials == log.num_rows == len(seen) == budget
    for index, name in enumerate(simulator.space.names):
        assert log[f"{name}_level"].to_pylist() == seen[:, index].tolist()


@all_cases
def test_same_seed_same_run_whatever_the_global_states(agent: type[archgym.Agent], encoding: str) -> None:
    torch.manual_seed(1)
    first = proposed(agent, encoding, 3)
    torch.manual_seed(2)
    random.seed(2)
    assert np.array_equal(first, proposed(agent, encoding, 3))
    assert not np.array_equal(first, proposed(agent, encoding, 4))


@pytest.mark.parametrize(("agent", "encoding"), [(PPO, "sequential"), (SAC, "continuous")])
def test_same_seed_same_run_in_another_process(agent: type[archgym.Agent], encoding: str) -> None:
    effort = Effort({"encoding": encoding}, 90, 0, 0)
    assert np.array_equal(effort.propose(agent, Mixture), in_another_process(effort.propose, agent, Mixture))


@all_cases
def test_an_interrupted_run_resumes_to_the_same_log(agent: type[archgym.Agent], encoding: str, tmp_path: Path) -> None:
    def interrupt(evaluator: Evaluator) -> None:
        if evaluator.trials >= 50:
            raise KeyboardInterrupt

    settings: dict[str, Any] = {"budget": 90, "hyperparameters": {"encoding": encoding}}
    archgym.search(agent, Mixture(), log=tmp_path / "whole", **settings)
    with pytest.raises(KeyboardInterrupt):
        archgym.search(agent, Mixture(), log=tmp_path / "broken", progress=interrupt, **settings)
    archgym.resume(tmp_path / "broken", simulator=Mixture(), agent=agent)
    seconds = ["run", "agent_seconds", "simulator_seconds"]
    whole, resumed = (archgym.Dataset.open(tmp_path / name).to_arrow().drop_columns(seconds) for name in ("whole", "broken"))
    assert resumed.equals(whole)


@pytest.mark.parametrize("agent", [PPO, SAC])
def test_a_run_leaves_global_states_as_they_were_also_when_it_fails(agent: type[archgym.Agent]) -> None:
    def fail(evaluator: Evaluator) -> None:
        raise RuntimeError("as it happens")

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    drive(agent, Mixture(), budget=60)
    with pytest.raises(RuntimeError, match="as it happens"):
        drive(agent, Mixture(), budget=60, progress=fail)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before[1:]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(threads)


@pytest.mark.parametrize("agent", [PPO, SAC])
def test_the_unit_of_the_score_does_not_matter(agent: type[archgym.Agent], tmp_path: Path) -> None:
    designs = []
    for objective in ("distance", "weighted:distance=4096"):
        simulator = Counted(Mixture())
        searcher = agent(simulator.space, seed=0)
        searcher.drive(Evaluator(simulator, make_objective(objective, simulator), budget=100))
        designs.append(np.concatenate(simulator.seen))
    assert np.array_equal(*designs)


@pytest.mark.parametrize("agent", [PPO, SAC])
def test_designs_come_out_of_training_only(agent: type[archgym.Agent]) -> None:
    with pytest.raises(ContractError, match=r"call drive\(evaluator\), not ask\(5\)"):
        agent(SPACE, seed=0).ask(5)


def test_continuous_actions_reach_every_level_alike() -> None:
    env = environment("continuous", 4000)
    actions = np.repeat(np.linspace(-1, 1, 4000, dtype=np.float32)[:, None], 8, axis=1)
    designs = env._choices(actions)
    for column, levels in enumerate(Mixture.space.nvec):
        counts = np.bincount(designs[:, column], minlength=levels)
        assert len(counts) == levels and counts.max() - counts.min() <= 2


def test_the_released_mapper_reaches_three_levels() -> None:
    env = environment("three_level", 4001)
    actions = np.repeat(np.linspace(-1, 1, 4001, dtype=np.float32)[:, None], 8, axis=1)
    designs = env._choices(actions)
    for column, levels in enumerate(Mixture.space.nvec):
        counts = np.bincount(designs[:, column], minlength=levels)
        assert np.flatnonzero(counts).tolist() == [0, levels // 2, levels - 1]
        assert abs(counts[levels // 2] / 4001 - 0.5) < 0.01


def test_the_environment_hands_on_scores_and_stays_in_its_spaces() -> None:
    for encoding in ENCODINGS:
        env = environment(encoding)
        actions = np.stack([env.action_space.sample() for _ in range(6)])
        assert env.observation_space.contains(env.reset()[0])
        for _ in range(8 if encoding == "sequential" else 1):
            if encoding == "sequential":
                actions[:] = 0
            observations, scores, done, infos = env.step(actions)
        assert observations.shape == (6, *env.observation_space.shape) and observations.dtype == np.float32
        assert done.all() and len(infos) == 6
        assert scores.dtype == np.float64 and (scores <= 0).all()


def test_copies_that_are_one_object_refuse_to_be_treated_apart() -> None:
    env = environment("multidiscrete")
    assert env.get_attr("num_envs") == [6] * 6 and env.env_is_wrapped(object) == [False] * 6
    with pytest.raises(NotImplementedError, match="speed cannot be set"):
        env.set_attr("speed", 1)
    with pytest.raises(NotImplementedError, match="reset cannot be called"):
        env.env_method("reset")


def test_masks_keep_sequential_designs_valid() -> None:
    free, masked = (
        drive(PPO, Constrained(), budget=200, hyperparameters={"encoding": e}) for e in ("multidiscrete", "sequential")
    )
    assert free.counts[Status.INVALID] > 20
    assert masked.counts[Status.OK] == 200


def test_the_policy_is_the_librarys_for_free_levels() -> None:
    from stable_baselines3.common.distributions import MultiCategoricalDistribution

    counts = [4, 2, 5]
    table = torch.randn(7, 3, 5, generator=torch.Generator().manual_seed(0))
    ours = Levels(counts).proba_distribution(table.flatten(1))
    flat = torch.cat([table[:, column, :n] for column, n in enumerate(counts)], dim=1)
    theirs = MultiCategoricalDistribution(counts).proba_distribution(flat)
    actions = torch.stack([torch.arange(7) % n for n in counts], dim=1)
    assert torch.allclose(ours.log_prob(actions), theirs.log_prob(actions))
    assert torch.allclose(ours.entropy(), theirs.entropy())
    assert torch.equal(ours.mode(), theirs.mode())


def test_samples_are_open_levels() -> None:
    levels = Levels([6])
    levels.open_levels = torch.tensor([[False, True, False, False, True, False]]).repeat(500, 1)
    drawn = levels.proba_distribution(torch.zeros(500, 6)).sample()
    assert drawn.shape == (500, 1) and set(drawn.ravel().tolist()) == {1, 4}
    assert torch.allclose(levels.entropy(), torch.log(torch.tensor(2.0)))


def test_normal_scores_keep_order_and_ties_and_forget_size() -> None:
    scores = np.array([-1e300, 3.0, 3.0, -2.0, 7.0])
    worth = normal_scores(scores)
    assert worth[1] == worth[2] and (np.argsort(worth, kind="stable") == np.argsort(scores, kind="stable")).all()
    assert np.abs(worth).max() < 2 and abs(worth.mean()) < 0.1
    assert normal_scores(np.full(9, -1e300)).tolist() == [0.0] * 9
    assert np.array_equal(normal_scores(1e6 * scores[1:] - 5), normal_scores(scores[1:]))


def test_replay_ranks_what_single_precision_cannot_tell_apart() -> None:
    from gymnasium import spaces

    buffer = RankedReplay(10, spaces.Box(0, 1, (1,)), spaces.Box(-1, 1, (2,)), "cpu", n_envs=2, rng=np.random.default_rng(0))
    for step in range(3):
        scores = np.array([-1e9 + step, -1e300])
        buffer.add(np.zeros((2, 1)), np.zeros((2, 1)), np.full((2, 2), step), scores, np.ones(2), [{}, {}])
    drawn = buffer.sample(64)
    best, first = (drawn.rewards[(drawn.actions[:, 0] == step).numpy()].max().item() for step in (2, 0))
    assert drawn.rewards.shape == (64, 1) and best > first
    assert len(set(drawn.rewards.ravel().tolist())) == 4  # three ranks, and the failed designs share one


def test_a_rollout_is_one_minibatch_in_order() -> None:
    from gymnasium import spaces

    buffer = RankedRollout(1, spaces.Box(0, 1, (1,)), spaces.MultiDiscrete([9]), "cpu", n_envs=4)
    zeros = torch.zeros(4)
    buffer.add(np.zeros((4, 1)), np.arange(4), np.array([-5.0, -1e300, -1.0, -3.0]), np.ones(4), zeros, zeros)
    buffer.compute_returns_and_advantage(zeros, np.ones(4, bool))
    (batch,) = buffer.get(2)
    assert batch.actions.ravel().tolist() == [0, 1, 2, 3]
    assert np.argsort(batch.advantages.numpy()).tolist() == [1, 0, 3, 2]
