"""The trial log: one folder per run, every finished batch readable whatever happens to the process.

While a run goes on its trials are in ``trials.sqlite`` (write-ahead log): one row per evaluated chunk, its columns the raw
bytes of the arrays, so that appending costs microseconds.  When the run ends they are sealed as ``trials.parquet`` (typed,
named columns; ``archgym.sealing``) by atomic rename.  ``manifest.json`` beside them says what was run.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from archgym.errors import LogError, RunExistsError
from archgym.metrics import Metrics
from archgym.objective import Scores
from archgym.space import Designs

MANIFEST = "manifest.json"
RUNNING = "trials.sqlite"
SEALED = "trials.parquet"

_NEEDED = ("simulator", "workload", "space", "metrics", "objective", "agent", "seed", "state")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chunks (
    first INTEGER PRIMARY KEY, rows INTEGER, batch INTEGER, fidelity TEXT, cost REAL,
    designs BLOB, metrics BLOB, status BLOB, violation BLOB, score BLOB, reasons TEXT,
    agent_seconds REAL, simulator_seconds REAL)
"""
_INSERT = "INSERT INTO chunks VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"


@dataclass(frozen=True)
class Chunk:
    """Consecutive trials that were evaluated in one call.

    Attributes:
        first: number of the first trial.
        batch: number of the ``Evaluator.evaluate`` call they belong to.
        fidelity: at which they were evaluated.
        cost: budget units that each of them cost.
        designs: (n, D) int32.
        metrics: n rows.
        scores: (n,) float64.
        agent_seconds: time the agent took to propose the batch (on the batch's first chunk).
        simulator_seconds: time the simulator took for these trials.
    """

    first: int
    batch: int
    fidelity: str
    cost: float
    designs: Designs
    metrics: Metrics
    scores: Scores
    agent_seconds: float = 0.0
    simulator_seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.designs)


class Log(Protocol):
    """What an ``Evaluator`` writes to and replays from; ``TrialLog`` is the one on disk."""

    trials: int

    def append(self, chunk: Chunk) -> None:
        """Takes the next trials."""

    def chunks(self) -> Iterator[Chunk]:
        """Everything taken so far, in order."""

    def close(self, state: str = "finished", summary: Mapping[str, Any] | None = None) -> None:
        """Ends the log."""


class TrialLog:
    """Appends trials to a run's folder.

    Use ``TrialLog.create`` for a new run, ``TrialLog.reopen`` to go on with one, ``close`` at the end.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        try:
            self._database = _connect(folder / RUNNING)
            self.trials = int(self._database.execute("SELECT COALESCE(MAX(first + rows), 0) FROM chunks").fetchone()[0])
        except sqlite3.Error as error:
            raise self._trouble(error) from error

    @classmethod
    def create(cls, folder: str | os.PathLike[str], manifest: Mapping[str, Any]) -> TrialLog:
        """Starts the log of a new run.

        Raises:
            RunExistsError: the folder holds a run already.
            LogError: the folder cannot be written.
        """
        path = Path(folder)
        if (path / MANIFEST).exists():
            raise RunExistsError(_occupied(path))
        try:
            path.mkdir(parents=True, exist_ok=True)
            content = {**manifest, "state": "running"}
            write_manifest(path, content)
        except OSError as error:
            raise LogError(f"cannot write the trial log in {path}: {error.strerror or error}") from error
        return cls(path, content)

    @classmethod
    def reopen(cls, folder: str | os.PathLike[str]) -> TrialLog:
        """Opens the log of an unfinished run, to replay what it holds and go on.

        Raises:
            LogError: no run there, or a finished one.
        """
        path = Path(folder)
        manifest = read_manifest(path)
        if manifest.get("state") == "finished":  # a sealed file alone may stem from a process that died while finishing
            raise RunExistsError(f"{path} holds a finished run; read it with archgym.Dataset.open({str(path)!r})")
        return cls(path, manifest)

    def append(self, chunk: Chunk) -> None:
        """Makes a chunk durable against the death of this process.

        Raises:
            LogError: the disk is full or the file cannot be written; everything appended before stays readable.
        """
        metrics = np.array(list(chunk.metrics.columns.values()), np.float64)
        reasons = (
            json.dumps({str(row): text for row, text in chunk.metrics.reasons.items()}) if chunk.metrics.reasons else None
        )
        row = (
            chunk.first,
            len(chunk),
            chunk.batch,
            chunk.fidelity,
            chunk.cost,
            np.ascontiguousarray(chunk.designs, np.int32).tobytes(),
            metrics.tobytes(),
            chunk.metrics.status.tobytes(),
            chunk.metrics.violation.tobytes(),
            chunk.scores.tobytes(),
            reasons,
            chunk.agent_seconds,
            chunk.simulator_seconds,
        )
        try:
            self._database.execute(_INSERT, row)
        except sqlite3.IntegrityError as error:
            raise LogError(f"{self.folder} is being written by another process too; the log stays whole") from error
        except sqlite3.Error as error:
            raise self._trouble(error) from error
        self.trials = chunk.first + len(chunk)

    def chunks(self) -> Iterator[Chunk]:
        """Everything logged so far, in order."""
        dimensions = len(self.manifest["space"]["parameters"])
        names = [metric["name"] for metric in self.manifest["metrics"]]
        return _read(self._database, self.folder / RUNNING, dimensions, names)

    def close(self, state: str = "finished", summary: Mapping[str, Any] | None = None) -> None:
        """Ends the run.

        Args:
            state: "finished" seals the trials as Parquet; "interrupted" leaves them as they are, for ``archgym resume``.
            summary: what the manifest should say about the outcome.
        """
        self.manifest = {**self.manifest, "state": state, "trials": self.trials, **(summary or {})}
        try:
            if state == "finished":
                from archgym.sealing import seal

                seal(self.chunks(), self.manifest, self.folder / SEALED)
                self._database.execute("PRAGMA synchronous=OFF")  # the file is about to go: no need to wait for the disk
            write_manifest(self.folder, self.manifest)
            self._database.close()
            if state == "finished":
                for leftover in self.folder.glob(RUNNING + "*"):
                    leftover.unlink()
        except (OSError, sqlite3.Error) as error:
            raise self._trouble(error) from error

    def _trouble(self, error: Exception) -> LogError:
        return LogError(
            f"cannot write the trial log in {self.folder}: {error}. What was logged is readable. "
            f"Free some space or mend the folder, then: archgym resume {self.folder}"
        )


def read_chunks(folder: Path, manifest: Mapping[str, Any]) -> Iterator[Chunk]:
    """The trials of a run that is not sealed, also while another process is writing them; none if there is no file.

    Raises:
        LogError: the file is damaged.
    """
    path = folder / RUNNING
    if not path.exists():
        return
    # Opened without leave to create it: its writer may seal the run and remove the file at any moment.
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=30)
    try:
        names = [metric["name"] for metric in manifest["metrics"]]
        yield from _read(database, path, len(manifest["space"]["parameters"]), names)
    finally:
        database.close()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run.

    Raises:
        LogError: there is none, or it is not valid JSON.
    """
    try:
        content = json.loads((folder / MANIFEST).read_text())
    except FileNotFoundError:
        raise LogError(f"{folder} holds no run: there is no {MANIFEST} in it") from None
    except (OSError, ValueError) as error:
        raise LogError(f"{folder / MANIFEST} cannot be read: {error}") from error
    lacking = [key for key in _NEEDED if key not in content] if isinstance(content, dict) else list(_NEEDED)
    if lacking:
        raise LogError(f"{folder / MANIFEST} is not the manifest of a run: it lacks {', '.join(lacking)}")
    return dict(content)


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Replaces a run's manifest in one step, so that no reader ever sees half of it."""
    temporary = folder / (MANIFEST + ".tmp")
    temporary.write_text(json.dumps(manifest, indent=2) + "\n")
    os.replace(temporary, folder / MANIFEST)


def _connect(path: Path) -> sqlite3.Connection:
    # Autocommit: each chunk is one transaction.  It survives the death of the process.  A power cut may cost what the
    # operating system had not written yet, the last transactions; waiting for the disk starts only after the file has been
    # set up, which would take longer than many a run.
    database = sqlite3.connect(path, isolation_level=None, timeout=30)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(_SCHEMA)
    database.execute("PRAGMA synchronous=NORMAL")
    return database


def _read(database: sqlite3.Connection, path: Path, dimensions: int, names: list[str]) -> Iterator[Chunk]:
    try:
        yield from _rows(database, dimensions, names)
    except (sqlite3.DatabaseError, ValueError) as error:
        if "no such table" not in str(error):  # else its writer has only just created it
            raise LogError(f"{path} is damaged and cannot be read: {error}") from error


def _rows(database: sqlite3.Connection, dimensions: int, names: list[str]) -> Iterator[Chunk]:
    for row in database.execute("SELECT * FROM chunks ORDER BY first"):
        (first, n, batch, fidelity, cost, designs, metrics, status, violation, score, reasons, agent, simulator) = row
        values = _array(metrics, np.float64).reshape(len(names), n)
        yield Chunk(
            first,
            batch,
            fidelity,
            cost,
            _array(designs, np.int32).reshape(n, dimensions),
            Metrics(
                dict(zip(names, values, strict=True)),
                _array(status, np.uint8),
                _array(violation, np.float64),
                {int(key): text for key, text in json.loads(reasons).items()} if reasons else {},
            ),
            _array(score, np.float64),
            agent,
            simulator,
        )


def _array(blob: bytes, dtype: type) -> NDArray[Any]:
    return np.frombuffer(blob, dtype).copy()


def _occupied(folder: Path) -> str:
    manifest = read_manifest(folder)
    run = f"{manifest.get('simulator', {}).get('name')}, {manifest.get('agent')}, seed {manifest.get('seed')}"
    if manifest.get("state") == "finished":
        advice = "Give this run a folder of its own."
    else:
        advice = f"Go on with it: archgym resume {folder}; or give this run a folder of its own."
    return f"{folder} already holds a run ({run}; {manifest.get('state')}). {advice}"
