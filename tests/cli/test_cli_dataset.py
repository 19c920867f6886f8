"""``archgym dataset describe`` and ``archgym export``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Answer

from archgym import Dataset

Command = Callable[..., Answer]


@pytest.fixture
def runs(tmp_path: Path, command: Command) -> str:
    """A folder with two runs."""
    for agent in ("random_walk", "genetic"):
        words = ["synthetic", "-w", "constrained", "-b", 50, "--quiet", "--agent", agent, "--out", f"runs/{agent}"]
        assert command("run", *words).code == 0
    return "runs"


def test_describe_shows_the_datasheet(tmp_path: Path, command: Command, runs: str) -> None:
    answer = command("dataset", "describe", runs, "--out", "sheets/sheet.json")
    assert answer.code == 0, answer.err
    for text in (
        "100 trials of 2 runs",
        "agents: genetic 50, random_walk 50",
        "coverage:",
        "duplicate",
        "distance",
        "INVALID: ",
    ):
        assert text in answer.out
    sheet = json.loads((tmp_path / "sheets" / "sheet.json").read_text())
    assert sheet["trials"] == 100 and sheet["problems"][0]["agents"] == {"genetic": 50, "random_walk": 50}
    assert "50 trials of 1 run\n" in command("dataset", "describe", runs, "--agent", "genetic").out


@pytest.mark.parametrize(("out", "file"), [("all.parquet", "all.parquet"), ("data", "data/trials.parquet")])
def test_export_writes_a_file_that_is_a_dataset(tmp_path: Path, command: Command, runs: str, out: str, file: str) -> None:
    answer = command("export", runs, "-o", out)
    assert answer.code == 0 and f"100 trials: {file}" in answer.out
    assert len(Dataset.open(tmp_path / file)) == len(Dataset.open(tmp_path / out)) == 100
    assert "100 trials of 2 runs" in command("dataset", "describe", out).out


def test_export_takes_what_is_asked_for(tmp_path: Path, command: Command, runs: str) -> None:
    words = ["--agent", "genetic", "--status", "OK", "--status", "INVALID", "--format", "csv", "--out", "some.csv"]
    answer = command("export", runs, *words)
    assert answer.code == 0 and "50 trials: some.csv" in answer.out and "types, units and runs: some.json" in answer.out
    assert len((tmp_path / "some.csv").read_text().splitlines()) == 51


def test_export_to_minari_says_how_to_read_it(command: Command, runs: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("h5py", "PIL", "minari"):
        minari = pytest.importorskip(library, reason="needs minari with h5py and pillow (extra data)")
    answer = command("export", runs, "--format", "minari", "-o", "episodes")
    assert answer.code == 0 and "archgym/synthetic-constrained-distance-v0: 100 steps" in answer.out
    monkeypatch.setenv("MINARI_DATASETS_PATH", os.path.abspath("episodes"))
    assert minari.load_dataset("archgym/synthetic-constrained-distance-v0").total_steps == 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["export", "nowhere", "-o", "x"], "nowhere does not exist"),
        (["export", "runs", "-o", "x", "--agent", "genetics"], "no agent named 'genetics'. Did you mean 'genetic'?"),
        (["export", "runs", "-o", "x", "--status", "FAILED"], "nothing to export"),
        (["dataset", "describe", "runs", "--status", "FAILED"], "nothing to describe"),
        (["dataset", "describe", "runs", "--status", "bad"], "no status named 'bad'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(command: Command, runs: str, words: list[str], message: str) -> None:
    answer = command(*words)
    assert answer.code == 2 and message in answer.err and answer.err.count("\n") == 1


def test_nothing_is_overwritten(tmp_path: Path, command: Command, runs: str) -> None:
    assert command("export", runs, "-o", "all.parquet").code == 0
    before = (tmp_path / "all.parquet").read_bytes()
    answer = command("export", runs, "-o", "all.parquet")
    assert answer.code == 2 and "exists already" in answer.err and (tmp_path / "all.parquet").read_bytes() == before
