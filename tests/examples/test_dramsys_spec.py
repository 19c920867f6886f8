"""DRAMSys as examples/dramsys describes it: the figures of ``dram``; where ARCHGYM_DRAMSYS names the program."""

from __future__ import annotations

import os

import numpy as np
import pytest
from sources import ROOT

from archgym import make_simulator

FOLDER = ROOT / "examples" / "dramsys"


def test_its_space_is_that_of_dram() -> None:
    described, ours = make_simulator(str(FOLDER / "dramsys.toml")), make_simulator("dram")
    assert described.space.digest == ours.space.digest
    assert described.space.parameters == ours.space.parameters


@pytest.mark.skipif("ARCHGYM_DRAMSYS" not in os.environ, reason="ARCHGYM_DRAMSYS does not name the DRAMSys program")
def test_its_figures_are_those_of_dram() -> None:
    described = make_simulator(str(FOLDER / "dramsys.toml"), cache=False)
    ours = make_simulator("dram", workload=str(FOLDER / "read-write.stl"))
    designs = np.concatenate([ours.space.default, ours.space.sample(20, 1)])
    measured, modelled = described.evaluate(designs), ours.evaluate(designs)
    assert measured.ok.all(), measured.reasons
    for name in ("latency_ns", "energy_pj"):
        assert np.array_equal(measured[name], modelled[name]), name
    for name in ("power_mw", "bandwidth_gbps"):  # printed with two digits
        assert np.allclose(measured[name], modelled[name], rtol=0, atol=0.00501), name


def test_a_missing_program_is_a_failure_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHGYM_DRAMSYS", raising=False)
    described = make_simulator(str(FOLDER / "dramsys.toml"), cache=False)
    result = described.evaluate(described.space.default)
    assert not result.ok.any() and "ARCHGYM_DRAMSYS must name the DRAMSys program" in result.reasons[0]
