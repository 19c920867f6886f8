"""The three templates as lists of loops.

A level first names its own loops.  The inner level gets the loops of dimensions that only the outer one names in front of its
own, each before the one added last; dimensions that a level still lacks follow at its end, whole, in alphabetical order.  The
orders below are the outcome.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.closed_rs import FILTER_TILE
from simulators.asic.general.table import DIM, LOOPS, OFFSET, PARALLEL, TILE
from simulators.asic.layout import DLA, RS, SHI, C, K, R, S, X, Y
from simulators.asic.shape import DLA_CLUSTER, SHI_CLUSTER, Shape

Words = NDArray[np.int64]

# Row: template, then template + 3 if depthwise.  A depthwise dla has one level only.
OUTER = np.array(
    [
        [K, C, R, S, Y, X],
        [K, C, Y, X, R, S],
        [Y, X, C, K, R, S],
        [C, Y, X, R, S, K],
        [C, Y, X, R, S, K],
        [Y, X, C, R, S, K],
    ]
)
INNER = np.array(
    [
        [K, C, Y, X, R, S],
        [Y, C, K, X, R, S],
        [K, C, X, Y, R, S],
        [C, Y, X, R, S, K],
        [Y, C, X, R, S, K],
        [C, X, Y, R, S, K],
    ]
)


@njit(cache=True, nogil=True)
def outer_loops(of: Shape, template: int, pes: int, loops: Words) -> int:
    """Lists the loops of the outer level.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit.
        loops: ``(LOOPS, LOOP_SIZE)`` int64; dimension, kind, tile and offset are filled in.

    Returns:
        Units of the level.
    """
    order = OUTER[template + 3 * of.depthwise]
    parallel, clusters = Y, pes // of.r
    if template == DLA:
        parallel = C if of.depthwise else K
        clusters = pes if of.depthwise else pes // min(DLA_CLUSTER, pes)
    elif template == SHI:
        clusters = pes // SHI_CLUSTER
    for i in range(LOOPS):
        dim = order[i]
        tile, offset = _window(of, dim)
        if dim == C and template == DLA and not of.depthwise:
            tile = offset = min(DLA_CLUSTER, pes)
        elif dim == X and template == SHI:  # no wider than the input, where MAESTRO's own is (README)
            tile, offset = min(SHI_CLUSTER - 1 + of.s, of.x), SHI_CLUSTER
        elif dim == K and template == RS and not of.depthwise:
            tile = offset = FILTER_TILE
        _write(of, loops, i, dim, dim == parallel, tile, offset, True)
    return clusters


@njit(cache=True, nogil=True)
def inner_loops(of: Shape, template: int, pes: int, outer: Words, loops: Words) -> int:
    """Lists the loops of the inner level.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit.
        outer: ``(LOOPS, LOOP_SIZE)`` int64, the loops of the outer level.
        loops: ``(LOOPS, LOOP_SIZE)`` int64; dimension, kind, tile and offset are filled in.

    Returns:
        Units of the level: processing elements of a cluster.
    """
    order = INNER[template + 3 * of.depthwise]
    for i in range(LOOPS):
        dim = order[i]
        tile, offset = _window(of, dim)
        parallel = False
        if template == DLA:
            own, parallel = dim != K, dim == C
        elif template == SHI:
            own, parallel = dim == X or dim == R or dim == S, dim == X
        else:
            own = dim == Y or dim == R or dim == S
            if dim == Y or dim == R:  # both on the same processing elements: a diagonal
                parallel, tile, offset = True, 1, 1
        if own:
            _write(of, loops, i, dim, parallel, tile, offset, False)
        else:
            for j in range(LOOPS):
                if outer[j, DIM] == dim:
                    loops[i, DIM], loops[i, PARALLEL] = dim, 0
                    loops[i, TILE], loops[i, OFFSET] = outer[j, TILE], outer[j, OFFSET]
    if template == DLA:
        return min(DLA_CLUSTER, pes)
    return SHI_CLUSTER if template == SHI else of.r


@njit(cache=True, nogil=True)
def _window(of: Shape, dim: int) -> tuple[int, int]:
    """Tile and offset that a dimension has in most lists: a filter window, or one element."""
    if dim == R:
        return of.r, of.r
    if dim == S:
        return of.s, of.s
    if dim == Y:
        return of.r, 1
    if dim == X:
        return of.s, 1
    return 1, 1


@njit(cache=True, nogil=True)
def _write(of: Shape, loops: Words, i: int, dim: int, parallel: bool, tile: int, offset: int, outermost: bool) -> None:
    """Writes a loop, rows and columns of the input at the layer's stride."""
    extent = of.r if dim == Y else of.s
    if of.stride != 1 and (dim == Y or dim == X) and tile >= extent:
        windows = (tile + of.stride - extent) // of.stride
        tile = windows * min(of.stride, extent) + max(extent - of.stride, 0)
        offset = windows * (of.stride if outermost or extent >= of.stride else extent)
    loops[i, DIM], loops[i, PARALLEL], loops[i, TILE], loops[i, OFFSET] = dim, parallel, tile, offset
