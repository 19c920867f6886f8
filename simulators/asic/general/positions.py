"""Positions of a loop: how often each occurs, and which of them are cut short."""

from __future__ import annotations

from numba import njit

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


@njit(cache=True, nogil=True)
def set_positions(loops, sizes, units):
    """Fills in the positions of the loops of a level.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles.
        sizes: sizes that are to be covered, indexed as a layer row.
        units: of the level.
    """
    for i in range(LOOPS):
        loop = loops[i]
        size, tile, offset = sizes[loop[DIM]], loop[TILE], loop[OFFSET]
        loop[FIRST_TIMES], loop[STEADY_TIMES], loop[EDGE_TIMES] = 1, 0, 0
        if loop[PARALLEL]:
            span = tile + offset * (units - 1)  # of all units together
            loop[WHOLE], loop[SHORT], loop[RAGGED] = size <= span, size < span, size < span
            if size > span:
                stride = offset * units
                passes = ((size - tile) // offset + 1) // units - 1  # after the first
                loop[STEADY_TIMES] = passes
                covered = (passes + 1) * stride
                if covered + span > size and passes * stride + span != size:
                    rest = size - covered
                    found = int((rest - tile) / offset) + 1  # rounds to zero: less than a tile counts as a unit
                    loop[EDGE_TIMES] = 1
                    loop[RAGGED] = (found - 1) * offset + tile < rest
        else:
            loop[WHOLE], loop[SHORT], loop[RAGGED] = size <= tile, size < tile, 0
            if size >= tile:
                loop[STEADY_TIMES] = (size - tile) // offset
                loop[EDGE_TIMES] = loop[STEADY_TIMES] * offset + tile < size
