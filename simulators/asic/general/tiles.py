"""Sizes of a loop's tiles: regular ones, those at the edge, and what is new in each."""

from __future__ import annotations

from numba import njit

from simulators.asic.general.table import (
    DIM,
    FRESH,
    LAST,
    LAST_FRESH,
    LOOPS,
    OFFSET,
    OUT_FRESH,
    OUT_LAST,
    OUT_LAST_FRESH,
    OUT_LONE,
    OUT_TILE,
    PARALLEL,
    TILE,
)
from simulators.asic.layout import R, S, X, Y


@njit(cache=True, nogil=True)
def set_tiles(loops, sizes, lone_counts_inputs):
    """Fills in the sizes of the tiles of a level.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64.
        sizes: sizes of the dimensions at this level, indexed as a layer row.
        lone_counts_inputs: whether a unit that is alone at the edge counts rows of the input as rows of the output, as in
            MAESTRO.
    """
    row = column = 0
    for i in range(LOOPS):
        loop = loops[i]
        if loop[DIM] == R:
            row = i
        elif loop[DIM] == S:
            column = i
        size, tile, offset = sizes[loop[DIM]], loop[TILE], loop[OFFSET]
        steps = max(0, (size - tile) // offset)
        left = size - (steps + 1) * offset
        loop[FRESH] = 0 if size <= tile and not loop[PARALLEL] else min(tile, offset)
        loop[LAST_FRESH] = max(offset - (tile - left), 0)
        if steps * offset + tile < size or tile > size:
            loop[LAST] = left if left >= 0 else size
        else:
            loop[LAST] = tile
    for i in range(LOOPS):
        loop = loops[i]
        if loop[DIM] == Y or loop[DIM] == X:
            window = loops[row if loop[DIM] == Y else column]
            loop[OUT_TILE] = loop[TILE] - window[TILE] + 1
            loop[OUT_FRESH] = min(loop[TILE], loop[OFFSET])
            loop[OUT_LAST] = loop[LAST] - window[LAST] + 1
            loop[OUT_LAST_FRESH] = min(loop[OFFSET], loop[OUT_LAST])
        else:
            loop[OUT_TILE], loop[OUT_FRESH] = loop[TILE], loop[FRESH]
            loop[OUT_LAST], loop[OUT_LAST_FRESH] = loop[LAST], loop[LAST_FRESH]
        loop[OUT_LONE] = loop[LAST] if lone_counts_inputs else loop[OUT_LAST]


@njit(cache=True, nogil=True)
def active_at_edge(loops, sizes, units):
    """Units at work when the first parallel loop is at its edge.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles.
        sizes: sizes of the dimensions at this level, indexed as a layer row.
        units: of the level.
    """
    for i in range(LOOPS):
        if not loops[i, PARALLEL]:
            continue
        size, tile, offset = sizes[loops[i, DIM]], loops[i, TILE], loops[i, OFFSET]
        if size > offset * (units - 1) + tile:
            rest = size - ((size - tile) // offset + 1) // units * offset * units
            return 1 if rest < tile else (rest - tile) // offset + 1
        if size <= tile:
            return 1
        found = (size - tile) // offset + 1
        return found + 1 if (found - 1) * offset + tile < size else found
    return 1
