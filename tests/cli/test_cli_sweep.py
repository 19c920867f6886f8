"""``archgym sweep`` from outside: what it says, how it is interrupted, what it refuses."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Answer, finish

from archgym import cli
from archgym.sweep.store import Store

SPEC = """
name = "small"
budget = {budget}
seeds = {seeds}
objectives = ["distance"]
[[task]]
simulator = "synthetic"
workloads = ["sphere"]
[[agent]]
name = "genetic"
tickets = {{ random = 2, seed = 0 }}
[[agent]]
name = "random_walk"
"""


@pytest.fixture
def spec(tmp_path: Path) -> Callable[..., Path]:
    def write(budget: int = 50, seeds: int = 2) -> Path:
        path = tmp_path / "small.toml"
        path.write_text(SPEC.format(budget=budget, seeds=seeds))
        return path

    return write


def test_a_sweep_says_what_it_did_and_goes_on(command: Callable[..., Answer], spec: Callable[..., Path]) -> None:
    first = command("sweep", spec(), "--out", "out", "--workers", 1)
    assert first.code == 0 and "8 runs complete; 400 designs" in first.out and "results: out" in first.out
    assert "small: 0 of 8 runs" in first.err and "small: 8 of 8 runs, 400 designs" in first.err
    again = command("sweep", spec(), "--out", "out")
    assert again.code == 0 and "8 runs complete (8 were complete before)" in again.out


def test_quiet_is_quiet(command: Callable[..., Answer], spec: Callable[..., Path]) -> None:
    answer = command("sweep", spec(), "--out", "out", "--workers", 1, "--quiet")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert len(Store.open("out").summaries()) == 8


def test_a_dry_run_counts_and_estimates_and_runs_nothing(
    command: Callable[..., Answer], spec: Callable[..., Path], tmp_path: Path
) -> None:
    answer = command("sweep", spec(), "--out", "out", "--dry-run", "--workers", 3)
    assert answer.code == 0 and not (tmp_path / "out").exists()
    assert "8 runs on 1 tasks, 400 designs" in answer.out and "synthetic, sphere, distance, budget 50" in answer.out
    assert "8 runs are left" in answer.out and "on 3 workers" in answer.out and "measured now" in answer.out
    command("sweep", spec(), "--out", "out", "--workers", 1, "--quiet")
    assert "every run is complete" in command("sweep", spec(), "--out", "out", "--dry-run").out
    left = command("sweep", spec(seeds=3), "--out", "out", "--dry-run").out
    assert "4 runs are left" in left and "from runs that are complete" in left


def test_an_edited_spec_is_refused_unless_it_extends(command: Callable[..., Answer], spec: Callable[..., Path]) -> None:
    command("sweep", spec(), "--out", "out", "--workers", 1, "--quiet")
    refused = command("sweep", spec(seeds=3), "--out", "out")
    assert refused.code == 2 and "seeds" in refused.err and "--extend" in refused.err and "Traceback" not in refused.err
    extended = command("sweep", spec(seeds=3), "--out", "out", "--extend", "--workers", 1)
    assert extended.code == 0 and "12 runs complete (8 were complete before)" in extended.out


@pytest.mark.parametrize(
    ("text", "words"),
    [("name = ", ("not TOML",)), ('name = "x"\nbudget = 5\n', ("task",)), (None, ("cannot be read",))],
)
def test_a_spec_that_cannot_be_run_is_refused(
    command: Callable[..., Answer], tmp_path: Path, text: str | None, words: tuple[str, ...]
) -> None:
    path = tmp_path / "bad.toml"
    if text is not None:
        path.write_text(text)
    command("sweep", path, "--out", "out").refuses("bad.toml", *words)


def test_a_failing_run_is_told(command: Callable[..., Answer], spec: Callable[..., Path]) -> None:
    path = spec()
    path.write_text("time_limit = 1e-9\nretries = 0\n" + path.read_text().replace("seeds = 2", "seeds = 1"))
    answer = command("sweep", path, "--out", "out", "--workers", 1)
    states = [run["state"] for run in Store.open("out").summaries()]
    assert answer.code == 0 and len(states) == 4
    assert ("failed; they are kept" in answer.out) == ("failed" in states)


def test_interrupting_says_how_to_go_on(
    process: Callable[..., subprocess.Popen[str]],
    command: Callable[..., Answer],
    spec: Callable[..., Path],
    tmp_path: Path,
) -> None:
    path = spec(budget=2000, seeds=200)
    child = process("sweep", path, "--out", "out", "--workers", 1)
    assert child.stderr is not None
    for line in child.stderr:
        if "of 800 runs" in line and " 0 of" not in line:
            break
    child.send_signal(signal.SIGINT)
    answer = finish(child)
    assert answer.code == cli.EXIT_INTERRUPTED, answer
    assert "archgym sweep" in answer.err and "--out out" in answer.err and "Traceback" not in answer.err
    assert 0 < len(Store.open(tmp_path / "out").summaries()) < 800


def test_ray_that_is_not_there_is_named(
    command: Callable[..., Answer], spec: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    command("sweep", spec(), "--out", "out", "--ray", "local", "--quiet").refuses("needs ray", "archgym[sweep]")
