"""Exports to Parquet and CSV: what every reader finds in them, and opening them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pandas
import polars
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_up import BOX, Blunt, blunt, logged, rows_of
from pyarrow import csv, parquet
from sweep.stores import keep, small_store

from archgym import Dataset
from archgym.dataset import exporting
from archgym.errors import DataError, LogError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Four runs of two workloads, with INVALID designs."""
    folder = tmp_path_factory.mktemp("runs")
    logged(folder)
    logged(folder, workload="sphere")
    return Dataset.open(folder)


@pytest.fixture(scope="module")
def file(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as one Parquet file."""
    target = tmp_path_factory.mktemp("out") / "deep" / "all.parquet"
    assert dataset.to_parquet(target) == len(dataset) == 240
    return target


def plain(table: pa.Table) -> list[str]:
    """Rows as text, so that NaN equals NaN and coded text equals text."""
    return [repr(row) for row in table.to_pylist()]


def test_pandas_polars_and_duckdb_read_it(dataset: Dataset, file: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb (extra data)")
    table = dataset.to_arrow()
    scores = table["score"].to_pylist()
    frame, other = pandas.read_parquet(file), polars.read_parquet(file)
    assert frame["score"].tolist() == other["score"].to_list() == scores
    assert frame["status"].value_counts().to_dict() == dict(other["status"].value_counts().iter_rows())
    query = f"SELECT agent, count(*), max(score) FROM '{file}' WHERE status = 'OK' GROUP BY agent ORDER BY agent"
    ok = [(a, s) for a, s, t in zip(*(table[n].to_pylist() for n in ("agent", "score", "status")), strict=True) if t == "OK"]
    expected = [
        (name, len(found), max(found)) for name in ("genetic", "random_walk") if (found := [s for a, s in ok if a == name])
    ]
    assert duckdb.sql(query).fetchall() == expected


def test_no_column_is_of_a_kind_that_readers_stumble_over(file: Path) -> None:
    schema = parquet.read_schema(file)
    assert {str(field.type) for field in schema} == {"string", "int64", "int32", "double"}
    assert str(schema.field("x0").type) == "int64" and str(schema.field("distance").type) == "double"


def test_datasets_library_reads_it(file: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the library datasets is not installed; it is not a dependency")
    found = datasets.load_dataset("parquet", data_files=str(file), cache_dir=str(tmp_path))["train"]
    assert found.num_rows == 240 and set(found.unique("agent")) == {"genetic", "random_walk"}


def test_units_and_meanings_are_in_the_file(tmp_path: Path) -> None:
    target = tmp_path / "box.parquet"
    blunt(5).to_parquet(target)
    schema = parquet.read_schema(target)
    assert schema.field("size").metadata[b"unit"] == b"kB"
    assert schema.field("latency_ns").metadata == {b"unit": b"ns", b"goal": b"min", b"meaning": b"how long"}
    assert schema.field("area_mm2").metadata[b"unit"] == b"mm2"
    about = json.loads(schema.metadata[b"archgym"])["columns"]
    assert about["size"] == {"type": "int64", "unit": "kB", "meaning": "design parameter"}
    assert list(about) == schema.names and about["simulator_seconds"]["unit"] == "s"


def test_an_exported_file_is_a_dataset_again(dataset: Dataset, file: Path) -> None:
    again = Dataset.open(file)
    assert [run.name for run in again.runs] == [run.name for run in dataset.runs]
    assert again.schema == dataset.schema and plain(again.to_arrow()) == plain(dataset.to_arrow())
    assert (
        Dataset.open(file.parent).select(agent="genetic").dedupe().dropped == dataset.select(agent="genetic").dedupe().dropped
    )
    for before, after in zip(dataset.simulators(), again.simulators(), strict=True):
        assert (before.workload, before.space.digest) == (after.workload, after.space.digest)
    one, other = (each.select(workload="sphere").split(seed=5)[1] for each in (dataset, again))
    assert rows_of(one) == rows_of(other)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(0, 1e6) | st.just(float("nan")), min_size=1, max_size=30), group=st.integers(1, 9))
def test_any_trials_survive_the_round_trip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Any, group: int) -> None:
    monkeypatch.setattr(exporting, "ROWS_PER_GROUP", group)
    target = tmp_path / "round.parquet"
    target.unlink(missing_ok=True)
    metrics = {"latency_ns": values, "area_mm2": np.arange(len(values))}
    dataset = Dataset.from_arrays(Blunt(), BOX.sample(len(values), 0), metrics)
    dataset = dataset.join(blunt(5, 1, "second"), blunt(1, 2, "third"))
    assert dataset.to_parquet(target) == len(values) + 6
    assert parquet.read_metadata(target).num_row_groups == -(-(len(values) + 6) // group)
    again = Dataset.open(target)
    assert plain(again.to_arrow()) == plain(dataset.to_arrow())
    assert [len(Dataset([run])) for run in again.runs] == [len(values), 5, 1]
    for before, after in zip(dataset.arrays(), again.arrays(), strict=True):
        assert repr(before) == repr(after)


def test_a_selection_is_exported_as_selected(dataset: Dataset, tmp_path: Path) -> None:
    chosen = dataset.dedupe().select(status="INVALID")
    assert chosen.to_parquet(tmp_path / "some.parquet") == len(chosen) > 0
    assert rows_of(Dataset.open(tmp_path / "some.parquet")) == rows_of(chosen)


def test_csv_has_every_value_and_its_types_beside_it(dataset: Dataset, tmp_path: Path) -> None:
    assert dataset.to_csv(tmp_path / "all.csv") == 240
    about = json.loads((tmp_path / "all.json").read_text())
    assert [run["rows"] for run in about["runs"]] == [60] * 4 and len(about["tasks"]) == 2
    options = csv.ConvertOptions(
        column_types={name: column["type"] for name, column in about["columns"].items()},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    table = csv.read_csv(tmp_path / "all.csv", convert_options=options)
    strings = [field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field for field in dataset.schema]
    assert plain(table) == plain(dataset.to_arrow().cast(pa.schema(strings)))
    frame = pandas.read_csv(tmp_path / "all.csv")
    assert frame["score"].tolist() == dataset.to_arrow()["score"].to_pylist()


def test_a_sweep_is_exported_like_its_runs(tmp_path: Path) -> None:
    store, plan = small_store(tmp_path / "sweep")
    runs = list(plan.unique.values())
    for start in range(0, len(runs), 3):
        keep(store, plan, runs[start : start + 3])
    dataset = Dataset.open(tmp_path / "sweep")
    assert dataset.to_parquet(tmp_path / "sweep.parquet") == 8 * len(runs)
    again = Dataset.open(tmp_path / "sweep.parquet")
    assert plain(again.to_arrow()) == plain(dataset.to_arrow())
    assert again.runs[0].manifest["hyperparameters"] == dataset.runs[0].manifest["hyperparameters"]


def test_a_part_of_many_row_groups_is_read_group_by_group(tmp_path: Path) -> None:
    store, plan = small_store(tmp_path / "sweep", seeds=4)
    runs = [run for run in plan.unique.values() if run.agent == "genetic"]
    part = tmp_path / "sweep" / "parts" / keep(store, plan, runs)
    expected = plain(Dataset.open(tmp_path / "sweep").to_arrow())
    table, footer = parquet.read_table(part), parquet.read_metadata(part).metadata
    metadata = {key: footer[key] for key in (b"archgym_runs", b"archgym_task")}
    parquet.write_table(table.replace_schema_metadata(metadata), part, row_group_size=5)
    again = Dataset.open(tmp_path / "sweep")
    assert plain(again.to_arrow()) == expected and len(expected) == 8 * len(runs)
    assert plain(again.runs[2].to_arrow()) == plain(
        Dataset([again.runs[2]]).to_arrow().select(again.runs[2].to_arrow().column_names)
    )
    again.to_parquet(tmp_path / "out.parquet")
    assert plain(Dataset.open(tmp_path / "out.parquet").to_arrow()) == expected
    part.write_bytes(part.read_bytes()[:-200])
    with pytest.raises(LogError, match="its trials cannot be read from"):
        Dataset([again.runs[0]]).to_arrow()


def test_a_file_at_a_url_is_opened(file: Path) -> None:
    storage = fsspec.filesystem("memory")
    storage.put(str(file), "/shared/all.parquet")
    assert len(Dataset.open("memory://shared/all.parquet")) == 240
    storage.rm("/shared", recursive=True)


def test_nothing_is_overwritten_and_nothing_half_written_stays(dataset: Dataset, file: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError, match=r"all\.parquet exists already; remove it or give another name"):
        dataset.to_parquet(file)
    (tmp_path / "x.json").touch()
    with pytest.raises(LogError, match=r"x\.json exists already, and would be written beside"):
        dataset.to_csv(tmp_path / "x.csv")
    with pytest.raises(DataError, match="no trial, so there is nothing to export"):
        dataset.select(status="FAILED").to_parquet(tmp_path / "none.parquet")
    (tmp_path / "file").touch()
    with pytest.raises(LogError, match="cannot write"):
        dataset.to_parquet(tmp_path / "file" / "a.parquet")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "x.json"]
