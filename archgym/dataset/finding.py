"""Finds runs below folders and URLs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import fsspec

from archgym.dataset.exported import exported_runs
from archgym.dataset.runs import Run, is_local
from archgym.errors import LogError
from archgym.trials import MANIFEST, read_manifest

PARQUET = ".parquet"

SWEEP = "sweep.json"
"""Marks the folder of a sweep (``archgym.sweep.store``)."""


def find_runs(path: str | os.PathLike[str]) -> list[Run]:
    """All runs at or below a folder or URL, sorted by location; or those of an exported Parquet file.

    A folder that holds no run by itself may hold exported files.

    Raises:
        LogError: nothing there, or a manifest that cannot be read.
    """
    try:
        storage, root = fsspec.core.url_to_fs(os.fspath(path))
    except (ImportError, ValueError) as error:
        raise LogError(f"{path} cannot be opened: {error}") from error
    if not storage.exists(root):
        raise LogError(f"{path} does not exist")
    if root.endswith(PARQUET) and storage.isfile(root):
        return exported_runs(storage, root)
    files = sorted(storage.find(root))
    found = [run for file in files if PurePosixPath(file).name == SWEEP for run in _sweep_runs(storage, file)]
    complete = {run.name for run in found}  # a run's log stays until its part is written, and a little longer
    logs = [file for file in files if PurePosixPath(file).name == MANIFEST]
    found += [_open_run(storage, file) for file in logs if PurePosixPath(file).parent.name not in complete]
    if not found:
        exports = [file for file in files if file.endswith(PARQUET) and not PurePosixPath(file).name.startswith(".")]
        found = [run for file in exports for run in exported_runs(storage, file)]
    if not found:
        raise LogError(f"{path} holds no run: there is no {MANIFEST} and no sweep with complete runs in it or below it")
    return sorted(found, key=lambda run: run.location)


def _sweep_runs(storage: fsspec.AbstractFileSystem, file: str) -> Sequence[Run]:
    from archgym.sweep.reading import sweep_runs

    return sweep_runs(storage, str(PurePosixPath(file).parent))


def _open_run(storage: fsspec.AbstractFileSystem, file: str) -> Run:
    folder = str(PurePosixPath(file).parent)
    if is_local(storage):
        return Run(Path(folder).name, folder, read_manifest(Path(folder)), storage)
    with tempfile.TemporaryDirectory() as scratch:
        storage.get(file, f"{scratch}/{MANIFEST}")
        return Run(PurePosixPath(folder).name, folder, read_manifest(Path(scratch)), storage)
