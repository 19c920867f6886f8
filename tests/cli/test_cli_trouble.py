"""Ctrl-C at any time and a full disk: one message, the log stays readable, resuming gives the whole log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from logs import contents, logged, wait_for_trials
from shell import finish

from archgym import Dataset

RUN = ("run", "synthetic", "--agent", "genetic", "--hyper", "population=2", "--budget", "6000", "--seed", "5")

PLUGIN = """
import time
from archgym import DesignSpace, Metric, Parameter, Simulator
{on_import}

class Sleepy(Simulator):
    name, version, workload = "sleepy", "1", "none"
    space = DesignSpace((Parameter("a", tuple(range(1000))),))
    metrics = (Metric("total", "min", (0, 2000)),)

    def _evaluate(self, columns, fidelity):
        {on_evaluate}
        return {{"total": columns["a"]}}
"""
WAIT = 'print("here", flush=True); time.sleep(600)'
SWALLOW = """seconds = 600 if next(calls) == 0 else 0
        try:
            print("here", flush=True)
            time.sleep(seconds)
        except KeyboardInterrupt:
            pass"""


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Installs a simulator ``sleepy`` from a folder of its own; returns the environment in which it is found."""

    def install(on_import: str = "", on_evaluate: str = "pass") -> dict[str, str]:
        folder = tmp_path / "site"
        (folder / "sleepy-0.dist-info").mkdir(parents=True)
        (folder / "sleepy-0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: sleepy\nVersion: 0\n")
        (folder / "sleepy-0.dist-info" / "entry_points.txt").write_text(
            "[archgym.simulators]\nsleepy = sleepy_plugin:Sleepy\n"
        )
        (folder / "sleepy_plugin.py").write_text(PLUGIN.format(on_import=on_import, on_evaluate=on_evaluate))
        return {"PYTHONPATH": str(folder)}

    return install


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an uninterrupted run logs."""
    from archgym.cli import main

    folder = tmp_path_factory.mktemp("whole") / "run"
    assert main([*RUN, "--out", str(folder), "--quiet"]) == 0
    return contents(folder)


def test_ctrl_c_leaves_a_log_that_resumes_to_the_whole(
    command: Callable, process: Callable, tmp_path: Path, whole_run: dict[str, bytes]
) -> None:
    folder = tmp_path / "out"
    child = process(*RUN, "--out", folder, "--quiet")
    assert wait_for_trials(child, folder, 500)
    child.send_signal(signal.SIGINT)
    finish(child).refuses("interrupted after", "of 6,000 designs", f"archgym resume {folder}", code=130)
    assert json.loads((folder / "manifest.json").read_text())["state"] == "interrupted"
    assert 500 <= Dataset.open(folder).to_arrow().num_rows == logged(folder) < 6000
    command("run", "synthetic", "--out", folder).refuses("already holds a run", f"archgym resume {folder}")
    answer = command("resume", tmp_path)
    assert answer.code == 0
    assert "6,000 designs" in answer.out
    assert contents(folder) == whole_run
    assert "nothing to resume" in command("resume", tmp_path).out


def test_ctrl_c_while_a_plugin_is_imported(process: Callable, plugin: Callable, tmp_path: Path) -> None:
    child = process("run", "sleepy", "--out", "out", **plugin(on_import=WAIT))
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    finish(child).refuses("interrupted", code=130)
    assert not (tmp_path / "out").exists()


def test_ctrl_c_before_the_first_trial(process: Callable, plugin: Callable, tmp_path: Path) -> None:
    child = process("run", "sleepy", "--out", "out", **plugin(on_evaluate=WAIT))
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    finish(child).refuses("interrupted after 0 of 1,000 designs", "archgym resume out", code=130)
    assert Dataset.open(tmp_path / "out").to_arrow().num_rows == 0


def test_ctrl_c_is_obeyed_even_if_a_library_swallows_it(process: Callable, plugin: Callable) -> None:
    numbers = "from itertools import count\ncalls = count()"
    child = process("run", "sleepy", "--out", "out", **plugin(on_import=numbers, on_evaluate=SWALLOW))
    assert child.stdout.readline() == "here\n"
    child.send_signal(signal.SIGINT)
    finish(child).refuses("interrupted", "archgym resume out", code=130)


def test_a_file_that_cannot_grow_keeps_what_was_logged(
    command: Callable, process: Callable, tmp_path: Path, whole_run: dict[str, bytes]
) -> None:
    folder = tmp_path / "out"
    answer = finish(process(*RUN, "--out", folder, "--quiet", file_limit=300_000))
    answer.refuses("cannot write the trial log", "What was logged is readable", f"archgym resume {folder}")
    assert 0 < Dataset.open(folder).to_arrow().num_rows < 6000
    assert command("resume", folder).code == 0
    assert contents(folder) == whole_run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_keeps_what_was_logged(command: Callable, small_disk: Path, whole_run: dict[str, bytes]) -> None:
    folder = small_disk / "out"
    command(*RUN, "--out", folder, "--quiet").refuses("cannot write the trial log", "Free some space", "archgym resume")
    assert 0 < Dataset.open(folder).to_arrow().num_rows < 6000
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert command("resume", folder).code == 0
    assert contents(folder) == whole_run


def test_a_disk_that_is_full_from_the_start(command: Callable, small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="No space left"):
        for _ in range(1000):
            ballast.write(b"x" * 4096)
    command(*RUN, "--out", small_disk / "out").refuses("cannot write the trial log in")


def test_one_run_that_cannot_resume_does_not_hold_up_the_others(command: Callable, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert command("run", "synthetic", "--budget", 50, "--out", name, "--quiet").code == 0
        manifest = json.loads((tmp_path / name / "manifest.json").read_text())
        changed = {**manifest, "state": "interrupted"}
        if name == "a":
            changed["workload"] = {"name": "sphere", "digest": "another"}
        (tmp_path / name / "manifest.json").write_text(json.dumps(changed))
    answer = command("resume", tmp_path, "--quiet")
    assert answer.code == 2
    assert "the workload was name sphere, digest another and is now" in answer.err
    assert "1 of 2 runs could not be resumed" in answer.err
    assert json.loads((tmp_path / "b" / "manifest.json").read_text())["state"] == "finished"
