"""Grid: visits every design once, in strides that keep any run of designs spread over the space.  Learns nothing."""

from __future__ import annotations

import math
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from archgym import Agent, Designs, DesignSpace

CANDIDATES = 8
"""Strides compared before the first design."""

HORIZON = 128
"""Designs in a row that the stride keeps apart."""


class Grid(Agent):
    """Exhaustive search in the order of a rank-1 lattice (Korobov 1959; Sloan and Joe 1994).

    Design number k has rank ``start + k x stride`` modulo the size of the space.  ``stride`` and size share no divisor, so
    no design comes twice before all have come, whatever the size.  Each parameter runs through its levels at a pace of its
    own.  Of ``CANDIDATES`` random strides the one is taken whose closest pair of designs within ``HORIZON`` steps is
    farthest apart.  On a lattice that is one look at the multiples of the stride, because two designs m steps apart differ
    by m strides wherever they are.

    What a run finds does not change where it goes: with few designs in a large space it is as good as random search, and it
    pays where the budget covers a good part of the space, or where a run has to end with certainty.  It has no
    hyper-parameters, so the spread of its runs is the spread of seeds alone.
    """

    name = "grid"
    asynchronous = True
    hyperparameters = DesignSpace(())

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self._next = self._draw()
        self._stride = max((self._coprime(self._draw()) for _ in range(CANDIDATES)), key=self._separation)

    def ask(self, n: int) -> Designs:
        """The next ``n`` designs of the lattice, (n, D) int32; after the last one it begins anew."""
        size = self.space.size
        ranks = [(self._next + k * self._stride) % size for k in range(n)]
        self._next = (self._next + n * self._stride) % size
        return self.space.unrank(ranks)

    def _draw(self) -> int:
        """A random rank, however large the space; eight bytes more than needed make it uniform enough."""
        width = self.space.size.bit_length() // 8 + 8
        return int.from_bytes(self.rng.bytes(width), "big") % self.space.size

    def _coprime(self, stride: int) -> int:
        while math.gcd(stride, self.space.size) != 1:
            stride += 1
        return stride

    def _separation(self, stride: int) -> float:
        """Least squared distance of designs within ``HORIZON`` strides; every parameter's range is a circle of length one.

        A parameter repeats after as many ranks as it and those after it have points; that gives its pace.
        """
        cycles = list(accumulate((int(levels) for levels in self.space.nvec[::-1]), mul))[::-1]
        pace = np.array([stride % cycle / cycle for cycle in cycles])
        offsets = np.arange(1, HORIZON + 1)[:, None] * pace % 1.0
        return float((np.minimum(offsets, 1.0 - offsets) ** 2).sum(axis=1).min())
