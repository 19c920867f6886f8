"""A view of runs: which of their trials are kept, and how they are read piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

import numpy as np
import pyarrow as pa

from archgym.dataset import selecting, tables
from archgym.dataset.runs import Run
from archgym.dataset.selecting import Positions
from archgym.sealing import ROWS_PER_GROUP


class View:
    """The kept trials of some runs.  Of each run nothing but row numbers is in memory.

    Attributes:
        runs: in the order in which their trials come; those of which no trial may be left included.
        dropped: how many trials the last ``dedupe`` left out.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        kept: Sequence[Positions | None] | None = None,
        where: Mapping[str, frozenset[str]] | None = None,
        dropped: int = 0,
    ) -> None:
        """A view of these runs.

        Args:
            runs: in the order in which their trials come.
            kept: per run, the numbers of the rows that are kept, ascending; None keeps all.
            where: column -> values of which a kept row has one.
            dropped: see the attribute.
        """
        self.runs = tuple(runs)
        self.dropped = dropped
        self._kept = tuple([None] * len(self.runs) if kept is None else kept)
        self._where = dict(where or {})

    def take_runs(self, indices: Sequence[int]) -> Self:
        """What is kept of the runs with these indices, in this order."""
        return type(self)([self.runs[i] for i in indices], [self._kept[i] for i in indices], self._where, self.dropped)

    def scan(
        self, columns: Sequence[str] | Callable[[Run], Sequence[str]] | None = None, rows: int = ROWS_PER_GROUP
    ) -> Iterator[tuple[int, Positions, pa.RecordBatch]]:
        """The kept trials run by run in pieces: index of the run, row numbers within it, the rows.

        Args:
            columns: as in ``archgym.sealing.schema`` of each run; all by default; or a function that tells them of a run.
            rows: at most so many a piece.

        Raises:
            LogError: a file is damaged.
        """
        for index, (run, kept) in enumerate(zip(self.runs, self._kept, strict=True)):
            if kept is not None and not len(kept):
                continue
            offset = 0
            asked = columns(run) if callable(columns) else columns
            wanted = None if asked is None else [*asked, *(column for column in self._where if column not in asked)]
            for batch in run.batches(rows, wanted):
                positions: Positions = np.arange(offset, offset + batch.num_rows, dtype=np.int64)
                offset += batch.num_rows
                if kept is not None:
                    first, last = np.searchsorted(kept, [positions[0], positions[-1] + 1]) if len(positions) else (0, 0)
                    rest = batch.take(pa.array(kept[first:last] - positions[0])) if last > first else batch.slice(0, 0)
                    batch, positions = rest, kept[first:last]
                if self._where and batch.num_rows:
                    good = selecting.passing(batch, self._where)
                    if not good.all():
                        batch, positions = batch.filter(pa.array(good)), positions[good]
                if batch.num_rows:
                    yield index, positions, batch if asked is None else batch.select(list(asked))

    @cached_property
    def schema(self) -> pa.Schema:
        """Columns of ``to_arrow``: run, simulator, workload, objective, agent, seed, and those of all runs.

        Raises:
            LogError: runs use one column name for numbers and for text.
        """
        return tables.unified(self.runs)

    def batches(self, rows: int = ROWS_PER_GROUP) -> Iterator[pa.RecordBatch]:
        """All trials as ``to_arrow`` has them, in pieces of ``rows`` rows (the last one may be shorter).

        Memory does not grow with the number of trials.

        Raises:
            LogError: a file is damaged, or runs use one column name for numbers and for text.
        """
        return tables.batches(self, rows)

    def to_arrow(self) -> pa.Table:
        """All trials, with what identifies their run in front: run, simulator, workload, objective, agent, seed.

        Runs of different simulators may be mixed; columns that a run lacks are null.

        Raises:
            LogError: a file is damaged, or runs use one column name for numbers and for text.
        """
        return pa.Table.from_batches(self.batches(), self.schema)

    @cached_property
    def _rows(self) -> int:
        return sum(batch.num_rows for _, _, batch in self.scan(["trial"]))

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        left = f", {self.dropped:,} duplicates dropped" if self.dropped else ""
        return f"{type(self).__name__}({len(self.runs)} runs{left})"
