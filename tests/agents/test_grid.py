"""Every design once, in any space, and well spread on the way."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from agents.grid import HORIZON, Grid
from archgym import DesignSpace, Parameter


def box(*levels: int) -> DesignSpace:
    return DesignSpace(tuple(Parameter(f"x{i}", tuple(range(n))) for i, n in enumerate(levels)))


@pytest.mark.parametrize("levels", [(1,), (1, 1, 1), (7,), (2, 2, 2, 2), (6, 10, 15), (1, 8, 3), (5, 4, 4, 3)])
@pytest.mark.parametrize("seed", range(3))
def test_every_design_comes_once_and_then_again(levels: tuple[int, ...], seed: int) -> None:
    space = box(*levels)
    agent = Grid(space, seed=seed)
    first, second = agent.ask(space.size), agent.ask(space.size)
    assert len(np.unique(first, axis=0)) == space.size
    assert np.array_equal(first, second)


def test_how_a_run_is_cut_does_not_change_the_order() -> None:
    whole, pieces = Grid(box(6, 6, 6, 6), seed=1), Grid(box(6, 6, 6, 6), seed=1)
    assert np.array_equal(whole.ask(100), np.concatenate([pieces.ask(n) for n in (1, 7, 64, 28)]))


def test_seeds_give_different_orders() -> None:
    space = box(6, 6, 6, 6)
    assert not np.array_equal(Grid(space, seed=1).ask(20), Grid(space, seed=2).ask(20))


@pytest.mark.parametrize("space", [box(*[8] * 40), box(*[7] * 23, 2), box(1000, *[1000] * 9)])
def test_it_works_in_spaces_beyond_64_bits(space: DesignSpace) -> None:
    assert space.size > 2**63
    designs = Grid(space, seed=0).ask(2000)
    assert space.contains(designs).all() and designs.dtype == np.int32
    assert len(np.unique(designs, axis=0)) == 2000
    assert all(len(np.unique(column)) > 1 for column in designs.T)


@pytest.mark.parametrize("seed", range(5))
def test_levels_of_every_parameter_come_equally_often(seed: int) -> None:
    designs = Grid(box(*[6] * 8), seed=seed).ask(600)
    counts = np.array([np.bincount(column, minlength=6) for column in designs.T])
    assert (np.abs(counts - 100) < 20).all()
    random = np.random.default_rng(seed).integers(0, 6, (600, 8))
    assert counts.std() < np.array([np.bincount(column, minlength=6) for column in random.T]).std()


@pytest.mark.parametrize("seed", range(5))
def test_designs_close_in_time_are_far_apart(seed: int) -> None:
    space = box(*[16] * 6)
    agent = Grid(space, seed=seed)
    lattice, random = (space.to_unit(designs) for designs in (agent.ask(HORIZON), space.sample(HORIZON, seed)))
    assert closest(lattice) > 1.3 * closest(random)
    assert closest(lattice) ** 2 >= agent._separation(agent._stride) - 0.05  # levels round the lattice


def closest(points: np.ndarray) -> float:
    """Least distance between two rows, where every coordinate is a circle of length one."""
    apart = np.abs(points[:, None] - points[None])
    apart = np.sqrt((np.minimum(apart, 1 - apart) ** 2).sum(axis=2))
    return float(apart[np.triu_indices(len(points), 1)].min())


def test_what_it_is_told_does_not_change_where_it_goes() -> None:
    simulators = [archgym.make_simulator("synthetic", workload=workload) for workload in ("sphere", "needle")]
    first, second = (Grid(simulator.space, seed=3) for simulator in simulators)
    for _ in range(3):
        designs, others = first.ask(40), second.ask(40)
        assert np.array_equal(designs, others)
        metrics = simulators[0].evaluate(designs)
        first.tell(designs, -metrics["distance"], metrics)


def test_a_needle_is_found_with_certainty() -> None:
    simulator = archgym.make_simulator("synthetic", workload="needle", parameters=4, levels=5)
    runs = {
        name: [archgym.search(name, simulator, budget=simulator.space.size, seed=seed).best_score for seed in range(20)]
        for name in ("grid", "random_walk")
    }
    assert runs["grid"] == [0.0] * 20
    assert runs["random_walk"].count(0.0) < 20  # 37 % of its runs miss


def test_it_beats_random_search_where_the_budget_covers_much_of_the_space() -> None:
    found = {"grid": 0, "random_walk": 0}
    for target in range(60):
        simulator = archgym.make_simulator("synthetic", workload="needle", parameters=4, levels=5, seed=target)
        for name in found:
            found[name] += archgym.search(name, simulator, budget=500, seed=target).best_score == 0
    assert found["grid"] > found["random_walk"] + 3  # 80 % against 55 % expected
