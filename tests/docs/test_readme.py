"""Every example of the READMEs and of docs/ runs; every command they show exists; every file they show can be read."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from blocks import PAGES, Block, blocks, blocks_of
from sources import ROOT

TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
SHELL = {"archgym", "git", "cd", "pip", "apt-get", "python3", "export", "cmake", "scons", "gcc"}
CHEAP = re.compile(r"archgym (list|explain synthetic|explain dram|run synthetic|--help|--version)\b")
PLUGIN = r"^class (\w+)\((?:Agent|Simulator|PointSimulator)\)"
GROUPS = {f"archgym.{kind}" for kind in ("simulators", "agents", "envs")}


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    anywhere = {"python", "bash", "toml", "json", "text", ""}
    known = {True: {*anywhere, "console", "pycon"}, False: anywhere}  # answers are compared where a page is walked through
    others = [block.id for page in PAGES for block in blocks_of(page) if block.language not in known[block.walked]]
    assert not others, "give it a language of these, and a test if it is a new one"


def is_made(block: Block) -> bool:
    """Whether it is on a page that is made from the code; such blocks differ in names only."""
    return block.page.parent.name == "environments"


@pytest.mark.parametrize("block", [param for param in blocks("python") if is_made(param.values[0])])
def test_the_environment_can_be_stepped(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(block.text, block.id, "exec"), names)  # in this process: a second saved for each
    assert set(names["info"]) >= {"design", "metrics", "status"}


@pytest.mark.parametrize(
    "block", [param for param in blocks("python") if not param.values[0].walked and not is_made(param.values[0])]
)
def test_the_example_runs(block: Block, tmp_path: Path) -> None:
    name = block.title or "example.py"
    (tmp_path / name).write_text(block.text)
    command = [sys.executable, "-W", "error::DeprecationWarning:__main__", name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("python", having=PLUGIN))
def test_the_plugin_keeps_the_contract_and_is_short(block: Block, tmp_path: Path) -> None:
    (tmp_path / "plugin_of_a_page.py").write_text(block.text)
    (name,) = re.findall(PLUGIN, block.text, re.MULTILINE)
    command = [sys.executable, "-m", "archgym.cli", "check", f"plugin_of_a_page:{name}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len([line for line in block.text.splitlines() if line.strip()]) <= 20


@pytest.mark.parametrize("block", blocks("bash", "console", ""))
def test_the_commands_exist(block: Block, command: Callable) -> None:
    for words in commands(block):
        if words[0] == "make":
            assert set(words[1:]) <= set(TARGETS), words
        elif words[0] == "python":
            script(words[1:])
        elif words[0] == "archgym":
            options(words[1:])
            assert all((ROOT / word).exists() for word in words if word.startswith("examples/")), words
            if block.language == "bash" and not block.walked and CHEAP.match(" ".join(words)):
                assert command(*words[1:]).code == 0, words
        else:
            assert words[0] in SHELL or words[0].endswith("/bin/pip"), words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_in_the_text_exist(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`((?:archgym|python experiments/)[^`]*)`", " ".join(prose.split())):
        words = shlex.split(span.replace("\\|", "|"))
        if words[0] == "python":
            script(words[1:])
        elif words[0] == "archgym" and len(words) > 1 and words[1].islower():
            options(words[1:])


def commands(block: Block) -> list[list[str]]:
    """The lines of a block that are commands; of a block without a language those that begin like one."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    elif block.language == "":
        lines = [line for line in lines if line.startswith(("archgym ", "python "))]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def options(words: list[str]) -> None:
    """Asserts that a command and its options are known, without running it."""
    import typer

    from archgym.cli.app import app

    command = typer.main.get_command(app)
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    assert not hasattr(command, "commands") or words[0].startswith("-"), f"no command {words}"
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
    unknown = [word for word in words if word.startswith("-") and word not in known]
    assert not unknown, f"{command.name}: {unknown}"


def script(words: list[str]) -> None:
    """Asserts that a script exists and that it, or a section of it, mentions the options."""
    path = ROOT / words[0]
    assert path.is_file(), words
    sections = [path.with_stem(f"{path.stem}_{word}") for word in words[1:2]]
    text = "".join(found.read_text() for found in [path, *sections] if found.is_file())
    unknown = [word for word in words[1:] if word.startswith("--") and f'"{word}"' not in text]
    assert not unknown, f"{path.name}: {unknown}"


@pytest.mark.parametrize("block", blocks("toml"))
def test_the_toml_can_be_read(block: Block, tmp_path: Path) -> None:
    content = tomllib.loads(block.text)
    path = tmp_path / (block.title or "file.toml")
    path.write_text(block.text)
    if "task" in content:
        from archgym import load_spec

        assert load_spec(path).tasks
    elif "run" in content and "metrics" in content:
        if not block.walked:  # where it is read on the way, with the files that it names
            from simulators.command.spec import read_spec

            assert read_spec(path).metrics
    elif "project" in content:
        assert set(content["project"]["entry-points"]) <= GROUPS
    else:
        assert {"parameters", "constraints", "inputs", "metrics", "run", "workloads"} & set(content), "a part of a spec"


@pytest.mark.parametrize("block", blocks("json"))
def test_the_json_can_be_read(block: Block) -> None:
    assert json.loads(block.text)


def test_the_readme_leads_with_the_two_commands() -> None:
    start = (ROOT / "README.md").read_text()[:2000]
    assert start.index("make demo") < start.index("make test")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing
