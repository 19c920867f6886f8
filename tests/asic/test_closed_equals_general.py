"""Closed forms and case algebra: equal wherever both apply."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import layers, links, units
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulators.asic import closed, general
from simulators.asic.layout import (
    CLEAN,
    COMPATIBLE,
    DLA,
    DSCONV,
    KIND,
    LAYER_SIZE,
    RS,
    SHI,
    STRIDE,
    TEMPLATES,
    C,
    K,
    R,
    S,
    X,
    Y,
)
from simulators.asic.shape import cluster, shape

MANY = settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check_equal(layer: np.ndarray, unit: np.ndarray, hops: int, offchip: int, mode: int) -> None:
    of = shape(layer, mode)
    assert closed.applies(of, unit[0])
    assert closed.flow(of, *unit, hops, offchip, mode) == general.flow(of, *unit, hops, offchip, mode)


@pytest.mark.parametrize("template", [DLA, SHI, RS], ids=TEMPLATES)
@MANY
@given(data=st.data())
def test_stride_1(template: int, data: st.DataObject) -> None:
    layer = data.draw(layers(st.just(1)))
    check_equal(layer, data.draw(units(layer, (template,))), *data.draw(links), COMPATIBLE)


@MANY
@given(data=st.data())
def test_dla_at_stride_2(data: st.DataObject) -> None:
    layer = data.draw(layers(st.just(2)))
    check_equal(layer, data.draw(units(layer, (DLA,))), *data.draw(links), COMPATIBLE)


@MANY
@given(data=st.data())
def test_dla_at_larger_strides_where_nothing_or_all_but_one_is_left_over(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(3, 6)))
    for size, kernel in ((Y, R), (X, S)):
        left = data.draw(st.sampled_from([0, int(layer[STRIDE]) - 1]))
        layer[size] = layer[kernel] + data.draw(st.integers(0, 12)) * layer[STRIDE] + left
    check_equal(layer, data.draw(units(layer, (DLA,))), *data.draw(links), COMPATIBLE)


@MANY
@given(data=st.data())
def test_clean_mode_at_any_stride(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(1, 5)))
    check_equal(layer, data.draw(units(layer, (DLA, SHI, RS))), *data.draw(links), CLEAN)


def test_thousands_at_random() -> None:
    random = np.random.default_rng(0)
    compared = np.zeros(3, np.int64)
    for _ in range(12_000):
        layer = np.ones(LAYER_SIZE, np.int64)
        layer[KIND], layer[C] = random.integers(2), random.integers(1, 700)
        layer[K] = 1 if layer[KIND] == DSCONV else random.integers(1, 700)
        layer[[R, S]] = random.integers(1, 8, 2)
        layer[[Y, X]] = layer[[R, S]] + random.integers(0, 130, 2)
        unit = np.array([random.integers(3), random.integers(1, 2 ** random.integers(1, 13)), random.integers(1, 130)])
        mode = int(random.integers(2))
        of = shape(layer, mode)
        if unit[1] >= cluster(of, unit[0], unit[1]):
            check_equal(layer, unit, int(random.integers(3)), int(random.integers(2, 70_001)), mode)
            compared[unit[0]] += 1
    assert compared.min() > 2_000


def test_shi_and_rs_have_no_closed_form_beyond_stride_1() -> None:
    of = shape(np.array([0, 4, 4, 3, 3, 9, 9, 2]), COMPATIBLE)
    assert [closed.applies(of, template) for template in (DLA, SHI, RS)] == [True, False, False]
    uneven = shape(np.array([0, 4, 4, 3, 3, 10, 9, 3]), COMPATIBLE)  # one row of three is left over
    assert not closed.applies(uneven, DLA)
