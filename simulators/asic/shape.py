"""Sizes that follow from a layer and a unit."""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from simulators.asic.layout import CLEAN, CONV, DLA, DSCONV, KIND, PES, SHI, STRIDE, TEMPLATE, C, K, R, S, X, Y

DLA_CLUSTER, SHI_CLUSTER = 64, 8  # processing elements of a unit's cluster, if it has so many


class Shape(NamedTuple):
    """A layer as the mappings see it.

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


@njit(cache=True, nogil=True)
def shape(layer, mode):
    """The shape of a layer.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        mode: ``COMPATIBLE``, or ``CLEAN``, which sees a layer of any stride as one of stride 1 with the same output.
    """
    depthwise = layer[KIND] == DSCONV
    k, c, r, s, stride = layer[K], layer[C], layer[R], layer[S], layer[STRIDE]
    rows, columns = (layer[Y] - r) // stride + 1, (layer[X] - s) // stride + 1
    if depthwise:
        k = 1
    if mode == CLEAN:
        return Shape(depthwise, k, c, r, s, rows + r - 1, columns + s - 1, 1, rows, columns)
    return Shape(depthwise, k, c, r, s, layer[Y], layer[X], stride, rows, columns)


@njit(cache=True, nogil=True)
def cluster(layer, unit):
    """Processing elements that work as one: a template spreads filters, or rows, over clusters.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64.

    Returns:
        int64; the unit runs the layer if it has so many processing elements.
    """
    if unit[TEMPLATE] == DLA:
        return min(DLA_CLUSTER, unit[PES]) if layer[KIND] == CONV else 1
    return SHI_CLUSTER if unit[TEMPLATE] == SHI else layer[R]
