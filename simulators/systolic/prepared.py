"""A network as the kernels of the physical model read it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.layers import Network
from simulators.systolic.memory import Memory
from simulators.systolic.tiling import pixel_blocks

# Columns of ``Prepared.shapes``: sizes of one group of one distinct layer, for the whole batch.
M, N, K, CHANNELS, TAPS, REPEATS, BLOCKS = range(7)


@dataclass(frozen=True)
class Prepared:
    """Distinct layers of a network and the blocks of output pixels that tiles may have.

    Attributes:
        network: where it comes from.
        batch: inputs that are run together.
        shapes: (L, 7) float64.
        blocks: (L, B, 4) float64, see ``tiling``; rows beyond ``shapes[:, BLOCKS]`` are padding.
        access: (L, 2, 3) float64: time and energy of a DRAM word of inputs, weights and outputs, relative to the memory's
            best; ones unless a DRAM simulator prices them (``memory``).
    """

    network: Network
    batch: int
    shapes: NDArray[np.float64]
    blocks: NDArray[np.float64]
    access: NDArray[np.float64]

    @property
    def macs(self) -> float:
        """Multiply-accumulates of the whole batch."""
        return float(np.prod(self.shapes[:, [M, N, K, REPEATS]], axis=1).sum())


def prepare(network: Network, batch: int = 1, memory: Memory | None = None) -> Prepared:
    """Lowers a network to matrix products.

    A batch lengthens M where weights are shared, and repeats the layer where both operands are activations.
    """
    shapes, tables = [], []
    for row in network.table:
        lowered = _product_as_pointwise(row)
        images = 1 if lowered[layers.ACTIVATIONS] else batch
        blocks = pixel_blocks(lowered, images)
        taps = lowered[layers.FILTER_H] * lowered[layers.FILTER_W]
        channels = lowered[layers.CHANNELS]
        repeats = lowered[layers.REPEATS] * (batch // images)
        pixels = blocks[0, 0]  # the first block is everything
        shapes.append((pixels, lowered[layers.NUM_FILTERS], taps * channels, channels, taps, repeats, len(blocks)))
        tables.append(blocks)
    padded = np.zeros((len(tables), max(map(len, tables)), 4))
    for index, blocks in enumerate(tables):
        padded[index, : len(blocks)] = blocks
    access = np.ones((len(tables), 2, 3)) if memory is None else memory.access(network)
    return Prepared(network, batch, np.array(shapes, np.float64), padded, access)


def _product_as_pointwise(row: NDArray[np.int64]) -> NDArray[np.int64]:
    """A matrix product, written as the convolution of one channel, becomes a 1 x 1 convolution of K channels."""
    is_product = row[layers.FILTER_H] == 1 and row[layers.FILTER_W] == row[layers.IFMAP_W] and row[layers.CHANNELS] == 1
    if not is_product:
        return row
    lowered = row.copy()
    lowered[layers.CHANNELS] = row[layers.IFMAP_W]
    lowered[[layers.IFMAP_W, layers.FILTER_W, layers.STRIDE_W, layers.DILATION_W]] = 1
    lowered[layers.PAD_W] = 0
    return lowered
