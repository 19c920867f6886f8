"""Cutting, pruning and the order of tasks, on chips small enough to be worked out by hand.

All run one chain: start -> first -> second -> stop, 4,000 bytes from each to the next.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from platforms import LIBRARY

from simulators.soc import graph, model
from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    CUT_OFF,
    LATENCY,
    MAPPING,
    MEMORY_BUS,
    MEMORY_KIND,
    MEMORY_UNREACHABLE,
    OK,
    PE_BUS,
    PE_KIND,
    PE_UNREACHABLE,
    TASK_PE,
    Platforms,
    platform_size,
)
from simulators.soc.problem import make_problem

NAMES = ("start", "first", "second", "stop")
BYTES, INSTRUCTIONS = 4_000, 1_000
CHAIN: dict[str, Any] = {
    "name": "chain",
    "tasks": [
        {"name": "start", "role": "source"},
        {"name": "first", "instructions": INSTRUCTIONS},
        {"name": "second", "instructions": INSTRUCTIONS},
        {"name": "stop", "role": "sink"},
    ],
    "edges": [[a, b, BYTES] for a, b in pairwise(NAMES)],
    "last": "second",
}
PROBLEM = make_problem(graph.from_content(CHAIN, "chain.json"), LIBRARY)
SLOW, FAST = 0, 23  # buses: 4 bytes at 100 MHz, 128 bytes at 800 MHz
FASTEST = 23  # DRAM of 128 bytes at 800 MHz
SLOW_S = BYTES / 0.4e9  # what a task takes if it reads or writes over a slow bus
FAST_S = INSTRUCTIONS / 2e9  # what an A53 takes


def chip(
    pe_bus: list[int], memory_bus: list[int], buses: list[int], links: list[int], pe: list[int], memory: list[int]
) -> Platforms:
    """A platform of A53s and fastest DRAMs."""
    row = np.full(platform_size(4), -1, np.int32)
    for first, numbers in (
        (PE_KIND, [0] * len(pe_bus)),
        (PE_BUS, pe_bus),
        (MEMORY_KIND, [FASTEST] * len(memory_bus)),
        (MEMORY_BUS, memory_bus),
        (BUS_KIND, buses),
        (BUS_LINK, links),
        (MAPPING, pe),
        (MAPPING + 4, memory),
    ):
        row[first : first + len(numbers)] = numbers
    return row


def latency(row: Platforms) -> float:
    fate, outcome, _ = model.trace(row, PROBLEM)
    assert fate == OK
    return float(outcome[LATENCY])


def order(row: Platforms) -> list[str]:
    _, _, work = model.trace(row, PROBLEM)
    return [NAMES[task] for task in np.argsort(work["rank"][:4])]


@pytest.mark.parametrize(("bus", "expected"), [(SLOW, 2 * SLOW_S), (FAST, 2 * FAST_S)])
def test_one_bus_limits_reading_and_writing_at_once(bus: int, expected: float) -> None:
    row = chip([0], [0], [bus], [-1], [0] * 4, [0] * 4)
    assert latency(row) == pytest.approx(expected, rel=1e-12)


def test_a_bus_in_use_limits_both_sides() -> None:
    """Processing element on bus 0, memory on slow bus 1: bus 0 hands its processing element on, so only bus 1 is left."""
    row = chip([0], [1], [FAST, SLOW], [-1, 0], [0] * 4, [0] * 4)
    assert latency(row) == pytest.approx(2 * SLOW_S, rel=1e-12)
    _, _, work = model.trace(row, PROBLEM)
    assert work["pe_bus"][0] == 1 and work["degree"][1] == 0


def test_a_bus_that_data_only_passes_at_the_end_of_a_chain_limits_nothing() -> None:
    """The slow bus 0 has no memory and one neighbour: its processing element moves on to the fast bus 1."""
    row = chip([0], [1], [SLOW, FAST], [-1, 0], [0] * 4, [0] * 4)
    assert latency(row) == pytest.approx(2 * FAST_S, rel=1e-12)


def test_two_ends_in_use_keep_the_slow_middle_out() -> None:
    """Buses 1 and 2 have both; the slow bus 0 between them has neither and goes: they are neighbours then."""
    row = chip([1, 2], [1, 2], [SLOW, FAST, FAST], [-1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1])
    assert latency(row) == pytest.approx(2 * FAST_S, rel=1e-12)
    _, _, work = model.trace(row, PROBLEM)
    assert work["near"][1, 0] == 2 and work["near"][2, 0] == 1
    assert work["degree"].tolist() == [0, 1, 1, 0]


def test_a_star_without_its_middle_goes_through_its_first_arm() -> None:
    row = chip([1, 2, 3], [1, 2, 3], [FAST, SLOW, FAST, FAST], [-1, 0, 0, 0], [0, 1, 2, 1], [0, 1, 2, 1])
    _, _, work = model.trace(row, PROBLEM)
    assert work["degree"].tolist() == [0, 2, 1, 1]
    assert work["across"][2, 3] == 0b1110  # what second reads crosses the slow bus 1
    assert latency(row) == pytest.approx(2 * SLOW_S, rel=1e-12)


def test_a_link_without_a_common_task_is_cut() -> None:
    """Everything on bus 0; an idle processing element and memory on bus 1 are left behind."""
    row = chip([0, 1], [0, 1], [FAST, SLOW], [-1, 0], [0] * 4, [0] * 4)
    _, _, work = model.trace(row, PROBLEM)
    assert work["degree"].tolist() == [0, 0, 0, 0]
    assert latency(row) == pytest.approx(2 * FAST_S, rel=1e-12)


def test_a_triangle_is_crossed_directly() -> None:
    row = chip([0, 1], [0, 2], [FAST, SLOW, FAST], [2, 0, 1], [0, 0, 0, 1], [0, 1, 1, 0])
    _, _, work = model.trace(row, PROBLEM)
    assert work["across"][0, 2] == 0b101  # not over the slow bus 1, which nothing but stop used and which is gone
    assert work["degree"].tolist() == [1, 0, 1, 0] and work["pe_bus"][1] == 2
    assert latency(row) == pytest.approx(2 * FAST_S, rel=1e-12)


def test_a_link_that_is_given_twice_is_one() -> None:
    twice = chip([0, 1], [0, 1], [FAST, SLOW], [1, 0], [0, 0, 1, 1], [0, 1, 1, 1])
    once = chip([0, 1], [0, 1], [FAST, SLOW], [-1, 0], [0, 0, 1, 1], [0, 1, 1, 1])
    assert latency(twice) == latency(once)


def test_tasks_of_the_first_processing_element_come_first() -> None:
    assert order(chip([0, 0], [0], [FAST], [-1], [0, 1, 0, 1], [0] * 4)) == ["start", "second", "first", "stop"]
    assert order(chip([0, 0], [0], [FAST], [-1], [1, 1, 0, 0], [0] * 4)) == ["second", "stop", "start", "first"]


def test_tasks_are_listed_on_a_bus_as_the_walk_meets_them() -> None:
    """Processing element 0 runs the sink only; on the bus writers are met before their readers."""
    assert order(chip([0, 0], [0], [FAST], [-1], [1, 1, 1, 0], [0] * 4)) == ["stop", "start", "first", "second"]


@pytest.mark.parametrize(
    ("row", "fate", "place"),
    [
        (chip([0, 1], [0], [FAST, FAST], [-1, -1], [0, 1, 0, 0], [0] * 4), PE_UNREACHABLE, 1),
        (chip([0], [0, 1], [FAST, FAST], [-1, -1], [0] * 4, [0, 0, 1, 0]), MEMORY_UNREACHABLE, 2),
        (chip([0], [0, -1], [FAST], [-1], [0] * 4, [0, 0, 1, 0]), MEMORY_UNREACHABLE, 2),
        (chip([0], [0], [FAST], [-1], [0, 0, 0, 3], [0] * 4), TASK_PE, 3),
        (chip([0, 1], [1], [FAST, FAST], [-1, 0], [1] * 4, [0] * 4), CUT_OFF, 0),
    ],
)
def test_what_cannot_work_is_refused(row: Platforms, fate: int, place: int) -> None:
    _, fates, places, violations = model.simulate(row[None], PROBLEM)
    assert (fates[0], places[0]) == (fate, place) and violations[0] > 0
