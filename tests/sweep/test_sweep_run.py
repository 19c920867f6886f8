"""Whole sweeps on this machine: nothing is done twice, nothing is lost, the numbers do not depend on the workers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sweeping import children, make_spec, outcomes, plain, start, trials, troubled, wait_until, write_spec

from archgym.errors import SpecError, SweepRunningError, UnknownNameError
from archgym.sweep import Spec, make_plan
from archgym.sweep.execute import execute
from archgym.sweep.progress import Tally, duration
from archgym.sweep.run import run_sweep


def expected(spec: Spec) -> dict[str, dict[str, list[object]]]:
    """Run id -> trials, each run executed by itself in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trouble.time.sleep", lambda seconds: None)
        return {run.id: plain(execute(run).trials) for run in make_plan(spec).runs}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_is_its_runs_whoever_executes_them(tmp_path: Path, workers: int) -> None:
    spec = make_spec()
    result = run_sweep(spec, tmp_path / "out", workers=workers)
    assert (result.runs, result.executed, result.failed, result.trials) == (8, 8, 0, 480)
    assert trials(tmp_path / "out") == expected(spec)
    assert not (tmp_path / "out" / "running").exists() or not list((tmp_path / "out" / "running").iterdir())


def test_what_is_complete_is_not_done_again(tmp_path: Path) -> None:
    spec = make_spec()
    run_sweep(spec, tmp_path / "out", workers=1)
    parts = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").iterdir()}
    again = run_sweep(spec, tmp_path / "out", workers=1)
    assert (again.runs, again.executed, again.trials) == (8, 0, 0)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").iterdir()} == parts
    (tmp_path / "out" / "parts" / min(parts)).unlink()
    assert 0 < run_sweep(spec, tmp_path / "out", workers=1).executed < 8
    assert trials(tmp_path / "out") == expected(spec)


def test_a_tabulated_sweep_finds_the_same_and_knows_quantiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    small = {"arguments": {"parameters": 4, "levels": 4}, "seeds": 2}
    run_sweep(make_spec(**small), tmp_path / "real", workers=1)
    run_sweep(make_spec(**small, tabulated=True), tmp_path / "table", workers=1)
    assert trials(tmp_path / "table") == trials(tmp_path / "real")
    for summary in outcomes(tmp_path / "table").values():
        assert 0 <= summary["quantile"][-1] < 1 and summary["hits"]["0"] == summary["optimum_at"]


def test_another_spec_is_refused_with_the_difference_and_can_extend(tmp_path: Path) -> None:
    run_sweep(make_spec(), tmp_path / "out", workers=1)
    larger = make_spec(seeds=5)
    with pytest.raises(SpecError, match=r"(?s)seeds.*--extend"):
        run_sweep(larger, tmp_path / "out", workers=1)
    assert trials(tmp_path / "out") == expected(make_spec())
    assert run_sweep(larger, tmp_path / "out", workers=1, extend=True).executed == 2
    assert trials(tmp_path / "out") == expected(larger)
    with pytest.raises(SpecError, match="not part of the new spec"):
        run_sweep(make_spec(seeds=2), tmp_path / "out", workers=1, extend=True)


def test_a_second_sweep_on_one_folder_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    spec = troubled("none", pause=0.05)
    file = write_spec(tmp_path / "spec.toml", spec.record())
    first = start(file, tmp_path / "out")
    assert wait_until(lambda: len(children(first.pid)) > 0, first)
    with pytest.raises(SweepRunningError, match=str(first.pid)):
        run_sweep(spec, tmp_path / "out")
    assert first.wait() == 0, first.communicate()
    assert trials(tmp_path / "out") == expected(spec)


def test_a_callers_mistake_stops_before_anything_is_run(tmp_path: Path) -> None:
    with pytest.raises((SpecError, UnknownNameError)):
        run_sweep(make_spec("nobody"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_counts_up_to_everything(tmp_path: Path) -> None:
    seen: list[tuple[int, str]] = []
    run_sweep(make_spec(), tmp_path / "out", workers=1, progress=lambda tally: seen.append((tally.done, tally.line())))
    assert seen[0][0] == 0 and seen[-1][0] == 8 and "8 of 8 runs" in seen[-1][1] and "480 designs" in seen[-1][1]
    assert [count for count, _ in seen] == sorted(count for count, _ in seen)


def test_progress_says_who_leads() -> None:
    plan = make_plan(make_spec())
    tally = Tally("test", plan, plan.runs)
    assert tally.best("genetic") == "-" and tally.labels == {"genetic": [0, 4], "random_walk": [0, 4]}
    run = {"state": "finished", "trials": 60, "task": next(iter(plan.tasks)), "regret": [None, 0.25]}
    tally.take({**run, "label": "genetic", "best_score": -2.0})
    tally.take({**run, "label": "genetic", "best_score": -3.0})
    assert tally.best("genetic") == "-2, 25.00% from the optimum" and tally.labels["genetic"] == [2, 4]
    tally.take({**run, "state": "failed", "label": "random_walk", "best_score": None})
    tally.look(600.0, 2)
    assert "1 failed" in tally.line() and "about 5 min 00 s left" in tally.line() and tally.best("random_walk") == "-"


def test_progress_over_several_tasks() -> None:
    plan = make_plan(make_spec(objectives=["distance", "area"]))
    tally = Tally("test", plan, plan.runs)
    for number, task in enumerate(plan.tasks):
        run = {"state": "finished", "trials": 60, "task": task, "regret": [None]}
        tally.take({**run, "label": "genetic", "best_score": -1.0})
        tally.take({**run, "label": "random_walk", "best_score": -2.0 + 2 * number})
    assert tally.best("genetic") == "best of all agents on 1 of 2 tasks" == tally.best("random_walk")


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")])
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_script_without_a_main_guard_can_run_a_sweep(tmp_path: Path) -> None:
    file = write_spec(tmp_path / "spec.toml", make_spec(seeds=1).record())
    script = tmp_path / "script.py"
    script.write_text(
        "from archgym.sweep.run import run_sweep\n"
        f"print(run_sweep({str(file)!r}, {str(tmp_path / 'out')!r}, workers=1).executed)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "2\n"


def test_nothing_is_left_running(tmp_path: Path) -> None:
    before = children(os.getpid())
    run_sweep(make_spec(), tmp_path / "out", workers=2)
    assert children(os.getpid()) == before


def test_a_sweep_in_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(name, value)
        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("trials")  # moto keeps buckets of other servers in this process
        spec = make_spec()
        assert run_sweep(spec, "s3://trials/sweep", workers=2).executed == 8
        assert run_sweep(spec, "s3://trials/sweep", workers=1).executed == 0
        assert trials("s3://trials/sweep") == expected(spec)
    finally:
        server.stop()
        s3fs.S3FileSystem.clear_instance_cache()
