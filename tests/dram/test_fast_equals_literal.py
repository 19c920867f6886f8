"""The fast engine against the literal one, on random small traces and controllers: all outcomes equal."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.dram import fast, layout
from simulators.dram.literal import engine as literal
from simulators.dram.memory import Memory, load_memory

MEMORIES = ["ddr3-1600", "ddr4-2400"]
# Choices of each parameter, in the order of ``layout``; small buffers are where the rules meet.
CHOICES: list[list[int]] = [
    [0, 1, 2, 3],
    [0, 1, 2],
    [0, 1, 2],
    [1, 2, 3, 4, 6, 8, 16, 128],
    [0, 1],
    [0, 1, 1],
    [1, 2, 3, 8],
    [1, 2, 3, 8],
    [0, 1, 2],
    [1, 2, 3, 4, 8, 16, 128],
]


@dataclass(frozen=True)
class Line:
    """One request: player clocks after the one before, direction, and where it goes."""

    gap: int
    write: int
    bank: int
    row: int
    column: int
    above: int  # address bits above the map: they matter to the hazard check only


def address(memory: Memory, line: Line) -> int:
    banks = int(memory.timing[layout.BANKS_PER_GROUP])
    bank = line.bank % int(memory.timing[layout.BANKS])
    value = (line.row << memory.fields["row"][0]) + (line.column << memory.fields["column"][0])
    value += (bank % banks) << memory.fields["bank"][0]
    if "bank_group" in memory.fields:
        value += (bank // banks) << memory.fields["bank_group"][0]
    return value + (line.above << memory.address_bits)


def arguments(memory: Memory, player_mhz: int, lines: list[Line]) -> tuple[Any, ...]:
    period_ps = round(1e6 / player_mhz)
    addresses = np.array([address(memory, line) for line in lines], np.int64)
    times = np.cumsum([line.gap for line in lines]).astype(np.int64) * period_ps
    writes = np.array([line.write for line in lines], np.uint8)
    return memory.timing, times, period_ps, writes, memory.bank(addresses), memory.row(addresses), addresses


def compare(controllers: np.ndarray, arguments: tuple[Any, ...]) -> None:
    expected = literal.simulate(controllers, *arguments)
    got = fast.simulate(controllers, *arguments)
    wrong = np.argwhere(got != expected)
    message = "".join(
        f"\ncontroller {controllers[i].tolist()}: outcome {j} is {got[i, j]}, the literal engine has {expected[i, j]}"
        for i, j in wrong[:5]
    )
    assert len(wrong) == 0, message


def random_controllers(rng: np.random.Generator, count: int) -> np.ndarray:
    return np.stack([rng.choice(choice, count) for choice in CHOICES], axis=1).astype(np.int64)


gaps = st.one_of(
    st.sampled_from([0, 0, 0, 1, 1, 2, 4, 5]),
    st.integers(0, 60),
    st.integers(60, 3000),
    st.integers(6150, 6350),  # about one refresh interval of the DDR3 at its own clock
    st.integers(9300, 9400),  # and of the DDR4
)
# One draw for each place and each controller, since drawing costs more than simulating.
places = st.sampled_from(list(itertools.product([0, 1], [0, 0, 0, 1, 1, 2, 5, 9], [0, 1, 2], [0, 0, 8, 16], [0, 0, 0, 1])))
requests = st.builds(lambda gap, place: Line(gap, *place), gaps, places)
controllers = st.sampled_from(random_controllers(np.random.default_rng(1), 20_000).tolist())
player_clocks = st.one_of(st.sampled_from([300, 800, 1000, 1200, 2000]), st.integers(100, 2000))


@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(MEMORIES),
    player_clocks,
    st.lists(requests, min_size=1, max_size=40),
    st.lists(controllers, min_size=6, max_size=6),
)
def test_drawn_traces(memory: str, player_mhz: int, lines: list[Line], designs: list[list[int]]) -> None:
    compare(np.array(designs, np.int64), arguments(load_memory(memory), player_mhz, lines))


def random_lines(rng: np.random.Generator, count: int) -> list[Line]:
    """A trace with a character: its own mean gap, share of writes, number of banks and of rows."""
    gap = rng.choice([0, 1, 2, 5, 12, 30, 80, 400])
    writes, banks, rows, columns = rng.choice([0, 0, 0.2, 0.5]), rng.integers(1, 17), rng.integers(1, 6), rng.integers(1, 9)
    spacing = rng.choice(["even", "spread", "bursts"])
    lines = []
    for _ in range(count):
        pause = {"even": gap, "spread": rng.integers(0, 2 * gap + 1), "bursts": (rng.random() < 0.05) * gap * 20}[spacing]
        where = (int(rng.integers(banks)), int(rng.integers(rows)), 8 * int(rng.integers(columns)))
        lines.append(Line(int(pause), int(rng.random() < writes), *where, 0))
    return lines


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("seed", range(20))
def test_random_traces(memory: str, seed: int) -> None:
    rng = np.random.default_rng([seed, MEMORIES.index(memory)])
    designs = random_controllers(rng, 40)
    player_mhz = int(rng.choice([100, 300, 533, 800, 1000, 1200, 1600, 2000]))
    compare(designs, arguments(load_memory(memory), player_mhz, random_lines(rng, 400)))


def test_one_request() -> None:
    designs = np.array([[choice[0] for choice in CHOICES]], np.int64)
    for write in (0, 1):
        compare(designs, arguments(load_memory("ddr3-1600"), 800, [Line(0, write, 0, 0, 0, 0)]))
