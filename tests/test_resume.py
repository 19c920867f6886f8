"""``kill -9`` at random moments: resuming gives the log of an uninterrupted run, byte for byte."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from logs import contents, logged, wait_for_trials

from archgym import Dataset, search
from archgym.cli import main
from archgym.search import resume
from archgym.trials import MANIFEST, RUNNING, SEALED

SYNTHETIC = ("synthetic", "--agent", "genetic", "--hyper", "population=2", "--budget", "6000", "--seed", "1")
DRAM = ("dram", "--workload", "random", "--agent", "genetic", "--budget", "2000", "--seed", "0")


def start(words: Sequence[object]) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-m", "archgym.cli", *map(str, words), "--quiet"]
    return subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)


def killed_and_resumed(run: Sequence[str], folder: Path, kills: int, budget: int) -> None:
    """Runs, is killed at random numbers of trials, resumes, is killed again, ..., resumes to the end."""
    moments = sorted(random.Random(kills).sample(range(1, budget // 2), kills))
    for moment in moments:
        begun = (folder / MANIFEST).exists()
        child = start(("resume", folder) if begun else ("run", *run, "--out", folder))
        assert wait_for_trials(child, folder, moment), child.communicate()
        child.kill()
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        assert Dataset.open(folder).to_arrow().num_rows == logged(folder) >= moment
    assert main(["resume", str(folder), "--quiet"]) == 0


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_a_killed_run_resumes_to_the_same_log(tmp_path: Path, kills: int) -> None:
    assert main(["run", *SYNTHETIC, "--out", str(tmp_path / "whole"), "--quiet"]) == 0
    killed_and_resumed(SYNTHETIC, tmp_path / "killed", kills, budget=6000)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == [MANIFEST, SEALED]


@pytest.mark.slow
def test_a_killed_dram_run_resumes_to_the_same_log(tmp_path: Path) -> None:
    assert main(["run", *DRAM, "--out", str(tmp_path / "whole"), "--quiet"]) == 0
    killed_and_resumed(DRAM, tmp_path / "killed", kills=10, budget=2000)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def interrupted_after(trials: int, folder: Path) -> None:
    """Leaves a run of 300 trials unfinished."""

    def stop(evaluator: object) -> None:
        if evaluator.trials >= trials:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search("genetic", "synthetic", budget=300, seed=2, log=folder, progress=stop)


@pytest.mark.parametrize("trials", [1, 100, 300])
def test_an_interrupted_search_resumes_in_python(tmp_path: Path, trials: int) -> None:
    search("genetic", "synthetic", budget=300, seed=2, log=tmp_path / "whole")
    interrupted_after(trials, tmp_path / "cut")
    result = resume(tmp_path / "cut")
    assert result.trials == 300
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")


def dies_after(function: str, folder: Path) -> None:
    """Runs a search in a process that kills itself the moment ``function`` returns while the run is being closed."""
    module = function.rpartition(".")[0]
    code = f"""
import os, signal, sys, {module}
from archgym import search, trials
import archgym.sealing
original = {function}
def last(*arguments):
    original(*arguments)
    if {module} is not trials or arguments[1]["state"] == "finished":
        os.kill(os.getpid(), signal.SIGKILL)
{function} = last
search("genetic", "synthetic", budget=300, seed=2, log=sys.argv[1])
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("function", ["archgym.sealing.seal", "archgym.trials.write_manifest"])
def test_death_while_the_run_is_being_sealed_loses_nothing(tmp_path: Path, function: str) -> None:
    search("genetic", "synthetic", budget=300, seed=2, log=tmp_path / "whole")
    dies_after(function, tmp_path / "cut")
    assert (tmp_path / "cut" / RUNNING).exists() and (tmp_path / "cut" / SEALED).exists()
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert main(["resume", str(tmp_path / "cut"), "--quiet"]) == 0
    assert contents(tmp_path / "cut") == contents(tmp_path / "whole")
    assert json.loads((tmp_path / "cut" / MANIFEST).read_text())["state"] == "finished"


def test_a_log_that_holds_other_designs_is_refused_with_the_trial(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path, int], None]
) -> None:
    interrupted_after(100, tmp_path)
    before = logged(tmp_path)
    spoil(tmp_path, 70)
    assert main(["resume", str(tmp_path), "--quiet"]) == 2
    assert "trial 70 of the log holds another design" in capsys.readouterr().err
    assert logged(tmp_path) == before


@pytest.fixture
def spoil() -> Callable[[Path, int], None]:
    """Changes one design of a log that is not sealed."""
    import sqlite3

    import numpy as np

    def change(folder: Path, trial: int) -> None:
        with sqlite3.connect(folder / RUNNING) as database:
            first, rows, blob = database.execute(
                "SELECT first, rows, designs FROM chunks WHERE first <= ? AND first + rows > ?", (trial, trial)
            ).fetchone()
            designs = np.frombuffer(blob, np.int32).reshape(rows, -1).copy()
            designs[trial - first] = (designs[trial - first] + 1) % 6
            database.execute("UPDATE chunks SET designs = ? WHERE first = ?", (designs.tobytes(), first))
        database.close()

    return change
