"""One sweep per folder: a second one is refused, and a lock whose owner died is taken over.

On this machine's file systems the operating system holds the lock (``flock``) and lets go of it when the process dies.  Object
stores have none; there the lock is an object that its owner renews, and that is free once it has not been renewed for a while.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import threading
import uuid
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import IO, Any

import fsspec

from archgym.errors import LogError, SweepRunningError

LOCK = "lock"
HEARTBEAT_SECONDS = 10.0
"""How often the owner of a remote lock renews it."""
STALE_HEARTBEATS = 6
"""A remote lock that was not renewed for so many heartbeats belongs to a process that died."""


class SweepLock:
    """Held while a sweep writes to its store; a context manager.

    Args:
        storage: the filesystem of the store.
        root: the store's path on it.
        folder: the same as a local folder, or None where the store is remote.
        heartbeat: seconds between renewals of a remote lock.

    Attributes:
        lost: set when a remote lock turned out to be another process's: the sweep has to stop.

    Raises:
        SweepRunningError: on entering, if another process holds the lock; names its host and process.
        LogError: on entering, if the lock cannot be written.
    """

    def __init__(
        self,
        storage: fsspec.AbstractFileSystem,
        root: str,
        folder: Path | None,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.lost = threading.Event()
        self._storage, self._path, self._folder, self._heartbeat = storage, f"{root}/{LOCK}", folder, heartbeat
        self._owner = {
            "process": os.getpid(),
            "host": platform.node(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "token": uuid.uuid4().hex,
            "heartbeat": heartbeat,
        }
        self._file: IO[str] | None = None
        self._beats = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> SweepLock:
        try:
            if self._folder is not None:
                self._take_file(self._folder / LOCK)
            else:
                self._take_object()
        except SweepRunningError:
            raise
        except OSError as error:
            raise LogError(f"cannot lock {self._path}: {error.strerror or error}") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            # The file stays: removing it would let two others lock two files of one name.
            self._file.truncate(0)
            self._file.close()
            self._file = None
        if self._thread is not None:
            self._stop.set()
            self._thread.join()
            self._thread = None
            if not self.lost.is_set():
                self._storage.rm_file(self._path)

    # -- a file of this machine ----------------------------------------------------------------------------------------

    def _take_file(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = _parsed(file.read())
            file.close()
            raise self._refusal(owner) from None
        except OSError:
            file.close()
            raise
        file.truncate(0)
        file.write(json.dumps(self._owner) + "\n")
        file.flush()
        self._file = file

    # -- an object of a store ------------------------------------------------------------------------------------------

    def _take_object(self) -> None:
        seen = self._read()
        if seen is not None:
            # Clocks of two machines need not agree, so the owner's heartbeat is watched, not its time compared.
            wait = STALE_HEARTBEATS * float(seen.get("heartbeat", self._heartbeat))
            deadline = monotonic() + wait
            while monotonic() < deadline:
                if _dead_here(seen):
                    break
                sleep(min(float(seen.get("heartbeat", self._heartbeat)) / 4, wait))
                now = self._read()
                if now is None:
                    break
                if now != seen:
                    raise self._refusal(now)
        self._write()
        # Two processes may have found the lock free at once: the later writer has it, and the other one sees that now.
        sleep(min(1.0, self._heartbeat / 4))
        found = self._read()
        if found is None or found.get("token") != self._owner["token"]:
            raise self._refusal(found or {})
        self._thread = threading.Thread(target=self._renew, name="sweep lock", daemon=True)
        self._thread.start()

    def _renew(self) -> None:
        while not self._stop.wait(self._heartbeat):
            try:
                found = self._read()
                if found is not None and found.get("token") != self._owner["token"]:
                    self.lost.set()
                    return
                self._write()
            except OSError:
                continue  # the store may be back at the next heartbeat; others wait for several of them

    def _write(self) -> None:
        self._beats += 1
        self._storage.pipe_file(self._path, json.dumps({**self._owner, "beats": self._beats}).encode())

    def _read(self) -> dict[str, Any] | None:
        self._storage.invalidate_cache()
        try:
            return _parsed(self._storage.cat_file(self._path).decode())
        except FileNotFoundError:
            return None

    def _refusal(self, owner: dict[str, Any]) -> SweepRunningError:
        who = f"process {owner.get('process', '?')} on {owner.get('host', '?')} (since {owner.get('since', '?')})"
        return SweepRunningError(
            f"{self._path.rpartition('/')[0]} is in use by another sweep, {who}. Wait for it, stop it, or take another folder."
        )


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _dead_here(owner: dict[str, Any]) -> bool:
    """Whether the owner was a process of this machine that no longer lives: there is no need to wait then."""
    if owner.get("host") != platform.node() or not isinstance(owner.get("process"), int):
        return False
    try:
        os.kill(owner["process"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
