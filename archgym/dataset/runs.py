"""One logged run: on disk, at a URL or in memory; finished or still going on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import fsspec.implementations.local
import pyarrow as pa
from pyarrow import parquet

from archgym.errors import LogError
from archgym.sealing import ROWS_PER_GROUP, schema, to_table
from archgym.simulator import Simulator
from archgym.space import DesignSpace, space_from_record
from archgym.trials import RUNNING, SEALED, Chunk, read_chunks


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

    @property
    def simulator(self) -> Simulator | None:
        """The simulator itself where the run still has it; None where it must be rebuilt from the manifest."""
        return None

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
        return pa.Table.from_batches(self._sealed(ROWS_PER_GROUP, None), schema(self.manifest))

    def batches(self, rows: int = ROWS_PER_GROUP, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Trials of this run in order, in pieces, so that memory does not grow with the run's length.

        Args:
            rows: at most so many rows a piece.
            columns: which columns, in this order; all by default.

        Raises:
            LogError: a file is damaged.
        """
        sealed = f"{self.location}/{SEALED}"
        if not self.storage.exists(sealed):
            found = False
            for batch in self._running(rows):
                found = True
                yield batch if columns is None else batch.select(list(columns))
            if found or not self.storage.exists(sealed):  # else it has been sealed in the meantime
                return
        yield from self._sealed(rows, columns)

    def _sealed(self, rows: int, columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        sealed = f"{self.location}/{SEALED}"
        try:
            with self.storage.open(sealed, "rb") as file:
                table = parquet.ParquetFile(file)
                lacking = [name for name in columns or () if name not in table.schema_arrow.names]
                if lacking:
                    raise LogError(f"{sealed} is damaged: it lacks the column {lacking[0]}")
                for batch in table.iter_batches(rows, columns=None if columns is None else list(columns)):
                    yield batch if columns is None else batch.select(list(columns))
        except LogError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise LogError(f"{sealed} cannot be read as Parquet: {error}") from error

    def _unsealed(self) -> pa.Table:
        return pa.Table.from_batches(self._running(ROWS_PER_GROUP), schema(self.manifest))

    def _running(self, rows: int) -> Iterator[pa.RecordBatch]:
        with self._local_folder() as folder:
            yield from table_batches(read_chunks(folder, self.manifest), self.manifest, rows)

    @contextmanager
    def _local_folder(self) -> Iterator[Path]:
        # SQLite needs real files in a folder that can be written: others are copied first.
        folder = Path(self.location)
        if is_local(self.storage) and os.access(folder, os.W_OK):
            yield folder
            return
        with tempfile.TemporaryDirectory() as scratch:
            for source in self.storage.glob(f"{self.location}/{RUNNING}*"):
                self.storage.get(source, str(Path(scratch) / PurePosixPath(source).name))
            yield Path(scratch)


@dataclass(frozen=True)
class MemoryRun(Run):
    """Designs and metrics that were never logged, as a run.

    Attributes:
        chunk: all its trials.
        maker: the simulator they are of.
    """

    chunk: Chunk = field(kw_only=True, repr=False, compare=False)
    maker: Simulator = field(kw_only=True, repr=False, compare=False)

    @property
    def simulator(self) -> Simulator:
        """The simulator the trials are of."""
        return self.maker

    @cached_property
    def _table(self) -> pa.Table:
        return to_table([self.chunk], self.manifest)

    def to_arrow(self) -> pa.Table:
        """Trials of this run; columns as in ``archgym.sealing.schema``."""
        return self._table

    def batches(self, rows: int = ROWS_PER_GROUP, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Trials of this run in order, in pieces of at most ``rows`` rows."""
        table = self._table if columns is None else self._table.select(list(columns))
        yield from table.to_batches(max_chunksize=rows)


def table_batches(chunks: Iterable[Chunk], manifest: dict[str, Any], rows: int) -> Iterator[pa.RecordBatch]:
    """Chunks as record batches of at most ``rows`` rows; only as many chunks are held as make one batch."""
    pending: list[Chunk] = []
    count = 0
    for chunk in chunks:
        pending.append(chunk)
        count += len(chunk)
        if count >= rows:
            yield from to_table(pending, manifest).to_batches(max_chunksize=rows)
            pending, count = [], 0
    if pending:
        yield from to_table(pending, manifest).to_batches(max_chunksize=rows)


def is_local(storage: fsspec.AbstractFileSystem) -> bool:
    """Whether a filesystem is that of this machine."""
    return isinstance(storage, fsspec.implementations.local.LocalFileSystem)
