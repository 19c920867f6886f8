"""Every constant has a unit, a source and a certainty, and nodes are in order."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from archgym.errors import UnknownNameError
from simulators.systolic import sram, technology
from simulators.systolic.technology import BF16, BITS, CELL_UM2, FP32, INT4, INT8, INT16, INT32, MAC_PJ, STANDING_PJ, value

UNITS = {
    "bit",
    "words",
    "pJ",
    "um2",
    "x",
    "nm",
    "x MAC",
    "x 45 nm",
    "x cells and SRAM",
    "pJ/bit",
    "pJ/bit/mm",
    "um2/bit",
    "um2/byte",
    "GB/s",
    "pJ/cell/cycle at 28 nm and 8 bit",
    "pJ/cell/cycle at 65 nm and 16 bit",
}


@pytest.mark.parametrize("name", technology.constants())
def test_a_constant_says_where_it_is_from(name: str) -> None:
    constant = technology.constants()[name]
    assert constant.unit in UNITS
    assert constant.source
    assert constant.certainty in ("A", "B", "C")
    assert np.isfinite(constant.value) and constant.value >= 0


def test_only_switches_of_the_raw_set_are_zero() -> None:
    zeros = {name for name, constant in technology.constants().items() if constant.value == 0}
    assert zeros == {"calibration.raw.standing", "calibration.raw.leakage_node"}


def test_what_is_fitted_says_to_what() -> None:
    for name in ("sram_energy", "sram_area", "cell_area", "standing"):
        assert "fitted to" in technology.constants()[f"calibration.calibrated.{name}"].source


def test_both_sets_have_the_same_constants() -> None:
    names = [
        {name.rpartition(".")[2] for name in technology.constants() if name.startswith(f"calibration.{setting}.")}
        for setting in technology.SETTINGS
    ]
    assert names[0] == names[1] != set()


def test_every_number_format_and_memory_in_the_file_can_be_chosen() -> None:
    groups = [name.split(".")[:2] for name in technology.constants()]
    assert {group[1] for group in groups if group[0] == "mac"} == set(technology.FORMATS)
    assert {group[1] for group in groups if group[0] == "dram"} == set(technology.DRAMS)


@pytest.mark.parametrize("kind", ["energy", "area"])
def test_a_smaller_node_takes_less(kind: str) -> None:
    factors = [value(f"node.{node}.{kind}") for node in (65, 45, 32, 28, 22, 16, 7)]
    assert all(larger > smaller for larger, smaller in itertools.pairwise(factors))
    assert factors[1] == 1


@pytest.mark.parametrize("setting", technology.SETTINGS)
@pytest.mark.parametrize("column", [MAC_PJ, CELL_UM2, STANDING_PJ])
def test_tables_fall_with_the_node(setting: str, column: int) -> None:
    found = [technology.technology(node, setting).tables.formats[:, column] for node in technology.NODES]
    for larger, smaller in itertools.pairwise(found):
        assert (larger >= smaller).all()


@pytest.mark.parametrize("column", [BITS, MAC_PJ, CELL_UM2, STANDING_PJ])
def test_wider_numbers_take_more(column: int) -> None:
    found = technology.technology().tables.formats[:, column]
    assert found[INT4] < found[INT8] < found[INT16] < found[INT32]
    assert found[BF16] <= found[FP32]


def test_mac_energy_and_area_are_the_published_ones_at_45_nm() -> None:
    tables = technology.technology(45, "raw").tables
    assert tables.formats[INT8, MAC_PJ] == 0.3
    assert tables.formats[INT16, MAC_PJ] == 0.9
    # 282 um2 of multiplier, 137 of adder, and 3 x 8 + 32 register bits
    assert tables.formats[INT8, CELL_UM2] == pytest.approx(282 + 137 + 56 * 15.8 / 8, rel=1e-12)


def test_the_raw_set_has_no_standing_energy_and_the_calibrated_one_that_of_the_tpu() -> None:
    assert (technology.technology(28, "raw").tables.formats[:, STANDING_PJ] == 0).all()
    assert technology.technology(28, "calibrated").tables.formats[INT8, STANDING_PJ] == pytest.approx(0.554, rel=1e-12)


def test_leakage_is_that_of_28_nm_once_calibrated() -> None:
    own, leak = sram.table(28)[:, sram.LEAK_MW], sram.LEAK_MW
    for node in technology.NODES:
        tables = technology.technology(node, "calibrated").tables.sram
        np.testing.assert_array_equal(tables[:, leak], own)
        np.testing.assert_array_equal(technology.technology(node, "raw").tables.sram, sram.table(node))


def test_a_technology_cannot_be_changed() -> None:
    found = technology.technology()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.node_nm = 7  # type: ignore[misc]
    for table in found.tables:
        with pytest.raises(ValueError, match="read-only"):
            table[...] = 0
    with pytest.raises(TypeError):
        technology.constants()["mac.int8.energy"] = technology.constants()["mac.int4.energy"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: technology.technology(65), "no node named '65'.*Known: 45, 32, 28, 22"),
        (lambda: technology.technology(28, "calibratd"), "Did you mean 'calibrated'"),
        (lambda: value("mac.int8.enrgy"), "Did you mean 'mac.int8.energy'"),
    ],
)
def test_unknown_names_are_refused(call, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        call()
