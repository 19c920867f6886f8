"""Exported Parquet files, opened as datasets again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import fsspec
import pyarrow as pa

from archgym.dataset.exporting import FORMAT, RUNS_KEY
from archgym.dataset.groups import GroupedFile
from archgym.dataset.runs import Run
from archgym.errors import LogError
from archgym.sealing import ROWS_PER_GROUP, schema


@dataclass(frozen=True)
class ExportedRun(Run):
    """A run within an exported file.

    Attributes:
        file: the file.
        first, rows: which of its rows.
    """

    file: GroupedFile = field(kw_only=True, repr=False, compare=False)
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


def _content(file: GroupedFile) -> dict[str, Any]:
    if RUNS_KEY not in file.metadata:
        raise LogError(f"{file.path} is not a dataset: only files that `archgym export` wrote can be opened")
    try:
        content = json.loads(file.metadata[RUNS_KEY])
        rows = sum(int(run["rows"]) for run in content["runs"])
        whole = content["format"] == FORMAT and all(0 <= run["task"] < len(content["tasks"]) for run in content["runs"])
    except (KeyError, TypeError, ValueError) as error:
        raise LogError(f"{file.path} is damaged: what it says of its runs cannot be read: {error!r}") from error
    if not whole or rows != file.rows:
        raise LogError(f"{file.path} is damaged or of another version of archgym: {rows:,} rows told, {file.rows:,} found")
    return dict(content)


def exported_runs(storage: fsspec.AbstractFileSystem, path: str) -> list[Run]:
    """The runs of an exported file, in the order of its rows.

    Raises:
        LogError: it is no such file, or damaged.
    """
    file = GroupedFile(storage, path)
    content = _content(file)
    runs: list[Run] = []
    for run in content["runs"]:
        usual: dict[str, Any] = {"hyperparameters": {}, "seed": None, "state": "finished", "warm_start": None, "packages": {}}
        manifest = {**usual, **content["tasks"][run["task"]], **run, "trials": run["rows"]}
        place: dict[str, Any] = {"file": file, "first": run["first"], "rows": run["rows"]}
        runs.append(ExportedRun(run["name"], path, manifest, storage, **place))
    return runs
