"""The datasheet counts what a plain count over the table gives."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from made_up import BOX, Blunt, blunt, kinds, logged

from archgym import Dataset
from archgym.dataset import datasheet
from archgym.errors import DataError


def test_counts_agree_with_the_table(tmp_path: Path) -> None:
    dataset = Dataset.open(logged(tmp_path))
    sheet = dataset.describe()
    (problem,) = sheet.problems
    table, found = dataset.to_arrow(), dataset.arrays()
    assert (sheet.runs, sheet.trials, problem.trials) == (2, 120, 120)
    assert problem.agents == {"genetic": 60, "random_walk": 60} and problem.objectives == {"distance": 120}
    for status, count in problem.statuses.items():
        assert count == table["status"].to_pylist().count(status)
    assert problem.designs == len(kinds(found.designs)) and problem.duplicates == 120 - problem.designs
    assert problem.coverage == problem.designs / problem.space_size == problem.designs / 6**4
    ok = np.array(table["status"].to_pylist()) == "OK"
    for name, values in problem.ranges.items():
        column = found.metrics[name][ok]
        assert (values.least, values.largest) == (column.min(), column.max()) and math.isclose(values.mean, column.mean())
    assert problem.levels == {f"x{i}": (len(set(found.designs[:, i])), 6) for i in range(4)}
    (reason,) = problem.reasons["INVALID"]
    assert reason[1] == problem.statuses["INVALID"] and reason[0].startswith("budget: levels must not sum")
    assert json.loads(json.dumps(sheet.record()))["problems"][0]["coverage"] == problem.coverage


def test_problems_are_told_apart_and_classes_counted() -> None:
    dataset = blunt(300, blind=(0, 2)).join(blunt(40, 1, "walker", workload="other"))
    blind, seeing = sorted(dataset.describe().problems, key=lambda each: each.workload)
    assert (blind.workload, blind.trials, blind.classes) == ("all", 300, 3)
    assert (seeing.workload, seeing.trials, seeing.agents) == ("other", 40, {"walker": 40})
    assert seeing.classes == seeing.designs
    assert blind.designs == len(kinds(dataset.select(workload="all").arrays().designs))


def test_classes_are_counted_where_the_simulator_is_installed(tmp_path: Path) -> None:
    blunt(5).to_parquet(tmp_path / "other.parquet")
    (unknown,) = Dataset.open(tmp_path / "other.parquet").describe().problems
    assert unknown.classes is None and unknown.trials == 5
    dataset = Dataset.open(logged(tmp_path))
    (problem,) = dataset.describe().problems
    assert problem.classes == problem.designs  # the synthetic simulator tells all designs apart


def test_failures_only_have_no_ranges_and_rare_reasons_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasheet, "MOST_REASONS", 2)
    simulator = Blunt()
    designs = BOX.sample(6, 0)
    metrics = simulator.evaluate(designs)
    metrics.status[:] = 2
    metrics.reasons = {row: f"crashed at {row % 4}" for row in range(6)}
    for column in metrics.columns.values():
        column[:] = np.nan
    (problem,) = Dataset.from_arrays(simulator, designs, metrics).describe().problems
    assert problem.statuses["FAILED"] == 6 and all(math.isnan(each.mean) for each in problem.ranges.values())
    assert sum(count for _, count in problem.reasons["FAILED"]) == 6 and datasheet.OTHER in dict(problem.reasons["FAILED"])


def test_many_pieces_count_like_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset.open(logged(tmp_path, budget=100))
    expected = dataset.describe()
    monkeypatch.setattr("archgym.dataset.view.View.scan", lambda self, columns, scan=Dataset.scan: scan(self, columns, 1))
    assert dataset.describe() == expected


def test_nothing_to_describe_says_so() -> None:
    with pytest.raises(DataError, match="nothing to describe"):
        blunt(3).select(status="FAILED").describe()
