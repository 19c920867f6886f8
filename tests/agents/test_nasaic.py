"""NASAIC's controller: episodes, rewards, masks; and that it learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import archgym
from archgym import Constraint, DesignSpace, Metrics, Parameter

pytest.importorskip("torch", reason="the controller needs the extra rl")

from agents.nasaic import NASAIC, _first_constrained, _Masks, _Ranks
from archgym.masking import LevelMasks

REWARD = "weighted:accuracy=1,penalty=10"


def asic(**arguments: Any) -> archgym.Simulator:
    return archgym.make_simulator("asic", **{"workload": "W1", "accuracy": "surrogate", **arguments})


def networks(space: DesignSpace) -> np.ndarray:
    """Columns of the architecture."""
    return np.array([parameter.group.startswith("network") for parameter in space.parameters])


def nothing_known(n: int) -> Metrics:
    return Metrics.empty(("cost",), n)


@pytest.mark.parametrize("parts", [(22,), (1, 10, 11), (5, 6, 1, 3, 7), (12, 10)])
def test_an_episode_keeps_the_networks_of_its_joint_design_however_it_is_asked(parts: tuple[int, ...]) -> None:
    agent = NASAIC(asic().space, seed=3)
    designs = np.concatenate([agent.ask(n) for n in parts])
    columns = networks(agent.space)
    for episode in (designs[:11], designs[11:]):
        assert (episode[:, columns] == episode[0, columns]).all()
        assert len(np.unique(episode[:, ~columns], axis=0)) > 5, "the hardware is drawn anew"
    assert (designs[0, columns] != designs[11, columns]).any()


@pytest.mark.parametrize("steps", [0, 3])
def test_episodes_are_as_long_as_asked_for(steps: int) -> None:
    agent = NASAIC(asic().space, seed=0, hardware_steps=steps)
    designs = agent.ask(4 * (steps + 1))
    different = np.unique(designs[:, networks(agent.space)], axis=0)
    assert len(different) == 4


def test_only_joint_designs_are_rewarded_with_their_score() -> None:
    agent = NASAIC(asic().space, seed=0, hardware_steps=2, rho=3.0, episodes=2)
    designs = agent.ask(3)
    metrics = Metrics({"penalty": np.array([0.5, 2.0, 0.0])}, np.zeros(3, np.uint8), np.zeros(3))
    agent.tell(designs, np.array([7.0, 8.0, 9.0]), metrics)
    assert [(follows, reward) for _, follows, reward, _ in agent._told] == [(False, 7.0), (True, -6.0), (True, 0.0)]


def test_without_a_penalty_every_design_is_rewarded_with_its_score() -> None:
    agent = NASAIC(asic().space, seed=0, hardware_steps=1, episodes=2)
    designs = agent.ask(2)
    agent.tell(designs, np.array([7.0, 8.0]), nothing_known(2))
    assert [reward for _, _, reward, _ in agent._told] == [7.0, 8.0]
    broken = Metrics({"penalty": np.full(2, np.nan)}, np.zeros(2, np.uint8), np.zeros(2))
    designs = agent.ask(1)
    agent.tell(designs, np.array([1.0]), broken)
    following = agent.ask(1)
    assert len(agent._told) == 3
    agent.tell(following, np.array([-5.0]), broken)
    assert agent._told == [], "two episodes are complete: the controller has learned"


def test_hardware_only_designs_do_not_move_the_chances_of_networks() -> None:
    agent = NASAIC(asic().space, seed=1, hardware_steps=5, episodes=1)
    weights = []
    agent._controller.learn = lambda designs, masks, w, counted, entropy: weights.append((w, counted))
    for _ in range(2):  # the first rewards of each kind set the baselines
        designs = agent.ask(6)
        agent.tell(designs, np.arange(6.0) + len(weights), nothing_known(6))
    moved, counted = weights[1]
    columns = networks(agent.space)
    assert moved[0].all() and counted[0].all()
    assert not moved[1:, columns].any() and not counted[1:, columns].any()
    assert moved[1:, ~columns].any()


def test_gamma_discounts_earlier_choices() -> None:
    agent = NASAIC(asic().space, seed=1, hardware_steps=0, gamma=0.9, episodes=1)
    weights = []
    agent._controller.learn = lambda designs, masks, w, counted, entropy: weights.append(w[0])
    for reward in (1.0, 2.0):
        agent.tell(agent.ask(1), np.array([reward]), nothing_known(1))
    assert np.allclose(weights[1][:-1] / weights[1][1:], 0.9)


def test_networks_are_ranked_by_the_best_design_of_their_episode() -> None:
    agent = NASAIC(asic().space, seed=1, hardware_steps=2, episodes=1)
    weights = []
    agent._controller.learn = lambda designs, masks, w, counted, entropy: weights.append(w)
    columns = networks(agent.space)
    for scores in ((0.0, 1.0, 2.0), (0.5, -1.0, 1.5), (-3.0, -3.0, 2.5)):
        agent.tell(agent.ask(3), np.array(scores), nothing_known(3))
    assert (weights[1][0, columns] < 0).all(), "1.5 is less than 2.0"
    assert (weights[1][0, ~columns] > 0).all(), "0.5 is more than 0.0"
    assert (weights[2][0, columns] > 0).all() and (weights[2][0, ~columns] < 0).all()


def test_advantages_are_ranks_among_the_last_rewards() -> None:
    ranks = _Ranks(3)
    assert ranks.advantage(-1e30) == 0.0
    assert ranks.advantage(0.8) == pytest.approx(0.25 * np.sqrt(12))
    assert ranks.advantage(0.8) == pytest.approx((1 / 3 + 1 / 3 - 0.5) * np.sqrt(12))
    assert ranks.advantage(0.79) == pytest.approx((1 / 6 - 0.5) * np.sqrt(12)), "the first one is forgotten"
    drawn = _Ranks(200)
    told = [drawn.advantage(value) for value in np.random.default_rng(0).normal(size=2000)]
    assert np.mean(told) == pytest.approx(0.0, abs=0.1) and np.var(told) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("arguments", [{}, {"units": 1}, {"total_pes": 512, "total_bandwidth": 24}, {"workload": "W3"}])
def test_every_design_keeps_the_totals(arguments: dict[str, Any]) -> None:
    simulator = asic(**arguments)
    agent = NASAIC(simulator.space, seed=5)
    assert simulator.space.contains(agent.ask(200)).all()


def test_masks_without_the_networks_are_those_with_them() -> None:
    space = asic(total_pes=256, total_bandwidth=32).space
    whole, quick = LevelMasks(space), _Masks(space)
    rng = np.random.default_rng(0)
    drawn = space.sample(400, rng)
    valid = drawn[space.contains(drawn)][:20]
    for column in range(whole.start, space.dimensions):
        assert np.array_equal(whole.of(valid[:, :column]), quick.of(valid, column))


def test_the_first_constrained_column_is_found() -> None:
    def some(columns: Any) -> np.ndarray:
        return columns["c"] - columns["b"]

    def everything(columns: Any) -> np.ndarray:
        return np.sum(list(columns.values()), axis=0)

    parameters = tuple(Parameter(name, (1, 2, 3)) for name in "abcd")
    assert _first_constrained(DesignSpace(parameters, (Constraint("some", some),))) == 1
    assert _first_constrained(DesignSpace(parameters, (Constraint("some", some), Constraint("all", everything)))) == 0
    assert _first_constrained(DesignSpace(parameters)) == 0


def test_a_space_without_networks_is_searched_as_a_whole() -> None:
    simulator = archgym.make_simulator("synthetic", workload="constrained", parameters=6, levels=6, seed=2)
    agent = NASAIC(simulator.space, seed=0)
    designs = agent.ask(11)
    assert len(np.unique(designs, axis=0)) > 5 and simulator.space.contains(designs).all()
    learned, random = (
        np.median([archgym.search(name, simulator, budget=330, seed=seed).best_score for seed in range(3)])
        for name in ("nasaic", "random_walk")
    )
    assert learned >= random


def test_the_same_seed_gives_the_same_designs() -> None:
    first, second, other = (archgym.search("nasaic", asic(), objective=REWARD, budget=60, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first.scores, second.scores) and first.best_design == second.best_design
    assert not np.array_equal(first.scores, other.scores)


def test_it_learns_to_meet_the_specs() -> None:
    agent, simulator = NASAIC(asic().space, seed=2), asic()
    goal = archgym.make_objective(REWARD, simulator)
    met = []
    for _ in range(60):
        designs = agent.ask(11)
        metrics = simulator.evaluate(designs)
        agent.tell(designs, goal.score(metrics), metrics)
        met.append(np.mean(metrics["specs_met"]))
    assert np.mean(met[-15:]) > np.mean(met[:15]) + 0.1
