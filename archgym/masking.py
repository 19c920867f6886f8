"""Which levels of the next parameter can still lead to a design that meets the constraints."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from archgym.space import Designs, DesignSpace

LIMIT = 16_384
"""Subspaces with more points are not enumerated."""

TABLES = 1024
"""How many enumerated subspaces are remembered."""


class LevelMasks:
    """Masks for setting the parameters of a design one after the other, in column order.

    A level is masked if it does not exist, or if every completion of the design breaks a constraint.  The latter is found
    by enumeration, so only from the first parameter on after which at most ``limit`` completions remain; before it every
    level that exists is open.  Designs that a simulator calls INVALID only while pricing them are not foreseen.  A
    beginning that cannot be completed any more has all its levels open.

    Attributes:
        width: levels of the longest parameter, L.
        start: column from which constraints decide.
    """

    def __init__(self, space: DesignSpace, limit: int = LIMIT) -> None:
        self.space = space
        self.width = int(space.nvec.max())
        sizes = [int(levels) for levels in space.nvec]
        self.start = next(column for column in range(len(sizes) + 1) if math.prod(sizes[column:]) <= limit)
        self._exists = np.arange(self.width) < space.nvec[:, None]
        self._tables: dict[bytes, list[NDArray[np.bool_]]] = {}

    def of(self, beginnings: Designs) -> NDArray[np.bool_]:
        """Open levels of the next parameter.

        Args:
            beginnings: (N, k) levels of the first k parameters, k < D.

        Returns:
            (N, L) bool, at least one True per row.
        """
        n, column = beginnings.shape
        masks = np.repeat(self._exists[column : column + 1], n, axis=0)
        if not self.space.constraints or column < self.start:
            return masks
        heads, which = np.unique(beginnings[:, : self.start], axis=0, return_inverse=True)
        for index, head in enumerate(heads):
            rows = np.flatnonzero(which.reshape(-1) == index)
            feasible = self._feasible(head)[column - self.start]
            masks[rows, : feasible.shape[-1]] = feasible[tuple(beginnings[rows, self.start :].T)]
        masks[~masks.any(axis=1)] = self._exists[column]
        return masks

    def _feasible(self, head: NDArray[np.int32]) -> list[NDArray[np.bool_]]:
        """Per number of further parameters set, whether a completion exists: arrays of shape nvec[start : start + 1 + i]."""
        key = head.tobytes()
        if key not in self._tables:
            if len(self._tables) >= TABLES:
                self._tables.clear()
            shape = tuple(int(levels) for levels in self.space.nvec[self.start :])
            tails = np.indices(shape).reshape(len(shape), -1).T
            designs = np.concatenate([np.repeat(head[None], len(tails), axis=0), tails], axis=1)
            valid = (self.space.violation(designs) == 0).reshape(shape)
            self._tables[key] = [valid.any(axis=tuple(range(i + 1, len(shape)))) for i in range(len(shape))]
        return self._tables[key]
