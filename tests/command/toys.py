"""Specs and programs of the tests: written into a folder, built with the cache in that folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulators.command import Command

SPEC = """
name = "toy"
version = "1"
[[parameters]]
name = "size"
values = [1, 2, 3, 4, 5, 6, 7, 8]
[[inputs]]
file = "program.sh"
copy = "program.sh"
{inputs}
[run]
command = ["sh", "program.sh", "{{{{ size }}}}"]
time_limit = 20
{run}
[[metrics]]
name = "latency_ns"
source = "stdout"
pattern = 'latency (\\S+)'
{more}
"""
PROGRAM = 'echo "latency $(($1 * 10))"\n'


def write(folder: Path, program: str = PROGRAM, *, run: str = "", inputs: str = "", more: str = "") -> Path:
    """A spec with one parameter, ``size``, and one metric, ``latency_ns``, that runs a shell script; gives its path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "program.sh").write_text(program)
    lines = SPEC.format(run=run, inputs=inputs, more=more).splitlines()
    keys = {line.partition("=")[0].strip() for line in run.splitlines() if "=" in line}
    kept = [line for line in lines if not (line.startswith("time_limit") and "time_limit" in keys and line not in run)]
    path = folder / "toy.toml"
    path.write_text("\n".join(kept))
    return path


def build(folder: Path, program: str = PROGRAM, *, arguments: dict[str, Any] | None = None, **parts: str) -> Command:
    """The simulator of such a spec; without the cache unless ``arguments`` say so."""
    return Command(write(folder, program, **parts), **{"cache": False, **(arguments or {})})


def running(word: str) -> list[int]:
    """Processes, zombies left out, whose command line holds a word."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            line = Path(f"/proc/{entry}/cmdline").read_bytes() if entry.isdigit() else b""
        except OSError:
            continue
        if word.encode() in line and int(entry) != os.getpid():
            found.append(int(entry))
    return found


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether something comes true within a time that is far more than it needs."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
