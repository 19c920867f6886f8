"""The exact solver: against the worked example and against trying everything."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from plain_hap import PlainHAP
from worked import ENERGY, LATENCY, LENGTHS, LIMIT, UNIT

from archgym.errors import MissingExtraError
from simulators.asic.hap import Assignment, assign

Ints = NDArray[np.int64]


def test_names_the_extra_where_ortools_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    with pytest.raises(MissingExtraError, match=r"archgym\[asic\]"):
        assign(LATENCY, ENERGY, LENGTHS, LIMIT, solver="exact")


class TestWithORTools:
    """What needs the solver."""

    @pytest.fixture(autouse=True)
    def ortools(self) -> None:
        pytest.importorskip("ortools", reason="the exact solver is an extra: pip install 'archgym[asic]'")

    def test_the_worked_example(self) -> None:
        found = assign(LATENCY, ENERGY, LENGTHS, LIMIT, solver="exact")
        np.testing.assert_array_equal(found.mapping, UNIT)
        assert found.feasible and found.makespan <= 781_906  # the same mapping, in the best order

    @pytest.mark.parametrize("limit", [550_970, 0, -1])
    def test_the_least_makespan_of_the_worked_example(self, limit: int) -> None:
        found = assign(LATENCY, ENERGY, LENGTHS, limit, solver="exact")
        assert found.makespan == 550_971 and not found.feasible
        assert assign(LATENCY, ENERGY, LENGTHS, 550_971, solver="exact").feasible

    @pytest.mark.parametrize("seed", range(12))
    def test_equals_trying_every_order_of_every_mapping(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        lengths = [(2, 3), (1, 2, 2), (4,), (3, 2)][seed % 4]
        shape = (sum(lengths), 2 + seed % 2)
        latency, energy = random.integers(1, 20, shape), random.integers(1, 50, shape)
        ends = sorted(every_end(latency, energy, lengths))
        fastest = min(ends, key=lambda end: (end[1], end[0]))
        for limit in (fastest[1] - 1, fastest[1], fastest[1] + 7):
            expected = next((end for end in ends if end[1] <= limit), fastest)
            found = assign(latency, energy, lengths, limit, solver="exact")
            assert_valid(found, latency, lengths)
            assert (found.energy, found.makespan) == expected
            assert found.feasible == (found.makespan <= limit)
            assert_no_better(assign(latency, energy, lengths, limit), found)

    def test_equals_the_heuristic_where_the_limit_is_wide(self) -> None:
        found = assign(LATENCY, ENERGY, LENGTHS, 2_000_000, solver="exact")
        assert found.energy == ENERGY.min(axis=1).sum()
        np.testing.assert_array_equal(found.mapping, assign(LATENCY, ENERGY, LENGTHS, 2_000_000).mapping)


def every_end(latency: Ints, energy: Ints, lengths: tuple[int, ...]) -> set[tuple[int, int]]:
    """Energy and makespan of every mapping in every order that keeps the chains."""
    plain = PlainHAP(latency, energy, lengths, 0)
    owners = [network for network, length in enumerate(lengths) for _ in range(length)]
    first = [0, *itertools.accumulate(lengths)]
    ends = set()
    for mapping in itertools.product(range(latency.shape[1]), repeat=len(latency)):
        for order in set(itertools.permutations(owners)):
            following, ready, free = list(first), [0] * len(lengths), [0] * latency.shape[1]
            for network in order:
                layer = following[network]
                following[network] += 1
                unit = mapping[layer]
                ready[network] = free[unit] = max(ready[network], free[unit]) + int(latency[layer, unit])
            ends.add((plain.spent(mapping), max(ready)))
    return ends


def assert_valid(found: Assignment, latency: Ints, lengths: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(found.end - found.start, latency[np.arange(len(latency)), found.mapping])
    for begin, end in itertools.pairwise([0, *itertools.accumulate(lengths)]):
        assert (found.start[begin + 1 : end] >= found.end[begin : end - 1]).all()
    for unit in range(latency.shape[1]):
        runs = sorted(zip(found.start[found.mapping == unit], found.end[found.mapping == unit], strict=True))
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(runs))


def assert_no_better(heuristic: Assignment, exact: Assignment) -> None:
    assert heuristic.makespan >= exact.makespan or exact.feasible
    assert not heuristic.feasible or (exact.feasible and heuristic.energy >= exact.energy)
