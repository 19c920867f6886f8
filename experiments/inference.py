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


def anytime_area(designs: ArrayLike, quantiles: ArrayLike, size: int) -> float:
    """Mean over log10(designs) of -log10(quantile + 1 / size): one number for a whole anytime curve, larger is better.

    Args:
        designs: (M,) numbers of designs at which the curve was read, rising.
        quantiles: (M,) share of the space that is better than the best design so far.
        size: designs in the space.
    """
    x = np.log10(np.asarray(designs, np.float64))
    y = -np.log10(np.asarray(quantiles, np.float64) + 1 / size)
    return float(np.trapezoid(y, x) / (x[-1] - x[0]))


def additive_r2(levels: NDArray[np.int32], values: ArrayLike) -> float:
    """Share of the variance of log ``values`` that main effects explain.

    Args:
        levels: (N, D) designs, a uniform sample of the space or all of it.
        values: (N,) positive metric.
    """
    y = np.log(np.asarray(values, np.float64))
    columns = [np.ones((len(y), 1))]
    for column in levels.T:
        hot = column[:, None] == np.unique(column)[None, 1:]
        columns.append(hot.astype(np.float64))
    design = np.concatenate(columns, axis=1)
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return float(1 - np.var(y - fitted) / np.var(y))
