"""Sizes of a loop's tiles: regular ones, those at the edge, and what is new in each."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

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

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def set_tiles(loops: Words, sizes: Words, lone_counts_inputs: bool) -> None:
    """Fills in the sizes of the tiles of a level.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64.
        sizes: sizes of the dimensions at this level, indexed as a layer row.
        lone_counts_inputs: whether a unit that is alone at the edge counts rows of the input as rows of the output, as in
            MAESTRO.
    """
    row = column = 0
    for i in range(LOOPS):
        if loops[i, DIM] == R:
            row = i
        elif loops[i, DIM] == S:
            column = i
        size, tile, offset = sizes[loops[i, DIM]], loops[i, TILE], loops[i, OFFSET]
        steps = max(0, (size - tile) // offset)
        left = size - (steps + 1) * offset
        loops[i, FRESH] = 0 if size <= tile and not loops[i, PARALLEL] else min(tile, offset)
        loops[i, LAST_FRESH] = max(offset - (tile - left), 0)
        if steps * offset + tile < size or tile > size:
            loops[i, LAST] = left if left >= 0 else size
        else:
            loops[i, LAST] = tile
    for i in range(LOOPS):
        if loops[i, DIM] == Y or loops[i, DIM] == X:
            window = loops[row if loops[i, DIM] == Y else column]
            loops[i, OUT_TILE] = loops[i, TILE] - window[TILE] + 1
            loops[i, OUT_FRESH] = min(loops[i, TILE], loops[i, OFFSET])
            loops[i, OUT_LAST] = loops[i, LAST] - window[LAST] + 1
            loops[i, OUT_LAST_FRESH] = min(loops[i, OFFSET], loops[i, OUT_LAST])
        else:
            loops[i, OUT_TILE], loops[i, OUT_FRESH] = loops[i, TILE], loops[i, FRESH]
            loops[i, OUT_LAST], loops[i, OUT_LAST_FRESH] = loops[i, LAST], loops[i, LAST_FRESH]
        loops[i, OUT_LONE] = loops[i, LAST] if lone_counts_inputs else loops[i, OUT_LAST]


@njit(cache=True, nogil=True)
def active_at_edge(loops: Words, sizes: Words, units: int) -> int:
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
