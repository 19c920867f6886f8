"""The layers of the searched networks, written row by row into an array; compiled, for batches of networks."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.layout import CONV, KIND, STRIDE, C, K, R, S, X, Y

Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def convolution(row: Ints, filters: int, channels: int, kernel: int, size: int) -> None:
    """A square convolution of stride 1 on a map of ``size`` rows and columns, padding included."""
    row[KIND] = CONV
    row[K] = filters
    row[C] = channels
    row[R] = kernel
    row[S] = kernel
    row[Y] = size
    row[X] = size
    row[STRIDE] = 1


@njit(cache=True, nogil=True)
def resnet9_rows(stem: int, filters: Ints, extras: Ints, image: int, classes: int, channels: int, rows: Ints) -> int:
    """Stem; per block a convolution, a pooling that halves the map, extra convolutions; fully connected.

    Args:
        stem: filters of the first convolution.
        filters: ``(B,)`` filters of each block.
        extras: ``(B,)`` extra convolutions of each block.
        image: height and width of the input.
        classes: outputs.
        channels: of the input.
        rows: at least ``(2 + B + sum of extras, LAYER_SIZE)``, filled from the top.

    Returns:
        Number of rows.
    """
    convolution(rows[0], stem, channels, 3, image + 2)
    at = 1
    above = stem
    size = image
    for block in range(len(filters)):
        width = filters[block]
        convolution(rows[at], width, above, 3, size + 2)
        at += 1
        size //= 2
        for _ in range(extras[block]):
            convolution(rows[at], width, width, 3, size + 2)
            at += 1
        above = width
    convolution(rows[at], classes, above, 1, 1)
    return at + 1


@njit(cache=True, nogil=True)
def unet_rows(filters: Ints, height: int, image: int, channels: int, rows: Ints) -> int:
    """Two convolutions per level on the way down; an up-convolution and two convolutions per level on the way up.

    An up-convolution stands as a 2x2 convolution of stride 1 on the doubled map plus one row and one column, as MAESTRO takes
    it: four times the multiplications of a transposed convolution of stride 2.

    Args:
        filters: filters of each level from the top, at least ``height`` of them.
        height: number of levels.
        image: height and width of the input.
        channels: of the input.
        rows: at least ``(5 * height - 2, LAYER_SIZE)``, filled from the top.

    Returns:
        Number of rows.
    """
    at = 0
    above = channels
    for level in range(height):
        size = image >> level
        convolution(rows[at], filters[level], above, 3, size + 2)
        convolution(rows[at + 1], filters[level], filters[level], 3, size + 2)
        at += 2
        above = filters[level]
    for level in range(height - 2, -1, -1):
        size = image >> level
        width = filters[level]
        convolution(rows[at], width, filters[level + 1], 2, size + 1)
        convolution(rows[at + 1], width, 2 * width, 3, size + 2)  # the map of the way down beside the one from below
        convolution(rows[at + 2], width, width, 3, size + 2)
        at += 3
    convolution(rows[at], 1, filters[0], 1, image)
    return at + 1
