"""Statistics of the lottery study: variance components, exact intervals, equivalence tests, running times.

Everything works on whole arrays.  Sources: variance components by the method of moments of a balanced one-way layout (Searle
1971), Clopper and Pearson (1934), Schuirmann's two one-sided tests (1987), van Elteren (1960), Tarone (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES = 1000

Floats = NDArray[np.float64]


def share_bounds(successes: ArrayLike, total: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Clopper-Pearson bounds of shares, element by element."""
    k, n = np.asarray(successes, np.float64), np.asarray(total, np.float64)
    tail = (1 - level) / 2
    with np.errstate(invalid="ignore"):
        low = np.where(k > 0, stats.beta.ppf(tail, k, n - k + 1), 0.0)
        high = np.where(k < n, stats.beta.ppf(1 - tail, k + 1, n - k), 1.0)
    return low, high


@dataclass(frozen=True)
class Components:
    """Where the variance of runs comes from.

    Attributes:
        task, ticket, seed: components; those of ticket and seed are within a task, means over tasks.  Estimates may be
            slightly negative where the true component is zero.
        icc: ticket / (ticket + seed).
        interval: of the ICC, bootstrap over tickets.
        p: of the permutation test of ICC = 0.
    """

    task: float
    ticket: float
    seed: float
    icc: float
    interval: tuple[float, float]
    p: float

    @property
    def shares(self) -> tuple[float, float, float]:
        """Shares of task, ticket and seed; negative components count as none."""
        parts = np.maximum([self.task, self.ticket, self.seed], 0.0)
        total = parts.sum() or 1.0
        task, ticket, seed = (parts / total).tolist()
        return task, ticket, seed


def _squares(values: Floats) -> tuple[Floats, Floats]:
    """Mean squares between and within tickets, summed over tasks; values (..., task, ticket, seed)."""
    seeds = values.shape[-1]
    between = seeds * values.mean(axis=-1).var(axis=-1, ddof=1).sum(axis=-1)
    within = values.var(axis=-1, ddof=1).mean(axis=-1).sum(axis=-1)
    return between, within


def _icc(between: Floats, within: Floats, seeds: int) -> Floats:
    ticket = (between - within) / seeds
    total = np.asarray(ticket + within)
    return np.divide(ticket, total, out=np.zeros_like(total), where=total > 0)


def variance_components(values: ArrayLike, level: float = 0.95, seed: int = 0, resamples: int = RESAMPLES) -> Components:
    """Components of a nested layout with an interval and a test.

    Args:
        values: (task, ticket, seed); at least two tickets and two seeds.
        level: of the interval.
        seed: of bootstrap and permutation.
        resamples: of each.
    """
    data = np.asarray(values, np.float64)
    tasks, tickets, seeds = data.shape
    rng = np.random.default_rng(seed)
    between, within = (float(part) for part in _squares(data))
    icc = float(_icc(np.array(between), np.array(within), seeds))
    # Tickets are resampled whole and alike in all tasks; repeats make a resample's tickets vary less by (T - 1) / T.
    means, inner = data.mean(axis=2), data.var(axis=2, ddof=1)
    drawn = rng.integers(0, tickets, (resamples, tickets))
    spread = seeds * means[:, drawn].var(axis=2, ddof=1).sum(axis=0) * tickets / (tickets - 1)
    iccs = _icc(spread, inner[:, drawn].mean(axis=2).sum(axis=0), seeds)
    low, high = np.quantile(iccs, [(1 - level) / 2, (1 + level) / 2])
    # Shuffled labels keep the total; a layout without any variance has nothing to test.
    flat = data.reshape(tasks, -1)
    exceeding = 0
    for _ in range(resamples):
        shuffled = rng.permuted(flat, axis=1).reshape(data.shape)
        exceeding += float(_squares(shuffled)[0]) >= between * (1 - 1e-12)
    task = float(data.mean(axis=(1, 2)).var(ddof=1) - between / tasks / (tickets * seeds)) if tasks > 1 else 0.0
    ticket = (between - within) / seeds / tasks
    p = (1 + exceeding) / (1 + resamples)
    return Components(task, ticket, within / tasks, icc, (float(low), float(high)), p)


def overdispersion(successes: ArrayLike, runs: int) -> float:
    """Tarone's test of binomial against beta-binomial: p-value that tickets differ in their chance of success.

    Args:
        successes: (T,) of each ticket.
        runs: of each ticket.
    """
    k = np.asarray(successes, np.float64)
    share = k.sum() / (len(k) * runs)
    if share in (0.0, 1.0) or runs < 2:
        return 1.0
    score = ((k - runs * share) ** 2).sum() / (share * (1 - share)) - len(k) * runs
    return float(stats.norm.sf(score / np.sqrt(2 * len(k) * runs * (runs - 1))))


def equivalence_of_shares(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], margin: float, level: float = 0.95
) -> tuple[float, tuple[float, float], float]:
    """Two one-sided tests on the difference of success shares, stratified by task.

    Args:
        first: per task (n,) booleans.
        second: likewise.
        margin: shares that differ by less count as equal.
        level: of the test; the interval has level 2 x level - 1, as the tests ask for.

    Returns:
        Difference, its interval and the p-value of "they differ by the margin or more".  Each stratum's share has half a
        success and half a failure added for the variance, so that all-or-none strata do not look certain.
    """
    differences, variances = [], []
    for x, y in zip(first, second, strict=True):
        a, b = np.asarray(x, bool), np.asarray(y, bool)
        differences.append(a.mean() - b.mean())
        for side in (a, b):
            share = (side.sum() + 0.5) / (len(side) + 1)
            variances.append(share * (1 - share) / len(side))
    difference = float(np.mean(differences))
    error = float(np.sqrt(sum(variances)) / len(differences))
    p = float(max(stats.norm.sf((difference + margin) / error), stats.norm.sf((margin - difference) / error)))
    half = float(stats.norm.ppf(level)) * error
    return difference, (difference - half, difference + half), p


def trimmed_difference(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike], level: float = 0.95, trim: float = 0.25, seed: int = 0
) -> tuple[float, tuple[float, float]]:
    """Difference of (interquartile) means over all tasks and its bootstrap interval of level 2 x level - 1.

    Args:
        first: per task (n,) values; resampled within tasks.
        second: likewise.
        level: of the two one-sided tests that the interval stands for.
        trim: share cut off at each end; 0 for plain means.
        seed: of the resampling.
    """
    rng = np.random.default_rng(seed)

    def draw(strata: Sequence[ArrayLike]) -> Floats:
        arrays = [np.asarray(values, np.float64) for values in strata]
        drawn = [values[rng.integers(0, len(values), (RESAMPLES, len(values)))] for values in arrays]
        return np.asarray(stats.trim_mean(np.concatenate(drawn, axis=1), trim, axis=1))

    centre = [float(stats.trim_mean(np.concatenate([np.asarray(v, np.float64) for v in s]), trim)) for s in (first, second)]
    low, high = np.quantile(draw(first) - draw(second), [1 - level, level])
    return centre[0] - centre[1], (float(low), float(high))


def stratified_superiority(
    first: Sequence[ArrayLike], second: Sequence[ArrayLike]
) -> tuple[float, tuple[float, float], float]:
    """Chance that a value of ``first`` is larger than one of ``second`` on the same task, ties half, mean over tasks.

    Returns:
        The chance, its 95 % interval (normal approximation per task, DeLong's variance) and the p-value of van Elteren's
        stratified rank test.
    """
    chances, variances, statistic, null = [], [], 0.0, 0.0
    for x, y in zip(first, second, strict=True):
        a, b = np.asarray(x, np.float64), np.asarray(y, np.float64)
        wins = (a[:, None] > b[None, :]) + 0.5 * (a[:, None] == b[None, :])
        chance = float(wins.mean())
        chances.append(chance)
        variances.append(wins.mean(axis=1).var(ddof=1) / len(a) + wins.mean(axis=0).var(ddof=1) / len(b))
        _, ties = np.unique(np.concatenate([a, b]), return_counts=True)
        n, m, total = len(a), len(b), len(a) + len(b)
        spread = (total + 1 - float((ties**3 - ties).sum()) / (total * (total - 1))) / (12 * n * m)
        statistic += chance - 0.5
        null += spread
    mean = float(np.mean(chances))
    half = 1.96 * float(np.sqrt(np.sum(variances))) / len(chances)
    p = float(2 * stats.norm.sf(abs(statistic) / np.sqrt(null))) if null > 0 else 1.0
    return mean, (max(0.0, mean - half), min(1.0, mean + half)), p


def expected_running_time(hits: ArrayLike, budget: int) -> float:
    """Designs spent by all runs over the number of successes: what restarts would need on average; infinite for none.

    Args:
        hits: (n,) designs until success; infinite where there was none.
        budget: designs after which a run without success ended.
    """
    times = np.asarray(hits, np.float64)
    won = np.isfinite(times) & (times <= budget)
    return float(np.where(won, times, budget).sum() / won.sum()) if won.any() else float("inf")


def reversal(best_is_first: bool, first: ArrayLike, second: ArrayLike) -> float:
    """Chance that a random ticket of each agent orders them opposite to their best tickets, ties half.

    Args:
        best_is_first: whether the first agent's best ticket is the better one.
        first: values of the first agent's tickets, larger is better.
        second: likewise.
    """
    x, y = np.asarray(first, np.float64)[:, None], np.asarray(second, np.float64)[None, :]
    chance = float(np.mean((x > y) + 0.5 * (x == y)))
    return 1 - chance if best_is_first else chance


def best_of_curve(selection: Floats, report: Floats, counts: Sequence[int], seed: int = 0, draws: int = 400) -> Floats:
    """Mean value of the best of k random tickets, chosen by some seeds and reported by another one.

    Args:
        selection: (T, S) values; tickets are chosen by their mean.
        report: (T,) value of each ticket on a seed that takes no part in the choice.
        counts: the ks.
        seed: of drawing tickets.
        draws: subsets per k.
    """
    rng = np.random.default_rng(seed)
    means = selection.mean(axis=1)
    order = rng.permuted(np.broadcast_to(np.arange(len(means)), (draws, len(means))), axis=1)
    return np.array([report[_pick(order[:, :k], means)].mean() for k in counts])


def _pick(tickets: NDArray[np.intp], means: Floats) -> NDArray[np.intp]:
    return np.asarray(tickets[np.arange(len(tickets)), np.argmax(means[tickets], axis=1)])
