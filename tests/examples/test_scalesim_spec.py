"""SCALE-Sim as examples/scalesim describes it: the figures of ``systolic``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sources import ROOT

from archgym import make_simulator

FOLDER = ROOT / "examples" / "scalesim"


@pytest.mark.slow
def test_its_figures_are_those_of_systolic(scalesim_python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{scalesim_python.parent}{os.pathsep}{os.environ['PATH']}")
    described = make_simulator(str(FOLDER / "scalesim.toml"), cache=False)
    ours = make_simulator("systolic", workload=str(FOLDER / "layers.csv"), model="scalesim3")
    designs = np.concatenate([described.space.default, described.space.sample(7, 2)])
    same = [ours.space.encode({**described.space.describe(design), "precision_bits": 8}) for design in designs]
    measured, modelled = described.evaluate(designs), ours.evaluate(np.concatenate(same))
    assert measured.ok.all(), measured.reasons
    for name in ("cycles", "dram_bytes"):
        assert np.array_equal(measured[name], modelled[name]), name
    assert described.version.startswith("3.0.0+")
