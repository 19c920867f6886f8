"""Layers whose cost was worked out by hand, and figures that must agree with one another."""

from __future__ import annotations

import numpy as np
import pytest
from drawn import layers, links, units
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.asic import cost
from simulators.asic.area import required
from simulators.asic.constants import AREA
from simulators.asic.counts import FIGURES, FIGURES_SIZE, IMPOSSIBLE, RUNTIME
from simulators.asic.energy import energy_of, nanojoules
from simulators.asic.layout import COMPATIBLE, CONV, DLA, RS, SHI, TEMPLATES

CONVOLUTION = [CONV, 32, 16, 3, 3, 34, 34, 1]
FULLY_CONNECTED = [CONV, 10, 64, 1, 1, 1, 1, 1]
COLUMNS = ("runtime_cycles", "macs", "input_l2_read", "filter_l2_read", "output_l2_write", "l1_req_bytes", "l2_req_bytes")
WORKED = [  # layer, template, COLUMNS, nJ and um2 with the constants of 2022
    (CONVOLUTION, DLA, (221292, 4718592, 416784, 4608, 32768, 54, 1448), 10724.2478, 40187642.490),
    (CONVOLUTION, SHI, (84860, 4718592, 1343808, 4608, 524288, 54, 2450), 17154.2438, 40187746.698),
    (CONVOLUTION, RS, (59419, 4718592, 147456, 142992, 524288, 198, 1888), 12217.0245, 40191522.106),
    (FULLY_CONNECTED, DLA, (54, 640, 64, 640, 10, 6, 648), 7.520678, 40186281.338),
    (FULLY_CONNECTED, SHI, (1281, 640, 631, 640, 640, 6, 6), 12.863286, 40186214.570),
    (FULLY_CONNECTED, RS, (705, 640, 64, 640, 640, 66, 42), 10.217267, 40187815.754),
]
NAMES = [f"{'conv' if row[0] is CONVOLUTION else 'fc'}-{TEMPLATES[row[1]]}" for row in WORKED]


@pytest.mark.parametrize(("layer", "template", "expected", "energy_nj", "area_um2"), WORKED, ids=NAMES)
def test_worked_layers(layer: list[int], template: int, expected: tuple[int, ...], energy_nj: float, area_um2: float) -> None:
    unit = np.array([[template, 256, 16]])
    figures = dict(zip(FIGURES, cost.unit_figures(np.array([layer]), unit)[0, 0].tolist(), strict=True))
    assert tuple(figures[name] for name in COLUMNS) == expected
    latency, energy = cost.unit_costs(np.array([layer]), unit)
    assert latency[0, 0] == expected[0]
    np.testing.assert_allclose(nanojoules(energy, "2022")[0, 0], energy_nj, rtol=1e-7)
    buffers = (np.array([figures["l1_req_bytes"]]), np.array([figures["l2_req_bytes"]]))
    assert round(required(unit, *buffers, AREA, "2022").sum(), 3) == area_um2


def test_a_layer_of_the_published_search() -> None:
    stem = np.array([[CONV, 16, 3, 3, 3, 34, 34, 1]])
    latency, energy = cost.unit_costs(stem, np.array([[DLA, 1088, 24], [SHI, 2368, 40]]))
    assert latency.tolist() == [[12308, 3481]] and energy.tolist() == [[428586076, 719370268]]


def test_an_up_convolution_is_a_convolution_on_the_doubled_map() -> None:
    up = np.array([[CONV, 8, 16, 2, 2, 129, 129, 1]])
    latency, energy = cost.unit_costs(up, np.array([[DLA, 1088, 24], [SHI, 2368, 40]]))
    assert latency.tolist() == [[163864, 103565]]
    np.testing.assert_allclose(nanojoules(energy, "2019"), [[7.686667e07, 1.752290e08]], rtol=5e-7)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_all_ways_to_ask_agree(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(1, 2)))
    unit = data.draw(units(layer, (DLA, SHI, RS)))
    hops, offchip = data.draw(links)
    out = np.empty(FIGURES_SIZE, np.int64)
    cost.layer_cost(layer, unit, hops, offchip, COMPATIBLE, out)
    assert cost.price(layer, unit, hops, offchip, COMPATIBLE) == (out[RUNTIME], energy_of(out))
    latency, energy = cost.unit_costs(layer[None], unit[None], hops=hops, offchip=offchip)
    assert (latency.item(), energy.item()) == (out[RUNTIME], energy_of(out))
    np.testing.assert_array_equal(cost.unit_figures(layer[None], unit[None], hops=hops, offchip=offchip)[0, 0], out)
    assert (out >= 0).all() and 0 < out[RUNTIME] < IMPOSSIBLE and energy_of(out) < IMPOSSIBLE


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_faster_network_never_takes_longer(data: st.DataObject) -> None:
    layer = data.draw(layers(st.integers(1, 2)))
    unit = data.draw(units(layer, (DLA, SHI, RS)))
    faster = unit + np.array([0, 0, data.draw(st.integers(1, 50))])
    (slow, energy), (fast, same) = (cost.price(layer, each, 1, 70_000, COMPATIBLE) for each in (unit, faster))
    assert fast <= slow and energy == same


def test_a_batch_is_its_layers_and_units() -> None:
    tables = np.array([CONVOLUTION, FULLY_CONNECTED, [CONV, 8, 8, 5, 3, 20, 31, 2]])
    both = np.array([[RS, 129, 7], [SHI, 77, 30]])
    latency, energy = cost.unit_costs(tables, both)
    assert latency.shape == energy.shape == (3, 2) and latency.dtype == energy.dtype == np.int64
    for i, u in np.ndindex(3, 2):
        assert (latency[i, u], energy[i, u]) == cost.price(tables[i], both[u], 1, 70_000, COMPATIBLE)
    assert [part.shape for part in cost.unit_costs(tables[:0], both)] == [(0, 2), (0, 2)]
