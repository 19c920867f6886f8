"""Trails, greed, detours and new colonies."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from agents.ant_colony import DETOURS, ELITE, STRAY, AntColony
from archgym import Designs, DesignSpace, Metrics, Parameter

SPACE = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(10)), ordered=False) for i in range(6)))


def tell(agent: AntColony, designs: Designs, scores: np.ndarray) -> None:
    agent.tell(designs, np.asarray(scores, np.float64), Metrics.empty(("cost",), len(designs)))


def fill(level: int, n: int) -> Designs:
    return np.full((n, 6), level, np.int32)


def per_parameter(agent: AntColony) -> np.ndarray:
    return agent._trails.reshape(6, 10)


def test_the_first_generation_is_spread_evenly() -> None:
    counts = np.bincount(AntColony(SPACE, seed=0).ask(5000).ravel(), minlength=10)
    assert (np.abs(counts / 3000 - 1) < 0.1).all()


def test_good_designs_lay_trails_that_sum_to_one() -> None:
    agent = AntColony(SPACE, seed=0, ants=8, evaporation=0.5)
    designs = np.concatenate([fill(3, 2), fill(7, 6)])
    tell(agent, designs, [2, 1, *[0] * 6])
    assert round(ELITE * 8) == 2  # both elite ants went along level 3
    assert np.allclose(per_parameter(agent).sum(axis=1), 1)
    assert np.allclose(per_parameter(agent)[:, 3], 0.5 + 0.5 * 0.1)
    assert np.allclose(per_parameter(agent)[:, 7], 0.5 * 0.1)


def test_full_evaporation_forgets_all_but_the_best_design() -> None:
    agent = AntColony(SPACE, seed=0, ants=4, evaporation=1.0)
    tell(agent, fill(3, 4), np.ones(4))
    tell(agent, fill(5, 4), np.zeros(4))
    assert np.allclose(per_parameter(agent)[:, [3, 5]], 0.5)
    assert np.allclose(per_parameter(agent)[:, [0, 9]], 0)


def test_ants_stray_from_faded_trails() -> None:
    agent = AntColony(SPACE, seed=0, ants=2, evaporation=1.0, greediness=0.0)
    tell(agent, fill(3, 2), np.ones(2))
    agent._known.clear()  # so that a lone ant makes no detour
    strayed = np.mean([(agent.ask(1) != 3).sum() for _ in range(2000)])
    assert np.isclose(strayed, STRAY * 0.9, rtol=0.15)  # one level in ten is the trail's own


def test_a_greedy_ant_takes_the_strongest_trail() -> None:
    agent = AntColony(SPACE, seed=0, ants=2, evaporation=0.1, greediness=1.0)
    tell(agent, np.array([[1, 2, 3, 4, 5, 6]] * 2, np.int32), np.zeros(2))
    changes = (agent.ask(1) != [1, 2, 3, 4, 5, 6]).sum()
    assert changes <= DETOURS


def test_a_known_design_is_seldom_proposed_again() -> None:
    agent = AntColony(SPACE, seed=0, ants=16, evaporation=1.0, greediness=1.0)
    tell(agent, np.concatenate([fill(3, 1), fill(4, 15)]), [1, *[0] * 15])
    designs = agent.ask(16)  # without detours all of them would be alike
    assert len(np.unique(designs, axis=0)) >= 14
    assert (designs == 3).sum(axis=1).min() >= 6 - DETOURS
    assert (designs != 3).any(axis=1).all()


def test_an_idle_colony_gives_way_to_a_new_one() -> None:
    agent = AntColony(SPACE, seed=0, ants=4, depth=3)
    tell(agent, fill(3, 4), np.ones(4))
    for _ in range(2):
        tell(agent, fill(5, 4), np.zeros(4))
        assert not np.allclose(per_parameter(agent), 0.1)
    tell(agent, fill(5, 4), np.zeros(4))
    assert np.allclose(per_parameter(agent), 0.1)
    tell(agent, fill(5, 4), np.zeros(4))  # worse than what the old colony had found, and yet a find of the new one
    assert (np.argmax(per_parameter(agent), axis=1) == 5).all()


@pytest.mark.parametrize("rescaled", [lambda s: s * 1e20, lambda s: -np.exp(-s), lambda s: s - 1e9])
def test_only_the_order_of_scores_counts(rescaled: object) -> None:
    simulator = archgym.make_simulator("synthetic", workload="interaction")
    runs = []
    for scale in (lambda s: s, rescaled):
        agent = AntColony(simulator.space, seed=4)
        for _ in range(12):
            designs = agent.ask(16)
            tell(agent, designs, scale(-simulator.evaluate(designs)["distance"]))
        runs.append(designs)
    assert np.array_equal(*runs)


def test_a_generation_may_be_told_in_pieces() -> None:
    whole, pieces = AntColony(SPACE, seed=2), AntColony(SPACE, seed=2)
    designs = whole.ask(16)
    assert np.array_equal(designs, pieces.ask(16))
    scores = designs.sum(axis=1).astype(float)
    tell(whole, designs, scores)
    for part in (slice(0, 5), slice(5, 6), slice(6, 16)):
        tell(pieces, designs[part], scores[part])
    assert np.array_equal(whole.ask(16), pieces.ask(16))


@pytest.mark.parametrize("workload", ["sphere", "ruggedness", "interaction", "constrained"])
@pytest.mark.parametrize("size", [(8, 6), (12, 16)])
def test_it_beats_random_search_by_far(workload: str, size: tuple[int, int]) -> None:
    simulator = archgym.make_simulator("synthetic", workload=workload, parameters=size[0], levels=size[1], seed=5)
    ants, random = (
        np.median([-archgym.search(name, simulator, budget=500, seed=seed).best_score for seed in range(7)])
        for name in ("ant_colony", "random_walk")
    )
    assert ants < 0.7 * random
