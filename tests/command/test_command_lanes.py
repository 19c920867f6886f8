"""Lanes and scratch folders: nothing that a program starts or writes outlives its evaluation."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from toys import eventually, running

from archgym.errors import ContractError
from simulators.command import scratch as scratches
from simulators.command.lanes import HEAD, TAIL, Lane, Lanes, Limits, Outcome, Stopped, _read
from simulators.command.scratch import Scratch, home, remove, sweep

PATH = {"PATH": os.environ["PATH"]}


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    lane = Lane(tmp_path)
    yield lane
    lane.close()


def do(
    lane: Lane, *commands: list[str], seconds: float = 20.0, memory: int | None = None, file_size: int = 10, **environment: str
) -> Outcome:
    """Runs commands in the lane's own scratch, which is emptied first."""
    lane.scratch.empty()
    limits = Limits(seconds, memory, file_size)
    return lane.run(commands, lane.scratch.work, lane.scratch.folder, {**PATH, **environment}, limits)


def shell(text: str) -> list[str]:
    return ["sh", "-c", text]


def python(text: str) -> list[str]:
    return [sys.executable, "-S", "-c", text]


def test_it_reports_how_a_program_ended_and_what_it_printed(lane: Lane) -> None:
    outcome = do(lane, shell("echo out; echo err >&2; exit 3"))
    assert (outcome.ended, outcome.code, outcome.signal, outcome.leftovers) == ("exited", 3, None, 0)
    assert (outcome.stdout, outcome.stderr) == ("out\n", "err\n")
    assert len(outcome.times) == 1 and 0 < outcome.times[0] <= outcome.seconds


def test_commands_run_one_after_the_other_until_one_fails(lane: Lane) -> None:
    outcome = do(lane, shell("echo one > file"), shell("cat file; exit 2"), shell("echo never"))
    assert (outcome.code, outcome.stdout, len(outcome.times)) == (2, "one\n", 2)


@pytest.mark.parametrize(("signal", "number"), [("SEGV", 11), ("ABRT", 6), ("KILL", 9)])
def test_signals_are_told_apart_and_leave_no_core(lane: Lane, signal: str, number: int) -> None:
    outcome = do(lane, shell(f"ulimit -c unlimited 2> /dev/null; kill -{signal} $$"))
    assert (outcome.ended, outcome.code, outcome.signal) == ("exited", None, number)
    assert list(lane.scratch.work.iterdir()) == []


@pytest.mark.parametrize(("program", "words"), [("no-such-program", "No such file"), ("/etc/passwd", "Permission denied")])
def test_a_program_that_cannot_be_started(lane: Lane, program: str, words: str) -> None:
    outcome = do(lane, [program])
    assert outcome.ended == "unstartable" and words in outcome.detail and outcome.code is None
    assert do(lane, shell("exit 0")).code == 0, "the lane goes on"


def test_time_is_shared_by_the_commands(lane: Lane) -> None:
    outcome = do(lane, shell("sleep 0.4"), shell("sleep 77.1"), seconds=0.8)
    assert outcome.ended == "timeout" and len(outcome.times) == 2 and not running("77.1")


@pytest.mark.parametrize(
    "script",
    [
        "sleep 77.2",
        "trap '' TERM; sleep 77.2; sleep 77.2",
        "setsid sleep 77.2 & sleep 77.2",
        "(setsid sh -c 'setsid sleep 77.2 & sleep 77.2' &) ; sleep 77.2",
    ],
    ids=["obedient", "ignores-sigterm", "another-session", "double-fork"],
)
def test_a_timeout_ends_every_process(lane: Lane, script: str) -> None:
    assert do(lane, shell(script), seconds=0.3).ended == "timeout"
    assert not running("77.2")


@pytest.mark.parametrize("script", ["sleep 77.3 &", "setsid sleep 77.3 &", "(setsid nohup sleep 77.3 &) "])
def test_what_is_left_behind_is_killed_and_counted(lane: Lane, script: str) -> None:
    outcome = do(lane, shell(script))
    assert (outcome.ended, outcome.code) == ("exited", 0) and outcome.leftovers >= 1
    assert not running("77.3")


def test_a_helper_that_ends_a_little_later_is_not_left_behind(lane: Lane) -> None:
    assert do(lane, shell("sleep 0.05 &")).leftovers == 0


def test_memory_is_that_of_all_processes_together(lane: Lane) -> None:
    hold = "data = bytearray(60 << 20); import time; time.sleep(20)"
    each = f"{sys.executable} -S -c '{hold}' &"
    assert do(lane, shell(f"{each} {each} {each} wait"), memory=150).ended == "memory"
    assert do(lane, python("data = bytearray(60 << 20)"), memory=150).code == 0


def test_memory_that_was_held_for_a_moment_only_counts(lane: Lane) -> None:
    assert do(lane, python("data = bytearray(90 << 20)"), memory=50).ended == "memory"
    assert do(lane, python("data = bytearray(4000 << 20)"), memory=50).code == 1, "stopped before it fills the machine"


def test_no_file_grows_beyond_its_limit(lane: Lane) -> None:
    outcome = do(lane, ["head", "-c", "30000000", "/dev/zero"], file_size=2)
    assert outcome.signal == 25 and len(outcome.stdout) == 2 << 20


def test_the_environment_is_what_was_given_and_stdin_is_empty(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_TEST_OUTSIDE", "visible")
    outcome = do(lane, ["env"], GIVEN="here")
    names = {line.partition("=")[0] for line in outcome.stdout.splitlines()}
    assert names == {"PATH", "GIVEN", "ARCHGYM_LANE"}
    assert do(lane, ["cat"]).stdout == "" and do(lane, shell("ulimit -c")).stdout == "0\n"


def test_words_that_cannot_be_arguments(lane: Lane) -> None:
    assert do(lane, ["echo", "a\0b"]).ended == "unstartable"
    assert do(lane, ["echo", "$(id); * 'x'"]).stdout == "$(id); * 'x'\n"


def test_programs_see_no_descriptor_of_ours(lane: Lane) -> None:
    outcome = do(lane, shell("ls /proc/self/fd"))
    assert set(outcome.stdout.split()) <= {"0", "1", "2", "3"}  # 3 is the folder that ls reads


def test_a_lane_that_is_killed_is_started_again_and_its_orphans_die(lane: Lane) -> None:
    assert do(lane, shell("exit 0")).code == 0
    first = lane.process
    assert do(lane, shell("setsid sleep 77.4 & kill -9 $PPID; sleep 77.4")).ended == "lost"
    assert eventually(lambda: not running("77.4"))
    assert do(lane, shell("exit 0")).code == 0 and lane.process not in (None, first)


def test_a_lane_that_a_program_stops_is_not_waited_for(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.command.lanes.FAREWELL", 0.5)
    assert do(lane, shell("setsid sleep 77.1 & kill -STOP $PPID; sleep 77.1"), seconds=0.5).ended == "lost"
    assert eventually(lambda: not running("77.1"))
    assert do(lane, shell("exit 0")).code == 0


def test_closing_from_another_thread_stops_a_program(lane: Lane) -> None:
    threading.Timer(0.3, lane.close).start()
    with pytest.raises(Stopped):
        do(lane, shell("setsid sleep 77.5 & sleep 77.5"))
    assert not running("77.5") and lane.closed
    with pytest.raises(Stopped):
        do(lane, shell("exit 0"))


def test_lanes_are_used_again_and_closed_together() -> None:
    lanes = Lanes()
    with lanes.lane() as one, lanes.lane() as other:
        assert one is not other
        assert [do(lane, shell("exit 0")).code for lane in (one, other)] == [0, 0]
        processes = [one.process, other.process]
    with lanes.lane() as again:
        assert again in (one, other)
    lanes.close()
    assert all(process is not None and not Path(f"/proc/{process}").exists() for process in processes)
    with lanes.lane() as fresh:
        assert fresh not in (one, other) and do(fresh, shell("exit 0")).code == 0
    lanes.close()


def test_a_forked_process_starts_lanes_of_its_own() -> None:
    lanes = Lanes()
    with lanes.lane() as lane:
        do(lane, shell("exit 0"))
        process = lane.process
    child = os.fork()
    if child == 0:
        try:
            with lanes.lane() as mine:
                good = mine is not lane and do(mine, shell("exit 7")).code == 7 and mine.process != process
            lanes.close()
        finally:
            os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert do(lane, shell("exit 0")).code == 0 and lane.process == process
    lanes.close()


def test_many_evaluations_leave_no_process_and_no_descriptor(lane: Lane) -> None:
    do(lane, shell("exit 0"))
    assert lane.process is not None
    before = [len(os.listdir(f"/proc/{process}/fd")) for process in (os.getpid(), lane.process)]
    for _ in range(100):
        do(lane, ["true"])
    assert [len(os.listdir(f"/proc/{process}/fd")) for process in (os.getpid(), lane.process)] == before
    assert subprocess.run(["ps", "--ppid", str(lane.process)], capture_output=True, check=False).returncode == 1


def test_of_much_output_the_beginning_and_the_end_are_read(tmp_path: Path) -> None:
    with (tmp_path / "stdout").open("wb") as file:
        file.write(b"first")
        file.seek(3 << 30)
        file.write(b"last")
    text = _read(tmp_path / "stdout")
    assert text.startswith("first") and text.endswith("last") and "bytes left out" in text
    assert len(text) < HEAD + TAIL + 100


def test_output_that_was_replaced_by_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "stdout").symlink_to("/etc/passwd")
    assert _read(tmp_path / "stdout") == ""


def test_scratch_is_private_and_empty_again_whatever_was_done_to_it(tmp_path: Path) -> None:
    scratch, outside = Scratch(tmp_path), tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept")
    assert scratch.work.stat().st_mode & 0o777 == 0o700
    (scratch.work / "deep" / "er").mkdir(parents=True)
    (scratch.work / "deep" / "er" / "file").write_text("x")
    (scratch.work / "link").symlink_to(outside)
    (scratch.temporary / "file").write_text("x")
    (scratch.work / "deep").chmod(0)
    scratch.empty()
    assert [list(folder.iterdir()) for folder in (scratch.work, scratch.temporary)] == [[], []]
    scratch.work.chmod(0o755)
    scratch.empty()
    assert scratch.work.stat().st_mode & 0o777 == 0o700
    scratch.work.rmdir()
    scratch.work.symlink_to(outside)
    scratch.empty()
    assert scratch.work.is_dir() and not scratch.work.is_symlink() and (outside / "file").read_text() == "kept"
    scratch.remove()
    assert not scratch.folder.exists()


def test_rooms_of_processes_that_ended_are_swept_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(scratches, "_room", None)
    code = "from simulators.command.scratch import Scratch; import os; print(Scratch().folder); os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    left = Path(killed.stdout.strip())
    assert killed.returncode == -9 and left.is_dir() and left.parent.parent == home()
    mine = Scratch().folder
    assert not left.exists() and mine.is_dir()
    sweep(home())
    assert mine.is_dir(), "a room that is in use stays"
    assert mine.parent.name.startswith(f"{os.getpid()}-")
    remove(mine.parent)


def test_a_scratch_folder_that_others_can_write_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / f"archgym-{os.getuid()}").mkdir()
    (tmp_path / f"archgym-{os.getuid()}").chmod(0o777)
    with pytest.raises(ContractError, match="nobody else may enter"):
        home()
