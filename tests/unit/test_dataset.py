"""Reading logs: one run or many, finished or not, near or far."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from archgym import Dataset, TrialLog
from archgym.errors import LogError, MissingExtraError
from archgym.testing.problems import Constrained, Mixture, OneParameter, Sphere
from unit.problems import make_manifest, write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two finished runs and one that goes on, of three simulators."""
    write_run(tmp_path / "a", Sphere(), (5, 3), seed=1)
    write_run(tmp_path / "deep" / "b", Mixture(), (4,), seed=2)
    write_run(tmp_path / "c", Constrained(), (6,), seed=3, close="")
    return tmp_path


def test_all_runs_below_a_folder_are_found(runs: Path) -> None:
    dataset = Dataset.open(runs)
    assert [run.name for run in dataset.runs] == ["a", "c", "b"] and len(dataset) == 18
    assert repr(dataset) == "Dataset(3 runs)"
    assert len(Dataset.open(runs / "a")) == 8 and len(Dataset.open(runs / "a", runs / "deep")) == 12
    assert len(Dataset.open(str(runs / "c"))) == 6


def test_the_table_says_what_each_run_was(runs: Path) -> None:
    table = Dataset.open(runs).to_arrow()
    assert table.column_names[:6] == ["run", "simulator", "workload", "objective", "agent", "seed"]
    assert table["seed"].to_pylist() == [1] * 8 + [3] * 6 + [2] * 4
    assert set(table["simulator"].to_pylist()) == {"sphere", "constrained", "mixture"}
    assert set(table["objective"].to_pylist()) == {"distance"} and set(table["agent"].to_pylist()) == {"random_walk"}


def test_columns_that_a_run_lacks_are_null(runs: Path) -> None:
    table = Dataset.open(runs).to_arrow()
    assert table["policy0"].null_count == 14 and table["x0"].null_count == 4 and table["x7"].null_count == 10
    assert table["distance"].to_pylist()[0] == Sphere().evaluate(Sphere.space.sample(5, 1))["distance"][0]
    assert "INVALID" in table["status"].to_pylist()


def test_pandas_and_polars(runs: Path) -> None:
    dataset = Dataset.open(runs)
    frame, polars = dataset.to_pandas(), dataset.to_polars()
    assert frame.shape == polars.shape == (18, dataset.to_arrow().num_columns)
    assert frame["score"].tolist() == polars["score"].to_list()
    assert frame.groupby("run", observed=True).size().to_dict() == {"a": 8, "b": 4, "c": 6}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named_with_its_extra(runs: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == library:
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=rf"needs {library}, .* pip install 'archgym\[data\]'"):
        getattr(Dataset.open(runs), f"to_{library}")()


@pytest.fixture
def remote(runs: Path) -> Iterator[str]:
    """The same runs in fsspec's memory filesystem."""
    storage = fsspec.filesystem("memory")
    storage.put(str(runs), "/bucket", recursive=True)
    yield "memory://bucket"
    storage.rm("/bucket", recursive=True)


def test_a_remote_url_gives_the_same_table(runs: Path, remote: str) -> None:
    local, far = Dataset.open(runs), Dataset.open(remote)
    assert [run.name for run in far.runs] == [run.name for run in local.runs]
    assert far.to_pandas().equals(local.to_pandas())
    assert far.runs[0].space.digest == Sphere.space.digest


def test_a_folder_that_cannot_be_written_is_read_all_the_same(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Dataset.open(runs / "c").to_pandas()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert Dataset.open(runs / "c").to_pandas().equals(expected)


def test_a_run_that_is_sealed_while_it_is_read_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = TrialLog.create(tmp_path / "run", make_manifest(Sphere()))
    log.close("interrupted")
    write_run(tmp_path / "other", Sphere(), (5,))
    run = Dataset.open(tmp_path / "run").runs[0]

    def sealed_meanwhile(self: object) -> None:
        (tmp_path / "other" / "trials.parquet").rename(tmp_path / "run" / "trials.parquet")

    monkeypatch.setattr("archgym.dataset.Run._unsealed", sealed_meanwhile)
    assert run.to_arrow().num_rows == 5


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="nowhere does not exist"):
        Dataset.open(tmp_path / "nowhere")
    with pytest.raises(LogError, match=r"holds no run: there is no manifest\.json and no sweep with complete runs"):
        Dataset.open(tmp_path)
    with pytest.raises(LogError, match="at least one folder or URL"):
        Dataset.open()


class Named(OneParameter):
    """The same parameter name, with text for values."""

    name = "named"
    space = type(OneParameter.space)((type(OneParameter.space["x"])("x", ("a", "b")),), name="named")

    def _distance(self, columns: Any) -> Any:
        return (columns["x"] == "a").astype(float)


def test_runs_that_do_not_fit_together_say_so(tmp_path: Path) -> None:
    write_run(tmp_path / "numbers", OneParameter())
    write_run(tmp_path / "names", Named())
    with pytest.raises(LogError, match=r"do not fit into one table.*Open the runs of each simulator apart"):
        Dataset.open(tmp_path).to_arrow()
    assert len(Dataset.open(tmp_path / "names")) == 8
