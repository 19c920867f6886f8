"""Exports hold a few pieces at a time, however many trials there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from made_up import BOX, Blunt
from pyarrow import csv, parquet

from archgym import Dataset, Metrics
from archgym.dataset import exporting
from archgym.manifest import describe_run, describe_task
from archgym.objective import make_objective
from archgym.sealing import schema
from archgym.trials import Chunk, TrialLog

PIECE = 2_000


def long_run(folder: Path, trials: int, monkeypatch: pytest.MonkeyPatch, close: str) -> Dataset:
    """One run of so many trials."""
    monkeypatch.setattr("archgym.sealing.ROWS_PER_GROUP", PIECE)
    simulator = Blunt()
    objective = make_objective("latency_ns", simulator)
    log = TrialLog.create(folder, describe_run(describe_task(simulator, objective, None), "me", {}, 0))
    for first in range(0, trials, 500):
        designs = BOX.sample(500, first)
        metrics = Metrics({name: np.ones(500) for name in simulator.metric_names}, np.zeros(500, np.uint8), np.zeros(500))
        log.append(Chunk(first, first, "full", 1.0, designs, metrics, -np.ones(500)))
    if close:
        log.close(close)
    return Dataset.open(folder)


@pytest.mark.parametrize("close", ["finished", "interrupted"])
@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_ten_times_the_trials_take_no_more_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, close: str
) -> None:
    monkeypatch.setattr(exporting, "ROWS_PER_GROUP", PIECE)
    writer: Any = parquet.ParquetWriter if form == "parquet" else csv.CSVWriter
    held: list[int] = []

    class Watched(writer):  # type: ignore[misc]
        def write_batch(self, *arguments: Any, **keywords: Any) -> None:
            held.append(pa.total_allocated_bytes())
            super().write_batch(*arguments, **keywords)

    monkeypatch.setattr(parquet if form == "parquet" else csv, writer.__name__, Watched)
    most = []
    for trials in (4 * PIECE, 40 * PIECE):
        dataset = long_run(tmp_path / str(trials), trials, monkeypatch, close)
        before = pa.total_allocated_bytes()
        held.clear()
        assert getattr(dataset, f"to_{form}")(tmp_path / f"{trials}.{form}") == trials and len(held) == trials // PIECE
        most.append(max(held) - before)
    row = sum(8 if pa.types.is_primitive(field.type) else 16 for field in schema(dataset.runs[0].manifest))
    assert most[1] < 1.5 * most[0] + 100 * PIECE and most[1] < 10 * PIECE * row
