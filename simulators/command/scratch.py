"""Private scratch folders: every evaluation finds empty ones and leaves them so; those of a killed process are swept up.

A process owns a room below the temporary folder, named by its number and held by a lock.  Who finds a room that nobody
holds the lock of removes it: the process that made it has ended, however it ended.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import secrets
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archgym.errors import ContractError

UNHELD = 60.0
"""Seconds after which a room without a lock, whose owner ended while making it, is removed."""
ROOM_FOR_WORDS = 16384
"""Bytes; a disk with less is full."""
LOCK, KEPT = "lock", "kept"

_mutex = threading.Lock()
_room: tuple[int, Path] | None = None  # the process that made it, and where


class Scratch:
    """The folders that the evaluations of one lane work in, one after the other, each in empty ones.

    Attributes:
        folder: all of it; holds what the programs print.
        work: the programs' working folder.
        temporary: what they get as ``TMPDIR``.
    """

    def __init__(self, base: Path | None = None) -> None:
        self.folder = (room() if base is None else base) / secrets.token_hex(8)
        self.work, self.temporary = self.folder / "work", self.folder / "tmp"
        self._make()

    def _make(self) -> None:
        for folder in (self.folder, self.work, self.temporary):
            folder.mkdir(0o700)

    def empty(self) -> None:
        """Removes what an evaluation has left, but for the folders, which on some file systems take milliseconds."""
        try:
            found = os.lstat(self.work), os.lstat(self.temporary)
            if any(stat.S_IMODE(each.st_mode) != 0o700 or not stat.S_ISDIR(each.st_mode) for each in found):
                raise FileExistsError("the program has changed its folders")
            for folder in (self.folder, self.work, self.temporary):
                for entry in list(os.scandir(folder)):
                    if folder != self.folder and entry.is_dir(follow_symlinks=False):
                        remove(Path(entry.path))
                    elif entry.name not in ("work", "tmp") or folder != self.folder:
                        os.unlink(entry.path)
        except OSError:
            self.remove()
            self._make()

    @property
    def full(self) -> bool:
        """Whether the file system has no room left, not even for a program to say so."""
        try:
            found = os.statvfs(self.folder)
        except OSError:
            return False
        return found.f_bavail * found.f_frsize < ROOM_FOR_WORDS or (found.f_files > 0 and found.f_favail == 0)

    def remove(self) -> None:
        """Removes everything."""
        remove(self.folder)

    def keep(self, name: str, texts: Mapping[str, str]) -> Path:
        """Moves everything to where it stays, in place of what was kept there before, and goes on with new folders.

        Args:
            name: of the kept folder.
            texts: file name -> content, for what the programs printed: what may be seen of it.

        Returns:
            The kept folder.
        """
        remove(self.temporary)
        for file, text in texts.items():
            (self.folder / file).write_text(text, encoding="utf-8")
        target = home() / KEPT / name
        target.parent.mkdir(0o700, exist_ok=True)
        remove(target)
        self.folder.rename(target)
        self._make()
        return target


def home() -> Path:
    """The folder of all scratch of this user.

    Raises:
        ContractError: it belongs to somebody else, or others may write to it.
    """
    folder = Path(tempfile.gettempdir()) / f"archgym-{os.getuid()}"
    folder.mkdir(0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ContractError(
            f"scratch: {folder} must be a folder of this user that nobody else may enter. "
            f"Remove it, or set TMPDIR to another folder"
        )
    return folder


def room() -> Path:
    """This process's own folder for scratch; made, after sweeping up, when it is first asked for."""
    global _room
    with _mutex:
        if _room is None or _room[0] != os.getpid() or not _room[1].is_dir():
            base = home()
            sweep(base)
            _room = (os.getpid(), _make_room(base))
        return _room[1]


def _make_room(base: Path) -> Path:
    while True:
        made = base / f"{os.getpid()}-{secrets.token_hex(4)}"
        made.mkdir(0o700)
        lock = os.open(made / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (made / LOCK).exists():  # else it was swept up before it was locked
            atexit.register(_leave, os.getpid(), made)
            return made
        os.close(lock)


def _leave(owner: int, made: Path) -> None:
    if os.getpid() == owner:  # a forked process inherits the intention, not the room
        remove(made)


def sweep(base: Path) -> None:
    """Removes rooms whose processes have ended."""
    for found in base.iterdir():
        if found.name == KEPT:
            continue
        try:
            lock = os.open(found / LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            if time.time() - _changed(found) > UNHELD:
                remove(found)
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(found)
        except BlockingIOError:
            pass  # in use
        finally:
            os.close(lock)


def _changed(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return time.time()


def remove(folder: Path) -> None:
    """Removes a folder whatever a program did to its permissions; links are removed, not followed."""

    def insist(call: Callable[..., Any], path: str, error: Any) -> None:
        for each in (os.path.dirname(path), path):
            if not os.path.islink(each):
                try:
                    os.chmod(each, 0o700)
                except OSError:
                    return
        try:
            shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        except OSError:
            return  # nothing more can be done about it here; the next sweep tries again

    shutil.rmtree(folder, onerror=insist)
