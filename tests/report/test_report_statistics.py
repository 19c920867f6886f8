"""The report's statistics against scipy, brute force and cases that can be done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archgym.report import statistics

numbers = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12)


@given(numbers)
def test_the_interquartile_mean_of_numbers_is_that_of_each_one_four_times(values: list[float]) -> None:
    four = np.sort(np.repeat(values, 4))
    expected = four[len(values) : 3 * len(values)].mean()
    assert float(statistics.interquartile_mean(values)) == pytest.approx(expected)


@given(numbers)
def test_weights_are_repetitions(values: list[float]) -> None:
    times = np.arange(1, len(values) + 1)
    weighted = statistics.interquartile_mean(values, times)
    assert float(weighted) == pytest.approx(float(statistics.interquartile_mean(np.repeat(values, times))))


def test_an_infinite_run_in_the_worst_quarter_does_not_spoil_the_mean() -> None:
    assert float(statistics.interquartile_mean([1.0, 2.0, 3.0, math.inf])) == 2.5


def test_shares_are_those_of_clopper_and_pearson() -> None:
    binomtest = pytest.importorskip("scipy.stats", reason="the reference is scipy's").binomtest
    for successes, total in ((0, 10), (10, 10), (1, 64), (33, 50), (3, 5)):
        found = statistics.share_interval(successes, total)
        expected = binomtest(successes, total).proportion_ci(0.95, method="exact")
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_twenty_of_twenty_only_means_at_least_83_percent() -> None:
    assert statistics.share_interval(20, 20).low == pytest.approx(0.8316, abs=1e-4)
    assert statistics.share_interval(5, 5).low == pytest.approx(0.4782, abs=1e-4)


@given(numbers, numbers)
def test_superiority_counts_pairs_with_ties_half(first: list[float], second: list[float]) -> None:
    pairs = [(x < y) + 0.5 * (x == y) for x in first for y in second]
    found = statistics.superiority(first, second)
    assert found.chance == pytest.approx(np.mean(pairs))
    assert found.low <= found.chance <= found.high
    assert found.chance == pytest.approx(1 - statistics.superiority(second, first).chance)


def test_separated_groups_have_an_interval_of_some_width() -> None:
    found = statistics.superiority([1, 2, 3, 4], [5, 6, 7, 8])
    assert found.chance == 1 and 0 < found.low < 1 and found.p_value < 0.05


def test_holm_by_hand() -> None:
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_solved_share_is_the_ecdf_where_nothing_is_censored_early() -> None:
    times, limits = np.array([3.0, 5.0, np.inf, 5.0]), np.full(4, 10.0)
    at = np.array([1.0, 3.0, 4.0, 5.0, 10.0, 11.0])
    assert statistics.solved_share(times, limits, at)[:-1] == pytest.approx([0, 0.25, 0.25, 0.75, 0.75])
    assert np.isnan(statistics.solved_share(times, limits, at)[-1])


def test_a_run_that_was_stopped_early_counts_until_then() -> None:
    # Three runs; one watched for two designs only. At 5 designs one of the two that are left arrives.
    times, limits = np.array([np.inf, 5.0, np.inf]), np.array([2.0, 10.0, 10.0])
    assert statistics.solved_share(times, limits, np.array([5.0])) == pytest.approx([0.5])


def test_main_effects_find_the_column_that_matters() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, (400, 3))
    shares = statistics.main_effects(levels, levels[:, 1] * 1.0 + rng.normal(0, 0.2, 400))
    assert shares[1] > 0.9 and shares[0] < 0.05 and shares[2] < 0.05


def test_a_column_of_one_level_has_no_effect_to_speak_of() -> None:
    assert np.isnan(statistics.main_effects(np.zeros((10, 1), np.intp), np.arange(10.0))).all()


def test_the_share_of_tickets_is_found_and_is_nothing_without_effect() -> None:
    rng = np.random.default_rng(1)
    tickets = np.repeat(np.arange(200), 4)
    effect = np.repeat(rng.normal(0, 1, 200), 4)
    half = statistics.ticket_share(effect + rng.normal(0, 1, 800), tickets)
    assert half.low < 0.5 < half.high and half.high - half.low < 0.25
    none = statistics.ticket_share(rng.normal(0, 1, 800), tickets)
    assert none.low <= 0.02 and abs(none.value) < 0.1


def test_one_seed_per_ticket_says_nothing_about_tickets_and_seeds() -> None:
    assert math.isnan(statistics.ticket_share(np.arange(5.0), np.arange(5)).value)


def test_the_bootstrap_draws_within_strata() -> None:
    # Each stratum holds one value only, so no resampling can change the mean.
    values, strata = np.array([[1.0], [1.0], [5.0], [5.0]]), np.array([0, 0, 1, 1])
    assert np.ptp(statistics.resampled_middles(values, np.arange(4), strata)) == 0
    assert np.ptp(statistics.resampled_middles(values, np.arange(4), np.zeros(4, np.intp))) > 0


def test_the_bootstrap_draws_whole_tickets() -> None:
    # All spread is between tickets: drawing runs instead would give a narrower interval.
    values = np.repeat(np.arange(6.0), 10)[:, None]
    strata = np.zeros(60, np.intp)
    whole = np.std(statistics.resampled_middles(values, np.repeat(np.arange(6), 10), strata))
    single = np.std(statistics.resampled_middles(values, np.arange(60), strata))
    assert whole > 2 * single
