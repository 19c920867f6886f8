"""Finds runs below folders and URLs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from archgym.dataset.exported import exported_runs
from archgym.dataset.runs import Run, is_local
from archgym.errors import ArchGymError, LogError
from archgym.space import space_from_record
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
        return _exported(storage, root)
    files = sorted(storage.find(root))
    found = [run for file in files if PurePosixPath(file).name == SWEEP for run in _sweep_runs(storage, file)]
    complete = {run.name for run in found}  # a run's log stays until its part is written, and a little longer
    logs = [file for file in files if PurePosixPath(file).name == MANIFEST]
    found += [_open_run(storage, file) for file in logs if PurePosixPath(file).parent.name not in complete]
    if not found:
        exports = [file for file in files if file.endswith(PARQUET) and not PurePosixPath(file).name.startswith(".")]
        found = [run for file in exports for run in _exported(storage, file)]
    if not found:
        raise LogError(f"{path} holds no run: there is no {MANIFEST} and no sweep with complete runs in it or below it")
    return sorted(found, key=lambda run: run.location)


def _exported(storage: fsspec.AbstractFileSystem, file: str) -> list[Run]:
    runs = exported_runs(storage, file)
    for run in {str(run.manifest["task"]): run for run in runs}.values():
        check_manifest(run.manifest, file)
    return runs


def check_manifest(manifest: Mapping[str, Any], where: str) -> None:
    """Checks that a manifest has what datasets need of it.

    Raises:
        LogError: something is missing or of another kind, as in a file that was edited by hand.
    """
    try:
        parts = [manifest["simulator"][key] for key in ("name", "version", "arguments")]
        parts += [manifest["workload"][key] for key in ("name", "digest")]
        parts += [manifest["space"]["digest"], *(metric[key] for metric in manifest["metrics"] for key in ("name", "goal"))]
        parts += [manifest["objective"], manifest["agent"], manifest["seed"], dict(parts[2])]
        space_from_record(manifest["space"])
    except (ArchGymError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) and not isinstance(error, ArchGymError) else error
        raise LogError(f"{where} is damaged: what it says of a run makes no sense: {reason}") from error


def _sweep_runs(storage: fsspec.AbstractFileSystem, file: str) -> Sequence[Run]:
    from archgym.sweep.reading import sweep_runs

    return sweep_runs(storage, str(PurePosixPath(file).parent))


def _open_run(storage: fsspec.AbstractFileSystem, file: str) -> Run:
    folder = str(PurePosixPath(file).parent)
    if is_local(storage):
        manifest = read_manifest(Path(folder))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            storage.get(file, f"{scratch}/{MANIFEST}")
            manifest = read_manifest(Path(scratch))
    check_manifest(manifest, file)
    return Run(PurePosixPath(folder).name, folder, manifest, storage)
