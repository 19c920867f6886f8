"""Exported Parquet files, opened as datasets again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from archgym.dataset.exporting import FORMAT, RUNS_KEY
from archgym.dataset.runs import Run
from archgym.errors import LogError
from archgym.sealing import ROWS_PER_GROUP, schema


class ExportedFile:
    """An exported file, of which one row group at a time is held."""

    def __init__(self, storage: fsspec.AbstractFileSystem, path: str) -> None:
        self._storage, self.path = storage, path
        self._held: tuple[tuple[int, tuple[str, ...]], pa.Table] | None = None
        metadata = self._metadata()
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.rows = metadata.num_rows
        self.content: dict[str, Any] = self._content(metadata.metadata or {})

    def rows_of(self, first: int, count: int, names: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns of the rows from ``first`` on, a table per row group."""
        group = int(np.searchsorted(self._starts, first, side="right")) - 1
        last = first + count
        while first < last:
            start, stop = int(self._starts[group]), int(self._starts[group + 1])
            table = self._group(group, tuple(names))
            yield table.slice(first - start, min(last, stop) - first)
            first, group = min(last, stop), group + 1

    def _group(self, group: int, names: tuple[str, ...]) -> pa.Table:
        if self._held is None or self._held[0] != (group, names):
            try:
                with self._storage.open(self.path, "rb") as file:
                    self._held = (group, names), parquet.ParquetFile(file).read_row_group(group, columns=list(names))
            except (pa.ArrowException, OSError) as error:
                raise LogError(f"{self.path} cannot be read as Parquet: {error}") from error
        return self._held[1]

    def _metadata(self) -> Any:
        try:
            with self._storage.open(self.path, "rb") as file:
                return parquet.read_metadata(file)
        except (pa.ArrowException, OSError) as error:
            raise LogError(f"{self.path} cannot be read as Parquet: {error}") from error

    def _content(self, metadata: dict[bytes, bytes]) -> dict[str, Any]:
        if RUNS_KEY not in metadata:
            raise LogError(f"{self.path} is not a dataset: only files that `archgym export` wrote can be opened")
        try:
            content = json.loads(metadata[RUNS_KEY])
            rows = sum(int(run["rows"]) for run in content["runs"])
            whole = content["format"] == FORMAT and all(0 <= run["task"] < len(content["tasks"]) for run in content["runs"])
        except (KeyError, TypeError, ValueError) as error:
            raise LogError(f"{self.path} is damaged: what it says of its runs cannot be read: {error!r}") from error
        if not whole or rows != self.rows:
            raise LogError(f"{self.path} is damaged or of another version of archgym: {rows:,} rows told, {self.rows:,} found")
        return dict(content)


@dataclass(frozen=True)
class ExportedRun(Run):
    """A run within an exported file.

    Attributes:
        file: the file.
        first, rows: which of its rows.
    """

    file: ExportedFile = field(kw_only=True, repr=False, compare=False)
    first: int = field(kw_only=True)
    rows: int = field(kw_only=True)

    def to_arrow(self) -> pa.Table:
        """Trials of this run; columns as in ``archgym.sealing.schema``; errors as ``batches``."""
        return pa.Table.from_batches(self.batches(), schema(self.manifest))

    def batches(self, rows: int = ROWS_PER_GROUP, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Trials of this run in order, in pieces of at most ``rows`` rows.

        Raises:
            LogError: the file is damaged.
        """
        target = schema(self.manifest)
        if columns is not None:
            target = pa.schema([target.field(name) for name in columns])
        for table in self.file.rows_of(self.first, self.rows, target.names):
            lacking = [name for name in target.names if name not in table.column_names]
            if lacking:
                raise LogError(f"{self.file.path} is damaged: it lacks the column {lacking[0]}")
            typed = pa.table([table[name].cast(target.field(name).type) for name in target.names], schema=target)
            yield from typed.combine_chunks().to_batches(max_chunksize=rows)


def exported_runs(storage: fsspec.AbstractFileSystem, path: str) -> list[Run]:
    """The runs of an exported file, in the order of its rows.

    Raises:
        LogError: it is no such file, or damaged.
    """
    file = ExportedFile(storage, path)
    runs: list[Run] = []
    for run in file.content["runs"]:
        usual: dict[str, Any] = {"hyperparameters": {}, "seed": None, "state": "finished", "warm_start": None, "packages": {}}
        manifest = {**usual, **file.content["tasks"][run["task"]], **run, "trials": run["rows"]}
        place: dict[str, Any] = {"file": file, "first": run["first"], "rows": run["rows"]}
        runs.append(ExportedRun(run["name"], path, manifest, storage, **place))
    return runs
