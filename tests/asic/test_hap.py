"""The mapping and scheduling heuristic: the worked example, and what holds of every case."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from plain_hap import PlainHAP
from worked import END, ENERGY, LATENCY, LENGTHS, LIMIT, START, UNIT

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic import hap_kernel
from simulators.asic.hap import Assignment, assign

Ints = NDArray[np.int64]


def scratch(layers: int, width: int = 4) -> tuple[Ints, Ints]:
    return np.zeros(layers, np.int64), np.zeros((hap_kernel.STATE, width), np.int64)


def firsts(lengths: tuple[int, ...]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def makespan(latency: Ints, lengths: tuple[int, ...], mapping: Ints) -> int:
    return int(hap_kernel.schedule(latency, firsts(lengths), mapping, hap_kernel.NEVER, *scratch(len(latency))))


def test_the_worked_example() -> None:
    found = assign(LATENCY, ENERGY, LENGTHS, LIMIT)
    np.testing.assert_array_equal(found.mapping, UNIT)
    np.testing.assert_array_equal(found.start, START)
    np.testing.assert_array_equal(found.end, END)
    assert found.makespan == 781_906 and found.feasible


def test_both_starts_of_the_worked_example() -> None:
    mapping = np.zeros(15, np.int64)
    hap_kernel.take_least(ENERGY, LATENCY, mapping)
    assert not mapping.any() and makespan(LATENCY, LENGTHS, mapping) == 1_535_823
    hap_kernel.take_least(LATENCY, ENERGY, mapping)
    assert np.flatnonzero(mapping).tolist() == [0, 1, *range(7, 15)] and makespan(LATENCY, LENGTHS, mapping) == 615_729


def test_the_repair_moves_of_the_worked_example() -> None:
    mapping = np.zeros(15, np.int64)
    first = firsts(LENGTHS)
    moves, now = [], 1_535_823
    while now > LIMIT:
        layer, unit = hap_kernel.repair_move(LATENCY, ENERGY, first, mapping, LIMIT, now, *scratch(15))
        mapping[layer] = unit
        now = makespan(LATENCY, LENGTHS, mapping)
        moves.append((layer, now))
    assert moves == [(14, 1_503_054), (7, 1_306_435), (8, 1_060_648), (13, 842_205), (11, 781_906)]
    assert hap_kernel.polish_move(LATENCY, ENERGY, first, mapping, LIMIT, *scratch(15))[0] == -1


def test_the_polish_moves_of_the_worked_example() -> None:
    mapping = np.zeros(15, np.int64)
    hap_kernel.take_least(LATENCY, ENERGY, mapping)
    moves = []
    while (move := hap_kernel.polish_move(LATENCY, ENERGY, firsts(LENGTHS), mapping, LIMIT, *scratch(15)))[0] >= 0:
        mapping[move[0]] = move[1]
        moves.append(move[0])
    assert moves == [12, 10, 9, 0, 1]
    np.testing.assert_array_equal(mapping, UNIT)


def test_the_schedule_prefers_the_network_with_more_work_and_then_the_lower_number() -> None:
    latency = np.array([[3], [4], [5], [2]], np.int64)
    start, state = scratch(4)
    hap_kernel.schedule(latency, firsts((1, 2, 1)), np.zeros(4, np.int64), hap_kernel.NEVER, start, state)
    assert start.tolist() == [9, 0, 4, 12]  # at 0: 9 cycles of work against 3 and 2; at 4: 5; at 9: 3 against 2
    equal = np.array([[3], [3]], np.int64)
    hap_kernel.schedule(equal, firsts((1, 1)), np.zeros(2, np.int64), hap_kernel.NEVER, start, state)
    assert start[:2].tolist() == [0, 3]


def test_the_first_of_equal_moves_is_taken() -> None:
    latency = np.full((3, 2), 10, np.int64)
    energy = np.tile(np.array([5, 7], np.int64), (3, 1))
    found = assign(latency, energy, (1, 1, 1), 20)
    assert found.mapping.tolist() == [1, 0, 0] and (found.makespan, found.energy) == (20, 17)


def test_an_infeasible_case_ends_with_the_least_makespan_found() -> None:
    found = assign(np.array([[10, 8], [10, 8]]), np.array([[1, 9], [1, 9]]), (1, 1), 5)
    assert not found.feasible and (found.makespan, found.energy) == (10, 10)


def test_a_single_unit_leaves_no_choice() -> None:
    found = assign(LATENCY[:, :1], ENERGY[:, :1], LENGTHS, LIMIT)
    assert found.makespan == LATENCY[:, 0].sum() and found.energy == ENERGY[:, 0].sum() and not found.feasible


@st.composite
def cases(draw: st.DrawFn, most_layers: int = 5, most_units: int = 4) -> tuple[Ints, Ints, tuple[int, ...], int]:
    lengths = tuple(draw(st.lists(st.integers(1, most_layers), min_size=1, max_size=3)))
    units = draw(st.integers(1, most_units))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    small = draw(st.booleans())  # small numbers bring ties
    latency = random.integers(1, 4 if small else 1_000, (sum(lengths), units))
    energy = random.integers(1, 4 if small else 10**9, (sum(lengths), units))
    return latency, energy, lengths, draw(st.integers(0, int(latency.max(axis=1).sum())))


def assert_valid(found: Assignment, latency: Ints, energy: Ints, lengths: tuple[int, ...]) -> None:
    """Chains in order, one layer at a time on a unit, and totals that add up."""
    layers = np.arange(len(latency))
    np.testing.assert_array_equal(found.end - found.start, latency[layers, found.mapping])
    first = firsts(lengths)
    for begin, end in itertools.pairwise(first):
        assert (found.start[begin + 1 : end] >= found.end[begin : end - 1]).all() and found.start[begin] >= 0
    for unit in range(latency.shape[1]):
        runs = sorted((found.start[layer], found.end[layer]) for layer in layers[found.mapping == unit])
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(runs))
    assert found.makespan == found.end.max() and found.energy == energy[layers, found.mapping].sum()


@given(cases())
def test_schedules_are_valid_and_the_same_every_time(case: tuple[Ints, Ints, tuple[int, ...], int]) -> None:
    latency, energy, lengths, limit = case
    found = assign(latency, energy, lengths, limit)
    assert_valid(found, latency, energy, lengths)
    assert found.feasible == (found.makespan <= limit)
    again = assign(latency, energy, lengths, limit)
    np.testing.assert_array_equal(again.mapping, found.mapping)
    np.testing.assert_array_equal(again.start, found.start)


@given(cases())
def test_improving_never_lengthens_what_is_too_long_and_never_wastes(case: tuple[Ints, Ints, tuple[int, ...], int]) -> None:
    latency, energy, lengths, limit = case
    for of, then in ((energy, latency), (latency, energy)):
        mapping = np.zeros(len(latency), np.int64)
        hap_kernel.take_least(of, then, mapping)
        before, spent = makespan(latency, lengths, mapping), hap_kernel.total(energy, mapping)
        after = hap_kernel.improve(latency, energy, firsts(lengths), mapping, limit, *scratch(len(latency)))
        assert after == makespan(latency, lengths, mapping)
        assert after <= max(before, limit)
        assert before > limit or hap_kernel.total(energy, mapping) <= spent


@given(cases())
def test_the_schedule_follows_its_definition(case: tuple[Ints, Ints, tuple[int, ...], int]) -> None:
    latency, _, lengths, limit = case
    mapping = np.random.default_rng(limit).integers(0, latency.shape[1], len(latency))
    expected = PlainHAP(latency, latency, lengths, limit).makespan(tuple(mapping.tolist()))
    assert makespan(latency, lengths, mapping) == expected
    cut = hap_kernel.schedule(latency, firsts(lengths), mapping, limit, *scratch(len(latency)))
    assert cut == expected if expected <= limit else limit < cut <= expected


@given(cases())
def test_the_result_follows_its_definition(case: tuple[Ints, Ints, tuple[int, ...], int]) -> None:
    assert tuple(assign(*case).mapping.tolist()) == PlainHAP(*case).solve()


@settings(max_examples=40)
@given(cases(most_layers=2, most_units=2))
def test_is_never_better_than_the_best_of_all_mappings(case: tuple[Ints, Ints, tuple[int, ...], int]) -> None:
    latency, _, _, limit = case
    plain = PlainHAP(*case)
    every = list(itertools.product(range(latency.shape[1]), repeat=len(latency)))
    spans = [plain.makespan(mapping) for mapping in every]
    found = assign(*case)
    assert found.makespan >= min(spans)
    if found.feasible:
        within = [mapping for mapping, span in zip(every, spans, strict=True) if span <= limit]
        assert found.energy >= min(map(plain.spent, within))


@pytest.mark.parametrize(
    ("latency", "energy", "lengths", "message"),
    [
        (LATENCY, ENERGY[:, :1], LENGTHS, "one shape"),
        (LATENCY[:, :0], ENERGY[:, :0], LENGTHS, "one shape"),
        (LATENCY[0], ENERGY[0], LENGTHS, "one shape"),
        (LATENCY, ENERGY, (7, 7), "add up to 15"),
        (LATENCY, ENERGY, (15, 0), "positive"),
    ],
)
def test_refuses_arrays_that_do_not_fit(latency: Ints, energy: Ints, lengths: tuple[int, ...], message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        assign(latency, energy, lengths, LIMIT)


def test_refuses_another_solver() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'exact'"):
        assign(LATENCY, ENERGY, LENGTHS, LIMIT, solver="exat")
