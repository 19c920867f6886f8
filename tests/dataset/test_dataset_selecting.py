"""Selecting, deduplicating, mixing and drawing trials."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import BOX, Blunt, blunt, kinds, logged, rows_of

from archgym import Dataset, DesignSpace, Parameter, Status
from archgym.dataset.selecting import number, shares_of_rows, unpack, words
from archgym.errors import ArgumentError, DataError, UnknownNameError


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four runs: two agents on two workloads."""
    folder = tmp_path_factory.mktemp("runs")
    logged(folder)
    logged(folder, workload="sphere")
    return Dataset.open(folder)


def test_runs_are_selected_by_what_they_were(runs: Dataset) -> None:
    assert len(runs) == 240
    genetic = runs.select(agent="genetic")
    assert [run.name for run in genetic.runs] == ["constrained-genetic", "sphere-genetic"] and len(genetic) == 120
    assert len(runs.select(agent=["genetic", "random_walk"], workload="sphere")) == 120
    assert rows_of(genetic.select(workload="sphere")) == rows_of(runs.select(run="sphere-genetic"))
    assert len(runs.select(simulator="synthetic", objective="distance")) == 240


def test_trials_are_selected_by_status_and_negatives_are_kept(runs: Dataset) -> None:
    invalid, ok = runs.select(status="INVALID"), runs.select(status=Status.OK)
    assert len(invalid) > 0 and len(ok) > 0 and rows_of(invalid) | rows_of(ok) == rows_of(runs)
    assert set(invalid.to_arrow()["status"].to_pylist()) == {"INVALID"}
    assert all(reason for reason in invalid.to_arrow()["reason"].to_pylist())
    assert len(runs.select(status=["OK", "INVALID"])) == 240
    assert len(invalid.select(status="OK")) == 0


def test_selecting_reads_no_trial(runs: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archgym.dataset.Run.batches", lambda *_: pytest.fail("a trial was read"))
    chosen = runs.select(agent="genetic", status="OK")
    assert len(chosen.runs) == 2


def test_a_name_that_nothing_has_is_an_error(runs: Dataset) -> None:
    with pytest.raises(UnknownNameError, match=r"no agent named 'genetics'. Did you mean 'genetic'"):
        runs.select(agent="genetics")
    with pytest.raises(UnknownNameError, match="no status named 'ok'"):
        runs.select(status="ok")
    with pytest.raises(UnknownNameError, match="no workload named 'needle'"):
        runs.select(workload=["sphere", "needle"])


def test_one_trial_per_design_is_left_and_the_rest_is_counted(runs: Dataset) -> None:
    once = runs.dedupe()
    assert len(once) + once.dropped == 240 and once.dropped > 0 and "duplicates dropped" in repr(once)
    for workload in ("constrained", "sphere"):
        before, after = (each.select(workload=workload).arrays() for each in (runs, once))
        assert len(kinds(after.designs)) == len(after.designs)
        assert kinds(after.designs) == kinds(before.designs)
    assert once.dedupe().dropped == 0


def test_of_several_trials_of_a_design_an_ok_one_stays() -> None:
    designs = np.zeros((3, 3), np.int32)
    columns = {"latency_ns": [np.nan, 1.0, 2.0], "area_mm2": [1.0, 1.0, 1.0]}
    kept = Dataset.from_arrays(Blunt(), designs, columns).dedupe().arrays()
    assert kept.status.tolist() == [Status.OK] and kept.metrics["latency_ns"].tolist() == [1.0]
    assert kept.rows.trial.tolist() == [1]


def test_classes_are_deduplicated_too() -> None:
    dataset = blunt(200, blind=(0, 2))
    once = dataset.dedupe("canonical")
    assert len(once) == 3 and once.dropped == 197
    assert len(dataset.dedupe()) == len(kinds(dataset.arrays().designs)) > 3
    with pytest.raises(ArgumentError, match="'design' or 'canonical', got 'hash'"):
        dataset.dedupe("hash")  # type: ignore[arg-type]


def test_filters_and_row_choices_go_together(runs: Dataset) -> None:
    one, other = runs.dedupe().select(status="OK"), runs.select(status="OK").dedupe()
    assert rows_of(one) == rows_of(other)
    drawn = runs.sample(50, seed=1)
    assert len(drawn.select(status="OK")) == drawn.to_arrow()["status"].to_pylist().count("OK")


@settings(deadline=None)
@given(share=st.floats(0.05, 0.95), rows=st.integers(1, 40), seed=st.integers(0, 5))
def test_a_mix_has_the_shares_asked_for(share: float, rows: int, seed: int) -> None:
    dataset = blunt(50, 0, "one").join(blunt(60, 1, "two"))
    mixed = dataset.mix({"one": share, "two": 1 - share}, rows, seed)
    agents = mixed.to_arrow()["agent"].to_pylist()
    assert len(agents) == rows and abs(agents.count("one") - share * rows) < 1
    assert rows_of(mixed) <= rows_of(dataset)
    assert rows_of(mixed) == rows_of(dataset.mix({"two": 1 - share, "one": share}, rows, seed))


def test_a_mix_takes_as_much_as_there_is_unless_told(runs: Dataset) -> None:
    dataset = blunt(50, 0, "one").join(blunt(60, 1, "two"))
    assert len(dataset.mix({"one": 0.5, "two": 0.5})) == 100
    with pytest.raises(DataError, match=r"share of 0.9 from one needs 90 trials of it, there are 50"):
        dataset.mix({"one": 0.9, "two": 0.1}, rows=100)
    with pytest.raises(ArgumentError, match="positive numbers that sum to 1"):
        dataset.mix({"one": 0.9})
    with pytest.raises(UnknownNameError, match="no agent named 'three'"):
        dataset.mix({"three": 1.0})
    with pytest.raises(ArgumentError, match="rows must be a whole number from 1, got 0"):
        dataset.mix({"one": 1.0}, rows=0)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1), st.integers(1, 500))
def test_shares_add_up_to_the_rows(parts: dict[str, int], rows: int) -> None:
    total = sum(parts.values())
    shares = {name: part / total for name, part in parts.items()}
    counts = shares_of_rows(shares, dict.fromkeys(parts, 1000), rows)
    assert sum(counts.values()) == rows
    assert all(abs(counts[name] - share * rows) < 1 for name, share in shares.items())


def test_draws(runs: Dataset) -> None:
    drawn = runs.sample(30, seed=2)
    assert len(drawn) == 30 and rows_of(drawn) == rows_of(runs.sample(30, seed=2)) != rows_of(runs.sample(30, seed=3))
    with pytest.raises(DataError, match="cannot draw 241 trials: this dataset has 240"):
        runs.sample(241)


@settings(deadline=None)
@given(st.lists(st.integers(1, 5000), min_size=1, max_size=12), st.integers(0, 9))
def test_packed_designs_are_equal_where_designs_are(levels: list[int], seed: int) -> None:
    space = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(count))) for i, count in enumerate(levels)))
    designs = space.sample(20, seed)
    designs = np.concatenate([designs, designs[::-1]])
    packed = words(space, designs)
    assert np.array_equal(unpack(space, packed), designs)
    first, numbers = number(packed)
    assert len(first) == len(kinds(designs))
    assert np.array_equal(designs[first][numbers], designs)


def test_trials_of_one_batch_stay_in_order_whatever_the_piece_size(runs: Dataset) -> None:
    whole = runs.select(status="INVALID").to_arrow().to_pylist()
    for rows in (1, 7, 1000):
        pieces = list(runs.select(status="INVALID").batches(rows))
        assert all(piece.num_rows == rows for piece in pieces[:-1])
        assert repr([row for piece in pieces for row in piece.to_pylist()]) == repr(whole)
    with pytest.raises(ArgumentError, match="rows must be a whole number from 1"):
        list(runs.batches(0))


def test_joined_datasets_must_be_selected_alike(tmp_path: Path) -> None:
    one, two = blunt(5, 0, "one"), blunt(6, 1, "two")
    assert len(one.join(two, one)) == 16 and BOX.digest == one.runs[0].manifest["space"]["digest"]
    with pytest.raises(ArgumentError, match="join first"):
        one.join(two.select(status="OK"))
