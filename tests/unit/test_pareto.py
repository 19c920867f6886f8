"""Fronts and hypervolumes against brute force."""

from __future__ import annotations

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from archgym.pareto import hypervolume, non_dominated

SMALL = st.integers(1, 4).flatmap(
    lambda k: st.integers(0, 12).flatmap(lambda n: arrays(np.float64, (n, k), elements=st.integers(-3, 3).map(float)))
)


def brute_front(costs: np.ndarray) -> list[bool]:
    return [not any((other <= row).all() and (other < row).any() for other in costs) for row in costs]


def brute_volume(costs: np.ndarray, corner: np.ndarray) -> float:
    """Inclusion and exclusion over all subsets."""
    inside = [row for row in costs if (row < corner).all()]
    total = 0.0
    for size in range(1, len(inside) + 1):
        for subset in combinations(inside, size):
            total += (-1) ** (size + 1) * float(np.prod(corner - np.max(subset, axis=0)))
    return total


@settings(deadline=None, max_examples=200)
@given(SMALL)
def test_front_equals_brute_force(costs: np.ndarray) -> None:
    assert non_dominated(costs).tolist() == brute_front(costs)


@settings(deadline=None)
@given(arrays(np.float64, (8, 2), elements=st.floats(-1e300, 1e300)))
def test_front_does_not_depend_on_order_or_rounding(costs: np.ndarray) -> None:
    front = non_dominated(costs)
    assert front.tolist() == brute_front(costs)
    assert non_dominated(costs[::-1]).tolist() == front[::-1].tolist()


def test_rows_that_are_not_finite_are_never_on_the_front() -> None:
    costs = np.array([[1, 1], [0, np.inf], [np.nan, 0], [-np.inf, 3], [1, 1], [2, 0]])
    assert non_dominated(costs).tolist() == [True, False, False, False, True, True]
    assert non_dominated(np.full((3, 2), np.inf)).tolist() == [False] * 3
    assert non_dominated(np.zeros((0, 3))).tolist() == []


def test_a_large_front_is_found_whole() -> None:
    x = np.arange(2000.0)
    line = np.stack([x, -x], axis=1)
    costs = np.concatenate([line + 0.5, line])
    assert non_dominated(costs).tolist() == [False] * 2000 + [True] * 2000


@settings(deadline=None, max_examples=100)
@given(SMALL.filter(lambda costs: len(costs) <= 8))
def test_hypervolume_equals_inclusion_and_exclusion(costs: np.ndarray) -> None:
    corner = np.full(costs.shape[1], 2.0)
    assert hypervolume(costs, corner) == pytest.approx(brute_volume(costs, corner), abs=1e-9)


@pytest.mark.parametrize("dimensions", [2, 3, 4])
def test_hypervolume_equals_a_count_of_unit_cells(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    costs = rng.integers(0, 6, (40, dimensions))
    corners = np.array(list(product(range(6), repeat=dimensions)))  # lower corners of the unit cells below (6, ..., 6)
    covered = (costs[:, None, :] <= corners[None, :, :]).all(axis=2).any(axis=0)
    assert hypervolume(costs, [6] * dimensions) == covered.sum()


def test_hypervolume_by_hand() -> None:
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]) == 6
    assert hypervolume([[1, 3], [2, 2], [3, 1], [3, 3], [2, 2]], [4, 4]) == 6
    assert hypervolume([[0.5]], [2]) == 1.5
    assert hypervolume([[5, 5], [4, 0], [np.inf, 0]], [4, 4]) == 0.0
    assert hypervolume(np.zeros((0, 2)), [1, 1]) == 0.0


def test_hypervolume_grows_only_with_points_that_add_something() -> None:
    rng = np.random.default_rng(0)
    costs = rng.random((12, 3))
    volumes = [hypervolume(costs[:n], [1, 1, 1]) for n in range(1, 13)]
    assert all(later >= earlier for earlier, later in pairwise(volumes))
    front = costs[non_dominated(costs)]
    assert hypervolume(front, [1, 1, 1]) == pytest.approx(volumes[-1])
    for row in range(len(front)):
        assert hypervolume(np.delete(front, row, axis=0), [1, 1, 1]) < volumes[-1]
