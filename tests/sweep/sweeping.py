"""What the tests of sweeps share: small specs, running them as processes, comparing what they kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from archgym.sweep import Spec, spec_from_record
from archgym.sweep.store import Store

HERE = Path(__file__).parent
TIMES = ("agent_seconds", "simulator_seconds", "seconds", "started", "host")
"""What two executions of one run may differ in."""


def record(agents: tuple[str, ...] = ("genetic", "random_walk"), **content: Any) -> dict[str, Any]:
    """A spec of 8 short runs, as its TOML would be read."""
    task = {"simulator": content.pop("simulator", "synthetic"), "workloads": ["sphere"]}
    task |= {"arguments": content.pop("arguments", {}), "tabulated": content.pop("tabulated", False)}
    usual = {"name": "test", "budget": 60, "seeds": 4, "objectives": ["distance"], "retries": 5}
    return {**usual, **content, "task": [task], "agent": [{"name": name} for name in agents]}


def make_spec(*agents: str, **content: Any) -> Spec:
    return spec_from_record(record(agents or ("genetic", "random_walk"), **content))


def troubled(trouble: str, *, once: str = "", pause: float = 0.0, **content: Any) -> Spec:
    """Six seeds of a random walk over a simulator that misbehaves."""
    arguments = {"trouble": trouble, "once": once, "pause": pause}
    return make_spec("random_walk", simulator="trouble:Troubled", arguments=arguments, **{"seeds": 6, "budget": 20, **content})


def write_spec(path: Path, content: dict[str, Any]) -> Path:
    """A spec as a file; JSON values are TOML values but for tables."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in content.items() if key not in ("task", "agent")]
    for kind in ("task", "agent"):
        for entry in content[kind]:
            lines.append(f"[[{kind}]]")
            lines += [f"{key} = {_inline(value)}" for key, value in entry.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {json.dumps(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def trials(location: str | Path) -> dict[str, dict[str, list[Any]]]:
    """Run id -> its trials, column by column."""
    return {json.loads(table.schema.metadata[b"archgym_run"])["id"]: plain(table) for table in Store.open(location).trials()}


def plain(table: pa.Table) -> dict[str, list[Any]]:
    """A table's rows, with what is not a number made equal to itself."""
    return {name: [repr(value) for value in table[name].to_pylist()] for name in table.column_names}


def outcomes(location: str | Path) -> dict[str, dict[str, Any]]:
    """Run id -> its summary, without times."""
    found = Store.open(location).summaries()
    return {run["id"]: {key: value for key, value in run.items() if key not in TIMES} for run in found}


def start(spec: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    """``archgym sweep`` as a process that finds the simulators beside this file."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "archgym.cli", "sweep", str(spec), "--out", str(out), "--quiet", *words]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def children(process: int) -> list[int]:
    """Process ids of the living children of a process, oldest first."""
    try:
        listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in listed.split()]


def wait_until(true: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> bool:
    """Waits for something; false if the process has ended before."""
    while process is None or process.poll() is None:
        if true():
            return True
        time.sleep(0.01)
    return False
