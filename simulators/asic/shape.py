"""A layer as the mappings see it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.layout import CLEAN, DLA, DSCONV, KIND, SHI, STRIDE, C, K, R, S, X, Y

DLA_CLUSTER, SHI_CLUSTER = 64, 8  # processing elements of a cluster; a unit with fewer for dla has one cluster of all


class Shape(NamedTuple):
    """Sizes of a layer.

    Attributes:
        depthwise: each filter sees its own channel only.
        k: filters; 1 if depthwise.
        c: input channels.
        r: rows of a filter.
        s: columns of a filter.
        y: rows of the input.
        x: columns of the input.
        stride: of both axes.
        rows: of the output.
        columns: of the output.
        inputs: elements of the input that are written to the second-level buffer from outside.
        results: elements of the output that are read from it.
    """

    depthwise: bool
    k: int
    c: int
    r: int
    s: int
    y: int
    x: int
    stride: int
    rows: int
    columns: int
    inputs: int
    results: int


@njit(cache=True, nogil=True)
def shape(layer: NDArray[np.int64], mode: int) -> Shape:
    """The sizes of a layer.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        mode: ``COMPATIBLE``, or ``CLEAN``, in which a layer of any stride is one of stride 1 with the same output.
    """
    depthwise, c, r, s, y, x, stride = layer[KIND] == DSCONV, layer[C], layer[R], layer[S], layer[Y], layer[X], layer[STRIDE]
    k, maps = (1, c) if depthwise else (layer[K], layer[K])
    rows, columns = y - r + 1, x - s + 1
    inputs, results = c * y * x, maps * rows * columns  # MAESTRO ignores the stride in what is read
    if stride > 1:
        rows, columns = (y - r) // stride + 1, (x - s) // stride + 1
        if mode == CLEAN:
            y, x, stride, results = rows + r - 1, columns + s - 1, 1, maps * rows * columns
    return Shape(depthwise, k, c, r, s, y, x, stride, rows, columns, inputs, results)


@njit(cache=True, nogil=True)
def cluster(of: Shape, template: int, pes: int) -> int:
    """Processing elements that work as one: a template spreads filters, or rows, over clusters.

    A unit with fewer cannot run the layer.
    """
    if template == DLA:
        return 1 if of.depthwise else min(DLA_CLUSTER, pes)
    return SHI_CLUSTER if template == SHI else of.r
