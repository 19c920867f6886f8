"""Clean mode: the quirks that the README lists are gone, the rest is as in compatible mode."""

from __future__ import annotations

import numpy as np
from drawn import layers, units
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.asic.cost import price, unit_costs, unit_figures
from simulators.asic.counts import FIGURES, INPUT_L2_WRITE, MACS, OUTPUT_L2_READ, OUTPUT_L2_WRITE, RUNTIME
from simulators.asic.layout import CLEAN, COMPATIBLE, DLA, DSCONV, KIND, RS, SHI, STRIDE, C, K, R, S, X, Y

Words = np.ndarray
MANY = settings(max_examples=400, deadline=None)


def figures(layer: Words, unit: Words, mode: str) -> Words:
    return unit_figures(layer[None], unit[None], mode)[0, 0]


def outputs(layer: Words) -> int:
    """Elements of the output."""
    rows, columns = ((layer[size] - layer[kernel]) // layer[STRIDE] + 1 for size, kernel in ((Y, R), (X, S)))
    return int((layer[C] if layer[KIND] == DSCONV else layer[K]) * rows * columns)


@MANY
@given(data=st.data())
def test_the_definition(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(1, 6)))
    unit = data.draw(units(layer, (DLA, SHI, RS)))
    found = figures(layer, unit, "clean")
    true_macs = outputs(layer) * layer[R] * layer[S] * (1 if layer[KIND] == DSCONV else layer[C])
    assert found[MACS] == true_macs
    assert found[INPUT_L2_WRITE] == layer[C] * layer[Y] * layer[X]
    assert found[OUTPUT_L2_READ] == outputs(layer)
    assert found[RUNTIME] > 0 and found[RUNTIME] * unit[1] >= true_macs
    assert (found[[FIGURES.index(f"{tensor}_l2_read") for tensor in ("input", "filter")]] > 0).all()


@MANY
@given(data=st.data())
def test_a_stride_is_an_input_of_just_the_rows_and_columns_that_one_of_stride_1_needs(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(2, 6)))
    unit = data.draw(units(layer, (DLA, SHI, RS)))
    dense = layer.copy()
    dense[Y] = (layer[Y] - layer[R]) // layer[STRIDE] + layer[R]
    dense[X] = (layer[X] - layer[S]) // layer[STRIDE] + layer[S]
    dense[STRIDE] = 1
    strided, same = figures(layer, unit, "clean"), figures(dense, unit, "clean")
    assert [name for name, a, b in zip(FIGURES, strided, same, strict=True) if a != b] in ([], ["input_l2_write"])


@MANY
@given(data=st.data())
def test_at_stride_1_only_a_last_pass_of_one_unit_counts_less(data: st.DataObject) -> None:
    layer = data.draw(layers(st.just(1)))
    unit = data.draw(units(layer, (DLA, SHI, RS)))
    clusters = unit[1] // (8 if unit[0] == SHI else layer[R])
    rows = layer[Y] - layer[R] + 1
    lone = unit[0] != DLA and rows > clusters and rows % clusters == 1 and layer[R] > 1
    clean, compatible = figures(layer, unit, "clean"), figures(layer, unit, "compatible")
    if lone:
        assert clean[MACS] < compatible[MACS] and clean[OUTPUT_L2_WRITE] < compatible[OUTPUT_L2_WRITE]
        assert clean[RUNTIME] <= compatible[RUNTIME]
    else:
        np.testing.assert_array_equal(clean, compatible)


def test_a_last_pass_of_one_unit() -> None:
    layer, unit = np.array([0, 8, 4, 3, 3, 11, 10, 1]), np.array([SHI, 64, 8])  # nine rows on eight clusters
    assert figures(layer, unit, "clean")[MACS] == 8 * 4 * 9 * 9 * 8
    assert figures(layer, unit, "compatible")[MACS] == 8 * 4 * 9 * 11 * 8  # the ninth row counts three times


def test_stride_2_counts_true_work() -> None:
    layer = np.array([0, 64, 64, 3, 3, 58, 58, 2])
    for template, ratio in ((DLA, 1.0), (SHI, 1.75), (RS, 1.0)):
        unit = np.array([template, 256, 16])
        assert figures(layer, unit, "clean")[MACS] == 64 * 64 * 9 * 28 * 28
        assert figures(layer, unit, "compatible")[MACS] >= ratio * 64 * 64 * 9 * 28 * 28


def test_tiles_are_no_wider_than_the_input_in_both_modes() -> None:
    layer, unit = np.array([0, 16, 16, 3, 3, 8, 8, 1]), np.array([SHI, 128, 16])  # MAESTRO: runtime 0
    assert price(layer, unit, 1, 70_000, COMPATIBLE) == price(layer, unit, 1, 70_000, CLEAN)
    latency, energy = unit_costs(layer[None], unit[None], "clean")
    assert latency[0, 0] > 0 and energy[0, 0] > 100 * 16 * 16 * 9 * 36
