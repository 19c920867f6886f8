"""The two levels of a mapping: the cases of the outer one, each with the time that the inner one takes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.cases import list_cases
from simulators.asic.general.mapping import inner_loops, outer_loops
from simulators.asic.general.positions import set_positions
from simulators.asic.general.table import (
    ACTIVE,
    CASE_SIZE,
    COMPUTE,
    CRITICAL,
    DIM,
    EDGES,
    FILTERS,
    INPUTS,
    LAST,
    LOOP_SIZE,
    LOOPS,
    MOST_CASES,
    OUTPUTS,
    RAGGED_EDGES,
    TILE,
    TIMES,
)
from simulators.asic.general.tiles import active_at_edge, set_tiles
from simulators.asic.layout import CLEAN, DLA, LAYER_SIZE, C, K, R, S, X, Y
from simulators.asic.shape import Shape
from simulators.asic.transfer import delay

Words = NDArray[np.int64]
Floats = NDArray[np.float64]

SUBSETS = 2 << X  # of the dimensions, as bit sets; X is the last one


@njit(cache=True, nogil=True)
def analyse(of: Shape, template: int, pes: int, bandwidth: int, hops: int, mode: int, cases: Words, busy: Floats) -> int:
    """Lists the cases of the outer level.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        cases: ``(MOST_CASES, CASE_SIZE)`` int64, filled in.
        busy: ``(MOST_CASES,)`` float64, filled in with processing elements at work.

    Returns:
        The number of cases.
    """
    sizes = np.empty(LAYER_SIZE, np.int64)
    sizes[K], sizes[C], sizes[R], sizes[S], sizes[Y], sizes[X] = of.k, of.c, of.r, of.s, of.y, of.x
    outer = np.empty((LOOPS, LOOP_SIZE), np.int64)
    units = outer_loops(of, template, pes, outer)
    set_tiles(outer, sizes, mode != CLEAN)
    set_positions(outer, sizes, units)
    found = list_cases(outer, of.depthwise, units, active_at_edge(outer, sizes, units), cases)
    if template == DLA and of.depthwise:  # one level only
        for i in range(found):
            busy[i] = cases[i, ACTIVE]
        return found
    inner = np.empty((LOOPS, LOOP_SIZE), np.int64)
    inner_units = inner_loops(of, template, pes, outer, inner)
    for i in range(LOOPS):
        dim = outer[i, DIM]
        sizes[dim] = min(outer[i, TILE], sizes[dim])
    set_tiles(inner, sizes, mode != CLEAN)
    active = active_at_edge(inner, sizes, inner_units)
    inner_cases = np.empty((MOST_CASES, CASE_SIZE), np.int64)
    known_cycles = np.full(SUBSETS, -1)  # of the inner level, by the dimensions that are cut short
    known_busy = np.empty(SUBSETS)
    for i in range(found):
        regular, ragged = cases[i, EDGES], cases[i, RAGGED_EDGES]
        for edges in (regular, ragged):
            if known_cycles[edges] < 0:
                for j in range(LOOPS):
                    dim = outer[j, DIM]
                    sizes[dim] = outer[j, LAST] if edges >> dim & 1 else outer[j, TILE]
                set_positions(inner, sizes, inner_units)
                count = list_cases(inner, of.depthwise, inner_units, active, inner_cases)
                known_cycles[edges], known_busy[edges] = _inner(inner_cases, count, bandwidth, hops)
        cases[i, COMPUTE] = max(known_cycles[regular], known_cycles[ragged])
        busy[i] = cases[i, ACTIVE] * known_busy[regular]
        if ragged != regular:
            busy[i] += known_busy[ragged] - known_busy[regular]
    return found


@njit(cache=True, nogil=True)
def _inner(cases: Words, found: int, bandwidth: int, hops: int) -> tuple[int, float]:
    """Time of the inner level, and processing elements at work on average."""
    cycles = times = active = 0
    for i in range(found):
        if cases[i, CRITICAL] <= 0:
            continue
        ingress = delay(cases[i, INPUTS] + cases[i, FILTERS], bandwidth, hops)
        if i == 0:
            cycles += cases[i, COMPUTE] + ingress
        else:
            cycles += cases[i, TIMES] * max(cases[i, COMPUTE], ingress, delay(cases[i, OUTPUTS], bandwidth, hops))
        times += cases[i, TIMES]
        active += cases[i, TIMES] * cases[i, ACTIVE]
    return cycles, active / max(times, 1)
