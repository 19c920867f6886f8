"""The datasheet of a dataset: what is in it, from whom, how much of the space it covers, and what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from archgym.dataset.rebuilding import rebuild
from archgym.dataset.runs import Run
from archgym.dataset.selecting import levels, number, problem, unpack, words
from archgym.errors import ArchGymError, DataError
from archgym.metrics import Status

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset

REASONS = 3
"""How many of the most frequent reasons for each bad status are kept."""

MOST_REASONS = 1000
"""Different reasons beyond so many are not told apart: some hold numbers of their own."""

OTHER = "other reasons"


@dataclass(frozen=True)
class Range:
    """Values of a metric over the OK trials: least, mean and largest; NaN where there is none."""

    least: float
    mean: float
    largest: float


@dataclass(frozen=True)
class Problem:
    """Trials of one simulator, version, workload and space.

    Attributes:
        simulator, version, workload, space, space_size: of what.
        runs, trials: how many.
        agents, objectives, fidelities, statuses: how many trials of each.
        designs: distinct ones.
        classes: of designs that cannot differ on this workload; None where the simulator is not installed in this version.
        levels: parameter -> how many of its levels occur, and how many there are.
        ranges: metric -> its values where OK.
        reasons: status -> most frequent reasons and their counts.
    """

    simulator: str
    version: str
    workload: str
    space: str
    space_size: int
    runs: int
    trials: int
    agents: dict[str, int]
    objectives: dict[str, int]
    fidelities: dict[str, int]
    statuses: dict[str, int]
    designs: int
    classes: int | None
    levels: dict[str, tuple[int, int]]
    ranges: dict[str, Range]
    reasons: dict[str, list[tuple[str, int]]]

    @property
    def duplicates(self) -> int:
        """Trials of a design that an earlier trial had."""
        return self.trials - self.designs

    @property
    def coverage(self) -> float:
        """Share of the space's points that occur."""
        return self.designs / self.space_size


@dataclass(frozen=True)
class Datasheet:
    """What a dataset holds.

    Attributes:
        runs, trials: how many.
        problems: one entry per simulator, version, workload and space.
    """

    runs: int
    trials: int
    problems: tuple[Problem, ...]

    def record(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "runs": self.runs,
            "trials": self.trials,
            "problems": [{**asdict(each), "duplicates": each.duplicates, "coverage": each.coverage} for each in self.problems],
        }


def describe(dataset: Dataset) -> Datasheet:
    """``Dataset.describe``; errors as there."""
    tallies: dict[str, _Tally] = {}
    keys = [problem(run.manifest) for run in dataset.runs]

    def columns(run: Run) -> list[str]:
        names = [parameter["name"] for parameter in run.manifest["space"]["parameters"]]
        metrics = [metric["name"] for metric in run.manifest["metrics"]]
        return [*(f"{name}_level" for name in names), *metrics, "status", "reason", "fidelity"]

    for index, _, batch in dataset.scan(columns):
        run = dataset.runs[index]
        tallies.setdefault(keys[index], _Tally(run)).add(index, run, batch)
    if not tallies:
        raise DataError("this dataset has no trial, so there is nothing to describe; widen the selection")
    problems = tuple(tallies[key].close() for key in sorted(tallies))
    return Datasheet(sum(each.runs for each in problems), sum(each.trials for each in problems), problems)


class _Tally:
    """Counts the trials of one problem, batch by batch; keeps a number per design, nothing else that grows."""

    def __init__(self, run: Run) -> None:
        self._run, self._space = run, run.space
        self._metrics = [metric["name"] for metric in run.manifest["metrics"]]
        self._runs: set[int] = set()
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("agent", "objective", "fidelity", "status")}
        self._reasons: dict[str, Counter[str]] = {}
        self._seen = [np.zeros(int(count), bool) for count in self._space.nvec]
        self._keys: list[NDArray[np.int64]] = []
        self._least = np.full(len(self._metrics), np.inf)
        self._largest = np.full(len(self._metrics), -np.inf)
        self._sums = np.zeros(len(self._metrics))

    def add(self, index: int, run: Run, batch: pa.RecordBatch) -> None:
        """Counts a batch."""
        self._runs.add(index)
        self._counts["agent"][str(run.manifest["agent"])] += batch.num_rows
        self._counts["objective"][str(run.manifest["objective"])] += batch.num_rows
        for name in ("status", "fidelity"):
            self._counts[name].update(dict(_value_counts(batch.column(name))))
        designs = levels(batch, self._space)
        for seen, column in zip(self._seen, designs.T, strict=True):
            seen[column] = True
        self._keys.append(_distinct(words(self._space, designs)))
        if len(self._keys) > 64:  # what was seen before is put together, or a long log would be held as a whole
            self._keys = [_distinct(np.concatenate(self._keys))]
        status = batch.column("status").cast(pa.string()).to_numpy(zero_copy_only=False)
        ok = np.asarray(status == Status.OK.name, bool)
        if ok.any():
            table = np.array([batch.column(name).to_numpy(zero_copy_only=False)[ok] for name in self._metrics])
            self._least = np.minimum(self._least, table.min(axis=1))
            self._largest = np.maximum(self._largest, table.max(axis=1))
            self._sums += table.sum(axis=1)
        for name in np.unique(status[~ok].astype(str)):
            told = self._reasons.setdefault(str(name), Counter())
            for reason, count in _value_counts(batch.column("reason").filter(pa.array(status == name))):
                told[reason if reason in told or len(told) < MOST_REASONS else OTHER] += count

    def close(self) -> Problem:
        """The counts so far."""
        keys = np.concatenate(self._keys)
        first, _ = number(keys)
        manifest, space = self._run.manifest, self._space
        statuses = {status.name: self._counts["status"][status.name] for status in Status}
        priced = statuses[Status.OK.name]
        ranges = {
            name: Range(float(least), float(total / priced), float(largest)) if priced else Range(*[float("nan")] * 3)
            for name, least, total, largest in zip(self._metrics, self._least, self._sums, self._largest, strict=True)
        }
        return Problem(
            simulator=manifest["simulator"]["name"],
            version=manifest["simulator"]["version"],
            workload=manifest["workload"]["name"],
            space=manifest["space"]["digest"],
            space_size=space.size,
            runs=len(self._runs),
            trials=sum(statuses.values()),
            agents=_most_first(self._counts["agent"]),
            objectives=_most_first(self._counts["objective"]),
            fidelities=_most_first(self._counts["fidelity"]),
            statuses=statuses,
            designs=len(first),
            classes=_classes(self._run, keys[first]),
            levels={name: (int(seen.sum()), len(seen)) for name, seen in zip(space.names, self._seen, strict=True)},
            ranges=ranges,
            reasons={status: told.most_common(REASONS) for status, told in sorted(self._reasons.items())},
        )


def _classes(run: Run, keys: NDArray[np.int64]) -> int | None:
    try:
        simulator = rebuild(run)
    except (ArchGymError, OSError):
        return None  # another machine's simulator or trace
    representatives = simulator.canonical(unpack(simulator.space, keys))
    return len(number(words(simulator.space, representatives))[0])


def _distinct(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    return keys[number(keys)[0]]


def _value_counts(column: pa.Array) -> Iterator[tuple[str, int]]:
    for entry in column.value_counts().to_pylist():
        yield str(entry["values"]), int(entry["counts"])


def _most_first(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
