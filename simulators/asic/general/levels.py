"""The two levels of a mapping: the cases of the outer one, each with the time that the inner one takes."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.asic.general.cases import list_cases
from simulators.asic.general.mapping import inner_loops, outer_loops
from simulators.asic.general.positions import set_positions
from simulators.asic.general.table import (
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
from simulators.asic.transfer import delay

SUBSETS = 1 << LAYER_SIZE  # of the dimensions, as bit sets


@njit(cache=True, nogil=True)
def analyse(of, template, pes, bandwidth, hops, mode, cases):
    """Lists the cases of the outer level.

    Args:
        of: the layer, a ``Shape``.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        cases: ``(MOST_CASES, CASE_SIZE)`` int64, filled in.

    Returns:
        The number of cases.
    """
    sizes = np.empty(LAYER_SIZE, np.int64)
    sizes[K], sizes[C], sizes[R], sizes[S], sizes[Y], sizes[X] = of.k, of.c, of.r, of.s, of.y, of.x
    positions = np.empty(LOOPS, np.int64)
    outer = np.empty((LOOPS, LOOP_SIZE), np.int64)
    units = outer_loops(of, template, pes, outer)
    set_tiles(outer, sizes, mode != CLEAN)
    set_positions(outer, sizes, units)
    found = list_cases(outer, of.depthwise, units, active_at_edge(outer, sizes, units), positions, cases)
    if template == DLA and of.depthwise:  # one level only
        return found
    inner = np.empty((LOOPS, LOOP_SIZE), np.int64)
    inner_units = inner_loops(of, template, pes, outer, inner)
    for i in range(LOOPS):
        dim = outer[i, DIM]
        sizes[dim] = min(outer[i, TILE], sizes[dim])
    set_tiles(inner, sizes, mode != CLEAN)
    active = active_at_edge(inner, sizes, inner_units)
    inner_cases = np.empty((MOST_CASES, CASE_SIZE), np.int64)
    known = np.full(SUBSETS, -1)  # cycles of the inner level by the dimensions that are cut short
    for i in range(found):
        case = cases[i]
        for edges in (case[EDGES], case[RAGGED_EDGES]):
            if known[edges] < 0:
                for j in range(LOOPS):
                    dim = outer[j, DIM]
                    sizes[dim] = outer[j, LAST] if edges >> dim & 1 else outer[j, TILE]
                set_positions(inner, sizes, inner_units)
                count = list_cases(inner, of.depthwise, inner_units, active, positions, inner_cases)
                known[edges] = _cycles(inner_cases, count, bandwidth, hops)
        case[COMPUTE] = max(known[case[EDGES]], known[case[RAGGED_EDGES]])
    return found


@njit(cache=True, nogil=True)
def _cycles(cases, found, bandwidth, hops):
    """Time of the inner level."""
    cycles = 0
    for i in range(found):
        case = cases[i]
        if case[CRITICAL] <= 0:
            continue
        ingress = delay(case[INPUTS] + case[FILTERS], bandwidth, hops)
        if i == 0:
            cycles += case[COMPUTE] + ingress
        else:
            cycles += case[TIMES] * max(case[COMPUTE], ingress, delay(case[OUTPUTS], bandwidth, hops))
    return cycles
