"""Statistics of the studies: interquartile means with stratified bootstrap intervals, shares, probability of superiority."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES = 2000


def interquartile_mean(values: ArrayLike) -> float:
    """Mean of the middle half of all values (Agarwal et al., 2021)."""
    return float(stats.trim_mean(np.asarray(values, np.float64), 0.25))


def stratified_interval(strata: Sequence[ArrayLike], level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile bootstrap interval of the interquartile mean over all strata; values are resampled within their stratum.

    Args:
        strata: one array of values per task.
        level: of confidence.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)
    drawn = [np.asarray(values, np.float64)[rng.integers(0, len(values), (RESAMPLES, len(values)))] for values in strata]
    means = stats.trim_mean(np.concatenate(drawn, axis=1), 0.25, axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(successes: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    interval = stats.binomtest(successes, total).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def superiority(first: ArrayLike, second: ArrayLike) -> float:
    """Chance that a value of ``first`` is smaller than one of ``second``, ties counted half."""
    x, y = np.asarray(first, np.float64)[:, None], np.asarray(second, np.float64)[None, :]
    return float(np.mean((x < y) + 0.5 * (x == y)))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's adjusted p-values, in the order given."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def additive_r2(levels: NDArray[np.int32], values: ArrayLike, counts: ArrayLike) -> float:
    """Share of the variance of log ``values`` that main effects explain.

    Args:
        levels: (K, D) designs.
        values: (K,) positive metric.
        counts: (K,) weights: how many designs each row stands for.
    """
    y, w = np.log(np.asarray(values, np.float64)), np.asarray(counts, np.float64)
    columns = [np.ones((len(y), 1))]
    for column in levels.T:
        hot = column[:, None] == np.unique(column)[None, 1:]
        columns.append(hot.astype(np.float64))
    design, root = np.concatenate(columns, axis=1), np.sqrt(w)
    fitted = design @ np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
    mean = np.average(y, weights=w)
    return float(1 - np.average((y - fitted) ** 2, weights=w) / np.average((y - mean) ** 2, weights=w))
