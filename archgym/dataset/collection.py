"""``Dataset``: trials of one or many runs, which of them are kept, and ways to take them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from archgym.dataset import grouping, selecting, tables
from archgym.dataset.arrays import Arrays, memory_run, take_arrays
from archgym.dataset.finding import find_runs
from archgym.dataset.rebuilding import rebuild
from archgym.dataset.runs import Run
from archgym.dataset.selecting import Positions
from archgym.errors import LogError, MissingExtraError
from archgym.metrics import Metrics
from archgym.sealing import ROWS_PER_GROUP
from archgym.simulator import Simulator

if TYPE_CHECKING:
    from archgym.dataset.datasheet import Datasheet

Names = str | Iterable[str] | None


class Dataset:
    """Trials of one or many runs.

    A dataset is a view: ``select``, ``dedupe``, ``split`` and ``mix`` give new ones over the same files, and nothing but
    row numbers is kept in memory.

    Attributes:
        runs: the runs, sorted by location; those of which no trial may be left included.
        dropped: how many trials the last ``dedupe`` left out.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        kept: Sequence[Positions | None] | None = None,
        where: Mapping[str, frozenset[str]] | None = None,
        dropped: int = 0,
    ) -> None:
        """A dataset of these runs.

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
        return cls([run for path in paths for run in find_runs(path)])

    @classmethod
    def from_arrays(
        cls,
        simulator: Simulator,
        designs: ArrayLike,
        metrics: Metrics | Mapping[str, ArrayLike],
        agent: str = "external",
        *,
        name: str = "",
    ) -> Dataset:
        """A dataset of designs that were priced without a log.

        Args:
            simulator: that priced them.
            designs: (N, D) level indices, N >= 1.
            metrics: what ``simulator.evaluate`` gave, or every metric's name -> (N,); there a value that is not finite makes
                its design FAILED.
            agent: what to name as their source.
            name: of the run; the agent's by default.

        Raises:
            DesignError: designs of wrong shape, type or range.
            ArgumentError: metrics that are missing or of another length.
            DataError: no design.
        """
        return cls([memory_run(simulator, designs, metrics, agent, name or agent)])

    def join(self, *others: Dataset) -> Dataset:
        """The trials of this dataset and of others, one after the other.

        Raises:
            ArgumentError: they were selected by different statuses or fidelities.
        """
        return tables.join(self, others)

    # -- choosing ------------------------------------------------------------------------------------------------------

    def select(
        self,
        *,
        simulator: Names = None,
        workload: Names = None,
        agent: Names = None,
        objective: Names = None,
        run: Names = None,
        status: Names = None,
        fidelity: Names = None,
    ) -> Dataset:
        """The trials that fit; each argument is one name or several, of which one has to fit.  Reads no trial.

        Raises:
            UnknownNameError: a name that no run has, or no such status.
        """
        of_runs = {"simulator": simulator, "workload": workload, "agent": agent, "objective": objective, "run": run}
        chosen = selecting.choose_runs(self.runs, of_runs)
        where = dict(self._where)
        for column, names in (("status", status), ("fidelity", fidelity)):
            if names is not None:
                wanted = selecting.as_names(names)
                if column == "status":
                    selecting.check_statuses(wanted)
                where[column] = where.get(column, wanted) & wanted
        return Dataset([self.runs[index] for index in chosen], [self._kept[index] for index in chosen], where, self.dropped)

    def dedupe(self, by: Literal["design", "canonical"] = "design") -> Dataset:
        """One trial per design of each simulator, workload and fidelity; ``dropped`` says how many were left out.

        Of several trials of a design the first is kept that is OK, or else the first.

        Args:
            by: "design", or "canonical" for one trial per class of designs that cannot differ on their workload.

        Raises:
            ArgumentError: neither of these.
            MixedDataError: for "canonical": a run of a simulator version that is not installed.
        """
        kept, dropped = grouping.first_of_each(self, by)
        return Dataset(self.runs, kept, self._where, dropped)

    def split(
        self, by: Literal["canonical", "design", "agent", "workload"] = "canonical", fraction: float = 0.2, seed: int = 0
    ) -> tuple[Dataset, Dataset]:
        """Two datasets without a trial in common, for training and for testing.

        Args:
            by: what stays together.  "canonical": designs that any workload of this dataset holds for equivalent, so that no
                test design was seen in training under another name.  "design": equal designs.  "agent", "workload": all
                trials of one.
            fraction: share of the groups (classes, designs, agents, workloads) that the test side gets, rounded, at least
                one; trials may be shared out otherwise, as agents repeat designs.
            seed: of the draw; the same groups and seed give the same sides, whatever the order of trials.

        Returns:
            (train, test).

        Raises:
            ArgumentError: no such way to split, or a fraction out of range.
            DataError: fewer than two groups.
            MixedDataError: one simulator with several spaces, or one of a version that is not installed.
        """
        train, test = grouping.split(self, by, fraction, seed)
        return tuple(Dataset(self.runs, kept, self._where) for kept in (train, test))  # type: ignore[return-value]

    def mix(self, shares: Mapping[str, float], rows: int | None = None, seed: int = 0) -> Dataset:
        """A random choice of trials in which every agent has the given share, for studies of diversity.

        Args:
            shares: agent -> share; they sum to 1.
            rows: how many trials in all; as many as the shares allow by default.
            seed: of the draw, without replacement.

        Raises:
            ArgumentError: shares that do not sum to 1.
            UnknownNameError: no trial is of that agent.
            DataError: too few trials of an agent.
        """
        return Dataset(self.runs, grouping.mixed(self, shares, rows, seed), self._where)

    def sample(self, rows: int, seed: int = 0) -> Dataset:
        """So many trials, drawn at random without replacement.

        Raises:
            ArgumentError: not a number from 1.
            DataError: there are fewer.
        """
        return Dataset(self.runs, grouping.sampled(self, rows, seed), self._where)

    # -- reading -------------------------------------------------------------------------------------------------------

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

    def arrays(self, metrics: Sequence[str] | None = None) -> Arrays:
        """Designs, metrics, status and origin of the trials, which must be of one simulator, workload, space and fidelity.

        Args:
            metrics: which; all by default.

        Raises:
            MixedDataError: they are of several; the message says in what they differ.
            DataError: no trial is left.
            UnknownNameError: no such metric.
        """
        return take_arrays(self, metrics)

    def simulators(self) -> list[Simulator]:
        """The simulators the runs were made with, rebuilt from their manifests, each once.

        Raises:
            UnknownNameError: one is not installed.
            MixedDataError: what is installed is another version, or has another space or workload.
        """
        found: dict[str, Simulator] = {}
        for run in self.runs:
            key = selecting.problem(run.manifest)
            if key not in found:
                found[key] = rebuild(run)
        return list(found.values())

    def describe(self) -> Datasheet:
        """How many trials, of what and from whom; how much of the space they cover, duplicates, ranges, failures.

        Raises:
            LogError: a file is damaged.
            DataError: no trial is left.
        """
        from archgym.dataset.datasheet import describe

        return describe(self)

    @cached_property
    def _rows(self) -> int:
        return sum(batch.num_rows for _, _, batch in self.scan(["trial"]))

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        left = f", {self.dropped:,} duplicates dropped" if self.dropped else ""
        return f"Dataset({len(self.runs)} runs{left})"
