"""Keeps compiled kernels fresh.

Numba notices a change in the file of a cached function, but not in the modules that the function imports from, and would go
on running the old code.  A simulator with kernels in several files therefore calls ``fresh_cache`` before it imports them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

_STAMP = "kernels.sha256"
_CACHED = ("*.nbi", "*.nbc")  # Numba's index and machine code files


def fresh_cache(folder: str | Path) -> bool:
    """Removes the compiled kernels below a folder if any Python source below it has changed since the last call.

    A folder that cannot be written is left alone, and two processes may call this at once: at worst a kernel is compiled
    once more than necessary.  Caches that Numba keeps elsewhere (``NUMBA_CACHE_DIR``) are not looked at.

    Args:
        folder: a package that holds kernels.

    Returns:
        True if the sources differed from the stored digest, so that every kernel will be compiled anew.
    """
    folder = Path(folder)
    stamp = folder / "__pycache__" / _STAMP
    digest = _digest(folder)
    with contextlib.suppress(OSError):
        if stamp.read_text() == digest:
            return False
    with contextlib.suppress(OSError):
        for pattern in _CACHED:
            for path in folder.rglob(pattern):
                path.unlink(missing_ok=True)
        # Only after the removal: whoever is interrupted before this line is followed by another try.
        _write(stamp, digest)
    return True


def _digest(folder: Path) -> str:
    """SHA-256 over the names and the content of all Python sources below the folder."""
    hasher = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        hasher.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        hasher.update(content)
    return hasher.hexdigest()


def _write(path: Path, text: str) -> None:
    """Writes the file in one step, so that no other process reads half of it."""
    path.parent.mkdir(exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
