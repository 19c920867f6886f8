"""Descriptions of the searched networks: what is priced and what is trained are read from the same record.

A description counts layers, multiplications and parameters; a trainer builds a module from it.  Both follow these rules.

* Every 3x3 convolution keeps the size (padding 1, stride 1), has no bias and is followed by batch normalisation with two
  parameters per output channel, then ReLU.
* ``ResNet9``: a stem convolution; then per block a convolution, a 2x2 max-pool (rounding down) and the block's extra
  convolutions at the halved size, with one identity skip around all of them (no skip where there are none).  At the end a
  global pooling and a fully connected layer with bias.
* ``UNet``: per level two convolutions, and a 2x2 max-pool after every level but the deepest.  On the way up, per level an
  up-convolution (transposed 2x2, stride 2, with bias, without batch normalisation) to the level's filters, the concatenation
  of the level's map and the up-sampled one, and two convolutions.  At the end a 1x1 convolution with bias to one map.

Pooling, additions, concatenation, batch normalisation and activations cost nothing in the cost model and are no layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.errors import WorkloadError
from simulators.asic.layout import LAYER_SIZE, C, K, R, S, X, Y
from simulators.asic.rows import resnet9_rows, unet_rows


@dataclass(frozen=True)
class ResNet9:
    """A residual classifier: a stem and a few blocks, each of which halves the image.

    Attributes:
        stem: filters of the first convolution.
        filters: filters of each block.
        extras: extra convolutions of each block.
        image: height and width of the input in pixels.
        classes: outputs of the fully connected layer.
        channels: channels of the input.

    Raises:
        WorkloadError: a number that is too small, lists of different length, or more blocks than the image can be halved.
    """

    stem: int
    filters: tuple[int, ...]
    extras: tuple[int, ...]
    image: int
    classes: int
    channels: int = 3

    def __post_init__(self) -> None:
        _check("ResNet9", (self.stem, *self.filters, self.image, self.classes, self.channels))
        if not self.filters or len(self.extras) != len(self.filters) or min(self.extras) < 0:
            raise WorkloadError(
                f"ResNet9: expected a number of extra convolutions (0 or more) for each of one or more blocks, "
                f"got the filters {self.filters} and the extras {self.extras}"
            )
        if self.image >> len(self.filters) < 1:
            raise WorkloadError(f"ResNet9: an image of {self.image} pixels cannot be halved {len(self.filters)} times")

    def __str__(self) -> str:
        return f"ResNet9({self.stem}; {_listed(self.filters)}; {_listed(self.extras)})"

    def layers(self) -> NDArray[np.int64]:
        """Rows for the cost model, ``(L, LAYER_SIZE)``, in the order of computation."""
        rows = np.zeros((2 + len(self.filters) + sum(self.extras), LAYER_SIZE), np.int64)
        resnet9_rows(self.stem, np.array(self.filters), np.array(self.extras), self.image, self.classes, self.channels, rows)
        return rows

    def layer_names(self) -> tuple[str, ...]:
        """A name for each row: ``stem``, ``b1_conv``, ``b1_x1``, ..., ``fc``."""
        names = ["stem"]
        for block, extra in enumerate(self.extras, start=1):
            names += [f"b{block}_conv", *(f"b{block}_x{each}" for each in range(1, extra + 1))]
        return (*names, "fc")

    def macs(self) -> int:
        """Multiplications of one input image."""
        return _macs(self.layers())

    def parameters(self) -> int:
        """Numbers that training sets."""
        return _parameters(self.layers())


@dataclass(frozen=True)
class UNet:
    """A segmenter that goes down a few levels and up again, with a skip on each level.

    Attributes:
        filters: filters of each level, from the top; their number is the height.
        image: height and width of the input in pixels.
        channels: channels of the input.

    Raises:
        WorkloadError: a number that is too small, or an image that the levels do not halve evenly.
    """

    filters: tuple[int, ...]
    image: int
    channels: int = 3

    def __post_init__(self) -> None:
        _check("UNet", (*self.filters, self.image, self.channels))
        if not self.filters:
            raise WorkloadError("UNet: expected the filters of one or more levels, got none")
        step = 1 << (self.height - 1)
        if self.image % step:
            raise WorkloadError(f"UNet: with {self.height} levels the image must be a multiple of {step}, got {self.image}")

    def __str__(self) -> str:
        return f"UNet({_listed(self.filters)})"

    @property
    def height(self) -> int:
        """Number of levels."""
        return len(self.filters)

    def layers(self) -> NDArray[np.int64]:
        """Rows for the cost model, ``(L, LAYER_SIZE)``, in the order of computation."""
        rows = np.zeros((5 * self.height - 2, LAYER_SIZE), np.int64)
        unet_rows(np.array(self.filters), self.height, self.image, self.channels, rows)
        return rows

    def layer_names(self) -> tuple[str, ...]:
        """A name for each row: ``d0_1``, ``d0_2``, ..., ``up0``, ``u0_1``, ``u0_2``, ``out``."""
        down = [f"d{level}_{each}" for level in range(self.height) for each in (1, 2)]
        up = [name for level in reversed(range(self.height - 1)) for name in (f"up{level}", f"u{level}_1", f"u{level}_2")]
        return (*down, *up, "out")

    def macs(self) -> int:
        """Multiplications of one input image, with up-convolutions counted as ``layers`` has them."""
        return _macs(self.layers())

    def parameters(self) -> int:
        """Numbers that training sets."""
        return _parameters(self.layers())


Description = ResNet9 | UNet


def _macs(layers: NDArray[np.int64]) -> int:
    outputs = (layers[:, Y] - layers[:, R] + 1) * (layers[:, X] - layers[:, S] + 1)
    return int((_weights(layers) * outputs).sum())


def _parameters(layers: NDArray[np.int64]) -> int:
    """Weights, two numbers of batch normalisation per filter of a 3x3 convolution, one bias per filter of any other layer."""
    return int((_weights(layers) + layers[:, K] * np.where(layers[:, R] == 3, 2, 1)).sum())


def _weights(layers: NDArray[np.int64]) -> NDArray[np.int64]:
    return layers[:, K] * layers[:, C] * layers[:, R] * layers[:, S]


def _check(who: str, numbers: tuple[int, ...]) -> None:
    if min(numbers) < 1:
        raise WorkloadError(f"{who}: filters, image, classes and channels must be at least 1, got {numbers}")


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(str(number) for number in numbers)
