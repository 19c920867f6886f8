"""Canonical designs by look-up: for one design the rules of a simulator take longer than its prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.simulator import Simulator

LARGEST = 1 << 20
"""Spaces with more designs are not tabulated: the table would take longer to make than it saves."""
FEW = 64
"""Up to so many designs the table is faster than the rules; beyond, equivalent designs are looked for and merged."""


class Canonical:
    """Maps designs onto their representatives, as the simulator does.

    Args:
        simulator: whose equivalent designs are meant.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator, space = simulator, simulator.space
        self._table: NDArray[np.int8] | None = None
        if simulator.has_equivalents and space.size <= LARGEST and space.nvec.max() <= 127:
            self._table = simulator.canonical(space.unrank(np.arange(space.size))).astype(np.int8)
            self._strides = np.append(np.cumprod(space.nvec[:0:-1].astype(np.int64))[::-1], 1)

    def __call__(self, designs: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.intp] | None]:
        """Representatives, (K, D), and for each design its row among them; None if they are one for one.

        Raises:
            DesignError: the array is wrong.
        """
        if self._table is not None and len(np.shape(designs)) == 2 and np.shape(designs)[0] < FEW:
            given = self.simulator.space.check(designs, who=self.simulator.name)
            return self._table[given @ self._strides].astype(np.int64), None
        representatives = self.simulator.canonical(designs)
        if len(representatives) < FEW or not self.simulator.has_equivalents:
            return representatives.astype(np.int64), None
        ranks = self.simulator.space.rank(representatives)
        _, first, inverse = np.unique(ranks, return_index=True, return_inverse=True)
        return representatives[first].astype(np.int64), inverse
