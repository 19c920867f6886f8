"""The section ``soc`` of the fidelity experiment sees what it must."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import fidelity_soc

from simulators.soc import reference


@pytest.fixture(scope="module")
def rows() -> fidelity_soc.Columns:
    table = fidelity_soc.read(fidelity_soc.TABLE)
    return {name: column[::20] for name, column in table.items()}


def test_every_row_is_counted_once(rows: fidelity_soc.Columns) -> None:
    lines = list(fidelity_soc.compare(rows))
    assert len(lines) == 6
    assert sum(int(line[2]) for line in lines) == rows["valid"].sum()
    assert all(set(line[3:-2]) == {"100 %"} for line in lines)


@pytest.mark.parametrize(
    ("name", "group"), [("power", "power"), ("area_dram", "area"), ("kernels", "tasks"), ("phases", "phases")]
)
def test_one_wrong_row_is_seen(rows: fidelity_soc.Columns, monkeypatch: pytest.MonkeyPatch, name: str, group: str) -> None:
    right = reference.predict

    def predict(measured: fidelity_soc.Columns) -> fidelity_soc.Columns:
        predicted = right(measured)
        row = np.flatnonzero(predicted["valid"])[0]
        if name == "kernels":
            tasks = json.loads(predicted[name][row])
            predicted[name][row] = json.dumps([tasks[1], tasks[0], *tasks[2:]])
        elif name == "phases":
            predicted[name][row] = json.dumps(json.loads(predicted[name][row])[:-1])
        else:
            predicted[name][row] *= 1 + 1e-11
        return predicted

    monkeypatch.setattr(reference, "predict", predict)
    column = 3 + list(fidelity_soc.GROUPS).index(group)
    for line in fidelity_soc.compare(rows):
        assert line[column] != "100 %"
        assert all(cell == "100 %" for place, cell in enumerate(line[3:-2], start=3) if place != column)


def test_differences_of_lists() -> None:
    assert fidelity_soc.error("[1.0, 4.0]", "[1.0, 2.0]") == 0.5
    assert fidelity_soc.error('[["a", 1, 2.0]]', '[["b", 1, 2.0]]') == np.inf
    assert fidelity_soc.error("[1.0]", "[1.0, 2.0]") == np.inf
    assert fidelity_soc.error(2.0, np.nan) == np.inf and fidelity_soc.error(0.0, 0.5) == 0.5


def test_all_is_said_only_of_all() -> None:
    assert fidelity_soc.share(np.ones(3, bool)) == "100 %"
    assert fidelity_soc.share(np.arange(100_000) > 0) == "99.99 %"
