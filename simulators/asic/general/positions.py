"""Positions of a loop: how often each occurs, and which of them are cut short."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.table import (
    DIM,
    EDGE_TIMES,
    FIRST_TIMES,
    LOOPS,
    OFFSET,
    PARALLEL,
    RAGGED,
    SHORT,
    STEADY_TIMES,
    TILE,
    WHOLE,
)

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def set_positions(loops: Words, sizes: Words, units: int) -> None:
    """Fills in the positions of the loops of a level.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles.
        sizes: sizes that are to be covered, indexed as a layer row.
        units: of the level.
    """
    for i in range(LOOPS):
        size, tile, offset = sizes[loops[i, DIM]], loops[i, TILE], loops[i, OFFSET]
        loops[i, FIRST_TIMES], loops[i, STEADY_TIMES], loops[i, EDGE_TIMES] = 1, 0, 0
        if loops[i, PARALLEL]:
            span = tile + offset * (units - 1)  # of all units together
            loops[i, WHOLE], loops[i, SHORT], loops[i, RAGGED] = size <= span, size < span, size < span
            if size > span:
                stride = offset * units
                passes = ((size - tile) // offset + 1) // units - 1  # after the first
                loops[i, STEADY_TIMES] = passes
                covered = (passes + 1) * stride
                if covered + span > size and passes * stride + span != size:
                    rest = size - covered
                    found = int((rest - tile) / offset) + 1  # rounds to zero: less than a tile counts as a unit
                    loops[i, EDGE_TIMES] = 1
                    loops[i, RAGGED] = (found - 1) * offset + tile < rest
        else:
            loops[i, WHOLE], loops[i, SHORT], loops[i, RAGGED] = size <= tile, size < tile, 0
            if size >= tile:
                loops[i, STEADY_TIMES] = (size - tile) // offset
                loops[i, EDGE_TIMES] = loops[i, STEADY_TIMES] * offset + tile < size
