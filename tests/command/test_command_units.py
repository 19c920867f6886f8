from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_files import spec_of

from archgym.errors import SpecError
from simulators.command.units import SUFFIXES, UnitError, factor, unit_of


@pytest.mark.parametrize(
    ("printed", "wanted", "value"),
    [
        ("us", "ns", 1000.0),
        ("ns", "us", 0.001),
        ("mW", "W", 0.001),
        ("milliwatt", "uW", 1000.0),
        ("um^2", "mm2", None),
        ("um^2", "mm**2", 1e-6),
        ("µm²", "mm^2", 1e-6),
        ("KiB", "byte", 1024.0),
        ("KiB", "kB", 1.024),
        ("MHz", "GHz", 0.001),
        ("pJ/bit", "nJ/byte", 0.008),
        ("kWh", "J", 3.6e6),
        ("nJ/s", "nW", 1.0),
        ("hour", "s", 3600.0),
        ("GB/s", "byte/ns", 1.0),
    ],
)
def test_factors_are_exact(printed: str, wanted: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(UnitError):
            factor(printed, wanted)
    else:
        assert factor(printed, wanted) == value


@given(st.sampled_from(["ps", "ns", "us", "ms", "s"]), st.sampled_from(["ps", "ns", "us", "ms", "s"]))
def test_there_and_back(one: str, other: str) -> None:
    assert factor(one, other) * factor(other, one) == pytest.approx(1.0, rel=1e-15)


def test_every_ending_of_a_name_is_a_unit() -> None:
    for unit in SUFFIXES.values():
        assert factor(unit, unit) == 1.0
    assert unit_of("latency_ns") == "ns" and unit_of("power_mw") == "mW" and unit_of("area_mm2") == "mm**2"
    assert unit_of("cycles") is None and unit_of("s") == "s" and unit_of("gb_per_second") is None


@pytest.mark.parametrize(
    ("printed", "wanted", "message"),
    [
        ("uss", "ns", "no unit is called 'uss'"),
        ("us", "nss", "no unit is called 'nss'"),
        ("us", "nJ", "measure different things"),
        ("degC", "K", "by multiplication"),
        ("", "ns", "'' is no unit"),
        ("1000 us", "ns", "is no unit"),
        ("m**999999999", "m", "is no unit"),
        ("m**2**2", "m", "is no unit"),
        ("__import__('os')", "m", "is no unit"),
        ("s" * 100, "s", "is no unit"),
        ("m*(", "m", "cannot be converted"),
    ],
)
def test_what_cannot_be_converted(printed: str, wanted: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        factor(printed, wanted)
    assert message in str(caught.value)


def metric(name: str, keys: str) -> str:
    return f'[[metrics]]\nname = "{name}"\nsource = "stdout"\npattern = \'x=(.*)\'\n{keys}\n'


@pytest.mark.parametrize(
    ("name", "keys", "value"),
    [
        ("latency_ns", 'unit = "us"', 1000.0),
        ("latency", 'unit = "us"\nto = "ms"', 0.001),
        ("power_mw", 'unit = "W"', 1000.0),
        ("area_mm2", 'unit = "um^2"\nscale = 2', 2e-6),
        ("latency_ns", 'unit = "us"\nto = "ns"\nscale = 0.5', 500.0),
        ("latency_ns", "scale = 4", 4.0),
        ("latency_ns", "", 1.0),
    ],
)
def test_a_metric_has_the_unit_that_its_name_ends_in(tmp_path: Path, name: str, keys: str, value: float) -> None:
    (reading,) = spec_of(tmp_path, metrics=metric(name, keys)).readings
    assert reading.factor == value


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        ("latency", 'unit = "us"', "ends in no unit that is known; say which one it has by to = ..."),
        ("latency_ns", 'to = "us"', "unit, the one that is printed, is missing"),
        ("latency_ns", 'unit = "nJ"', "unit: 'nJ' cannot be converted to 'ns': they measure different things"),
        ("latency_ns", 'unit = "usec."', "is no unit"),
        ("latency_ns", "unit = 3", "unit must be a text"),
    ],
)
def test_units_of_metrics_are_checked_when_a_spec_is_read(tmp_path: Path, name: str, keys: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec_of(tmp_path, metrics=metric(name, keys))
    assert message in str(caught.value) and f"[[metrics]] 1 ({name})" in str(caught.value)
