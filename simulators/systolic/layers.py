"""What runs on the array: layers as convolutions or matrix products, and networks as lists of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from archgym.errors import WorkloadError

Table = NDArray[np.int64]

# Columns of ``Network.table``, in order.  Sizes are those of ONE group.
COLUMNS = (
    "ifmap_h",  # rows of the input, padding included
    "ifmap_w",
    "filter_h",
    "filter_w",
    "stride_h",
    "stride_w",
    "dilation_h",
    "dilation_w",
    "channels",  # input channels of one group
    "num_filters",  # output channels of one group
    "repeats",  # how often this is run for one input: groups x count, equal layers merged
    "activations",  # 1 if both operands are activations, so that a batch repeats the layer instead of lengthening it
    "pad_h",  # how many of the rows are padding
    "pad_w",
)
(
    IFMAP_H,
    IFMAP_W,
    FILTER_H,
    FILTER_W,
    STRIDE_H,
    STRIDE_W,
    DILATION_H,
    DILATION_W,
    CHANNELS,
    NUM_FILTERS,
    REPEATS,
    ACTIVATIONS,
    PAD_H,
    PAD_W,
) = range(len(COLUMNS))


@dataclass(frozen=True)
class Layer:
    """One convolution or matrix product.

    A matrix product of (M, K) by (K, N) is the convolution of an M x K input of one channel with N filters of 1 x K
    (``Layer.gemm``), as SCALE-Sim has it.

    Attributes:
        name: as in the network.
        ifmap_h, ifmap_w: rows and columns of the input without padding.
        filter_h, filter_w: taps of the filter.
        channels: input channels, all groups together.
        num_filters: output channels, all groups together.
        stride_h, stride_w: steps of the filter.
        pad_h, pad_w: rows and columns of zeros added in all (both sides together).
        dilation_h, dilation_w: distance of taps.
        groups: groups of channels that do not see each other; ``channels`` for a depthwise layer.
        count: how often the layer is run for one input (heads, repeated blocks).
        activations: both operands are activations (attention): a batch repeats the layer, it shares no weights.

    Raises:
        WorkloadError: a size that is not positive, a filter larger than its input, channels that groups do not divide.
    """

    name: str
    ifmap_h: int
    ifmap_w: int
    filter_h: int
    filter_w: int
    channels: int
    num_filters: int
    stride_h: int = 1
    stride_w: int = 1
    pad_h: int = 0
    pad_w: int = 0
    dilation_h: int = 1
    dilation_w: int = 1
    groups: int = 1
    count: int = 1
    activations: bool = False

    def __post_init__(self) -> None:
        for field, value in asdict(self).items():
            least = 0 if field in ("pad_h", "pad_w") else 1
            if field not in ("name", "activations") and value < least:
                raise WorkloadError(f"layer {self.name!r}: {field} must be at least {least}, got {value}")
        for axis, size, taps in (("h", self.padded_h, self.extent_h), ("w", self.padded_w, self.extent_w)):
            if taps > size:
                raise WorkloadError(
                    f"layer {self.name!r}: the filter reaches over {taps} along {axis}, the padded input has only {size}"
                )
        for field in ("channels", "num_filters"):
            if getattr(self, field) % self.groups:
                raise WorkloadError(
                    f"layer {self.name!r}: {field} must be a multiple of groups ({self.groups}), got {getattr(self, field)}"
                )

    @classmethod
    def gemm(cls, name: str, m: int, n: int, k: int, count: int = 1, activations: bool = False) -> Layer:
        """The product of an (m, k) input and a (k, n) matrix of weights (or of activations)."""
        return cls(name, m, k, 1, k, 1, n, count=count, activations=activations)

    @property
    def padded_h(self) -> int:
        """Rows of the input, padding included."""
        return self.ifmap_h + self.pad_h

    @property
    def padded_w(self) -> int:
        """Columns of the input, padding included."""
        return self.ifmap_w + self.pad_w

    @property
    def extent_h(self) -> int:
        """Rows that one filter position reaches over."""
        return (self.filter_h - 1) * self.dilation_h + 1

    @property
    def extent_w(self) -> int:
        """Columns that one filter position reaches over."""
        return (self.filter_w - 1) * self.dilation_w + 1

    @property
    def ofmap_h(self) -> int:
        """Rows of the output."""
        return (self.padded_h - self.extent_h) // self.stride_h + 1

    @property
    def ofmap_w(self) -> int:
        """Columns of the output."""
        return (self.padded_w - self.extent_w) // self.stride_w + 1

    @property
    def m(self) -> int:
        """Output pixels: rows of the matrix product."""
        return self.ofmap_h * self.ofmap_w

    @property
    def n(self) -> int:
        """Filters of one group: columns of the matrix product."""
        return self.num_filters // self.groups

    @property
    def k(self) -> int:
        """Taps times channels of one group: what is summed over."""
        return self.filter_h * self.filter_w * self.channels // self.groups

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all groups and all ``count`` runs."""
        return self.m * self.n * self.k * self.groups * self.count

    def kind(self) -> tuple[int, ...]:
        """What makes two layers equal but for how often they are run."""
        row = self.row()
        return (*row[:REPEATS], *row[REPEATS + 1 :])

    def row(self) -> tuple[int, ...]:
        """This layer as a row of ``Network.table``."""
        return (
            self.padded_h,
            self.padded_w,
            self.filter_h,
            self.filter_w,
            self.stride_h,
            self.stride_w,
            self.dilation_h,
            self.dilation_w,
            self.channels // self.groups,
            self.n,
            self.groups * self.count,
            int(self.activations),
            self.pad_h,
            self.pad_w,
        )


@dataclass(frozen=True)
class Network:
    """A named list of layers.

    Raises:
        WorkloadError: no layers.
    """

    name: str
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise WorkloadError(f"network {self.name!r} has no layer that runs on an array")

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one input."""
        return sum(layer.macs for layer in self.layers)

    @cached_property
    def table(self) -> Table:
        """Distinct layers as rows of ``COLUMNS``, (L, 14) int64; equal ones are merged by adding their repeats."""
        merged: dict[tuple[int, ...], int] = {}
        for layer in self.layers:
            merged[layer.kind()] = merged.get(layer.kind(), 0) + layer.groups * layer.count
        rows = [(*kind[:REPEATS], repeats, *kind[REPEATS:]) for kind, repeats in merged.items()]
        return np.array(rows, np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the layers' sizes: names do not count."""
        return hashlib.sha256(json.dumps([layer.row() for layer in self.layers]).encode()).hexdigest()


def select(network: Network, names: Sequence[str]) -> Network:
    """The named layers of a network, as a network of their own.

    Raises:
        WorkloadError: a name that the network does not have.
    """
    missing = set(names) - {layer.name for layer in network.layers}
    if missing:
        raise WorkloadError(f"network {network.name!r} has no layer named {sorted(missing)}")
    return Network(network.name, tuple(layer for layer in network.layers if layer.name in names))
