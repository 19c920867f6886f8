"""A workload as the mapper reads it: layer shapes, and the sizes that they may be cut into.

The sizes depend on the layer alone, never on the hardware.  So whatever is added to a design (PEs, words, bandwidth) can only
add mappings to choose from.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.layers import Network

Table = NDArray[np.float64]

# Columns of a list of sizes: a size, and into how many parts of it the whole is cut.
SIZE, PARTS = range(2)

MOST_PES = 336
"""No factor that is laid out in space is larger."""

SPLITS = np.array(sorted({1, *(2**n for n in range(1, 21)), *(3 * 2**n for n in range(19))}), np.float64)
"""Into how many parts something may be cut in time: 1, 2, 3, 4, 6, 8, 12, 16 and so on, two to the octave."""

_SIDES = (*range(1, 17), *range(18, 33, 2), 36, 40, 42, 48, 56, 64, 72, 80, 84, 96, 112, 128, 168, 192, 224, 256, 336)
_COUNTS = range(1, 13)


class Layer(NamedTuple):
    """A layer, or with a leading axis (L,) all layers of a workload.

    Attributes:
        shape: (9,) as in ``slots``: one group.
        repeats: (1,) how often it is run.
        filter_rows: (A, 2) sizes, rising, and numbers of parts; ended by zeros, as the next three.  Rows of a filter.
        out_rows: (B, 2) rows of the output.
        channels: (C, 2) input channels.
        filter_sets: (D, 2) filters.
        sent: (A, B) words of inputs that are sent for all outputs, if cut so.
    """

    shape: Table
    repeats: Table
    filter_rows: Table
    out_rows: Table
    channels: Table
    filter_sets: Table
    sent: Table

    @property
    def choices(self) -> int:
        """Most combinations of filter rows, output rows and channels that one layer has."""
        return self.filter_rows.shape[-2] * self.out_rows.shape[-2] * self.channels.shape[-2]


def make_layers(networks: Sequence[Network]) -> Layer:
    """Turns the distinct layers of networks, which are run one after the other, into tables with a leading axis (L,)."""
    rows = [row for network in networks for row in network.table]
    shapes = np.array([_shape(row) for row in rows], np.float64)
    filters, channels, taps, _, outputs, _, stride, dilation, width = shapes.T
    filter_rows, out_rows = _padded(taps, _equal_parts), _padded(outputs, _sizes)
    sent = np.zeros((len(shapes), filter_rows.shape[1], out_rows.shape[1]))
    for layer, a, b in itertools.product(*map(range, sent.shape)):
        size, strip = filter_rows[layer, a, SIZE], out_rows[layer, b, SIZE]
        if size and strip:
            read = all_input_rows(outputs[layer], strip, taps[layer], size, stride[layer], dilation[layer])
            sent[layer, a, b] = read * channels[layer] * width[layer]
    repeats = np.array([[row[layers.REPEATS]] for row in rows], np.float64)
    return Layer(shapes, repeats, filter_rows, out_rows, _padded(channels, _sizes), _padded(filters, _sizes), sent)


def macs(workload: Layer) -> float:
    """Multiply-accumulates of all layers for one input."""
    return float((workload.shape[:, :6].prod(axis=1) * workload.repeats[:, 0]).sum())


@njit(cache=True, nogil=True, error_model="numpy")
def parts(whole, size):
    """Into how many parts of a size something is cut, the last one perhaps smaller."""
    return np.ceil(whole / size)


@njit(cache=True, nogil=True, error_model="numpy")
def input_rows(out_rows, taps, stride, dilation):
    """Input rows that some output rows read through some filter rows."""
    return min(out_rows * taps, (out_rows - 1.0) * stride + (taps - 1.0) * dilation + 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def all_input_rows(out_rows, size, taps, rows, stride, dilation):
    """Input rows that all blocks of ``size`` output rows read through all blocks of ``rows`` filter rows, together."""
    blocks, folds = parts(out_rows, size), parts(taps, rows)
    last_size, last_rows = out_rows - (blocks - 1.0) * size, taps - (folds - 1.0) * rows
    whole = (folds - 1.0) * input_rows(size, rows, stride, dilation) + input_rows(size, last_rows, stride, dilation)
    last = (folds - 1.0) * input_rows(last_size, rows, stride, dilation) + input_rows(last_size, last_rows, stride, dilation)
    return (blocks - 1.0) * whole + last


def _shape(row: NDArray[np.int64]) -> tuple[int, ...]:
    """One ``Layer.shape``.  Layers without windows (1 x 1 filters, matrix products) become a column of single pixels."""
    channels, taps_h, taps_w = row[layers.CHANNELS], row[layers.FILTER_H], row[layers.FILTER_W]
    out_h = _outputs(row, layers.IFMAP_H, layers.FILTER_H, layers.STRIDE_H, layers.DILATION_H)
    out_w = _outputs(row, layers.IFMAP_W, layers.FILTER_W, layers.STRIDE_W, layers.DILATION_W)
    if taps_h == 1 and out_w == 1:  # the only window along a row is all of it: its taps are as good as channels
        channels, taps_w = channels * taps_w, 1
    if taps_h == taps_w == 1:
        return row[layers.NUM_FILTERS], channels, 1, 1, out_h * out_w, 1, 1, 1, 1
    span = (out_w - 1) * row[layers.STRIDE_W] + (taps_w - 1) * row[layers.DILATION_W] + 1
    width = min(out_w * taps_w, span)
    stride, dilation = row[layers.STRIDE_H], row[layers.DILATION_H]
    return row[layers.NUM_FILTERS], channels, taps_h, taps_w, out_h, out_w, stride, dilation, width


def _outputs(row: NDArray[np.int64], size: int, taps: int, stride: int, dilation: int) -> int:
    return int((row[size] - (row[taps] - 1) * row[dilation] - 1) // row[stride] + 1)


def _equal_parts(whole: int) -> list[int]:
    """Sizes that cut ``whole`` into 1, 2, ... parts as equal as can be, rising."""
    return sorted({-(-whole // count) for count in range(1, whole + 1)})


def _sizes(whole: int) -> list[int]:
    """Sizes to cut ``whole`` into: of all on the lists that make as many parts, the smallest; rising."""
    wanted = {size for size in (*_SIDES, *(-(-whole // count) for count in _COUNTS)) if size <= min(whole, MOST_PES)}
    smallest: dict[int, int] = {}
    for size in sorted(wanted, reverse=True):
        smallest[-(-whole // size)] = size
    return sorted(smallest.values())


def _padded(wholes: Table, sizes: Callable[[int], list[int]]) -> Table:
    lists = [sizes(int(whole)) for whole in wholes]
    table = np.zeros((len(lists), max(map(len, lists)) + 1, 2))  # at least one zero ends every list
    for row, whole, values in zip(table, wholes, lists, strict=True):
        row[: len(values), SIZE] = values
        row[: len(values), PARTS] = parts(whole, np.array(values, np.float64))
    return table
