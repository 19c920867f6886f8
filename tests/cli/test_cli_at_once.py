"""``archgym run --jobs``: several programs at once, ended by Ctrl-C and by ``kill -9``, resumed."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from logs import contents, logged

from archgym import Dataset

SPEC = """
name = "toy"
version = "1"
[[parameters]]
name = "size"
range = {{from = 1, to = 100, step = 1}}
[[parameters]]
name = "depth"
range = {{from = 1, to = 100, step = 1}}
[run]
command = ["sh", "-c", '''{program}''']
order = "{order}"
time_limit = 3600
[[metrics]]
name = "latency_ns"
source = "stdout"
pattern = 'latency (\\S+)'
"""
QUICK = "echo latency $(( {{ size }} * {{ depth }} ))"


def write(folder: Path, program: str = QUICK, order: str = "finished") -> Path:
    path = folder / "toy.toml"
    path.write_text(SPEC.format(program=program, order=order))
    return path


def wait_until(true: Callable[[], bool], seconds: float = 60.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.01)
    return False


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of other tests have not been run here."""
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


def test_in_order_the_log_does_not_depend_on_jobs(command: Callable, tmp_path: Path) -> None:
    spec = write(tmp_path, order="proposed")
    for jobs in (1, 3):
        answer = command(
            "run", spec, "--budget", 30, "--jobs", jobs, "--out", f"jobs-{jobs}", "--set", "cache=false", "--quiet"
        )
        assert answer.code == 0, answer.err
    assert contents(tmp_path / "jobs-1") == contents(tmp_path / "jobs-3")


def test_as_they_finish_is_what_the_manifest_says(command: Callable, tmp_path: Path) -> None:
    assert command("run", write(tmp_path), "--budget", 20, "-j", 2, "--out", "two").code == 0
    manifest = json.loads((tmp_path / "two" / "manifest.json").read_text())
    assert manifest["in_flight"] == 2 and manifest["trials"] == 20 and "jobs" not in manifest["simulator"]["arguments"]


@pytest.mark.parametrize("words", [("--jobs", 4), ("--ray", "local")])
def test_simulators_that_take_whole_batches_say_so(command: Callable, words: tuple[object, ...]) -> None:
    command("run", "synthetic", *words).refuses(f"synthetic does not take {words[0]}", "archgym sweep")


def test_ctrl_c_does_not_wait_for_programs_that_take_an_hour(process: Callable, command: Callable, tmp_path: Path) -> None:
    started = tmp_path / "started"
    hour = f"echo $$ >> {started}; if [ $(wc -l < {started}) -gt 5 ]; then exec sleep 3600; fi; {QUICK}"
    child = process("run", write(tmp_path, hour), "--budget", 20, "--jobs", 3, "--out", "run")
    assert wait_until(lambda: logged(tmp_path / "run") >= 4 and len(started.read_text().split()) >= 7)
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=60)
    assert child.returncode == 130 and "Go on with: archgym resume run" in error
    assert wait_until(lambda: not any(alive(int(number)) for number in started.read_text().split()))
    before = logged(tmp_path / "run")
    started.unlink()
    child = process("resume", "run", "--jobs", "2", "--quiet")
    assert wait_until(lambda: logged(tmp_path / "run") > before)
    assert child.poll() is None


def test_a_killed_run_goes_on_and_counts_every_trial_once(process: Callable, command: Callable, tmp_path: Path) -> None:
    spec = write(tmp_path, f"sleep 0.0{{{{ size % 5 }}}}; {QUICK}")
    for number, trials in enumerate((3, 12, 20)):
        words = ("resume", "run") if number else ("run", spec, "--budget", 40, "--out", "run")
        child = process(*words, "--jobs", 4, "--quiet")
        assert wait_until(lambda: logged(tmp_path / "run") >= trials or child.poll() is not None)  # noqa: B023
        os.kill(child.pid, signal.SIGKILL)
        child.communicate()
        assert logged(tmp_path / "run") >= trials
    held = Dataset.open(tmp_path / "run").to_arrow().select(["size", "depth", "latency_ns"]).to_pylist()
    assert command("resume", "run", "--quiet").code == 0
    table = Dataset.open(tmp_path / "run").to_arrow()
    assert table.num_rows == 40 and table["trial"].to_pylist() == list(range(40))
    assert table.select(["size", "depth", "latency_ns"]).to_pylist()[: len(held)] == held
