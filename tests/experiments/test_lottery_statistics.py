"""Statistics of the lottery against cases that are known or simulated."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")

from inference import share_interval
from lottery_statistics import (
    best_of_curve,
    equivalence_of_shares,
    expected_running_time,
    overdispersion,
    reversal,
    share_bounds,
    stratified_superiority,
    trimmed_difference,
    variance_components,
)


def layout(icc: float, tasks: int = 8, tickets: int = 64, seeds: int = 4, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    ticket, noise = rng.normal(size=(tasks, tickets, 1)), rng.normal(size=(tasks, tickets, seeds))
    steps = np.arange(tasks, dtype=float)[:, None, None]
    return 2 * steps / steps.std(ddof=1) + np.sqrt(icc) * ticket + np.sqrt(1 - icc) * noise


@pytest.mark.parametrize("icc", [0.0, 0.2, 0.5, 0.8])
def test_the_icc_of_simulated_runs_is_found(icc):
    found = variance_components(layout(icc), resamples=200)
    assert found.icc == pytest.approx(icc, abs=0.06)
    assert found.interval[0] <= found.icc <= found.interval[1]
    assert (found.p < 0.01) == (icc > 0)
    assert found.ticket + found.seed == pytest.approx(1, abs=0.1)
    assert found.task == pytest.approx(4, abs=1)
    assert sum(found.shares) == pytest.approx(1)


def test_without_an_effect_the_permutation_test_rejects_one_in_twenty_and_the_interval_covers_zero():
    found = [variance_components(layout(0.0, 3, 24, 4, seed), resamples=100) for seed in range(60)]
    assert np.mean([one.p <= 0.05 for one in found]) < 0.15
    assert np.mean([one.interval[0] <= 0 <= one.interval[1] for one in found]) > 0.8


def test_a_plateau_has_no_icc():
    found = variance_components(np.ones((3, 5, 4)), resamples=20)
    assert (found.icc, found.p, found.shares) == (0, 1, (0, 0, 0))


def test_exact_bounds_agree_with_one_by_one():
    low, high = share_bounds([0, 3, 20], [20, 20, 20])
    for position, successes in enumerate((0, 3, 20)):
        assert (low[position], high[position]) == pytest.approx(share_interval(successes, 20), abs=1e-6)


def test_lucky_ticket_counts_are_those_of_the_protocol():
    for enough, runs in ((9, 10), (15, 20), (33, 50), (61, 100)):
        assert share_bounds(enough, runs)[0] > 0.5 > share_bounds(enough - 1, runs)[0]


def test_equality_needs_many_runs_and_is_not_claimed_of_what_differs():
    rng = np.random.default_rng(0)

    def runs(share: float, n: int) -> list[np.ndarray]:
        return [rng.random(n) < share for _ in range(9)]

    assert equivalence_of_shares(runs(0.95, 500), runs(0.95, 500), 0.05)[2] < 0.05
    assert equivalence_of_shares(runs(0.95, 3), runs(0.95, 3), 0.05)[2] > 0.05
    difference, (low, high), p = equivalence_of_shares(runs(0.9, 500), runs(0.7, 500), 0.05)
    assert difference == pytest.approx(0.2, abs=0.03) and low < 0.2 < high and p > 0.99


def test_runs_that_all_succeed_are_not_certain_to_be_equal():
    few = [np.ones(5, bool)]
    difference, (low, high), p = equivalence_of_shares(few, few, 0.05)
    assert difference == 0 and low < 0 < high and p > 0.05


def test_the_trimmed_difference_is_in_its_interval():
    rng = np.random.default_rng(1)
    first, second = list(rng.normal(1, 1, (4, 50))), list(rng.normal(0, 1, (4, 50)))
    difference, (low, high) = trimmed_difference(first, second)
    assert low < difference < high and difference == pytest.approx(1, abs=0.25)


def test_superiority_over_tasks_is_that_of_each_task():
    chance, (low, high), _ = stratified_superiority([[2, 3], [5, 5]], [[1, 1], [5, 5]])
    assert chance == (1 + 0.5) / 2 and low <= chance <= high
    rng = np.random.default_rng(2)
    strong = stratified_superiority(list(rng.normal(1, 1, (3, 60))), list(rng.normal(0, 1, (3, 60))))
    assert strong[0] == pytest.approx(0.76, abs=0.07) and strong[2] < 1e-6
    same = stratified_superiority(list(rng.normal(0, 1, (3, 60))), list(rng.normal(0, 1, (3, 60))))
    assert same[1][0] < 0.5 < same[1][1] and same[2] > 0.05
    assert stratified_superiority([[1, 1]], [[1, 1]])[2] == 1


def test_one_stratum_is_the_rank_sum_test():
    from scipy import stats

    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 8, 40), rng.integers(1, 9, 50)
    exact = stats.mannwhitneyu(first, second, use_continuity=False, method="asymptotic")
    assert stratified_superiority([first], [second])[2] == pytest.approx(exact.pvalue)


def test_tickets_that_differ_in_their_chance_are_overdispersed():
    rng = np.random.default_rng(4)
    assert overdispersion(rng.binomial(10, rng.random(60)), 10) < 1e-6
    assert overdispersion(rng.binomial(10, 0.4, 60), 10) > 0.01
    assert overdispersion([10, 10], 10) == 1


def test_running_time_counts_the_designs_of_failures_too():
    assert expected_running_time([10, np.inf, 30], 100) == (10 + 100 + 30) / 2
    assert expected_running_time([500], 100) == np.inf


def test_reversals():
    assert reversal(True, [3, 4], [1, 2]) == 0
    assert reversal(False, [3, 4], [1, 2]) == 1
    assert reversal(True, [1, 1], [1, 1]) == 0.5


def test_the_best_of_more_tickets_is_better_only_if_tickets_differ():
    rng = np.random.default_rng(5)
    worth = rng.normal(size=200)
    real = best_of_curve(worth[:, None] + 0.1 * rng.normal(size=(200, 3)), worth, (1, 4, 16))
    assert real[0] < real[1] < real[2]
    lucky = best_of_curve(rng.normal(size=(200, 3)), rng.normal(size=200), (1, 16))
    assert abs(lucky[1] - lucky[0]) < 0.4  # selection on noise does not carry over to a fresh seed
