"""What the measuring experiments share: a report, the machine in words, and marked blocks in README files."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Report:
    """A table with remarks, ready to be printed or written into a README.

    Attributes:
        title: of the printed table.
        readme: file that holds the marked block.
        columns: heads of the columns.
        rows: one tuple of strings per row.
        notes: sentences below the table.
    """

    title: str
    readme: Path
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)

    def markdown(self) -> str:
        """The table and the notes as Markdown; all columns but the first are right-aligned."""
        lines = [self.columns, ["---"] + ["---:"] * (len(self.columns) - 1), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return table + "\n\n" + "\n".join(f"* {note}" for note in self.notes)


def machine() -> str:
    """Processor, cores and versions, without anything that names a particular computer."""
    cpuinfo = Path("/proc/cpuinfo")
    models = re.findall(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else []
    model = models[0].strip() if models else platform.machine()
    python, numba, numpy = platform.python_version(), version("numba"), version("numpy")
    return f"{model}, {os.cpu_count()} cores, Python {python}, numba {numba}, numpy {numpy}"


def first_result(code: str) -> tuple[float, float]:
    """Seconds from the start of Python to the end of ``code``: with an empty cache of kernels, and with what that left."""
    times = []
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(2):
            started = time.perf_counter()
            environment = os.environ | {"NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=Path(__file__).parents[1])
            times.append(time.perf_counter() - started)
    return times[0], times[1]


def write_block(readme: Path, name: str, text: str) -> None:
    """Replaces what stands between ``<!-- name:begin -->`` and ``<!-- name:end -->``.

    Raises:
        ValueError: the file has no such block.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, found, rest = readme.read_text().partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{readme}: expected the lines {begin} and {end}, found no such block")
    readme.write_text(f"{before}{begin}\n{text}\n{end}{after}")
