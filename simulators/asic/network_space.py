"""Spaces of networks: which filters, extra convolutions and heights a search may choose, read from ``networks/*.toml``.

Each list carries a mark that says where it comes from (NASAIC is DAC 2020, arXiv 2002.04116):

| mark | meaning |
|---|---|
| M+ | the paper's, confirmed by an independent computation |
| M | the paper's, as far as known |
| m | uncertain: compare with the paper before quoting it |
| I | our choice, where the paper's list is not known |
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic.description import Description, ResNet9, UNet
from simulators.asic.layout import LAYER_SIZE
from simulators.asic.rows import resnet9_rows, unet_rows

FOLDER = Path(__file__).parent / "networks"
MARKS = ("M+", "M", "m", "I")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """One list of a network space.

    Attributes:
        name: ``stem``, ``filters1``, ``extras1``, ... of a ResNet9; ``height``, ``filters0``, ... of a U-Net.
        values: what may be chosen, ascending.
        certainty: one of ``MARKS``.
    """

    name: str
    values: tuple[int, ...]
    certainty: str


@dataclass(frozen=True)
class NetworkSpace:
    """All networks of one kind for one data set.

    A network is a row of values, one per choice.  A U-Net ignores the filters of levels below its height.

    Attributes:
        name: file name without ending, for example ``resnet9-cifar10``.
        kind: ``resnet9`` or ``unet``.
        data: name of the data set.
        image: height and width of its images in pixels.
        channels: channels of its images.
        classes: classes to tell apart; 1 for a U-Net, which marks one foreground.
        choices: the lists.
    """

    name: str
    kind: str
    data: str
    image: int
    channels: int
    classes: int
    choices: tuple[Choice, ...]

    @property
    def count(self) -> int:
        """Number of different networks."""
        sizes = [len(choice.values) for choice in self.choices]
        if self.kind == "resnet9":
            return math.prod(sizes)
        return sum(math.prod(sizes[1 : 1 + height]) for height in self.choices[0].values)

    @cached_property
    def longest(self) -> int:
        """Most layers that a network can have."""
        return len(self.largest().layers())

    def smallest(self) -> Description:
        """The network with the first value of every list."""
        return self.description([choice.values[0] for choice in self.choices])

    def largest(self) -> Description:
        """The network with the last value of every list."""
        return self.description([choice.values[-1] for choice in self.choices])

    def description(self, values: Ints | list[int]) -> Description:
        """The network of a row of values, ``(P,)`` in the order of ``choices``.

        Raises:
            WorkloadError: values that make no network.
        """
        row = [int(value) for value in values]
        if len(row) != len(self.choices):
            names = ", ".join(choice.name for choice in self.choices)
            raise WorkloadError(f"{self.name}: expected {len(self.choices)} values ({names}), got {row}")
        if self.kind == "resnet9":
            return ResNet9(row[0], tuple(row[1::2]), tuple(row[2::2]), self.image, self.classes, self.channels)
        return UNet(tuple(row[1 : 1 + row[0]]), self.image, self.channels)

    def canonical(self, values: Ints) -> Ints:
        """Puts the first value of a list where a U-Net ignores it, so that equal networks have equal rows, ``(N, P)``."""
        if self.kind == "resnet9":
            return values
        level = np.arange(len(self.choices) - 1)
        first = np.array([choice.values[0] for choice in self.choices[1:]], np.int64)
        used = level < values[:, :1]
        return np.column_stack([values[:, :1], np.where(used, values[:, 1:], first)])

    def sample(self, count: int, random: np.random.Generator) -> Ints:
        """Draws networks, each list uniformly and independently, ``(count, P)`` canonical."""
        columns = [random.choice(np.array(choice.values, np.int64), count) for choice in self.choices]
        return self.canonical(np.column_stack(columns))

    def layers(self, values: Ints) -> tuple[Ints, Ints]:
        """Layers of many networks.

        Args:
            values: ``(N, P)`` of the lists.

        Returns:
            ``(N, longest, LAYER_SIZE)`` rows, zero beyond a network's own, and ``(N,)`` numbers of rows.
        """
        values = np.ascontiguousarray(values, np.int64)
        rows = np.zeros((len(values), self.longest, LAYER_SIZE), np.int64)
        lengths = np.empty(len(values), np.int64)
        if self.kind == "resnet9":
            _resnet9_batch(values, self.image, self.classes, self.channels, rows, lengths)
        else:
            _unet_batch(values, self.image, self.channels, rows, lengths)
        return rows, lengths


def network_spaces() -> list[str]:
    """Names that ``load_network_space`` accepts."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load_network_space(name: str) -> NetworkSpace:
    """Reads one space of networks.

    Raises:
        UnknownNameError: no such file in ``networks``.
    """
    if name not in network_spaces():
        raise UnknownNameError("network space", name, network_spaces(), "asic")
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    choices = tuple(Choice(each["name"], tuple(each["values"]), each["certainty"]) for each in data["choice"])
    return NetworkSpace(name, data["kind"], data["data"], data["image"], data["channels"], data["classes"], choices)


@njit(cache=True, nogil=True)
def _resnet9_batch(values: Ints, image: int, classes: int, channels: int, rows: Ints, lengths: Ints) -> None:
    for index in range(len(values)):
        network = values[index]
        lengths[index] = resnet9_rows(network[0], network[1::2], network[2::2], image, classes, channels, rows[index])


@njit(cache=True, nogil=True)
def _unet_batch(values: Ints, image: int, channels: int, rows: Ints, lengths: Ints) -> None:
    for index in range(len(values)):
        lengths[index] = unet_rows(values[index, 1:], values[index, 0], image, channels, rows[index])
