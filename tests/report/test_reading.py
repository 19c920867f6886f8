"""Where a report gets its runs from: sweeps, runs that were logged one by one, and what is wrong with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_sweep import SPEC, write_runs

import archgym
from archgym.errors import LogError
from archgym.report.reading import NothingYetError, fingerprint, read_material
from archgym.report.study import Study


def test_a_sweep_is_read_with_protocol_and_versions(sweep: Path) -> None:
    found = read_material([sweep])
    assert found.name == SPEC["name"] and len(found.summaries) == 10 and not found.notes
    assert found.about["protocol"] == SPEC["protocol"]
    assert found.about["machine"]["archgym"] == archgym.__version__
    assert found.about["sources"][str(sweep)] == "10 runs of 10 planned"
    assert len(Study(found.summaries, found.tasks).problems) == 1


def test_two_sweeps_in_one_report_and_no_run_twice(sweep: Path, begin: Callable[..., Any]) -> None:
    folder, store, plan = begin(name="more", seeds=[0, 7])
    assert write_runs(store, plan) == 10
    found = read_material([sweep, folder, sweep])
    assert len(found.summaries) == 15, "five of them are the same runs"
    assert found.name == f"{SPEC['name']}, more"


def test_a_sweep_that_goes_on_says_what_is_missing(begin: Callable[..., Any]) -> None:
    folder, store, plan = begin()
    with pytest.raises(NothingYetError, match="no run is finished yet"):
        read_material([folder])
    write_runs(store, plan, slice(3))
    assert list(read_material([folder]).notes) == [f"{SPEC['name']} is not complete: 3 of 10 planned runs are there."]


def test_a_damaged_part_is_named_and_the_rest_is_shown(sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sweep, copy)
    part = sorted((copy / "parts").glob("*.parquet"))[0]
    part.write_bytes(part.read_bytes()[:100])
    found = read_material([copy])
    assert len(found.summaries) == 9
    assert any(part.name in note and "damaged" in note for note in found.notes)


def test_a_damaged_record_is_refused(sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sweep, copy)
    (copy / "sweep.json").write_text("{")
    with pytest.raises(LogError, match=r"sweep\.json"):
        read_material([copy])


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_a_folder_without_runs_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "nothing")
    with pytest.raises(LogError, match="nothing"):
        read_material([tmp_path / "nothing"])


def test_no_folder_at_all_is_refused() -> None:
    with pytest.raises(LogError, match="at least one folder"):
        read_material([])


def test_runs_logged_one_by_one_say_the_same_as_a_sweep(tmp_path: Path, sweep: Path) -> None:
    for run in read_material([sweep]).summaries:
        archgym.search(
            run["agent"],
            run["simulator"],
            objective=run["objective"],
            budget=run["budget"],
            seed=run["seed"],
            hyperparameters=run["hyperparameters"],
            log=tmp_path / "runs" / run["id"],
        )
    plain = {
        (r["agent"], repr(sorted(r["hyperparameters"].items())), r["seed"]): r
        for r in read_material([tmp_path / "runs"]).summaries
    }
    assert len(plain) == 10
    for run in read_material([sweep]).summaries:
        same = plain[run["agent"], repr(sorted(run["hyperparameters"].items())), run["seed"]]
        for name in (
            "marks",
            "best",
            "quantile",
            "regret",
            "hits",
            "best_design",
            "best_score",
            "trials",
            "simulator",
            "workload",
        ):
            assert same[name] == run[name], name
        assert (same["ticket"] == "default") == (run["ticket"] == "default")


def test_a_fingerprint_changes_with_the_store_only(sweep: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(sweep, copy)
    before = fingerprint([copy])
    (copy / "lock").write_text("another heartbeat")
    assert fingerprint([copy]) == before
    next((copy / "parts").glob("*.parquet")).unlink()
    assert fingerprint([copy]) != before
