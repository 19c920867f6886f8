"""A layer as a product of matrices, and the product as folds of an array: sizes only.

All functions here are compiled and work on one layer and one array.  Dataflows are numbered as in ``DATAFLOWS``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.errors import WorkloadError
from simulators.systolic import layers

Words = NDArray[np.int64]

DATAFLOWS = ("os", "ws", "is")
OS, WS, IS = range(3)

ZERO = np.int64(0)  # what counters start from: a plain 0 would make Numba compile functions called with it twice


class Shape(NamedTuple):
    """Sizes of a layer.

    Attributes:
        height, width: of the input, padding included.
        taps_h, taps_w: of the filter.
        channels: input channels of one group.
        stride: the same along both axes.
        out_h, out_w: of the output; one more than usual where the stride does not divide.
        m, n, k: the layer is the product of an (m, k) and a (k, n) matrix: pixels, filters, taps times channels.
    """

    height: int
    width: int
    taps_h: int
    taps_w: int
    channels: int
    stride: int
    out_h: int
    out_w: int
    m: int
    n: int
    k: int


class Folds(NamedTuple):
    """How a layer is cut into uses of the array.

    Attributes:
        dataflow: see ``DATAFLOWS``.
        rows, columns: of the array.
        down, across, time: extents of the product along rows, columns and time.
        row_folds, column_folds: number of cuts; row folds are the inner loop.
        first: line of a fold at which operands start to stream; stationary ones are loaded before.
        fold_lines: cycles of one fold, the same for all.
        lines: cycles of all folds without stalls.
    """

    dataflow: int
    rows: int
    columns: int
    down: int
    across: int
    time: int
    row_folds: int
    column_folds: int
    first: int
    fold_lines: int
    lines: int


def check(table: Words) -> None:
    """Refuses layers that the reference program does not know.

    Args:
        table: layers, see ``simulators.systolic.layers.COLUMNS``.

    Raises:
        WorkloadError: a table of another shape, two different strides, or dilation.
    """
    if table.ndim != 2 or table.shape[1] != len(layers.COLUMNS):
        raise WorkloadError(f"systolic: layers must have shape (L, {len(layers.COLUMNS)}), got {table.shape}")
    for index, row in enumerate(table.tolist()):
        strides, dilations = (row[layers.STRIDE_H], row[layers.STRIDE_W]), (row[layers.DILATION_H], row[layers.DILATION_W])
        if strides[0] != strides[1]:
            raise WorkloadError(
                f"systolic: the exact mode knows one stride for both axes; layer {index} has {strides}; take the physical mode"
            )
        if dilations != (1, 1):
            raise WorkloadError(
                f"systolic: the exact mode knows no dilation; layer {index} has {dilations}; take the physical mode"
            )


@njit(cache=True, nogil=True)
def shape(layer: Words) -> Shape:
    """Sizes of a row of ``Network.table``."""
    height, width = layer[layers.IFMAP_H], layer[layers.IFMAP_W]
    taps_h, taps_w = layer[layers.FILTER_H], layer[layers.FILTER_W]
    channels, filters, stride = layer[layers.CHANNELS], layer[layers.NUM_FILTERS], layer[layers.STRIDE_H]
    out_h = ceil_div(height - taps_h + stride, stride)
    out_w = ceil_div(width - taps_w + stride, stride)
    m, k = out_h * out_w, taps_h * taps_w * channels
    return Shape(height, width, taps_h, taps_w, channels, stride, out_h, out_w, m, filters, k)


@njit(cache=True, nogil=True)
def folds(of: Shape, dataflow: int, rows: int, columns: int) -> Folds:
    """The folds of a layer on an array of ``rows`` x ``columns``."""
    if dataflow == OS:
        down, across, time, first = of.m, of.n, of.k, 0
    elif dataflow == WS:
        down, across, time, first = of.k, of.n, of.m, rows
    else:
        down, across, time, first = of.k, of.m, of.n, rows
    row_folds, column_folds = ceil_div(down, rows), ceil_div(across, columns)
    fold_lines = first + rows + columns + time - 2
    lines = row_folds * column_folds * fold_lines
    return Folds(dataflow, rows, columns, down, across, time, row_folds, column_folds, first, fold_lines, lines)


@njit(cache=True, nogil=True)
def ceil_div(a: int, b: int) -> int:
    """``a / b`` rounded up, for positive ``b``."""
    return -(-a // b)


@njit(cache=True, nogil=True)
def windows_overlap(of: Shape) -> bool:
    """Whether one word of the input can belong to several output pixels."""
    return (of.out_h > 1 and of.stride < of.taps_h) or (of.out_w > 1 and of.stride < of.taps_w)


@njit(cache=True, nogil=True)
def outside(size: int, taps: int, stride: int, outs: int) -> int:
    """Taps of the last window along one axis that lie beyond the input; no other window reaches that far."""
    return min(taps, max(0, (outs - 1) * stride + taps - size))


@njit(cache=True, nogil=True)
def asked_words(of: Shape) -> int:
    """Entries of the (m, k) matrix that are words of the input; the others ask for nothing."""
    along_h = of.out_h * of.taps_h - outside(of.height, of.taps_h, of.stride, of.out_h)
    along_w = of.out_w * of.taps_w - outside(of.width, of.taps_w, of.stride, of.out_w)
    return along_h * along_w * of.channels


@njit(cache=True, nogil=True)
def distinct_words(of: Shape) -> int:
    """Distinct words of the input that the layer reads."""
    along_h = touched(of.height, of.taps_h, of.stride, of.out_h)
    along_w = touched(of.width, of.taps_w, of.stride, of.out_w)
    return along_h * along_w * of.channels


@njit(cache=True, nogil=True)
def touched(size: int, taps: int, stride: int, outs: int) -> int:
    """Distinct indices along one axis that windows reach."""
    if taps >= stride:
        return min(size, (outs - 1) * stride + taps)
    return (outs - 1) * taps + min(taps, max(0, size - (outs - 1) * stride))
