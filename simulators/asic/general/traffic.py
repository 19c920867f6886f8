"""Elements of a tensor that a case brings to the units of a level."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.table import (
    DIM,
    EDGE,
    FIRST,
    FRESH,
    LAST,
    LAST_FRESH,
    LOOPS,
    PARALLEL,
    RAGGED,
    SHORT,
    TILE,
    WHOLE,
)

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def at_edge(loops: Words, i: int, position: int) -> bool:
    """Whether a loop is cut short in a position."""
    return position == EDGE or (position == FIRST and loops[i, SHORT] == 1)


@njit(cache=True, nogil=True)
def summed(first: int, other: int, ragged: int, cut: bool, units: int) -> int:
    """Amount of all units: the first, the others, and the last one if it is ragged.

    Args:
        first: amount of the first unit.
        other: amount of every other unit.
        ragged: amount of a ragged last unit.
        cut: whether the last unit is ragged.
        units: at work.
    """
    if units == 1:
        return first
    if cut:
        return first + (units - 2) * other + ragged
    return first + (units - 1) * other


@njit(cache=True, nogil=True)
def brought(loops: Words, positions: Words, advanced: int, dims: int, units: int, active: int) -> int:
    """Elements of a tensor that a case brings.

    The tensor is fetched if the loop that advanced is one of its own; else the model takes it that the tiles are still there.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles and positions.
        positions: ``(LOOPS,)`` int64, the case; only those of parallel loops matter beside ``advanced``.
        advanced: the innermost loop not in its first position; -1 if all are.
        dims: bit set of the tensor's dimensions.
        units: of the level.
        active: units at work if the parallel loop is at its edge.
    """
    if advanced >= 0 and not dims >> loops[advanced, DIM] & 1:
        return 0
    restarted = False  # some loop of the tensor inside the one that advanced begins anew
    for i in range(advanced + 1, LOOPS):
        if advanced >= 0 and dims >> loops[i, DIM] & 1 and not loops[i, WHOLE]:
            restarted = True
    first = alone = other = ragged = 1
    spread = edge = cut = False
    for i in range(LOOPS):
        if not dims >> loops[i, DIM] & 1:
            continue
        if not loops[i, PARALLEL]:
            amount = loops[i, LAST] if loops[i, SHORT] else loops[i, TILE]
            if i == advanced and not restarted:
                amount = max(loops[i, FRESH], 1)
            first, alone, other, ragged = first * amount, alone * amount, other * amount, ragged * amount
            continue
        position = positions[i]
        short = at_edge(loops, i, position)
        spread, edge = True, edge or short
        reused = advanced >= 0 and (i > advanced if position == FIRST else i == advanced and not restarted)
        first *= loops[i, TILE]
        other *= loops[i, FRESH] if reused else loops[i, TILE]
        if short and loops[i, RAGGED]:
            cut = True
            alone *= loops[i, LAST]
            ragged *= loops[i, LAST_FRESH] if reused else loops[i, LAST]
        else:
            alone *= loops[i, TILE]
            ragged *= loops[i, FRESH] if reused else loops[i, TILE]
    if not spread:
        return first
    if not edge:
        return summed(first, other, 0, False, units)
    return summed(alone if cut and active == 1 else first, other, ragged, cut, active)
