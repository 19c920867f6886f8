"""Columns of the tables of the general path."""

from __future__ import annotations

# A loop of a level, a row of int64.
(
    DIM,  # index of the dimension in a layer row: layout.K to layout.X
    PARALLEL,  # 1 if the tiles lie on the units of the level
    TILE,  # size of a tile
    OFFSET,  # distance between tiles
    FRESH,  # of a tile, what its predecessor does not hold
    LAST,  # size of the tile at the edge
    LAST_FRESH,
    OUT_TILE,  # the same in elements of the output, for the dimensions that it has
    OUT_FRESH,
    OUT_LAST,
    OUT_LAST_FRESH,
    OUT_LONE,  # output of a unit that is alone at the edge
    FIRST_TIMES,  # how often the first position occurs: once
    STEADY_TIMES,
    EDGE_TIMES,
    SHORT,  # 1 if already the first position is cut short
    WHOLE,  # 1 if the first position covers the dimension
    RAGGED,  # 1 if the last unit of the edge position has less than a tile
    LOOP_SIZE,
) = range(19)
LOOPS = 6  # every dimension once

FIRST, STEADY, EDGE = range(3)  # positions

# A case of a level, a row of int64.
(
    TIMES,  # how often it occurs
    EDGES,  # bit set of the dimensions whose tiles are cut short
    RAGGED_EDGES,  # those of the last unit, which may be cut shorter
    RANK,  # the arithmetic intensity that MAESTRO prints is that of the last case of the highest rank
    INPUTS,  # elements brought to the units
    FILTERS,
    OUTPUTS,  # elements taken back
    WORK,  # multiply-accumulates
    CRITICAL,  # multiply-accumulates of one unit; none: the case takes no time and brings nothing
    ACTIVE,  # units at work
    COMPUTE,  # cycles of one occurrence, without the transfers of this level
    CASE_SIZE,
) = range(12)
MOST_CASES = 81
