from __future__ import annotations

from pathlib import Path

import pytest
from spec_files import HEAD

from simulators.command.spec import read_spec

CHANGES = {
    "parameter": ('"select"', '"skip"'),
    "constraint": ("width <= 16", "width <= 8"),
    "template": ("T1", "T2"),
    "copied file": ("C1", "C2"),
    "edited file": ("11", "12"),
    "assignment": ("width * 2", "width * 4"),
    "name of an input": ('file = "a"', 'file = "z"'),
    "command": ("program", "programme"),
    "environment": ("HOME", "USER"),
    "set variable": ("OMP_X", "OMP_Y"),
    "pattern": ("cells: ", "cell: "),
    "exit code": ("[3]", "[4]"),
    "text": ("oops", "ouch"),
    "unit": ('unit = "us"', 'unit = "ms"'),
    "bounds": ("[0, 5]", "[0, 6]"),
    "constant": ("K1", "K2"),
}
NO_CHANGES = {
    "doc": ('doc = "one"', 'doc = "two"'),
    "time limit": ("time_limit = 5", "time_limit = 6"),
    "jobs": ("jobs = 1", "jobs = 2"),
    "retries": ("retries = 1", "retries = 2"),
    "keep": ('keep = "never"', 'keep = "failures"'),
    "goal": ('goal = "min"', 'goal = "max"'),
}
WHOLE = (
    'doc = "one"\n'
    + HEAD
    + """
[[constraints]]
name = "c"
holds = "width <= 16"
[[inputs]]
file = "a"
template = "t.j2"
[[inputs]]
file = "b"
copy = "c.bin"
[[inputs]]
file = "c"
edit = "e.json"
set = {a = "width * 2"}
[run]
command = ["program"]
time_limit = 5
jobs = 1
retries = 1
keep = "never"
environment = ["HOME"]
set_environment = {OMP_X = "1"}
invalid_exit_codes = [3]
failed_texts = ["oops"]
[[metrics]]
name = "cells_ns"
goal = "min"
source = "stdout"
pattern = 'cells: (.*)'
unit = "us"
bounds = [0, 5]
[workloads.w]
x = "K1"
"""
)


def digest(folder: Path, old: str = "", new: str = "") -> str:
    folder.mkdir(exist_ok=True)
    for name, content in {"t.j2": "T1", "c.bin": "C1", "e.json": '{"a": 1, "b": 11}', "adder.toml": WHOLE}.items():
        (folder / name).write_text(content.replace(old, new) if old else content)
    return read_spec(folder / "adder.toml").digest


@pytest.mark.parametrize("what", CHANGES)
def test_the_digest_covers_what_decides_results(tmp_path: Path, what: str) -> None:
    assert digest(tmp_path / "one") != digest(tmp_path / "two", *CHANGES[what])


@pytest.mark.parametrize("what", NO_CHANGES)
def test_the_digest_covers_nothing_else(tmp_path: Path, what: str) -> None:
    assert NO_CHANGES[what][0] in WHOLE
    assert digest(tmp_path / "one") == digest(tmp_path / "two", *NO_CHANGES[what])


def test_the_executable_bit_is_part_of_the_digest(tmp_path: Path) -> None:
    before = digest(tmp_path)
    (tmp_path / "c.bin").chmod(0o755)
    assert read_spec(tmp_path / "adder.toml").digest != before
