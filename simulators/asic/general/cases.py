"""All cases of a level: every combination of positions."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.results import ADVANCED, IS_EDGE, PLACE, PRODUCT_SIZE, begin, extend, finish
from simulators.asic.general.table import (
    ACTIVE,
    COMPUTE,
    CRITICAL,
    DIM,
    EDGE,
    FILTERS,
    FIRST,
    FIRST_TIMES,
    INPUTS,
    LOOPS,
)
from simulators.asic.general.traffic import brought
from simulators.asic.layout import C, K, R, S, X, Y

Words = NDArray[np.int64]

PLACES = 9  # positions of the parallel loops of a level, of which there are at most two


@njit(cache=True, nogil=True)
def list_cases(loops: Words, depthwise: bool, units: int, active: int, cases: Words) -> int:
    """Lists the cases of a level, that in which every loop is in its first position first.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles and positions.
        depthwise: whether outputs depend on channels instead of filters.
        units: of the level.
        active: units at work if a parallel loop is at its edge.
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
    positions = np.zeros(LOOPS, np.int64)
    products = np.empty((LOOPS + 1, PRODUCT_SIZE), np.int64)
    traffic = np.empty(((LOOPS + 1) * PLACES, 2), np.int64)  # by the loop that advanced and the positions of parallel loops
    for place in range(len(traffic)):
        traffic[place, 0] = -1
    begin(products)
    found = i = 0
    while True:
        for j in range(i, LOOPS):
            extend(loops, j, positions[j], outputs >> loops[j, DIM] & 1 == 1, active, products)
        finish(products, units, active, cases, found)
        cases[found, COMPUTE] = cases[found, CRITICAL]
        cases[found, ACTIVE] = active if products[LOOPS, IS_EDGE] else units
        advanced = products[LOOPS, ADVANCED]
        place = (advanced + 1) * PLACES + products[LOOPS, PLACE]
        if traffic[place, 0] < 0:
            traffic[place, 0] = brought(loops, positions, advanced, inputs, units, active)
            traffic[place, 1] = brought(loops, positions, advanced, filters, units, active)
        cases[found, INPUTS], cases[found, FILTERS] = traffic[place, 0], traffic[place, 1]
        found += 1
        i = LOOPS - 1
        while i >= 0:
            positions[i] = _next(loops, i, positions[i])
            if positions[i] != FIRST:
                break
            i -= 1
        if i < 0:
            return found


@njit(cache=True, nogil=True)
def _next(loops: Words, i: int, position: int) -> int:
    """The next position of a loop that occurs, or the first."""
    position += 1
    while position <= EDGE and loops[i, FIRST_TIMES + position] == 0:
        position += 1
    return FIRST if position > EDGE else position
