"""Files that programs wrote, read without leaving their scratch folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from simulators.command.texts import TextError

LARGEST = 256 * 2**20
"""Bytes of a file that metrics are read from."""


def read_inside(folder: Path, name: str) -> str:
    """The text of a file; bytes that are no UTF-8 are replaced.

    Args:
        folder: the scratch folder.
        name: of the file, relative to it.

    Raises:
        TextError: there is none, it is no plain file or too large, or a link that leads out of the folder leads to it.
    """
    root = folder.resolve()
    try:
        path = (root / name).resolve(strict=True)
    except (OSError, RuntimeError):
        there = sorted(entry.name for entry in os.scandir(root))[:10]
        raise TextError(f"there is no such file; there are {', '.join(there) or 'none'}") from None
    if not path.is_relative_to(root):
        raise TextError("it is a link that leads out of the scratch folder")
    try:
        # Without waiting: opening a named pipe that nobody writes to would take for ever.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise TextError(f"it cannot be opened: {error.strerror}") from None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise TextError("it is not a plain file")
        if about.st_size > LARGEST:
            raise TextError(f"it has {about.st_size:,} bytes; at most {LARGEST:,} are read")
        with open(handle, "rb", closefd=False) as file:
            return file.read(LARGEST).decode(errors="replace")
    except OSError as error:
        raise TextError(f"it cannot be read: {error.strerror}") from None
    finally:
        os.close(handle)
