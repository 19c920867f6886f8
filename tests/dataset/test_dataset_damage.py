"""Files that are cut, foreign or edited: one clear message each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from made_up import blunt, logged
from pyarrow import parquet

from archgym import Dataset
from archgym.errors import DataError, LogError


def test_a_cut_log_says_so(tmp_path: Path) -> None:
    file = logged(tmp_path, agents=("random_walk",)) / "constrained-random_walk" / "trials.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    for use in (Dataset.to_arrow, Dataset.arrays, Dataset.describe, Dataset.dedupe, len):
        with pytest.raises(LogError, match=r"trials\.parquet cannot be read as Parquet"):
            use(Dataset.open(tmp_path))
    with pytest.raises(LogError, match=r"trials\.parquet cannot be read as Parquet"):
        Dataset.open(tmp_path).to_parquet(tmp_path / "out.parquet")
    assert not list(tmp_path.glob("*out*"))


def test_a_log_without_a_column_says_so(tmp_path: Path) -> None:
    file = logged(tmp_path, agents=("random_walk",)) / "constrained-random_walk" / "trials.parquet"
    parquet.write_table(parquet.read_table(file).drop_columns(["x1_level"]), file)
    with pytest.raises(LogError, match="lacks the column x1_level"):
        Dataset.open(tmp_path).arrays()


def test_levels_that_the_manifest_does_not_know(tmp_path: Path) -> None:
    file = logged(tmp_path, agents=("random_walk",)) / "constrained-random_walk" / "trials.parquet"
    table = parquet.read_table(file)
    column = table.schema.get_field_index("x1_level")
    high = pa.array([99] * table.num_rows, pa.int32())
    parquet.write_table(table.set_column(column, table.schema.field(column), high), file)
    with pytest.raises(DataError, match="levels that its own manifest does not know"):
        Dataset.open(tmp_path).dedupe()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda told: told.update(space="x"), "makes no sense"),
        (lambda told: told["space"]["parameters"][0].pop("values"), "makes no sense: 'values' is missing"),
        (lambda told: told["space"]["parameters"][0].update(values=[]), "needs at least one value"),
        (lambda told: told["simulator"].pop("version"), "'version' is missing"),
        (lambda told: told.update(metrics=[3]), "makes no sense"),
    ],
)
def test_an_edited_manifest_says_so(tmp_path: Path, edit: Any, message: str) -> None:
    file = logged(tmp_path, agents=("random_walk",), budget=3) / "constrained-random_walk" / "manifest.json"
    told = json.loads(file.read_text())
    edit(told)
    file.write_text(json.dumps(told))
    with pytest.raises(LogError, match=rf"manifest\.json is damaged.*{message}"):
        Dataset.open(tmp_path)


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """A small exported file."""
    blunt(20).to_parquet(tmp_path / "box.parquet")
    return tmp_path / "box.parquet"


def test_a_cut_export_says_so(exported: Path) -> None:
    exported.write_bytes(exported.read_bytes()[:500])
    with pytest.raises(LogError, match=r"box\.parquet cannot be read as Parquet"):
        Dataset.open(exported)


def test_a_foreign_file_says_so(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), tmp_path / "foreign.parquet")
    with pytest.raises(LogError, match=r"foreign\.parquet is not a dataset: only files that `archgym export` wrote"):
        Dataset.open(tmp_path / "foreign.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(LogError, match=r"text\.parquet cannot be read as Parquet"):
        Dataset.open(tmp_path / "text.parquet")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda told: told["runs"][0].update(rows=19), r"19 rows told, 20 found"),
        (lambda told: told.update(format=2), r"another version of archgym"),
        (lambda told: told.pop("tasks"), r"what it says of its runs cannot be read"),
        (lambda told: told["runs"][0].update(task=3), r"damaged or of another version"),
        (lambda told: told["tasks"][0].pop("workload"), r"is damaged.*'workload' is missing"),
    ],
)
def test_an_edited_export_says_so(exported: Path, edit: Any, message: str) -> None:
    table = parquet.read_table(exported)
    told = json.loads(parquet.read_metadata(exported).metadata[b"archgym_dataset"])
    edit(told)
    parquet.write_table(table.replace_schema_metadata({b"archgym_dataset": json.dumps(told)}), exported)
    with pytest.raises(LogError, match=message):
        Dataset.open(exported)


def test_an_export_that_lost_a_column_says_so(exported: Path) -> None:
    table = parquet.read_table(exported)
    told = parquet.read_metadata(exported).metadata[b"archgym_dataset"]
    smaller = table.drop_columns(["latency_ns"]).replace_schema_metadata({b"archgym_dataset": told})
    parquet.write_table(smaller, exported)
    with pytest.raises(LogError, match="lacks the column latency_ns"):
        Dataset.open(exported).arrays()


def test_a_url_that_nothing_can_open_says_so() -> None:
    with pytest.raises(LogError, match="nosuch://bucket cannot be opened"):
        Dataset.open("nosuch://bucket")
