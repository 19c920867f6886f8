"""Whatever a program does, its design gets a status and a reason, and the search goes on."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faults import FAULTS, FINE, Fault, table, write_faulty
from sources import ROOT
from toys import build, eventually, running

from archgym import Dataset, Status, search
from archgym.agent import Agent
from archgym.space import Designs
from simulators.command import Command, scratch
from simulators.command.scratch import room


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(write_faulty(tmp_path_factory.mktemp("faulty")), cache=False)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.kind)
def test_a_fault_is_a_status_and_a_reason(faulty: Command, fault: Fault) -> None:
    designs = faulty.space.encode([{"fault": fault.kind}, {"fault": FINE}])
    result = faulty.evaluate(designs)
    assert Status(result.status[0]) == fault.status and fault.reason in result.reasons[0], result.reasons
    assert result.ok[1], "the next design is none the worse for it"
    assert result.violation[0] == (fault.status == Status.INVALID)
    assert len(result.reasons[0]) < 1000 and result.reasons[0].isprintable()
    assert str(room()) not in result.reasons[0]


def test_there_are_twelve_kinds_and_the_readme_has_them_all() -> None:
    assert len(FAULTS) >= 12
    readme = (ROOT / "simulators/command/README.md").read_text()
    assert table() in readme, "python tests/command/faults.py prints the table"


def test_reasons_do_not_change_from_one_evaluation_to_the_next(faulty: Command) -> None:
    kinds = ["crashes", "exits with an error", "writes half a result", "writes no result", "cannot be found"]
    designs = faulty.space.encode([{"fault": kind} for kind in kinds])
    assert faulty.evaluate(designs).reasons == faulty.evaluate(designs).reasons


def test_where_nothing_is_on_stderr_the_end_of_stdout_is_given(tmp_path: Path) -> None:
    simulator = build(tmp_path, "echo one; echo two; exit 9")
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    assert reason == "sh exited with 9; stdout ends: one | two"


def test_a_path_in_scratch_reads_as_a_relative_one(tmp_path: Path) -> None:
    simulator = build(tmp_path, 'echo "$PWD/file.v:3: syntax error" >&2; exit 1')
    (reason,) = simulator.evaluate(simulator.space.default).reasons.values()
    assert reason == "sh exited with 1; stderr ends: ./file.v:3: syntax error"


def test_a_failed_design_is_tried_again_as_often_as_the_spec_says(tmp_path: Path) -> None:
    count = tmp_path / "count"
    program = f'echo x >> {count}; [ $(wc -l < {count}) -ge 3 ] || exit 1; echo "latency 5"'
    simulator = build(tmp_path / "patient", program, run="retries = 2")
    assert simulator.evaluate(simulator.space.default).ok.all() and count.read_text() == "x\nx\nx\n"
    count.unlink()
    simulator = build(tmp_path / "hasty", program, run="retries = 1")
    assert simulator.evaluate(simulator.space.default).status[0] == Status.FAILED


def test_a_timeout_is_not_tried_again(tmp_path: Path) -> None:
    count = tmp_path / "count"
    simulator = build(tmp_path, f"echo x >> {count}; sleep 60", run="retries = 2\ntime_limit = 0.4")
    assert simulator.evaluate(simulator.space.default).status[0] == Status.TIMEOUT and count.read_text() == "x\n"


def test_leftovers_may_be_allowed(tmp_path: Path) -> None:
    simulator = build(tmp_path, 'setsid sleep 77.6 & echo "latency 5"', run='leftovers = "kill"')
    assert simulator.evaluate(simulator.space.default).ok.all() and not running("77.6")


def test_a_disk_that_is_full_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device", str(path))

    simulator = build(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    result = simulator.evaluate(simulator.space.default)
    assert result.status[0] == Status.FAILED
    assert result.reasons[0] == "cannot write the inputs: No space left on device"


def test_a_scratch_folder_that_cannot_be_made_is_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    simulator = build(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    monkeypatch.setattr(scratch, "_room", None)
    assert simulator.evaluate(simulator.space.default).reasons == {
        0: "cannot make a scratch folder: No such file or directory"
    }


def test_a_crowd_of_processes_is_ended(tmp_path: Path) -> None:
    crowd = "for i in $(seq 60); do setsid sleep 77.15 & done"
    simulator = build(tmp_path, f"{crowd}; [ $1 = 1 ] || sleep 60; echo latency 5", run="time_limit = 2")
    result = simulator.evaluate([[0], [1]])
    assert result.status.tolist() == [Status.FAILED, Status.TIMEOUT] and not running("77.15")


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file system of one MiB that scratch folders are made on."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setattr(scratch, "_room", None)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_a_program_fills_is_empty_again_for_the_next(small_disk: Path, tmp_path: Path) -> None:
    program = '[ $1 -lt 3 ] || cat /dev/zero > big; echo "latency $1"'
    simulator = build(tmp_path, program)
    result = simulator.evaluate(simulator.space.encode([{"size": size} for size in (1, 5, 2)]))
    assert result.status.tolist() == [Status.OK, Status.FAILED, Status.OK]
    assert "No space left on device" in result.reasons[1]
    simulator.close()
    assert str(small_disk) in str(room()) and not list(room().glob("*/work/*"))


def test_failures_are_kept_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    simulator = build(
        tmp_path, "echo half > partial; echo oh no >&2; [ $1 -lt 3 ] && echo latency 5", arguments={"keep": "failures"}
    )
    result = simulator.evaluate(simulator.space.encode([{"size": 1}, {"size": 5}]))
    assert result.ok.tolist() == [True, False]
    folder = Path(result.reasons[1].rpartition("its folder is kept: ")[2])
    assert (folder / "work" / "partial").read_text() == "half\n" and (folder / "stderr").read_text() == "oh no\n"
    assert len(list(folder.parent.iterdir())) == 1, "only failures"
    again = simulator.evaluate(simulator.space.encode([{"size": 5}]))
    assert again.reasons[0] == result.reasons[1] and len(list(folder.parent.iterdir())) == 1, "one folder per design"


class EveryDesign(Agent):
    """Proposes the designs of a space in order of their numbers, several at a time."""

    name = "every_design"

    def __init__(self, space: Any, **options: Any) -> None:
        super().__init__(space, **options)
        self.next = 0

    def ask(self, n: int) -> Designs:
        """The next n designs."""
        ranks = [rank % self.space.size for rank in range(self.next, self.next + n)]
        self.next += n
        return self.space.unrank(ranks)


@pytest.mark.slow
def test_five_hundred_faults_in_one_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    each = -(-500 // len(FAULTS))
    simulator = Command(write_faulty(tmp_path, numbers=each - 1, jobs=8, seconds=4.0))
    assert simulator.space.size - each >= 500
    result = search(EveryDesign, simulator, objective="latency_ns", budget=simulator.space.size, log=tmp_path / "run")
    trials = Dataset.open(tmp_path / "run").to_arrow().select(["fault", "status", "reason"]).to_pylist()
    expected = {fault.kind: fault for fault in FAULTS}
    for trial in trials:
        fault = expected.get(trial["fault"])
        if fault is None:
            assert trial["status"] == "OK"
        else:
            assert trial["status"] == fault.status.name and fault.reason in trial["reason"], trial
    assert Counter(trial["fault"] for trial in trials) == dict.fromkeys([FINE, *expected], each)
    assert result.trials == simulator.space.size and result.best_score == -5.0
    assert eventually(lambda: not running("sleep\0" + "60"))
    assert not list(room().glob("*/work/*"))
