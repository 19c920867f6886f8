"""The fidelity report of the ASIC cost model counts what differs, and nothing else; so does the one on areas."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import areas_asic
import fidelity_asic

from simulators.asic import reference

RUNTIME, ENERGY, CSV = 5, 9, 13  # columns of a report row


@pytest.fixture
def rows() -> fidelity_asic.Columns:
    table = fidelity_asic.read(fidelity_asic.TABLE)
    chosen = np.flatnonzero(~table["degenerate"])[::150]
    return {name: column[chosen].copy() for name, column in table.items()}


def test_rows_are_counted_once_per_path(rows: fidelity_asic.Columns) -> None:
    lines = list(fidelity_asic.compare(rows, "general"))
    assert sum(int(line[4]) for line in lines) == len(rows["type"])
    assert {cell for line in lines for cell in line[5:-1]} <= {"100 %", ""}
    closed = list(fidelity_asic.compare(rows, "closed"))
    assert 0 < sum(int(line[4]) for line in closed) < len(rows["type"])
    assert all(line[3] == "1" or line[1] == "dla" for line in closed)


def test_one_wrong_cycle_is_seen(rows: fidelity_asic.Columns, monkeypatch: pytest.MonkeyPatch) -> None:
    def predict(measured: fidelity_asic.Columns, engine: str) -> fidelity_asic.Columns:
        predicted = {name: measured[name].copy() for name in reference.OUTPUTS}
        predicted["runtime_cycles"][0] += 1
        predicted["energy_nj"] *= 1 + 1e-9
        return predicted

    monkeypatch.setattr(reference, "predict", predict)
    for line in fidelity_asic.compare(rows, "general"):
        assert line[RUNTIME] not in ("", "100 %") and line[ENERGY] == "0.00 %"
        assert line[RUNTIME + 1] == "100 %" and line[CSV] in ("", "100 %")
        assert float(line[-1]) >= 1e-9


def test_a_share_is_not_rounded_up_to_all_and_unknown_rows_do_not_count() -> None:
    equal = np.ones((2, 100_000))
    assert fidelity_asic.share(equal) == "100 %"
    equal[1, 7] = 0
    assert fidelity_asic.share(equal) == "99.99 %"
    assert fidelity_asic.share(np.array([[np.nan, 1.0, 0.0]])) == "50.00 %"
    assert fidelity_asic.share(np.full((1, 3), np.nan)) == ""


def test_areas_of_all_published_designs() -> None:
    rows = areas_asic.measure().rows
    assert len(rows) == 6
    assert all(abs(float(row[4].removesuffix(" %"))) < 1.5 for row in rows)
    assert all(float(row[5].removesuffix(" %")) < -4 for row in rows)
