"""Parquet files of which one row group at a time is held in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import fsspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from archgym.errors import LogError


class GroupedFile:
    """A file that is read row group by row group; the last one read is held, so that runs in it are read once.

    Attributes:
        path: of the file.
        rows: how many it has.
        groups: of so many rows each, one after the other.
        metadata: its own, key -> value.
    """

    def __init__(self, storage: fsspec.AbstractFileSystem, path: str) -> None:
        self._storage, self.path = storage, path
        self._held: tuple[tuple[int, tuple[str, ...]], pa.Table] | None = None
        try:
            with storage.open(path, "rb") as file:
                footer = parquet.read_metadata(file)
        except (pa.ArrowException, OSError) as error:
            raise LogError(f"{path} cannot be read as Parquet: {error}") from error
        sizes = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.rows, self.groups = int(footer.num_rows), int(footer.num_row_groups)
        self.metadata: dict[bytes, bytes] = footer.metadata or {}

    def rows_of(self, first: int, count: int, names: Sequence[str]) -> Iterator[pa.Table]:
        """The named columns, as far as the file has them, of ``count`` rows from ``first`` on: a table per row group.

        Raises:
            LogError: the file is damaged.
        """
        group = int(np.searchsorted(self._starts, first, side="right")) - 1
        last = first + count
        while first < last:
            start, stop = int(self._starts[group]), int(self._starts[group + 1])
            yield self._group(group, tuple(names)).slice(first - start, min(last, stop) - first)
            first, group = min(last, stop), group + 1

    def _group(self, group: int, names: tuple[str, ...]) -> pa.Table:
        if self._held is None or self._held[0] != (group, names):
            self._held = None  # before the next one is read, so that there are never two
            try:
                with self._storage.open(self.path, "rb") as file:
                    found = parquet.ParquetFile(file, page_checksum_verification=True).read_row_group(
                        group, columns=list(names)
                    )
            except (pa.ArrowException, OSError) as error:
                raise LogError(f"{self.path} cannot be read as Parquet: {error}") from error
            self._held = (group, names), found
        return self._held[1]
