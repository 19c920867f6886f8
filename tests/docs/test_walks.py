"""Pages that are read from top to bottom are run so: files are written, commands and code run, answers compared."""

from __future__ import annotations

import doctest
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from blocks import WALKS, Block, blocks_of
from sources import ROOT

import archgym

LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("page", WALKS)
def test_the_page_holds_from_top_to_bottom(
    page: str, command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for block in blocks_of(ROOT / "docs" / page):
        if block.title:
            (tmp_path / block.title).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.title).write_text(block.text)
        elif block.language == "python":
            exec(compile(block.text, block.id, "exec"), {"__name__": "__main__"})
        elif block.language == "pycon":
            session(block, tmp_path)
        elif block.language in ("bash", "console"):
            answers(block, command)


@pytest.mark.skipif(shutil.which("yosys") is None, reason="needs yosys (apt-get install yosys)")
def test_the_described_simulator_of_the_readme_runs(command: Callable, tmp_path: Path) -> None:
    (spec,) = [block for block in blocks_of(ROOT / "README.md") if block.title == "adder.toml"]
    (shown,) = [block for block in blocks_of(ROOT / "README.md") if f"run {spec.title}" in block.text]
    (tmp_path / spec.title).write_text(spec.text)
    answers(shown, command)
    trials = archgym.Dataset.open(tmp_path / "runs" / "adder").to_pandas()
    assert set(trials["status"]) == {"OK"}
    assert trials.groupby("width")["cells"].first().is_monotonic_increasing, "a wider adder has more cells"


def session(block: Block, folder: Path) -> None:
    """Runs an interactive session in a process of its own: such sessions pretend that libraries are missing."""
    (folder / "session.txt").write_text(block.text)
    code = f"import doctest, sys; sys.exit(doctest.testfile('session.txt', False, optionflags={LENIENT})[0] > 0)"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block.id}\n{done.stdout}{done.stderr}"


def answers(block: Block, command: Callable) -> None:
    """Runs the commands of a block; of a console block the answers have to be those that are shown."""
    for words, shown in steps(block):
        if words[0] != "archgym":
            continue  # make, pip: not within a test
        answer = command(*words[1:])
        if block.language == "bash":
            assert answer.code == 0, (block.id, answer.err)
            continue
        given = answer.out + answer.err
        assert doctest.OutputChecker().check_output(shown, given, LENIENT), f"{block.id}: {shown}\nbut it says:\n{given}"


def steps(block: Block) -> list[tuple[list[str], str]]:
    """Commands with the lines that are shown below each."""
    found: list[tuple[list[str], str]] = []
    for line in block.text.replace("\\\n", " ").splitlines():
        prompt = line.startswith("$ ") if block.language == "console" else True
        words = shlex.split(line.removeprefix("$ "), comments=True) if prompt else []
        if words:
            found.append((words, ""))
        elif found and not prompt:
            found[-1] = (found[-1][0], found[-1][1] + line + "\n")
    return found
