"""Reads trial logs: one run, a folder of runs, sweeps, or a remote URL; finished runs and runs that are still going on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import fsspec.implementations.local
import pyarrow as pa
from pyarrow import parquet

from archgym.errors import LogError, MissingExtraError
from archgym.sealing import to_table
from archgym.space import DesignSpace, space_from_record
from archgym.trials import MANIFEST, RUNNING, SEALED, read_chunks, read_manifest

SWEEP = "sweep.json"
"""Marks the folder of a sweep (``archgym.sweep.store``)."""


@dataclass(frozen=True)
class Run:
    """One logged run.

    Attributes:
        name: its folder's name.
        location: where it is, a local path or a URL.
        manifest: what was run (``archgym.manifest``).
        storage: the filesystem it lies on.
    """

    name: str
    location: str
    manifest: dict[str, Any]
    storage: fsspec.AbstractFileSystem

    @property
    def space(self) -> DesignSpace:
        """The space that was searched, without its constraints."""
        return space_from_record(self.manifest["space"])

    def to_arrow(self) -> pa.Table:
        """Trials of this run; columns as in ``archgym.sealing.schema``.

        Raises:
            LogError: a file is damaged.
        """
        sealed = f"{self.location}/{SEALED}"
        if not self.storage.exists(sealed):
            table = self._unsealed()
            if not self.storage.exists(sealed):  # else it has been sealed in the meantime
                return table
        try:
            with self.storage.open(sealed, "rb") as file:
                return parquet.read_table(file)
        except (pa.ArrowInvalid, OSError) as error:
            raise LogError(f"{sealed} cannot be read as Parquet: {error}") from error

    def _unsealed(self) -> pa.Table:
        # SQLite needs real files in a folder that can be written: others are copied first.
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(self.location)
            if not (_is_local(self.storage) and os.access(folder, os.W_OK)):
                folder = Path(scratch)
                for source in self.storage.glob(f"{self.location}/{RUNNING}*"):
                    self.storage.get(source, str(folder / PurePosixPath(source).name))
            return to_table(list(read_chunks(folder, self.manifest)), self.manifest)


class Dataset:
    """Trials of one or many runs.

    Attributes:
        runs: the runs, sorted by location.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = tuple(runs)

    @classmethod
    def open(cls, *paths: str | os.PathLike[str]) -> Dataset:
        """Finds all runs at or below the given folders or URLs.

        Args:
            paths: local folders, or URLs of any filesystem that fsspec knows (``s3://``, ``memory://``, ...).

        Raises:
            LogError: nothing there, or a manifest that cannot be read.
        """
        if not paths:
            raise LogError("Dataset.open needs at least one folder or URL, got none")
        runs: list[Run] = []
        for path in paths:
            storage, root = fsspec.core.url_to_fs(os.fspath(path))
            if not storage.exists(root):
                raise LogError(f"{path} does not exist")
            files = sorted(storage.find(root))
            found = [run for file in files if PurePosixPath(file).name == SWEEP for run in _sweep_runs(storage, file)]
            complete = {run.name for run in found}  # a run's log stays until its part is written, and a little longer
            logs = [file for file in files if PurePosixPath(file).name == MANIFEST]
            found += [_open_run(storage, file) for file in logs if PurePosixPath(file).parent.name not in complete]
            if not found:
                raise LogError(
                    f"{path} holds no run: there is no {MANIFEST} and no sweep with complete runs in it or below it"
                )
            runs += sorted(found, key=lambda run: run.location)
        return cls(runs)

    def to_arrow(self) -> pa.Table:
        """All trials, with what identifies their run in front: run, simulator, workload, objective, agent, seed.

        Runs of different simulators may be mixed; columns that a run lacks are null.

        Raises:
            LogError: a file is damaged, or runs use one column name for numbers and for text.
        """
        try:
            return pa.concat_tables([_labelled(run) for run in self.runs], promote_options="permissive")
        except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
            raise LogError(f"these runs do not fit into one table: {error}. Open the runs of each simulator apart.") from error

    def to_pandas(self) -> Any:
        """All trials as a pandas DataFrame.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas  # noqa: F401 - pyarrow's own message does not say how to install it
        except ImportError:
            raise MissingExtraError("Dataset.to_pandas", "pandas", "data") from None
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """All trials as a polars DataFrame.

        Raises:
            MissingExtraError: polars is not installed.
        """
        try:
            import polars
        except ImportError:
            raise MissingExtraError("Dataset.to_polars", "polars", "data") from None
        return polars.from_arrow(self.to_arrow())

    @cached_property
    def _rows(self) -> int:
        return sum(run.to_arrow().num_rows for run in self.runs)

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"Dataset({len(self.runs)} runs)"


def _sweep_runs(storage: fsspec.AbstractFileSystem, file: str) -> Sequence[Run]:
    from archgym.sweep.reading import sweep_runs

    return sweep_runs(storage, str(PurePosixPath(file).parent))


def _open_run(storage: fsspec.AbstractFileSystem, file: str) -> Run:
    folder = str(PurePosixPath(file).parent)
    if _is_local(storage):
        return Run(Path(folder).name, folder, read_manifest(Path(folder)), storage)
    with tempfile.TemporaryDirectory() as scratch:
        storage.get(file, f"{scratch}/{MANIFEST}")
        return Run(PurePosixPath(folder).name, folder, read_manifest(Path(scratch)), storage)


def _is_local(storage: fsspec.AbstractFileSystem) -> bool:
    return isinstance(storage, fsspec.implementations.local.LocalFileSystem)


def _labelled(run: Run) -> pa.Table:
    table, manifest = run.to_arrow(), run.manifest
    labels = {
        "run": run.name,
        "simulator": manifest["simulator"]["name"],
        "workload": manifest["workload"]["name"],
        "objective": manifest["objective"],
        "agent": manifest["agent"],
        "seed": manifest["seed"],
    }
    for position, (name, value) in enumerate(labels.items()):
        kind = pa.int64() if name == "seed" else pa.string()
        table = table.add_column(position, name, pa.repeat(pa.scalar(value, kind), table.num_rows))
    return table.replace_schema_metadata(None)
