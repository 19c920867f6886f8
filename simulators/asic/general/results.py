"""Elements that a case takes back from the units of a level, and its multiply-accumulates.

Both are products over the loops.  ``extend`` multiplies one loop to the product of those around it, so that cases that share
outer positions share the work.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.table import (
    CRITICAL,
    DIM,
    EDGE,
    EDGES,
    FIRST,
    FIRST_TIMES,
    LAST,
    LOOPS,
    OUT_FRESH,
    OUT_LAST,
    OUT_LAST_FRESH,
    OUT_LONE,
    OUT_TILE,
    OUTPUTS,
    PARALLEL,
    RAGGED,
    RAGGED_EDGES,
    RANK,
    TILE,
    TIMES,
    WORK,
)
from simulators.asic.general.traffic import at_edge, summed

Words = NDArray[np.int64]

# Columns of a product over the loops from the outermost on.  The first ones are those of a case: TIMES to RANK.
(
    OUT_HEAD,  # output elements of the first unit
    OUT_OTHER,  # of every other unit
    OUT_RAGGED,  # of a ragged last unit
    DEPTH,  # multiply-accumulates of the first unit
    FULL,  # of a unit whose parallel loops are not cut short
    CUT,  # of a unit whose parallel loops are all cut short
    IS_SPREAD,  # whether some loop of the output is parallel
    IS_OUT_EDGE,  # whether such a loop is cut short
    IS_OUT_RAGGED,  # whether such a loop has a ragged last unit
    IS_EDGE,  # whether any parallel loop is cut short
    IS_RAGGED,  # whether the innermost parallel loop has a ragged last unit
    ADVANCED,  # the innermost loop not in its first position; -1 if all are
    EDGE_LOOPS,  # number of loops in their edge position
    PLACE,  # positions of the parallel loops as a number
    PRODUCT_SIZE,
) = range(RANK + 1, RANK + 16)


@njit(cache=True, nogil=True)
def begin(products: Words) -> None:
    """Writes the product over no loops."""
    for column in range(PRODUCT_SIZE):
        products[0, column] = 0
    for column in (TIMES, OUT_HEAD, OUT_OTHER, OUT_RAGGED, DEPTH, FULL, CUT):
        products[0, column] = 1
    products[0, ADVANCED] = -1


@njit(cache=True, nogil=True)
def extend(loops: Words, i: int, position: int, output: bool, active: int, products: Words) -> None:
    """Multiplies a loop to the product of the loops around it.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles and positions.
        i: index of the loop.
        position: of the loop.
        output: whether the output has its dimension.
        active: units at work if a parallel loop is at its edge.
        products: ``(LOOPS + 1, PRODUCT_SIZE)`` int64; row ``i`` is the product so far, the next row is filled in.
    """
    at = i + 1
    for column in range(PRODUCT_SIZE):
        products[at, column] = products[i, column]
    products[at, TIMES] *= loops[i, FIRST_TIMES + position]
    if position != FIRST:
        products[at, ADVANCED] = i
        products[at, EDGE_LOOPS] += position == EDGE
        products[at, RANK] = 8 * (3 * i + position) - products[at, EDGE_LOOPS]
    short = at_edge(loops, i, position)
    whole, last = (loops[i, OUT_TILE], loops[i, OUT_LAST]) if output else (loops[i, TILE], loops[i, LAST])
    if not loops[i, PARALLEL]:
        amount = last if short else whole
        products[at, DEPTH] *= amount
        products[at, FULL] *= amount
        products[at, CUT] *= amount
        if output:
            products[at, OUT_HEAD] *= amount
            products[at, OUT_OTHER] *= amount
            products[at, OUT_RAGGED] *= amount
        if short:
            products[at, EDGES] |= 1 << loops[i, DIM]
            products[at, RAGGED_EDGES] |= 1 << loops[i, DIM]
        return
    ragged = short and loops[i, RAGGED] == 1
    products[at, PLACE] = 3 * products[at, PLACE] + position
    products[at, IS_EDGE] |= short
    products[at, IS_RAGGED] = ragged
    if short and active == 1:
        products[at, EDGES] |= 1 << loops[i, DIM]
    if (short and active == 1) or ragged:
        products[at, RAGGED_EDGES] |= 1 << loops[i, DIM]
    head = whole
    if active == 1 and short:
        if position == EDGE:
            head = loops[i, OUT_LONE] if output else last
        elif ragged:
            head = last
    products[at, DEPTH] *= head
    products[at, FULL] *= whole
    products[at, CUT] *= last
    if output:
        products[at, IS_SPREAD] = 1
        products[at, IS_OUT_EDGE] |= short
        products[at, IS_OUT_RAGGED] |= ragged
        products[at, OUT_HEAD] *= head
        products[at, OUT_OTHER] *= max(loops[i, OUT_FRESH], 1)
        products[at, OUT_RAGGED] *= loops[i, OUT_LAST_FRESH] if ragged else max(loops[i, OUT_FRESH], 1)


@njit(cache=True, nogil=True)
def finish(products: Words, units: int, active: int, cases: Words, found: int) -> None:
    """Writes the results of a case from the product over all loops.

    Args:
        products: ``(LOOPS + 1, PRODUCT_SIZE)`` int64.
        units: of the level.
        active: units at work if a parallel loop is at its edge.
        cases: ``(MOST_CASES, CASE_SIZE)`` int64.
        found: row of the case.
    """
    for column in range(RANK + 1):
        cases[found, column] = products[LOOPS, column]
    cases[found, CRITICAL] = products[LOOPS, DEPTH]
    cases[found, OUTPUTS] = products[LOOPS, OUT_HEAD]
    if products[LOOPS, IS_SPREAD]:
        working = active if products[LOOPS, IS_OUT_EDGE] else units
        cut = products[LOOPS, IS_OUT_RAGGED] == 1
        head, other, last = products[LOOPS, OUT_HEAD], products[LOOPS, OUT_OTHER], products[LOOPS, OUT_RAGGED]
        cases[found, OUTPUTS] = summed(head, other, last, cut, working)
    if products[LOOPS, IS_EDGE]:
        cut = products[LOOPS, IS_RAGGED] == 1
        cases[found, WORK] = summed(products[LOOPS, DEPTH], products[LOOPS, FULL], products[LOOPS, CUT], cut, active)
    else:
        cases[found, WORK] = units * products[LOOPS, DEPTH]
