"""Non-dominated designs and the hypervolume they cover; costs, so smaller is better in every column."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def non_dominated(costs: ArrayLike) -> NDArray[np.bool_]:
    """Which rows no other row dominates (is at least as good in every column and better in one).

    Args:
        costs: (N, K) numbers to minimise; rows with a non-finite entry are never part of the front.

    Returns:
        (N,) bool; equal rows are all kept.
    """
    array = np.atleast_2d(np.asarray(costs, np.float64))
    keep = np.zeros(len(array), bool)
    finite = np.isfinite(array).all(axis=1)
    points, inverse = np.unique(array[finite], axis=0, return_inverse=True)
    # Sorted by the first cost, a row can only be dominated by an earlier one: the first of the rest is on the front, and
    # what it dominates goes.
    front = np.zeros(len(points), bool)
    rest = np.arange(len(points))
    while len(rest):
        front[rest[0]] = True
        rest = rest[(points[rest] < points[rest[0]]).any(axis=1)]
    keep[finite] = front[inverse.reshape(-1)]
    return keep


def hypervolume(costs: ArrayLike, reference: ArrayLike) -> float:
    """Volume dominated by ``costs`` and bounded by ``reference``.

    Args:
        costs: (N, K) numbers to minimise.
        reference: (K,) point that is worse than the front; rows not better than it in every column add nothing.

    Returns:
        The volume, zero where no row is better than the reference.  Exact, by slicing along the last cost.
    """
    array = np.atleast_2d(np.asarray(costs, np.float64))
    corner = np.asarray(reference, np.float64)
    inside = array[np.isfinite(array).all(axis=1) & (array < corner).all(axis=1)]
    if not len(inside):
        return 0.0
    return _slice(inside[non_dominated(inside)], corner)


def _slice(points: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    if points.shape[1] == 1:
        return float(corner[0] - points[:, 0].min())
    ordered = points[np.argsort(points[:, -1], kind="stable")]
    heights = np.append(ordered[1:, -1], corner[-1]) - ordered[:, -1]
    return sum(
        float(height) * _slice(ordered[: row + 1, :-1], corner[:-1]) for row, height in enumerate(heights) if height > 0
    )
