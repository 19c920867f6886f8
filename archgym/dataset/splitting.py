"""Groups of trials that must stay on one side of a split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.dataset.selecting import number, words
from archgym.errors import ArgumentError, DataError
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace

WAYS = ("canonical", "design", "agent", "workload")
"""What a split can go by."""


def check_fraction(fraction: float) -> None:
    """Raises ``ArgumentError`` unless the fraction is a number between 0 and 1."""
    if isinstance(fraction, bool) or not isinstance(fraction, int | float | np.number) or not 0 < fraction < 1:
        raise ArgumentError(f"fraction must be between 0 and 1, the share of groups that the test side gets, got {fraction!r}")


def check_seed(seed: int) -> None:
    """Raises ``ArgumentError`` unless the seed is a whole number from 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ArgumentError(f"seed must be a whole number from 0, got {seed!r}")


def held_out(groups: int, what: str, fraction: float, seed: int) -> NDArray[np.bool_]:
    """(groups,) bool, which groups the test side gets: ``fraction`` of them, rounded, at least one and not all.

    Raises:
        DataError: fewer than two groups.
    """
    if groups < 2:
        raise DataError(f"cannot split by {what}: all trials share one, and a split needs at least two")
    count = min(max(round(fraction * groups), 1), groups - 1)
    chosen = np.zeros(groups, bool)
    chosen[np.random.default_rng(seed).permutation(groups)[:count]] = True
    return chosen


def classes(space: DesignSpace, designs: Designs, simulators: Sequence[Simulator]) -> NDArray[np.int64]:
    """Numbers designs so that two share a number if any of the simulators holds them for equivalent, directly or in a chain.

    Workloads differ in what they cannot tell apart.  Trials of all of them may stand in one dataset, so equivalence on one
    is enough to keep two designs together.

    Args:
        space: of the designs.
        designs: (N, D), no design twice.
        simulators: of that space; none makes every design a class of its own.
    """
    label = np.arange(len(designs), dtype=np.int64)
    partitions = [number(words(space, simulator.canonical(designs)))[1] for simulator in simulators]
    changed = True
    while changed:
        before = label
        for partition in partitions:
            least = np.full(int(partition.max(initial=-1)) + 1, len(designs), np.int64)
            np.minimum.at(least, partition, label)
            label = least[partition]
        changed = len(partitions) > 1 and not np.array_equal(before, label)
    return np.unique(label, return_inverse=True)[1].reshape(-1).astype(np.int64)


def name_groups(names: Sequence[str]) -> tuple[NDArray[np.int64], int]:
    """Numbers names: each one's number by alphabet, and how many there are."""
    found: Mapping[str, int] = {name: position for position, name in enumerate(sorted(set(names)))}
    return np.array([found[name] for name in names], np.int64), len(found)
