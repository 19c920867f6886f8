"""Accuracy from a formula, for studies that would take too long with training.  Every result it touches says so.

    accuracy = low + (high - low) (1 - exp(-c x)) + noise

``low`` and ``high`` are the accuracies that NASAIC (DAC 2020, arXiv 2002.04116) gives for the smallest network and for the
best one; c is fitted to stand-ins trained on generated pictures (``experiments/calibrate_surrogate.py``).  All numbers and
their certainty are in ``surrogate.toml``.

x measures how much a network computes: for each block (the stem, a residual block, a level of a U-Net) log2(1 + m / m0),
where m counts the block's multiplications and m0 those of the same block with the first value of every list; summed over the
blocks, and scaled so that the smallest network of the space has 0 and the largest has 1.  Trained stand-ins follow it more
closely than the same sum over weights.
"""

from __future__ import annotations

import hashlib
import math
import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from simulators.asic.accuracy.interface import check_task
from simulators.asic.description import Description
from simulators.asic.layout import C, K, R, S, X, Y
from simulators.asic.network_space import load_network_space

DATA = Path(__file__).with_name("surrogate.toml")
_BLOCK = re.compile(r"(stem)$|b(\d)_|(?:d|u|up)(\d)")


@dataclass(frozen=True)
class Curve:
    """Constants of a task.

    Attributes:
        space: name of the network space whose smallest and largest networks have x = 0 and x = 1.
        low: accuracy at x = 0.
        high: accuracy that is approached as x grows.
        low_certainty: a mark of ``network_space.MARKS``.
        high_certainty: a mark of ``network_space.MARKS``.
        c: how fast.
        noise: standard deviation.
    """

    space: str
    low: float
    high: float
    low_certainty: str
    high_certainty: str
    c: float
    noise: float


class Surrogate:
    """A formula instead of training."""

    name = "surrogate"
    label = "surrogate (a formula, no training)"

    @property
    def identity(self) -> str:
        """Changes with the constants."""
        return f"{self.name}-{hashlib.sha256(DATA.read_bytes()).hexdigest()[:16]}"

    def evaluate(self, task: str, description: Description, seed: int) -> float:
        """As ``interface.Accuracy``: the formula with noise that network and seed decide.

        Raises:
            UnknownNameError: no such task.
            WorkloadError: a network that is not of the task's kind.
        """
        known = mean(task, description)
        text = f"{task} {type(description).__name__} {sorted(asdict(description).items())} {seed}"
        entropy = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
        noisy = known + np.random.default_rng(entropy).normal(0, curve(task).noise)
        return float(min(max(noisy, 0.0), 1.0))


def mean(task: str, description: Description) -> float:
    """The formula without noise; errors as of ``Surrogate.evaluate``."""
    check_task(task, description)
    constants = curve(task)
    return constants.low + (constants.high - constants.low) * -math.expm1(-constants.c * capacity(task, description))


def capacity(task: str, description: Description) -> float:
    """The formula's x: 0 for the smallest network of the task's space, 1 for the largest; never negative."""
    smallest, largest = _ends(task)
    return max(0.0, (_sum_of_logs(task, description) - smallest) / (largest - smallest))


@cache
def curve(task: str) -> Curve:
    """The constants of a task."""
    return Curve(**tomllib.loads(DATA.read_text())["curve"][task])


@cache
def _ends(task: str) -> tuple[float, float]:
    space = load_network_space(curve(task).space)
    return _sum_of_logs(task, space.smallest()), _sum_of_logs(task, space.largest())


@cache
def _references(task: str) -> dict[str, int]:
    """Multiplications of each block of the network with the first value of every list, at the greatest height."""
    space = load_network_space(curve(task).space)
    first = [choice.values[-1 if choice.name == "height" else 0] for choice in space.choices]
    return _block_macs(space.description(first))


def _sum_of_logs(task: str, description: Description) -> float:
    references = _references(task)
    macs = _block_macs(description)
    return sum(math.log2(1 + count / references[block]) for block, count in macs.items() if block in references)


def _block_macs(description: Description) -> dict[str, int]:
    """Multiplications of the convolutions of each block; the last layer, which only reads out, belongs to none."""
    macs: dict[str, int] = {}
    for name, row in zip(description.layer_names(), description.layers(), strict=True):
        if found := _BLOCK.match(name):
            block = next(part for part in found.groups() if part is not None)
            outputs = (row[Y] - row[R] + 1) * (row[X] - row[S] + 1)
            macs[block] = macs.get(block, 0) + int(row[K] * row[C] * row[R] * row[S] * outputs)
    return macs
