"""What happens to sweeps: kills at any moment, full disks, broken simulators.  The same command finishes all the same."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from logs import logged
from sweeping import children, outcomes, plain, start, trials, troubled, wait_until, write_spec

from archgym.sweep import Spec, make_plan
from archgym.sweep.execute import execute
from archgym.sweep.run import run_sweep
from archgym.sweep.store import Store


def undisturbed(spec: Spec) -> dict[str, dict[str, list[object]]]:
    """Run id -> trials, each run executed by itself in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("trouble.time.sleep", lambda seconds: None)
        return {run.id: plain(execute(run).trials) for run in make_plan(spec).runs}


def parts(out: Path) -> int:
    folder = out / "parts"
    return len(list(folder.glob("*.parquet"))) if folder.exists() else 0


def finished(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate()
    assert process.returncode == 0, out + err


def check_sweep(out: Path, spec: Spec, failed: int = 0) -> None:
    """Every run is there once, as if nothing had happened, and nothing lies about."""
    assert trials(out) == undisturbed(spec)
    assert sum(run["state"] == "failed" for run in outcomes(out).values()) == failed
    assert not [path for path in (out / "running").glob("*")] and not list((out / "parts").glob(".*"))


@pytest.mark.parametrize("kills", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_the_parent_is_killed_at_random_moments(tmp_path: Path, kills: int) -> None:
    spec = troubled("none", pause=0.002, seeds=16, budget=60)
    file, out = write_spec(tmp_path / "spec.toml", spec.record()), tmp_path / "out"
    for moment in sorted(random.Random(kills).sample(range(1, 9), kills)):
        process = start(file, out)
        before = parts(out)
        wait_until(lambda before=before, moment=moment: parts(out) >= min(before + 1, moment), process)
        workers = children(process.pid)
        process.kill()
        process.communicate()
        assert wait_until(lambda workers=workers: not any(alive(worker) for worker in workers))  # they see that it is gone
        Store.open(out).completed()  # what is there can be read at any moment
    finished(start(file, out))
    check_sweep(out, spec)


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def test_workers_are_killed_at_random_moments(tmp_path: Path) -> None:
    spec = troubled("none", pause=0.002, seeds=16, budget=60)
    file, out = write_spec(tmp_path / "spec.toml", spec.record()), tmp_path / "out"
    process, rng = start(file, out), random.Random(0)
    for moment in (1, 2):
        assert wait_until(lambda moment=moment: parts(out) >= moment and bool(children(process.pid)), process)
        victims = children(process.pid)
        if victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
    finished(process)
    check_sweep(out, spec)


def test_a_long_run_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    spec = troubled("none", pause=0.02, seeds=1, budget=250)
    file, out = write_spec(tmp_path / "spec.toml", spec.record()), tmp_path / "out"
    folder = out / "running" / make_plan(spec).runs[0].id
    process = start(file, out)
    assert wait_until(lambda: logged(folder) >= 110, process)
    process.kill()
    process.communicate()
    assert 110 <= logged(folder) < 250
    process = start(file, out)
    finished(process)
    check_sweep(out, spec)


def test_a_full_disk_stops_the_sweep_with_a_message_and_loses_nothing(tmp_path: Path) -> None:
    small, large = troubled("none", budget=3000, seeds=1), troubled("none", budget=3000, seeds=3)
    out = tmp_path / "out"
    run_sweep(small, out, workers=1)
    file = write_spec(tmp_path / "spec.toml", large.record())
    size = (out / "sweep.json").stat().st_size + 2000
    assert size < min(path.stat().st_size for path in (out / "parts").iterdir())
    process = start(file, out, "--extend")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, size))  # its workers get the same limit
    _, err = process.communicate()
    assert process.returncode == 2 and "cannot write" in err and "Traceback" not in err, err
    assert list(trials(out).items()) == list(undisturbed(small).items())
    finished(start(file, out))
    check_sweep(out, large)


@pytest.mark.parametrize("trouble", ["exit", "hang"])
def test_a_simulator_that_ends_or_hangs_its_process_fails_those_runs_only(tmp_path: Path, trouble: str) -> None:
    limits = {"time_limit": 3.0 if trouble == "hang" else None, "retries": 0 if trouble == "hang" else 1}
    spec = troubled(trouble, budget=15, **{name: value for name, value in limits.items() if value is not None})
    result = run_sweep(spec, tmp_path / "out", workers=2)
    kept = outcomes(tmp_path / "out")
    bad = {key for key, run in kept.items() if run["state"] == "failed"}
    assert len(kept) == 6 and 0 < len(bad) == result.failed < 6
    words = "time limit" if trouble == "hang" else "exit code 7"
    for key, run in kept.items():
        rows = trials(tmp_path / "out")[key]
        assert (words in run["reason"]) == (key in bad)
        assert key in bad or ("0", "0") not in zip(rows["x0_level"], rows["x1_level"], strict=True)
    assert run_sweep(spec, tmp_path / "out").executed == 0  # failed runs are results too


@pytest.mark.parametrize("trouble", ["exit", "segv"])
def test_a_crash_that_does_not_come_again_costs_nothing(tmp_path: Path, trouble: str) -> None:
    spec = troubled(trouble, once=str(tmp_path / "marker"), budget=40)
    assert run_sweep(spec, tmp_path / "out", workers=2).failed == 0
    assert (tmp_path / "marker").exists()
    check_sweep(tmp_path / "out", spec)


def test_a_leaking_simulator_does_not_stop_a_sweep(tmp_path: Path) -> None:
    spec = troubled("leak", seeds=20, budget=1, memory_limit=1.0, retries=0)
    assert run_sweep(spec, tmp_path / "out", workers=1).failed == 0
    assert len(outcomes(tmp_path / "out")) == 20


@pytest.mark.parametrize("damage", ["cut", "empty", "temporary"])
def test_a_half_written_part_is_done_again(tmp_path: Path, damage: str) -> None:
    spec, out = troubled("none"), tmp_path / "out"
    run_sweep(spec, out, workers=1)
    part = min((out / "parts").iterdir())
    content = part.read_bytes()
    if damage == "temporary":
        part.unlink()
        part.with_name(f".{part.name}.1.tmp").write_bytes(content[:100])
    else:
        part.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *words, **more: None)
        result = run_sweep(spec, out, workers=1)
    assert 0 < result.executed <= 6
    kept = {path.suffix for path in part.parent.iterdir()}
    assert kept == ({".parquet"} if damage == "temporary" else {".parquet", ".damaged"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *words, **more: None)
        assert trials(out) == undisturbed(spec)
