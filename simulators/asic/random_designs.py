"""Random units: the hardware half of a random design."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.asic.layout import BANDWIDTH, PES, TEMPLATE, TEMPLATES, UNIT_SIZE

PE_STEP, PE_TOTAL = 32, 4096
BANDWIDTH_STEP, BANDWIDTH_TOTAL = 8, 64  # elements a cycle; GB/s at 1 GHz


def sample_units(count: int, units: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draws hardware: templates uniformly, sizes and bandwidths uniformly among all that keep their totals.

    Args:
        count: how many, N.
        units: units of each, k.
        random: where the numbers come from.

    Returns:
        ``(N, k, UNIT_SIZE)``.
    """
    drawn = np.empty((count, units, UNIT_SIZE), np.int64)
    drawn[:, :, TEMPLATE] = random.integers(len(TEMPLATES), size=(count, units))
    drawn[:, :, PES] = PE_STEP * _shares(count, units, PE_TOTAL // PE_STEP, random)
    drawn[:, :, BANDWIDTH] = BANDWIDTH_STEP * _shares(count, units, BANDWIDTH_TOTAL // BANDWIDTH_STEP, random)
    return drawn


def _shares(count: int, parts: int, total: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Uniform among all tuples of positive integers whose sum is at most ``total``, ``(count, parts)``.

    Each tuple stands for one set of distinct numbers up to the total: its running sums.
    """
    marks = np.sort(random.random((count, total)).argsort(axis=1)[:, :parts], axis=1) + 1
    return np.diff(marks, axis=1, prepend=0)
