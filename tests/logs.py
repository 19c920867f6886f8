"""Looking at logs from outside while they are being written."""

from __future__ import annotations

import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np

from archgym import Dataset
from archgym.trials import RUNNING, SEALED

SECONDS = ("agent_seconds", "simulator_seconds")
"""The only columns in which two runs of the same thing may differ."""


def logged(folder: Path) -> int:
    """Trials that another process has logged so far; zero before there is a log."""
    if not (folder / RUNNING).exists():
        return 0
    try:
        with sqlite3.connect(f"file:{folder / RUNNING}?mode=ro", uri=True) as database:
            count = database.execute("SELECT COALESCE(MAX(first + rows), 0) FROM chunks").fetchone()[0]
        database.close()
    except sqlite3.OperationalError:  # the table is just being made
        return 0
    return int(count)


def wait_for_trials(child: subprocess.Popen[str], folder: Path, trials: int) -> bool:
    """Waits until so many trials are logged; false if the process ended before."""
    while child.poll() is None:
        if logged(folder) >= trials or (folder / SEALED).exists():
            return child.poll() is None
        time.sleep(0.001)
    return False


def contents(folder: Path) -> dict[str, bytes]:
    """Column -> its bytes, without the columns of seconds: what must be the same however often a run was interrupted."""
    table = Dataset.open(folder).to_arrow()
    columns = {}
    for name in table.column_names:
        if name in SECONDS or name == "run":
            continue
        values = table[name].combine_chunks()
        if str(values.type) in ("int32", "int64", "double"):
            columns[name] = np.ascontiguousarray(values.to_numpy(zero_copy_only=False)).tobytes()
        else:
            columns[name] = repr(values.to_pylist()).encode()
    return columns
