"""Every Python example of the READMEs and of docs/ runs; every command they show exists."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sources import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "simulators").glob("*/README.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)


PLUGIN = re.compile(r"^class (\w+)\((?:Agent|Simulator|PointSimulator)\)", re.MULTILINE)


def blocks(language: str, having: re.Pattern[str] = re.compile("")) -> list[object]:
    """Every block of a language that the pattern finds something in, named by its page and line."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for block in BLOCK.finditer(text):
            if block[1] == language and having.search(block[2]):
                line = text[: block.start()].count("\n") + 1
                found.append(pytest.param(block[2], id=f"{page.parent.name}/{page.name}:{line}"))
    return found


@pytest.mark.parametrize("code", blocks("python"))
def test_the_example_runs(code: str, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(code)
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", "example.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", blocks("python", having=PLUGIN))
def test_the_plugin_keeps_the_contract_and_is_short(code: str, tmp_path: Path) -> None:
    (tmp_path / "plugin_of_a_page.py").write_text(code)
    (name,) = PLUGIN.findall(code)
    command = [sys.executable, "-m", "archgym.cli", "check", f"plugin_of_a_page:{name}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([line for line in code.splitlines() if line.strip()]) <= 20


@pytest.mark.parametrize("code", blocks("bash"))
def test_the_commands_exist(code: str) -> None:
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] == "make":
            assert set(words[1:]) <= set(TARGETS), line
        else:
            assert words[0] in ("archgym", "git", "cd", "pip"), line
        if words[0] == "archgym":
            options(words[1:])


def options(words: list[str]) -> None:
    """Asserts that a command and its options are known, without running it."""
    import typer

    from archgym.cli.app import app

    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        command, words = command.commands[words[0]], words[1:]
    known = {name for parameter in command.params for name in parameter.opts}
    unknown = [word for word in words if word.startswith("-") and word not in known]
    assert not unknown, f"{command.name}: {unknown}"


def test_the_readme_leads_with_the_two_commands() -> None:
    start = (ROOT / "README.md").read_text()[:2000]
    assert start.index("make demo") < start.index("make test")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
