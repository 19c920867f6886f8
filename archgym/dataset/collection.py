"""``Dataset``: trials of one or many runs, which of them are kept, and ways to take them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

from archgym.dataset import grouping, selecting, tables
from archgym.dataset.arrays import Arrays, memory_run, take_arrays
from archgym.dataset.exporting import write_csv, write_parquet
from archgym.dataset.finding import find_runs
from archgym.dataset.rebuilding import rebuild
from archgym.dataset.view import View
from archgym.errors import LogError, MissingExtraError
from archgym.metrics import Metrics
from archgym.simulator import Simulator

if TYPE_CHECKING:
    from archgym.dataset.datasheet import Datasheet

Names = str | Iterable[str] | None


class Dataset(View):
    """Trials of one or many runs.

    A dataset is a view: ``select``, ``dedupe``, ``split`` and ``mix`` give new ones over the same files.

    Attributes:
        runs: the runs, sorted by location; those of which no trial may be left included.
        dropped: how many trials the last ``dedupe`` left out.
    """

    @classmethod
    def open(cls, *paths: str | os.PathLike[str]) -> Dataset:
        """Finds all runs at or below the given folders or URLs.

        Args:
            paths: local folders, or URLs of any filesystem that fsspec knows (``s3://``, ``memory://``, ...); also Parquet
                files that ``to_parquet`` wrote.

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
        chosen = self.take_runs(selecting.choose_runs(self.runs, of_runs))
        where = dict(self._where)
        for column, names in (("status", status), ("fidelity", fidelity)):
            if names is not None:
                wanted = selecting.as_names(names)
                if column == "status":
                    selecting.check_statuses(wanted)
                where[column] = where.get(column, wanted) & wanted
        return Dataset(chosen.runs, chosen._kept, where, self.dropped)

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

    def to_parquet(self, path: str | os.PathLike[str]) -> int:
        """Writes all trials to one Parquet file, in bounded memory; ``Dataset.open`` reads it again.

        Columns are as in ``to_arrow``, with text as plain text.  Units and meanings are in the columns' metadata, and as JSON
        in the file's, under ``archgym``.

        Returns:
            The number of rows.

        Raises:
            LogError: the file exists already or cannot be written, or a log is damaged.
            DataError: no trial is left.
        """
        return write_parquet(self, path)

    def to_csv(self, path: str | os.PathLike[str]) -> int:
        """Writes all trials to one CSV file, in bounded memory, and beside it a JSON file with types, units and runs.

        Returns:
            The number of rows.

        Raises:
            LogError: a file exists already or cannot be written, or a log is damaged.
            DataError: no trial is left.
        """
        return write_csv(self, path)

    def to_minari(self, folder: str | os.PathLike[str], steps: int | None = None) -> dict[str, int]:
        """Writes the trials at full fidelity as Minari datasets, one per simulator, workload and objective.

        Observations and rewards are those of ``archgym.env.DesignEnv``, which ``recover_environment()`` builds again.
        ``minari.load_dataset(id)`` finds them with the folder as environment variable ``MINARI_DATASETS_PATH``.

        Args:
            folder: becomes a root of Minari datasets.
            steps: designs per episode; by default those of the longest run, but at most 10,000.  A run's last episode may be
                shorter; it is marked as truncated.

        Returns:
            Id of each dataset -> how many trials it has.

        Raises:
            MissingExtraError: minari, h5py or pillow is not installed.
            LogError: a dataset is there already or cannot be written, or a log is damaged.
            DataError: no trial at full fidelity is left.
            MixedDataError: a run of a simulator version that is not installed.
        """
        from archgym.dataset.episodes import write_minari

        return write_minari(self, folder, steps)

    def to_torch(self, metrics: Sequence[str] | None = None, encoding: str = "one_hot", negatives: bool = False) -> Any:
        """The trials as a ``torch.utils.data.TensorDataset`` of encoded designs (K,) and targets (M,), float32.

        Args:
            metrics: the targets, in this order; all by default.
            encoding: "one_hot" (K = sum of the numbers of levels), "unit" or "levels" (K = D).
            negatives: whether trials that are not OK stay in; then items are (design, target, OK or not).

        Raises:
            MissingExtraError: torch is not installed.
            ArchGymError: as ``arrays``; no trial is OK; no such encoding.
        """
        from archgym.dataset.tensors import to_torch

        return to_torch(self, metrics, encoding, negatives)

    def arrays(self, metrics: Sequence[str] | str | None = None) -> Arrays:
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
