"""All cases of a level: every combination of positions."""

from __future__ import annotations

from numba import njit

from simulators.asic.general.results import taken
from simulators.asic.general.table import (
    ACTIVE,
    COMPUTE,
    CRITICAL,
    DIM,
    EDGE,
    EDGES,
    FILTERS,
    FIRST,
    FIRST_TIMES,
    INPUTS,
    LOOPS,
    OUTPUTS,
    PARALLEL,
    RAGGED,
    RAGGED_EDGES,
    TIMES,
    WORK,
)
from simulators.asic.general.traffic import at_edge, brought
from simulators.asic.layout import C, K, R, S, X, Y


@njit(cache=True, nogil=True)
def list_cases(loops, depthwise, units, active, positions, cases):
    """Lists the cases of a level, that in which every loop is in its first position first.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles and positions.
        depthwise: whether outputs depend on channels instead of filters.
        units: of the level.
        active: units at work if a parallel loop is at its edge.
        positions: ``(LOOPS,)`` int64, overwritten.
        cases: ``(MOST_CASES, CASE_SIZE)`` int64, filled in; ``COMPUTE`` is set to the multiply-accumulates of a unit.

    Returns:
        The number of cases.
    """
    inputs = 1 << C | 1 << Y | 1 << X
    filters = 1 << C | 1 << R | 1 << S
    outputs = 1 << Y | 1 << X
    if depthwise:
        outputs |= 1 << C
    else:
        filters |= 1 << K
        outputs |= 1 << K
    positions[:] = FIRST
    found = 0
    while True:
        case = cases[found]
        times, advanced = 1, -1
        for i in range(LOOPS):
            times *= loops[i, FIRST_TIMES + positions[i]]
            if positions[i] != FIRST:
                advanced = i
        case[TIMES] = times
        case[OUTPUTS], case[WORK], case[CRITICAL] = taken(loops, positions, outputs, units, active)
        case[COMPUTE] = case[CRITICAL]
        case[INPUTS] = brought(loops, positions, advanced, inputs, units, active)
        case[FILTERS] = brought(loops, positions, advanced, filters, units, active)
        _note_edges(loops, positions, units, active, case)
        found += 1
        i = LOOPS - 1
        while i >= 0:
            _step(loops[i], positions, i)
            if positions[i] != FIRST:
                break
            i -= 1
        if i < 0:
            return found


@njit(cache=True, nogil=True)
def _step(loop, positions, i):
    """Moves a loop to its next position that occurs, or back to the first."""
    position = positions[i] + 1
    while position <= EDGE and loop[FIRST_TIMES + position] == 0:
        position += 1
    positions[i] = FIRST if position > EDGE else position


@njit(cache=True, nogil=True)
def _note_edges(loops, positions, units, active, case):
    """Says which dimensions are cut short, for units that are not ragged and for the one that is."""
    edges = ragged_edges = 0
    edge = False
    for i in range(LOOPS):
        if not at_edge(loops[i], positions[i]):
            continue
        bit = 1 << loops[i, DIM]
        if not loops[i, PARALLEL]:
            edges |= bit
            continue
        edge = True
        if active == 1:
            edges |= bit
        elif loops[i, RAGGED]:
            ragged_edges |= bit
    case[EDGES], case[RAGGED_EDGES] = edges, edges | ragged_edges
    case[ACTIVE] = active if edge else units
