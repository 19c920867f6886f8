"""The proxy studies: resumable, honest about what is held out, and their tables show what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")
pytest.importorskip("skl2onnx", reason="the studies need the proxy extra")

import proxy_cells as cells
from proxy_accuracy import main, plan, run
from proxy_tables import tables


def test_no_uniform_trial_is_of_a_held_out_class() -> None:
    _, table = cells.problem("stream")
    _, rows = cells.uniform("stream", 2000, 0)
    assert len(rows) == 2000 and not cells.held_out(table)[rows].any()
    assert cells.held_out(table).sum() == round(0.2 * len(table))


def test_the_plan_holds_every_study_once() -> None:
    planned = plan(False, "PROGRAM")
    assert {study for study, _, _ in planned} == {"size", "leak", "speed", "dramsys", "search", "transfer", "diversity"}
    assert len({json.dumps([study, arguments], sort_keys=True) for study, _, arguments in planned}) == len(planned)


def test_a_finished_cell_is_not_measured_again(tmp_path: Path) -> None:
    calls = []

    def measured(size: int) -> list[cells.Row]:
        calls.append(size)
        return [{"regret": 0.5}]

    results = tmp_path / "results.jsonl"
    first = run([("search", measured, {"size": 1})], results, np.inf)
    again = run([("search", measured, {"size": 1}), ("search", measured, {"size": 2})], results, np.inf)
    assert calls == [1, 2] and again[0] == first[0] and len(again) == 2
    assert run([("search", measured, {"size": 3})], results, -1.0) == [] and calls == [1, 2]


def test_the_table_shows_the_regret_in_percent() -> None:
    row = {"study": "search", "workload": "stream", "way": "guided", "budget": 80, "seed": 0, "regret": 0.0123}
    assert "| stream | guided | 80 | 1 | 1.23 | 1.23 |" in tables([row])


@pytest.mark.slow
def test_quick_runs_and_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--results", str(tmp_path / "results.jsonl")]) == 0
    assert "(a) RMSE" in capsys.readouterr().out
