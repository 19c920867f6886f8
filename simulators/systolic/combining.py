"""Several networks as one workload: their metrics become one row per design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym import Metric
from archgym.errors import ArgumentError, UnknownNameError

RULES = ("mean", "worst", "weighted")

Values = Mapping[str, NDArray[np.float64]]


def shares(rule: str, weights: Sequence[float] | None, networks: int) -> NDArray[np.float64]:
    """Share of each network, (networks,), summing to one.

    Args:
        rule: "mean" (equal shares), "worst" or "weighted".
        weights: one positive number per network for "weighted", else None.
        networks: how many there are.

    Raises:
        UnknownNameError: no such rule.
        ArgumentError: weights missing, given without need, of wrong number or not positive.
    """
    if rule not in RULES:
        raise UnknownNameError("rule of combination", rule, RULES, owner="systolic")
    if (rule == "weighted") != (weights is not None):
        raise ArgumentError("systolic: weights go with combine='weighted', and only with it")
    if weights is None:
        return np.full(networks, 1 / networks)
    given = np.asarray(weights, np.float64)
    if given.shape != (networks,) or not (np.isfinite(given) & (given > 0)).all():
        raise ArgumentError(f"systolic: weights must be {networks} positive numbers, one per network, got {list(weights)}")
    return np.asarray(given / given.sum())


def combine(rule: str, share: NDArray[np.float64], values: Sequence[Values], metrics: Sequence[Metric]) -> Values:
    """One value per metric and design.

    "mean" and "weighted" average each metric over networks; "worst" takes, of each metric by itself, the worst (the largest
    where the goal is not to maximise).
    """
    if len(values) == 1:
        return values[0]
    combined = {}
    for metric in metrics:
        column = np.stack([each[metric.name] for each in values])
        if rule == "worst":
            combined[metric.name] = column.min(axis=0) if metric.goal == "max" else column.max(axis=0)
        else:
            combined[metric.name] = share @ column
    return combined
