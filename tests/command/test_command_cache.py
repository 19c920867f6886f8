"""The cache: a design that was evaluated before is not run again, and nothing else is answered from it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from toys import build

from archgym import Status, make_simulator
from archgym.optimum import cache_folder
from archgym.simulator import Simulator
from archgym.testing.simulator_checks import same
from simulators.command import Command


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def counted(tmp_path: Path) -> Callable[..., tuple[Command, Callable[[], int]]]:
    """Builds a simulator with the cache, and a function that tells how often its program has run."""
    count = tmp_path / "count"

    def make(program: str = 'echo "latency $(($1 * 10))"', **parts: str) -> tuple[Command, Callable[[], int]]:
        made = build(tmp_path / "spec", f"echo x >> {count}\n{program}\n", arguments={"cache": True}, **parts)
        return made, lambda: len(count.read_text().split()) if count.exists() else 0

    return make


def entries() -> list[Path]:
    return sorted((cache_folder() / "command").rglob("*.json"))


def test_a_design_runs_once_in_this_run_and_in_later_ones(counted: Callable[..., tuple[Command, Callable[[], int]]]) -> None:
    simulator, runs = counted()
    designs = simulator.space.sample(20, 0)
    first = simulator.evaluate(designs)
    distinct = runs()
    assert distinct == len({tuple(design) for design in designs.tolist()}) == len(entries())
    again, _ = counted()
    assert not same(again.evaluate(designs), first) and runs() == distinct
    assert not same(make_simulator(str(again.spec.path)).evaluate(designs), first) and runs() == distinct


def runs_with_and_without(counted: Callable[..., tuple[Command, Callable[[], int]]], change: dict[str, str]) -> int:
    """How often the program runs for one design of a spec, and for the same one of that spec with a change."""
    simulator, runs = counted()
    simulator.evaluate(simulator.space.default)
    changed, _ = counted(**change)
    changed.evaluate(changed.space.default)
    return runs()


@pytest.mark.parametrize(
    "change",
    [
        {"program": 'echo "latency $(($1 * 11))"'},
        {"inputs": '[[inputs]]\nfile = "more"\ntext = "x"'},
        {"run": 'set_environment = {MODE = "fast"}'},
        {"run": 'invalid_texts = ["never"]'},
        {"more": 'to = "us"\nunit = "ns"'},
        {"more": '[[metrics]]\nname = "more"\nvalue = "size"'},
    ],
    ids=["program", "inputs", "environment", "rules", "unit", "metrics"],
)
def test_what_decides_a_result_is_part_of_the_key(
    counted: Callable[..., tuple[Command, Callable[[], int]]], change: dict[str, str]
) -> None:
    assert runs_with_and_without(counted, change) == 2


@pytest.mark.parametrize(
    "change",
    [{"run": "time_limit = 7"}, {"run": "memory_limit = 900"}, {"run": "jobs = 3"}, {"run": "retries = 2"}],
    ids=str,
)
def test_limits_are_not_part_of_the_key(
    counted: Callable[..., tuple[Command, Callable[[], int]]], change: dict[str, str]
) -> None:
    assert runs_with_and_without(counted, change) == 1


def test_the_version_is_part_of_the_key(tmp_path: Path) -> None:
    program, count = tmp_path / "tool", tmp_path / "count"
    program.write_text(
        f'#!/bin/sh\nif [ "$1" = -V ]; then cat {tmp_path}/version; else echo x >> {count}; echo latency 5; fi\n'
    )
    program.chmod(0o755)
    spec = tmp_path / "tool.toml"
    spec.write_text(
        f'name = "tool"\nversion_command = ["{program}", "-V"]\n[run]\ncommand = ["{program}", "{{{{ size }}}}"]\n'
        '[[parameters]]\nname = "size"\nvalues = [1, 2]\n'
        '[[metrics]]\nname = "latency_ns"\nsource = "stdout"\npattern = "latency (.*)"\n'
    )
    code = f"from simulators.command import Command; s = Command({str(spec)!r}); s.evaluate([[0]]); print(s.version)"
    versions = []
    for version in ("tool 1.0", "tool 1.0", "tool 1.1"):
        (tmp_path / "version").write_text(version)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        versions.append(done.stdout)
    assert versions[0] == versions[1] != versions[2] and count.read_text() == "x\nx\n"


@pytest.mark.parametrize(
    ("program", "run", "status", "kept"),
    [
        ("echo latency 5", "", Status.OK, True),
        ("exit 3", "invalid_exit_codes = [3]", Status.INVALID, True),
        ("exit 4", "", Status.FAILED, False),
        ("echo latency nan", "", Status.FAILED, False),
        ("echo nothing", "", Status.FAILED, False),
        ("sleep 30", "time_limit = 0.3", Status.TIMEOUT, False),
    ],
)
def test_what_is_kept(
    counted: Callable[..., tuple[Command, Callable[[], int]]], program: str, run: str, status: Status, kept: bool
) -> None:
    simulator, runs = counted(program, run=run)
    first, second = (simulator.evaluate(simulator.space.default) for _ in range(2))
    assert first.status[0] == status and not same(first, second)
    assert runs() == (1 if kept else 2) and len(entries()) == (1 if kept else 0)


def test_suspects_are_judged_anew(counted: Callable[..., tuple[Command, Callable[[], int]]]) -> None:
    simulator, runs = counted(more="bounds = [0, 5]")
    assert simulator.evaluate(simulator.space.default).status[0] == Status.SUSPECT
    wider, _ = counted(more="bounds = [0, 50]")
    assert wider.evaluate(wider.space.default).ok.all() and runs() == 1


def damage(name: str, text: str) -> str:
    """A cache entry spoilt in one of several ways."""
    entry = json.loads(text)
    spoilt = {
        "empty": "",
        "truncated": text[: len(text) // 2],
        "no object": "[1, 2]",
        "not finite": json.dumps({**entry, "metrics": {"latency_ns": float("nan")}}),
        "text": json.dumps({**entry, "metrics": {"latency_ns": "10"}}),
        "no metric": json.dumps({**entry, "metrics": {}}),
        "failed": json.dumps({**entry, "status": "FAILED"}),
        "unknown": json.dumps({**entry, "status": "GREAT"}),
        "of another key": json.dumps({**entry, "key": "0" * 64}),
        "deep": "[" * 100_000,
    }
    return spoilt[name]


@pytest.mark.parametrize(
    "how",
    ["empty", "truncated", "no object", "not finite", "text", "no metric", "failed", "unknown", "of another key", "deep"],
)
def test_a_damaged_entry_is_ignored_and_written_anew(
    counted: Callable[..., tuple[Command, Callable[[], int]]], how: str
) -> None:
    simulator, runs = counted()
    expected = simulator.evaluate(simulator.space.default)
    (entry,) = entries()
    sound = entry.read_text()
    entry.write_text(damage(how, sound))
    assert not same(simulator.evaluate(simulator.space.default), expected) and runs() == 2
    assert {**json.loads(entry.read_text()), "seconds": 0} == {**json.loads(sound), "seconds": 0}
    simulator.evaluate(simulator.space.default)
    assert runs() == 2


def test_a_folder_that_cannot_be_written_takes_the_cache_away_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    simulator = build(tmp_path / "spec", arguments={"cache": True})
    assert simulator.evaluate(simulator.space.default).ok.all()


def test_without_the_cache_everything_runs_and_nothing_is_kept(tmp_path: Path) -> None:
    count = tmp_path / "count"
    simulator: Simulator = build(tmp_path / "spec", f"echo x >> {count}; echo latency 5")
    for _ in range(2):
        simulator.evaluate(simulator.space.default)
    assert count.read_text() == "x\nx\n" and not entries()


def test_two_processes_at_once(tmp_path: Path) -> None:
    simulator = build(tmp_path / "spec", arguments={"cache": True})
    code = (
        "import sys; from simulators.command import Command; s = Command(sys.argv[1]);"
        "print(s.evaluate([[level] for level in range(8)])['latency_ns'].tolist())"
    )
    command = [sys.executable, "-c", code, simulator.spec.path]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate()[0] for process in both}
    assert printed == {"[10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0]\n"}
    assert len(entries()) == 8 and not list(cache_folder().rglob("*.json.*"))
