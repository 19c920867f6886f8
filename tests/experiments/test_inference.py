"""Statistics of the studies against cases that can be worked out by hand."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")

from inference import (
    additive_r2,
    anytime_area,
    interquartile_mean,
    share_interval,
    stratified_interval,
    superiority,
)


def test_the_interquartile_mean_leaves_out_both_ends():
    assert interquartile_mean([-100, 1, 2, 3, 4, 5, 6, 1000]) == 3.5


def test_intervals_hold_the_value_and_shrink_with_more_runs():
    rng = np.random.default_rng(0)
    few, many = rng.normal(5, 1, (3, 5)), rng.normal(5, 1, (3, 200))
    narrow, wide = stratified_interval(list(many)), stratified_interval(list(few))
    assert narrow[0] < 5 < narrow[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_all_of_twenty_is_still_an_interval():
    assert share_interval(20, 20) == pytest.approx((0.8316, 1.0), abs=1e-3)


def test_superiority_counts_ties_half():
    assert superiority([1, 2], [2, 3]) == (1 + 1 + 0.5 + 1) / 4
    assert superiority([1.0], [1.0]) == 0.5


def test_the_area_of_a_straight_curve():
    size = 10_000
    falling = [1e-1 - 1 / size, 1e-2 - 1 / size, 1e-3 - 1 / size]
    assert anytime_area([10, 100, 1000], falling, size) == pytest.approx(2.0)
    assert anytime_area([10, 1000], [0.0, 0.0], size) == pytest.approx(4.0)


def test_additive_models_explain_products_and_not_interactions():
    levels = np.stack(np.meshgrid(np.arange(4), np.arange(3), indexing="ij"), axis=-1).reshape(-1, 2).astype(np.int32)
    product = (1.0 + levels[:, 0]) * (2.0 + levels[:, 1])
    assert additive_r2(levels, product) == pytest.approx(1.0)
    clash = np.exp((levels[:, 0] % 2 == levels[:, 1] % 2).astype(float))
    assert additive_r2(levels, clash) < 0.2
