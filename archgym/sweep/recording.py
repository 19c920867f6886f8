"""The trials of a run that is part of a sweep: in memory while the run is short, on disk too once it takes longer.

Most runs of a sweep end within a second, and a killed one is simply done again; a database for each would cost more than the
run.  A run that has taken ``SPILL_SECONDS`` is worth keeping: from then on its trials go to a ``TrialLog`` as well, and the
next attempt at the same run is answered from there as far as it got.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

from archgym.errors import LogError, ReplayError
from archgym.trials import MANIFEST, Chunk, TrialLog, read_chunks, read_manifest

SPILL_SECONDS = 2.0


class Recording:
    """What an ``Evaluator`` writes a sweep's run to.

    Args:
        folder: for the trials of a run that takes long, ``DIR/running/ID``; nothing goes to disk without it.
        describe: makes the run's manifest; only called when the run takes long.

    Attributes:
        trials: how many are recorded; at first those that an earlier attempt left behind.
        kept: the chunks, in order.

    Raises:
        ReplayError: what an earlier attempt left cannot be read.
    """

    def __init__(self, folder: Path | None, describe: Callable[[], Mapping[str, Any]]) -> None:
        self.kept: list[Chunk] = []
        self.trials = 0
        self._folder, self._describe = folder, describe
        self._log: TrialLog | None = None
        self._lock: int | None = None
        self._since = monotonic()
        if folder is not None and (folder / MANIFEST).exists() and self._take(folder):
            self._reopen(folder)

    def append(self, chunk: Chunk) -> None:
        """Takes the next trials; errors as in ``TrialLog.append``."""
        self.kept.append(chunk)
        self.trials = chunk.first + len(chunk)
        if self._log is not None:
            self._log.append(chunk)
        elif self._folder is not None and monotonic() - self._since > SPILL_SECONDS:
            self._spill(self._folder)

    def chunks(self) -> Iterator[Chunk]:
        """What an earlier attempt left, to be replayed."""
        return iter(tuple(self.kept))

    def close(self, state: str = "interrupted", summary: Mapping[str, Any] | None = None) -> None:
        """Leaves what is on disk for the next attempt; nothing is sealed, since a part of the sweep takes the trials."""
        if self._log is not None:
            self._log.close(state, summary)
            self._log = None
        self._release()

    def _reopen(self, folder: Path) -> None:
        try:
            self._log = TrialLog.reopen(folder)
            self.kept = list(self._log.chunks())
        except LogError as error:
            self._release()
            raise ReplayError(f"what an earlier attempt left in {folder} cannot be read: {error}") from error
        self.trials = self._log.trials

    def _spill(self, folder: Path) -> None:
        if not self._take(folder):
            self._folder = None  # another process is at the same run, on its way out: its log is not for this one to touch
            return
        shutil.rmtree(
            folder, ignore_errors=True
        )  # of a process that has died since this run began: not replayed, so of no use
        self._log = TrialLog.create(folder, self._describe())
        for chunk in self.kept:
            self._log.append(chunk)

    def _take(self, folder: Path) -> bool:
        """Whether this process now owns the folder."""
        self._lock = _locked(folder)
        return self._lock is not None

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def lock_file(folder: Path) -> Path:
    """Held by the process that writes to a run's folder."""
    return folder.with_name(f"{folder.name}.lock")


def discard(folder: Path) -> None:
    """Removes the trials that an attempt at a run left, unless another process is at that run."""
    lock = _locked(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        lock_file(folder).unlink(missing_ok=True)
        os.close(lock)


def _locked(folder: Path) -> int | None:
    """Locks a run's folder; None if another process has it.  The system lets go of the lock when its process dies."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(lock_file(folder), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LogError(f"cannot write to {folder.parent}: {error.strerror or error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def leftover(folder: Path | None) -> list[Chunk]:
    """The trials that an attempt at a run left behind; none if there are none or they cannot be read."""
    if folder is None or not (folder / MANIFEST).exists():
        return []
    try:
        return list(read_chunks(folder, read_manifest(folder)))
    except LogError:
        return []
