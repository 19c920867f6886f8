"""What the cost model refuses, and what it calls impossible."""

from __future__ import annotations

import numpy as np
import pytest

from archgym.errors import ArgumentError, DesignError, UnknownNameError, WorkloadError
from simulators.asic.cost import layer_cost, unit_costs, unit_figures
from simulators.asic.counts import FIGURES_SIZE, IMPOSSIBLE, RUNTIME
from simulators.asic.layout import COMPATIBLE, CONV, DLA, DSCONV, RS, SHI

LAYER = [CONV, 8, 4, 3, 3, 10, 10, 1]
UNIT = [DLA, 64, 8]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ([2, 8, 4, 3, 3, 10, 10, 1], "kind must be 0"),
        ([-1, 8, 4, 3, 3, 10, 10, 1], "kind must be 0"),
        *(([CONV, *(0 if i == zero else 3 for i in range(7))], "at least 1") for zero in range(7)),
        ([CONV, 8, -4, 3, 3, 10, 10, 1], "at least 1"),
        ([DSCONV, 4, 4, 3, 3, 10, 10, 1], "K = 1 filter per channel"),
        ([CONV, 8, 4, 11, 3, 10, 10, 1], "larger than the input"),
        ([CONV, 8, 4, 3, 11, 10, 10, 1], "larger than the input"),
        ([CONV, 1 << 20, 1 << 20, 3, 3, 10, 10, 1], "can be counted"),
        ([CONV, 1 << 62, 1 << 62, 3, 3, 10, 10, 1], "can be counted"),
    ],
)
def test_layers_that_make_no_sense_are_refused(layer: list[int], message: str) -> None:
    with pytest.raises(WorkloadError, match=message) as refusal:
        unit_costs(np.array([LAYER, layer]), np.array([UNIT]))
    assert "layer 1" in str(refusal.value)


@pytest.mark.parametrize("unit", [[3, 64, 8], [-1, 64, 8], [DLA, 0, 8], [DLA, -5, 8], [SHI, 64, 0], [RS, 1 << 25, 8]])
def test_units_that_make_no_sense_are_refused(unit: list[int]) -> None:
    with pytest.raises(DesignError, match="unit 1 is"):
        unit_figures(np.array([LAYER]), np.array([UNIT, unit]))


def test_arrays_of_another_shape_or_type_are_refused() -> None:
    layers, units = np.array([LAYER]), np.array([UNIT])
    with pytest.raises(WorkloadError, match=r"\(L, 8\) int64, got \(8,\)"):
        unit_costs(layers[0], units)
    with pytest.raises(WorkloadError, match="float64"):
        unit_costs(layers.astype(np.float64), units)
    with pytest.raises(DesignError, match=r"\(U, 3\) int64, got \(1, 2\)"):
        unit_costs(layers, units[:, :2])
    with pytest.raises(DesignError, match="int32"):
        unit_costs(layers, units.astype(np.int32))


def test_other_arguments_out_of_range_are_refused() -> None:
    layers, units = np.array([LAYER]), np.array([UNIT])
    with pytest.raises(UnknownNameError, match="Did you mean 'clean'"):
        unit_costs(layers, units, mode="clear")
    with pytest.raises(ArgumentError, match="hops must be 0 to 1000"):
        unit_costs(layers, units, hops=-1)
    with pytest.raises(ArgumentError, match="got 1001 and 70000"):
        unit_costs(layers, units, hops=1001)
    with pytest.raises(ArgumentError, match="off-chip bandwidth at least 1"):
        unit_costs(layers, units, offchip=0)


@pytest.mark.parametrize("mode", ["compatible", "clean"])
def test_a_unit_smaller_than_one_cluster_cannot_run_a_layer(mode: str) -> None:
    layers = np.array([LAYER, [CONV, 8, 4, 5, 1, 10, 10, 1]])
    units = np.array([[SHI, 7, 8], [RS, 4, 8], [DLA, 1, 8], [SHI, 8, 8], [RS, 5, 8]])
    latency, energy = unit_costs(layers, units, mode)
    impossible = np.array([[True, False, False, False, False], [True, True, False, False, False]])
    np.testing.assert_array_equal(latency == IMPOSSIBLE, impossible)
    np.testing.assert_array_equal(energy == IMPOSSIBLE, impossible)
    figures = unit_figures(layers, units, mode)
    np.testing.assert_array_equal(figures[..., RUNTIME] == IMPOSSIBLE, impossible)
    assert (figures[0, 0, RUNTIME + 1 :] == 0).all()


def test_a_layer_of_a_large_stride_whose_counts_make_no_sense_is_impossible_unless_clean() -> None:
    layer, unit = np.array([[CONV, 13, 74, 3, 4, 4, 25, 3]]), np.array([[SHI, 171, 9]])
    assert unit_costs(layer, unit)[0].item() == IMPOSSIBLE
    out = np.ones(FIGURES_SIZE, np.int64)
    layer_cost(layer[0], unit[0], 1, 70_000, COMPATIBLE, out)
    assert out[RUNTIME] == IMPOSSIBLE and out.sum() == IMPOSSIBLE
    assert unit_costs(layer, unit, mode="clean")[0].item() < IMPOSSIBLE


@pytest.mark.parametrize("template", [DLA, SHI, RS])
def test_the_smallest_layer_and_the_largest_units(template: int) -> None:
    one = np.array([[CONV, 1, 1, 1, 1, 1, 1, 1], [DSCONV, 1, 1, 1, 1, 1, 1, 5]])
    latency, energy = unit_costs(one, np.array([[template, 8, 1], [template, 1 << 20, 1 << 20]]))
    assert (latency > 0).all() and (latency < 20).all() and (energy > 0).all()


def test_500_impossible_layers_still_add_up() -> None:
    assert np.full(500, IMPOSSIBLE, np.int64).sum() > 0
