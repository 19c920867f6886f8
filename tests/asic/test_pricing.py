"""Many designs at once: equal to one at a time, and what random designs are like."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from worked import END, LATENCY, LENGTHS, LIMIT, NANOJOULES, NETWORKS, PRINTED_NJ, START, UNIT, UNITS

from archgym.errors import DesignError, UnknownNameError, WorkloadError
from simulators.asic import pricing
from simulators.asic.area import unit_areas
from simulators.asic.cost import unit_costs
from simulators.asic.hap import assign
from simulators.asic.layout import BANDWIDTH, DLA, LAYER_SIZE, PES, RS, SHI, TEMPLATE, UNIT_SIZE, C
from simulators.asic.network_space import load_network_space
from simulators.asic.pricing import price, price_choices, together
from simulators.asic.random_designs import sample_units

Ints = NDArray[np.int64]
W1 = ("resnet9-cifar10", "unet-nuclei")


def designs(count: int, units: int = 2, names: tuple[str, ...] = W1, seed: int = 0) -> tuple[list[Ints], Ints]:
    random = np.random.default_rng(seed)
    values = [load_network_space(name).sample(count, random) for name in names]
    return values, sample_units(count, units, random)


def worked(units: Ints) -> tuple[Ints, Ints, Ints]:
    """The networks of the worked example on one choice of units, as a batch of one."""
    networks = [(network.layers()[None], np.array([length])) for network, length in zip(NETWORKS, LENGTHS, strict=True)]
    return (*together(networks), units[None])


def test_the_worked_example_from_networks_to_energy() -> None:
    latency, energy = unit_costs(np.concatenate([network.layers() for network in NETWORKS]), UNITS)
    np.testing.assert_array_equal(latency, LATENCY)
    np.testing.assert_allclose(energy * NANOJOULES, PRINTED_NJ, rtol=5e-7)
    found = assign(latency, energy, LENGTHS, LIMIT)
    np.testing.assert_array_equal(
        np.column_stack([found.mapping, found.start, found.end]), np.column_stack([UNIT, START, END])
    )
    priced = price(*worked(UNITS), LIMIT)
    assert priced.latency.tolist() == [781_906] and priced.feasible.tolist() == [True]
    assert round(priced.energy[0] * NANOJOULES, 2) == 947_059_241.61
    np.testing.assert_array_equal(priced.mapping, UNIT[None])


@pytest.mark.parametrize(
    ("units", "latency", "energy", "area"),
    [
        ([[DLA, 1088, 24]], 1_535_823, 696_346_046.22, None),
        ([[DLA, 576, 56], [SHI, 1792, 8]], 1_133_583, 777_851_765.63, 2_008_429_449.73),
        ([[DLA, 1024, 32], [RS, 1024, 32]], 721_231, 769_284_236.43, 1_281_874_161.43),
    ],
)
def test_the_worked_networks_on_other_units(units: list[list[int]], latency: int, energy: float, area: float | None) -> None:
    hardware = np.array(units, np.int64)
    priced = price(*worked(hardware), LIMIT)
    assert priced.latency[0] == latency and round(priced.energy[0] * NANOJOULES, 2) == energy
    assert priced.feasible[0] == (latency <= LIMIT)
    if area is not None:
        assert round(unit_areas(hardware).sum(), 2) == area


@pytest.mark.parametrize(("units", "mode"), [(1, "compatible"), (2, "compatible"), (2, "clean"), (4, "compatible")])
def test_many_equal_one_at_a_time(units: int, mode: str) -> None:
    names = ("unet-nuclei", "resnet9-cifar10", "resnet9-stl10")[: 3 if units > 2 else 2]
    values, hardware = designs(30, units, names)
    spaces = [load_network_space(name) for name in names]
    priced = price_choices(spaces, values, hardware, 900_000, mode)
    for design in range(30):
        networks = [space.description(each[design]).layers() for space, each in zip(spaces, values, strict=True)]
        lengths = [len(network) for network in networks]
        found = assign(*unit_costs(np.concatenate(networks), hardware[design], mode), lengths, 900_000)
        assert (priced.latency[design], priced.energy[design]) == (found.makespan, found.energy)
        assert priced.feasible[design] == found.feasible
        np.testing.assert_array_equal(priced.mapping[design, : sum(lengths)], found.mapping)
        assert (priced.mapping[design, sum(lengths) :] == -1).all()


def test_the_result_depends_on_neither_chunks_nor_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    values, units = designs(40)
    spaces = [load_network_space(name) for name in W1]
    whole = price_choices(spaces, values, units, LIMIT)
    monkeypatch.setattr(pricing, "CHUNK", 7)
    parts = price_choices(spaces, values, units, LIMIT)
    monkeypatch.setattr(pricing, "SMALL", 1_000)
    alone = price_choices(spaces, values, units, LIMIT)
    for other in (parts, alone):
        np.testing.assert_array_equal(other.latency, whole.latency)
        np.testing.assert_array_equal(other.energy, whole.energy)
        np.testing.assert_array_equal(other.mapping, whole.mapping)


def test_no_design_is_no_problem() -> None:
    values, units = designs(0)
    priced = price_choices([load_network_space(name) for name in W1], values, units, LIMIT)
    assert priced.latency.shape == priced.energy.shape == priced.feasible.shape == (0,) and len(priced.mapping) == 0


def test_a_unit_too_small_for_a_layer_gets_none() -> None:
    layers, first, units = worked(np.array([[SHI, 4, 8], [DLA, 32, 8]], np.int64))
    assert (price(layers, first, units, LIMIT).mapping == 1).all()


def test_the_exact_solver_is_never_worse() -> None:
    pytest.importorskip("ortools", reason="the exact solver is an extra: pip install 'archgym[asic]'")
    values, units = designs(4, seed=3)
    spaces = [load_network_space(name) for name in W1]
    limit = 3_000_000
    exact = price_choices(spaces, values, units, limit, solver="exact")
    heuristic = price_choices(spaces, values, units, limit)
    assert (exact.feasible >= heuristic.feasible).all() and exact.feasible.any()
    assert (exact.energy <= heuristic.energy)[heuristic.feasible].all()
    assert (exact.mapping.max(axis=1) <= 1).all() and ((exact.mapping < 0) == (heuristic.mapping < 0)).all()


def test_random_units_keep_their_totals_and_are_uniform() -> None:
    units = sample_units(20_000, 2, np.random.default_rng(0))
    assert (
        units.shape == (20_000, 2, UNIT_SIZE) and not (units[:, :, PES] % 32).any() and not (units[:, :, BANDWIDTH] % 8).any()
    )
    assert units[:, :, PES].sum(axis=1).max() <= 4096 and units[:, :, BANDWIDTH].sum(axis=1).max() <= 64
    assert (units[:, :, PES].min(), units[:, :, PES].max()) == (32, 4064)
    _, pairs = np.unique(units[:, :, BANDWIDTH], axis=0, return_counts=True)
    assert len(pairs) == 28 and abs(pairs - 20_000 / 28).max() < 5 * np.sqrt(20_000 / 28)
    assert abs(np.bincount(units[:, 0, TEMPLATE]) - 20_000 / 3).max() < 4 * np.sqrt(20_000 * 2 / 9)
    alone = sample_units(20_000, 1, np.random.default_rng(0))
    assert (alone[:, :, PES].max(), alone[:, :, BANDWIDTH].max()) == (4096, 64)


# Shares of 10,000 random designs that meet the limits on latency, energy and area, and all three; found by another program.
# Limits: cycles, nJ, um2.
@pytest.mark.parametrize(
    ("names", "limits", "shares"),
    [
        (W1, (800_000, 2e9, 4e9), (0.168, 0.410, 0.672, 0.103)),
        (("resnet9-cifar10", "resnet9-stl10-wide"), (1_000_000, 3.5e9, 4e9), (0.019, 0.141, 0.677, 0.008)),
        (("resnet9-cifar10", "resnet9-stl10"), (1_000_000, 3.5e9, 4e9), (0.168, 0.830, 0.677, 0.093)),
        (("resnet9-cifar10", "resnet9-cifar10"), (400_000, 1e9, 4e9), (0.135, 0.333, 0.672, 0.071)),
    ],
    ids=["W1", "W2-wide", "W2", "W3"],
)
def test_random_designs_meet_the_limits_as_often_as_they_should(
    names: tuple[str, ...], limits: tuple[int, float, float], shares: tuple[float, ...]
) -> None:
    count = 2_500
    values, units = designs(count, names=names, seed=11)
    priced = price_choices([load_network_space(name) for name in names], values, units, limits[0])
    area = unit_areas(units.reshape(-1, UNIT_SIZE)).reshape(count, 2).sum(axis=1)
    meets = [priced.feasible, priced.energy * NANOJOULES <= limits[1], area <= limits[2]]
    found = np.array([np.mean(each) for each in (*meets, np.logical_and.reduce(meets))])
    expected = np.array(shares)
    deviation = np.sqrt(expected * (1 - expected) * (1 / count + 1 / 10_000))
    assert (abs(found - expected) < 4 * deviation + 0.0005).all(), found  # the shares are printed to a thousandth


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda layers, first, units: (layers[0], first, units), WorkloadError, "layers must be"),
        (lambda layers, first, units: (layers, first[:, :1], units), WorkloadError, "layers must be"),
        (lambda layers, first, units: (layers, first + 1, units), WorkloadError, "rise from 0"),
        (lambda layers, first, units: (layers, first[:, ::-1], units), WorkloadError, "rise from 0"),
        (lambda layers, first, units: (layers * (np.arange(LAYER_SIZE) != C), first, units), WorkloadError, "at least 1"),
        (lambda layers, first, units: (layers, first, units[0]), DesignError, "units must be"),
        (lambda layers, first, units: (layers, first, units[:, :0]), DesignError, "units must be"),
        (lambda layers, first, units: (layers, first, units * [0, 0, 1]), DesignError, "processing element"),
    ],
)
def test_refuses_what_makes_no_sense(
    change: Callable[..., tuple[Ints, Ints, Ints]], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        price(*change(*worked(UNITS)), LIMIT)


def test_refuses_another_mode_or_solver() -> None:
    with pytest.raises(UnknownNameError, match="clean"):
        price(*worked(UNITS), LIMIT, mode="cleaner")
    with pytest.raises(UnknownNameError, match="heuristic"):
        price(*worked(UNITS), LIMIT, solver="greedy")
