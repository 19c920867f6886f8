"""The comparison of heuristic and exact solver: its cases are the ones it describes, and it goes on where it was."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import hap_gap


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hap_gap, "STORE", tmp_path / "runs" / "hap_gap.jsonl")


@pytest.mark.parametrize(
    ("kind", "resnet9", "unet"), [("small", {5, 6, 7, 8}, {3, 8}), ("full", set(range(5, 12)), {3, 8, 13, 18, 23})]
)
def test_cases(kind: str, resnet9: set[int], unet: set[int]) -> None:
    drawn = list(hap_gap.cases(kind, 40))
    assert [case.key for case in hap_gap.cases(kind, 40)] == [case.key for case in drawn]
    assert len({case.key for case in drawn}) == 40
    assert {case.lengths[0] for case in drawn} <= resnet9 and {case.lengths[1] for case in drawn} <= unet
    for case in drawn:
        assert case.latency.shape == (sum(case.lengths), 2)
        assert case.solve("heuristic", limit=0).makespan <= case.limit


def test_an_interrupted_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ortools", reason="the exact solver is an extra: pip install 'archgym[asic]'")
    before = hap_gap.compare("small", 2)
    with hap_gap.STORE.open("a") as file:
        file.write('\n{"case": "cut sh')
    solved = []
    monkeypatch.setattr(hap_gap, "store", lambda case, store=hap_gap.store: solved.append(case.key) or store(case))
    after = hap_gap.compare("small", 3)
    assert len(solved) == 1 and len(hap_gap.stored()) == 3
    assert after.gaps[:2] == before.gaps and min(after.gaps) >= 0 and min(after.makespan_gaps) >= 0


def test_the_row_has_a_cell_for_each_column() -> None:
    found = hap_gap.Found([8, 16], [0.0, 0.02], [0.01, 0.03], 1, 0.001, 0.04)
    assert dict(zip(hap_gap.COLUMNS, found.row("small"), strict=True)) == {
        "cases": "small",
        "number": "2",
        "layers": "8 / 12 / 16",
        "optimal": "50 %",
        "mean gap": "1.00 %",
        "90th percentile": "1.80 %",
        "99th": "2.0 %",
        "largest": "2.0 %",
        "feasible missed": "1",
        "least makespan, mean gap": "2.00 %",
        "largest gap": "3.0 %",
        "CPU ms, heuristic": "0.50",
        "exact": "20",
    }
