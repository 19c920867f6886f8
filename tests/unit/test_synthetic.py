"""The synthetic problems: their optimum and front against brute force."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from archgym import Status, list_workloads, make_simulator
from archgym.errors import ArchGymError, UnknownNameError
from archgym.pareto import non_dominated
from simulators.synthetic import Synthetic

SHAPES = [(1, 4), (2, 7), (4, 3), (5, 4), (3, 1), (6, 3)]


def everything(simulator: Synthetic) -> tuple[np.ndarray, np.ndarray]:
    """All designs that are OK, and their (distance, area)."""
    designs = np.concatenate(list(simulator.space.enumerate()))
    result = simulator.evaluate(designs)
    return designs[result.ok], np.stack([result["distance"], result["area"]], axis=1)[result.ok]


@pytest.mark.parametrize("workload", list_workloads("synthetic"))
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_the_optimum_is_the_only_best_design(workload: str, shape: tuple[int, int], seed: int) -> None:
    simulator = Synthetic(workload, *shape, seed=seed)
    designs, costs = everything(simulator)
    best = designs[costs[:, 0] == costs[:, 0].min()]
    assert costs[:, 0].min() == 0 and best.tolist() == simulator.optimum.tolist()


@pytest.mark.parametrize("workload", ["sphere", "constrained"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(4))
def test_the_front_equals_brute_force(workload: str, shape: tuple[int, int], seed: int) -> None:
    simulator = Synthetic(workload, *shape, seed=seed)
    _, costs = everything(simulator)
    expected = np.unique(costs[non_dominated(costs)], axis=0)
    assert simulator.front().tolist() == expected.tolist()


def test_a_front_belongs_to_separable_problems() -> None:
    with pytest.raises(ArchGymError, match=r"front.*sphere, constrained"):
        Synthetic("interaction").front()


def test_landscapes_are_what_they_say() -> None:
    shape: dict[str, Any] = {"parameters": 4, "levels": 5, "seed": 1}
    values = {
        name: everything(Synthetic(name, **shape))[1][:, 0] for name in ("sphere", "ruggedness", "interaction", "needle")
    }
    assert (values["ruggedness"] >= values["sphere"]).all() and (values["interaction"] >= values["sphere"]).all()
    assert sorted(set(values["needle"].tolist())) == [0, 1] and (values["needle"] == 0).sum() == 1
    assert (values["ruggedness"] - values["sphere"] > 0).any() and (values["interaction"] - values["sphere"] > 0).any()


def test_an_interaction_makes_single_steps_mislead() -> None:
    simulator = Synthetic("interaction", 4, 5, seed=1)
    target = simulator.optimum[0]
    wrong = np.array([[(level + 1) % 5 for level in target]], np.int32)
    half = wrong.copy()
    half[0, 1] = target[1]
    distances = simulator.evaluate(np.concatenate([wrong, half]))["distance"]
    assert distances[1] > distances[0]


def test_constrained_designs_are_invalid_by_their_excess() -> None:
    simulator = Synthetic("constrained", 3, 4)
    designs = np.array(list(product(range(4), repeat=3)), np.int32)
    result = simulator.evaluate(designs)
    excess = np.maximum(designs.sum(axis=1) - 4.5, 0)
    assert np.array_equal(result.violation, excess)
    assert ((result.status == Status.INVALID) == (excess > 0)).all() and (excess > 0).any()


def test_the_last_third_has_no_order() -> None:
    simulator = Synthetic(parameters=7, levels=3)
    assert [parameter.ordered for parameter in simulator.space.parameters] == [True] * 5 + [False] * 2
    assert list(simulator.space.groups) == ["sizes", "kinds"] and simulator.space.size == 3**7


def test_the_coarse_fidelity_rounds_and_costs_a_tenth() -> None:
    simulator = Synthetic()
    designs = simulator.space.sample(100, 0)
    full, coarse = simulator.evaluate(designs), simulator.evaluate(designs, "coarse")
    assert simulator.fidelities["coarse"] == 0.1
    assert (coarse["distance"] % 4 == 0).all() and (np.abs(coarse["distance"] - full["distance"]) <= 2).all()
    assert np.array_equal(coarse["area"], full["area"]) and not np.array_equal(coarse["distance"], full["distance"])


def test_seeds_move_the_target() -> None:
    assert len({tuple(Synthetic(seed=seed).optimum[0].tolist()) for seed in range(20)}) == 20
    assert Synthetic(seed=3).arguments == {"workload": "sphere", "parameters": 8, "levels": 6, "seed": 3}


def test_arguments_are_checked() -> None:
    with pytest.raises(UnknownNameError, match=r"synthetic: no workload named 'spheer'\. Did you mean 'sphere'"):
        make_simulator("synthetic", workload="spheer")
    for arguments in ({"parameters": 0}, {"levels": 0}, {"parameters": 2.5}, {"levels": "6"}):
        (name,) = arguments
        with pytest.raises(ArchGymError, match=f"synthetic: {name} must be a whole number from 1, got"):
            make_simulator("synthetic", **arguments)
