from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from archgym.errors import SweepRunningError
from archgym.sweep.locking import LOCK
from archgym.sweep.store import Store

BEAT = 0.05
REMOTE = "memory://locked"
HOLD = """
import sys
from archgym.sweep.store import Store
with Store.lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of ``tmp_path``."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    storage = fsspec.filesystem("memory")
    yield storage
    if storage.exists(f"/locked/{LOCK}"):
        storage.rm(f"/locked/{LOCK}")


def test_a_second_sweep_is_refused_and_told_of_the_first(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(SweepRunningError, match=rf"process {holder.pid} on {platform.node()}"), Store.lock(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert json.loads((tmp_path / LOCK).read_text())["process"] == holder.pid
    with Store.lock(tmp_path):
        assert json.loads((tmp_path / LOCK).read_text())["process"] == os.getpid()


def test_a_lock_can_be_taken_again_after_it_was_left(tmp_path: Path) -> None:
    with Store.lock(tmp_path):
        pass
    with Store.lock(tmp_path) as lock:
        with pytest.raises(SweepRunningError, match=f"process {os.getpid()}"), Store.lock(tmp_path):
            pass
        assert not lock.lost.is_set()


def test_a_remote_lock_that_beats_is_respected(memory: fsspec.AbstractFileSystem) -> None:
    with Store.lock(REMOTE, heartbeat=BEAT):
        with pytest.raises(SweepRunningError, match=f"process {os.getpid()} on"), Store.lock(REMOTE, heartbeat=BEAT):
            pass
    assert not memory.exists(f"/locked/{LOCK}")


def test_a_remote_lock_that_no_longer_beats_is_taken_over(memory: fsspec.AbstractFileSystem) -> None:
    owner = {"process": 1, "host": "elsewhere", "token": "old", "heartbeat": BEAT, "beats": 3}
    memory.pipe_file(f"/locked/{LOCK}", json.dumps(owner).encode())
    with Store.lock(REMOTE, heartbeat=BEAT):
        assert json.loads(memory.cat_file(f"/locked/{LOCK}"))["process"] == os.getpid()


def test_nobody_waits_for_a_dead_process_of_this_machine(memory: fsspec.AbstractFileSystem) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    owner = {"process": dead.pid, "host": platform.node(), "token": "old", "heartbeat": 3600.0}
    memory.pipe_file(f"/locked/{LOCK}", json.dumps(owner).encode())
    with Store.lock(REMOTE, heartbeat=BEAT) as lock:  # else this would take six hours
        assert not lock.lost.is_set()


def test_who_lost_a_remote_lock_is_told(memory: fsspec.AbstractFileSystem) -> None:
    with Store.lock(REMOTE, heartbeat=BEAT) as lock:
        memory.pipe_file(f"/locked/{LOCK}", json.dumps({"token": "other"}).encode())
        assert lock.lost.wait(30)
    assert json.loads(memory.cat_file(f"/locked/{LOCK}")) == {"token": "other"}
