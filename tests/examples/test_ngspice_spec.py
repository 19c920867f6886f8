"""The buffer of examples/ngspice, where ngspice is installed."""

from __future__ import annotations

import shutil

import pytest
from sources import ROOT

from archgym import Status, make_simulator, search
from archgym.simulator import Simulator

SPEC = str(ROOT / "examples" / "ngspice" / "buffer.toml")
SUPPLY, LOAD_PF = 1.8, 5.0


@pytest.fixture
def buffer() -> Simulator:
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is not installed (Debian: apt-get install ngspice)")
    return make_simulator(SPEC, cache=False)


def price(buffer: Simulator, **design: float) -> dict[str, float]:
    result = buffer.evaluate(buffer.space.encode(design))
    assert result.ok.all(), result.reasons
    return result.row(0)


def test_physics_is_as_it_must_be(buffer: Simulator) -> None:
    usual, wide = price(buffer), price(buffer, width_um=4.0)
    assert wide["delay_ps"] < usual["delay_ps"] and wide["energy_pj"] > usual["energy_pj"]
    # The load is charged once, which takes C V^2 from the supply; the inverters come on top of that.
    assert LOAD_PF * SUPPLY**2 < usual["energy_pj"] < 2 * LOAD_PF * SUPPLY**2
    assert usual["delay_ps"] == max(usual["rise_ps"], usual["fall_ps"])


def test_an_output_that_never_switches_is_invalid(buffer: Simulator) -> None:
    result = buffer.evaluate(buffer.space.encode({"stages": 1, "width_um": 0.5, "ratio": 1.0}))
    assert result.status[0] == Status.INVALID and "failed" in result.reasons[0]


def test_a_small_load_is_another_workload() -> None:
    if shutil.which("ngspice") is None:
        pytest.skip("ngspice is not installed (Debian: apt-get install ngspice)")
    pad, bus = (make_simulator(SPEC, workload=name, cache=False) for name in ("pad", "bus"))
    assert price(bus)["energy_pj"] < price(pad)["energy_pj"] / 3


def test_a_search_finds_better_than_the_default(buffer: Simulator) -> None:
    result = search("genetic", buffer, objective="delay_ps", budget=40, seed=0)
    assert result.best_metrics["delay_ps"] < price(buffer)["delay_ps"]
