"""Which part of a layer is in the buffers at a time, and the DRAM traffic that follows.

A tile is a block of output pixels (whole images of the batch, whole rows, or parts of a row) by a block of filters by a block
of channels; partial sums stay on the chip until they are done.  Three orders of the tile loops are compared for every block of
pixels: the inputs of a tile stay while all filters pass; filters stay while all inputs pass; neither stays, and outputs do.
An operand that fits as a whole is fetched once.  The order and the tile with the least traffic are taken.

Larger buffers only add tiles to choose from, so they never add traffic.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.folds import OS, ceil_divide

# Columns of a table of pixel blocks.
PIXELS, INPUTS, PASSES, FETCHED = range(4)

Candidates = NDArray[np.float64]


def pixel_blocks(row: NDArray[np.int64], images: int) -> Candidates:
    """Blocks of output pixels to choose from, halving from everything to a single pixel.

    Args:
        row: a layer, a row of ``Network.table``.
        images: images that share the layer's weights.

    Returns:
        (B, 4) float64: output pixels of a block; input pixels (of one channel) it needs, padding included; blocks in all;
        input pixels that all blocks together fetch, overlaps counted as often as they are fetched, padding not at all.
    """
    height, width = _axis(row, "h"), _axis(row, "w")
    blocks = []
    for group in _halvings(images):
        rest = height.inputs(height.outputs) * width.inputs(width.outputs)
        fetched = images * height.fetched(height.outputs) * width.fetched(width.outputs)
        blocks.append((group * height.outputs * width.outputs, group * rest, -(-images // group), fetched))
    for rows in _halvings(height.outputs)[1:]:
        inputs = height.inputs(rows) * width.inputs(width.outputs)
        fetched = images * height.fetched(rows) * width.fetched(width.outputs)
        blocks.append((rows * width.outputs, inputs, images * height.parts(rows), fetched))
    for columns in _halvings(width.outputs)[1:]:
        fetched = images * height.fetched(1) * width.fetched(columns)
        parts = images * height.outputs * width.parts(columns)
        blocks.append((columns, height.inputs(1) * width.inputs(columns), parts, fetched))
    return np.array(blocks, np.float64)


class _Axis:
    """One axis of a layer: how many inputs a run of outputs reads."""

    def __init__(self, size: int, taps: int, stride: int, dilation: int, padding: int) -> None:
        self.extent = (taps - 1) * dilation + 1
        self.outputs = (size - self.extent) // stride + 1
        unread = size - (self.outputs - 1) * stride - self.extent  # at the far end, padding first
        self.stride, self.padding = min(stride, self.extent), max(0, padding - unread)

    def inputs(self, outputs: int) -> int:
        """Inputs under ``outputs`` neighbouring outputs; those that a long stride skips are not read."""
        return (outputs - 1) * self.stride + self.extent

    def parts(self, outputs: int) -> int:
        """Runs of ``outputs`` outputs that the axis takes."""
        return -(-self.outputs // outputs)

    def fetched(self, outputs: int) -> int:
        """Inputs that all runs fetch, overlaps repeated, padding left out."""
        parts = self.parts(outputs)
        return max(1, (self.outputs - parts) * self.stride + parts * self.extent - self.padding)


def _axis(row: NDArray[np.int64], axis: str) -> _Axis:
    names = ("ifmap", "filter", "stride", "dilation", "pad")
    return _Axis(*(int(row[layers.COLUMNS.index(f"{name}_{axis}")]) for name in names))


def _halvings(size: int) -> list[int]:
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // 2))
    return sizes


@numba.njit(cache=True, nogil=True)
def least_traffic(
    blocks: Candidates,
    n_blocks: int,
    channels: float,
    taps: float,
    n: float,
    slice_channels: float,
    word: float,
    output: float,
    ifmap_bytes: float,
    filter_bytes: float,
    ofmap_bytes: float,
) -> tuple[float, float, float, float]:
    """DRAM traffic of inputs and weights of one group of a layer under the best tiling.

    Args:
        blocks: of ``pixel_blocks``.
        n_blocks: how many of its rows count.
        channels: of the input.
        taps: of a filter, per channel.
        n: filters.
        slice_channels: channels that are in the buffers at least.
        word: bytes of an input or weight.
        output: bytes that an output takes in its buffer (a partial sum is wider than a result).
        ifmap_bytes: capacity for inputs.
        filter_bytes: capacity for weights.
        ofmap_bytes: capacity for outputs.

    Returns:
        Bytes of inputs, bytes of weights, blocks of pixels, blocks of filters; infinite bytes if nothing fits.
    """
    weights = channels * taps * n * word
    filter_size = channels * taps * word
    whole_weights = weights <= filter_bytes
    whole_inputs = blocks[0, INPUTS] * channels * word <= ifmap_bytes
    best, best_inputs, best_weights, best_m, best_n = np.inf, np.inf, np.inf, 1.0, 1.0
    resident = np.floor(filter_bytes / filter_size)
    slices = np.floor(filter_bytes / (slice_channels * taps * word))
    for index in range(n_blocks):
        inside = blocks[index, INPUTS] * word
        held = min(np.floor(ofmap_bytes / (blocks[index, PIXELS] * output)), n)
        if held < 1.0 or slices < 1.0 or inside * slice_channels > ifmap_bytes:
            continue
        passes = blocks[index, PASSES]
        # Parts of an input that is on the chip as a whole are not fetched twice for their overlap.
        inputs = blocks[0 if whole_inputs else index, FETCHED] * channels * word
        again = 1.0 if whole_weights else passes
        if inside * channels <= ifmap_bytes and inputs + weights * again < best:
            best, best_inputs, best_weights, best_m, best_n = inputs + weights * again, inputs, weights * again, passes, 1.0
        filters = min(held, resident)
        if filters >= 1.0:
            turns = ceil_divide(n, filters)
            cost = inputs if whole_inputs else inputs * turns
            if cost + weights < best:
                best, best_inputs, best_weights, best_m, best_n = cost + weights, cost, weights, passes, turns
        turns = ceil_divide(n, min(held, slices))
        cost = inputs if whole_inputs else inputs * turns
        if cost + weights * again < best:
            best, best_inputs, best_weights, best_m, best_n = cost + weights * again, cost, weights * again, passes, turns
    return best_inputs, best_weights, best_m, best_n


@numba.njit(cache=True, nogil=True)
def least_channels(dataflow: int, rows: float, taps: float, channels: float) -> float:
    """Channels that must be in the buffers at least: one (os), or what the rows of the array sum over (ws, is)."""
    if dataflow == OS:
        return 1.0
    return min(channels, ceil_divide(rows, taps))
