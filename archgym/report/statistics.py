"""The statistics of the report: interquartile means, exact shares, probability of superiority, variance shares.

numpy only; the rules are those of the protocol: stratified resampling, exact intervals for shares, censored runs stay in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Whole = NDArray[np.intp]

RESAMPLES = 200
LEVEL = 0.95
FEWEST = 5
"""No interval of a mean is given for fewer runs or tickets than this: it would be too narrow by far."""


class Interval(NamedTuple):
    """An estimate with its interval."""

    value: float
    low: float
    high: float


def interquartile_mean(values: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Mean of the middle half along the first axis (Agarwal et al., 2021), parts of a value counted at the edges.

    Args:
        values: (R,) or (R, M).
        weights: how often each value counts, of the same shape; once if not given.

    Returns:
        A number, or (M,).
    """
    array = np.asarray(values, np.float64)
    order = np.argsort(array, axis=0)
    times = np.ones_like(array) if weights is None else np.asarray(weights, np.float64)
    return _middle(np.take_along_axis(array, order, 0), np.take_along_axis(times, order, 0))


def _middle(rising: Floats, weights: Floats) -> Floats:
    upto = np.cumsum(weights, axis=0)
    low, high = upto[-1] / 4, upto[-1] * 3 / 4
    inside = np.clip(upto, low, high) - np.clip(upto - weights, low, high)
    parts = np.multiply(inside, rising, out=np.zeros_like(inside), where=inside > 0)  # the worst may be infinite
    return np.asarray(parts.sum(axis=0) / inside.sum(axis=0))


def resampled_middles(values: Floats, clusters: Whole, strata: Whole, seed: int = 0) -> Floats:
    """Bootstrap of the interquartile mean of curves.

    Args:
        values: (R, M), one row per run.
        clusters: (R,) what is drawn as a whole: a ticket with all its seeds, or a run.
        strata: (R,) within which clusters are drawn: the task.
        seed: of the resampling.

    Returns:
        (B, M) means.
    """
    rng = np.random.default_rng(seed)
    _, cluster = np.unique(np.stack([strata, clusters]), axis=1, return_inverse=True)
    cluster = cluster.reshape(-1)
    first = np.full(int(cluster.max()) + 1, -1)
    first[cluster] = strata
    drawn = np.zeros((RESAMPLES, len(first)), np.int64)
    for stratum in np.unique(first):
        members = np.flatnonzero(first == stratum)
        drawn[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), RESAMPLES)
    order = np.argsort(values, axis=0)
    rising = np.take_along_axis(values, order, 0)
    return np.stack([_middle(rising, times[cluster].astype(np.float64)[order]) for times in drawn])


def middle_interval(values: ArrayLike, clusters: Whole, strata: Whole) -> Interval:
    """Interquartile mean of single numbers with its bootstrap interval; arguments as ``resampled_middles``."""
    column = np.asarray(values, np.float64)[:, None]
    low, high = np.quantile(resampled_middles(column, clusters, strata), _ends())
    return Interval(float(interquartile_mean(column)[0]), float(low), float(high))


@lru_cache(maxsize=65_536)
def share_interval(successes: int, total: int, level: float = LEVEL) -> Interval:
    """A share with its Clopper-Pearson interval, exact by bisection on the binomial distribution.

    Args:
        successes: how many of ``total``.
        total: at least 1.
        level: of confidence.
    """
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else _solve(lambda p: at_least(successes, total, p) - tail)
    high = 1.0 if successes == total else _solve(lambda p: at_least(successes + 1, total, p) - (1 - tail))
    return Interval(successes / total, low, high)


def at_least(successes: int, total: int, chance: float) -> float:
    """Probability that a binomial count is at least ``successes``; ``chance`` lies strictly between 0 and 1."""
    counts = np.arange(successes, total + 1)
    logs = _log_choose(total)[successes:] + counts * math.log(chance) + (total - counts) * math.log1p(-chance)
    return float(np.exp(logs).sum())


@lru_cache(maxsize=4096)
def _log_choose(total: int) -> Floats:
    """Logarithms of the binomial coefficients of ``total``, (total + 1,)."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])
    return np.asarray(factorials[-1] - factorials - factorials[::-1])


def _solve(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (low, middle) if rising(middle) > 0 else (middle, high)
    return (low + high) / 2


class Superiority(NamedTuple):
    """How often a value of one group is below one of another, ties counted half.

    Attributes:
        chance: P(first < second) + P(first = second) / 2.
        low: lower end of the 95 % interval.
        high: upper end.
        p_value: two-sided, of the chance being one half (Brunner and Munzel, normal approximation).
        error: standard error; nan where a group has fewer than two values.
    """

    chance: float
    low: float
    high: float
    p_value: float
    error: float


def superiority(first: ArrayLike, second: ArrayLike) -> Superiority:
    """Compares two groups of independent values, smaller is better.

    Args:
        first: (N,).
        second: (M,).
    """
    x, y = np.asarray(first, np.float64), np.asarray(second, np.float64)
    better = ((x[:, None] < y) + 0.5 * (x[:, None] == y)).astype(np.float64)
    chance = float(better.mean())
    if min(len(x), len(y)) < 2:
        return Superiority(chance, 0.0, 1.0, 1.0, math.nan)
    variance = better.mean(axis=1).var(ddof=1) / len(x) + better.mean(axis=0).var(ddof=1) / len(y)
    # With complete separation the estimate of the variance is zero; one swapped pair is the least that can be told apart.
    error = math.sqrt(max(float(variance), 0.25 / (len(x) * len(y))))
    p_value = math.erfc(abs(chance - 0.5) / error / math.sqrt(2))
    return Superiority(chance, max(chance - 1.96 * error, 0.0), min(chance + 1.96 * error, 1.0), p_value, error)


def holm(p_values: ArrayLike) -> Floats:
    """Holm's adjusted p-values, in the order given."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return result


def solved_share(times: Floats, limits: Floats, at: Floats) -> Floats:
    """Share of runs that reached their target after so many designs (Kaplan and Meier); the rest are censored.

    Args:
        times: (R,) when a run reached it; infinite if it never did.
        limits: (R,) how long each run was watched.
        at: (P,) numbers of designs, rising.

    Returns:
        (P,) shares; nan beyond the longest run.
    """
    until = np.minimum(times, limits)
    event = times <= limits
    moments = np.unique(until[event])
    at_risk = len(until) - np.searchsorted(np.sort(until), moments, side="left")
    solved = np.searchsorted(np.sort(until[event]), moments, side="right")
    solved = np.diff(solved, prepend=0)
    left = np.concatenate([[1.0], np.cumprod(1 - solved / at_risk)])
    share = 1 - left[np.searchsorted(moments, at, side="right")]
    share[at > limits.max(initial=0)] = np.nan
    return share


def main_effects(levels: Whole, values: Floats) -> Floats:
    """Share of the variance of ``values`` that each column explains alone, less what chance would explain.

    Args:
        levels: (N, H) category of each row in each column.
        values: (N,).

    Returns:
        (H,) shares (epsilon squared), at least 0; nan where a column has one category only or values do not differ.
    """
    total = float(((values - values.mean()) ** 2).sum())
    shares = np.full(levels.shape[1], np.nan)
    for column, labels in enumerate(levels.T):
        counts = np.bincount(labels)
        present = counts > 0
        groups = int(present.sum())
        if groups < 2 or groups >= len(values) or total <= 0:
            continue
        sums = np.bincount(labels, weights=values)
        between = float((counts[present] * (sums[present] / counts[present] - values.mean()) ** 2).sum())
        noise = (total - between) / (len(values) - groups)
        shares[column] = max((between - (groups - 1) * noise) / total, 0.0)
    return shares


def ticket_share(values: Floats, tickets: Whole, seed: int = 0) -> Interval:
    """Intraclass correlation: the share of variance that lies between tickets rather than between seeds of one ticket.

    One-way analysis of variance with unequal group sizes; slightly negative values mean that tickets do nothing.  The
    interval is a bootstrap over tickets.

    Args:
        values: (N,).
        tickets: (N,) which ticket each value belongs to.
        seed: of the resampling.

    Returns:
        Share and interval; nan where no ticket has two seeds, or values do not differ.
    """
    _, index = np.unique(tickets, return_inverse=True)
    counts = np.bincount(index).astype(np.float64)
    centred = values - values.mean()
    sums, squares = np.bincount(index, weights=centred), np.bincount(index, weights=centred**2)
    groups = len(counts)
    if groups < 2 or len(values) <= groups:
        return Interval(math.nan, math.nan, math.nan)
    drawn = np.random.default_rng(seed).integers(0, groups, (RESAMPLES, groups))
    rows = np.concatenate([np.arange(groups)[None], drawn])
    shares = _intraclass(counts[rows], sums[rows], squares[rows])
    seen = shares[1:][np.isfinite(shares[1:])]
    low, high = np.quantile(seen, _ends()) if len(seen) else (math.nan, math.nan)
    return Interval(float(shares[0]), float(low), float(high))


def _intraclass(counts: Floats, sums: Floats, squares: Floats) -> Floats:
    """Share of variance between groups, from each group's size, sum and sum of squares, (B, T) each."""
    groups, total = counts.shape[1], counts.sum(axis=1)
    means = sums.sum(axis=1) / total
    inner = squares.sum(axis=1) - (sums**2 / counts).sum(axis=1)
    within = inner / np.maximum(total - groups, 1)
    between = (counts * (sums / counts - means[:, None]) ** 2).sum(axis=1) / (groups - 1)
    size = (total - (counts**2).sum(axis=1) / total) / (groups - 1)
    ticket = (between - within) / size
    whole = ticket + within
    return np.asarray(np.divide(ticket, whole, out=np.full(len(whole), np.nan), where=whole > 1e-30))


def _ends() -> tuple[float, float]:
    return (1 - LEVEL) / 2, (1 + LEVEL) / 2
