"""Specs of simulators that never run: what is read of them, and what is made for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulators.command.spec import Spec, read_spec

HEAD = """
name = "adder"
[[parameters]]
name = "width"
values = [8, 16, 32]
[[parameters]]
name = "kind"
values = ["ripple", "select"]
[[parameters]]
name = "fast"
values = [false, true]
"""
RUN = """
[run]
command = ["program", "{{ width }}"]
"""
METRIC = """
[[metrics]]
name = "cells"
source = "stdout"
pattern = 'cells: (\\S+)'
"""


def write_spec(folder: Path, middle: str = "", head: str = HEAD, run: str = RUN, metrics: str = METRIC) -> Path:
    """Writes a spec: ``middle`` goes between the parameters and the command."""
    path = folder / "adder.toml"
    path.write_text(head + middle + run + metrics)
    return path


def spec_of(folder: Path, middle: str = "", head: str = HEAD, run: str = RUN, metrics: str = METRIC) -> Spec:
    """Writes a spec and reads it."""
    return read_spec(write_spec(folder, middle, head, run, metrics))


def default_of(spec: Spec) -> dict[str, Any]:
    """Values of the default design and the constants of the first workload."""
    return {**spec.constants(), **spec.space.describe(spec.space.default)}
