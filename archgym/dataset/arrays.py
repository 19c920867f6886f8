"""Trials as plain arrays, for whoever fits models to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.dataset.runs import MemoryRun, Run
from archgym.dataset.selecting import levels
from archgym.errors import ArgumentError, DataError, MixedDataError, UnknownNameError
from archgym.manifest import describe_run, describe_task
from archgym.metrics import Metrics, Status, mark_suspects
from archgym.objective import make_objective
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.trials import Chunk

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset


STATUS_CODES = {status.name: status.value for status in Status}


class Rows(NamedTuple):
    """Where trials come from.

    Attributes:
        run: (N,) int64, index into ``Dataset.runs``.
        trial: (N,) int64, the trial's number within its run.
        score: (N,) float64, under its run's objective.
    """

    run: NDArray[np.int64]
    trial: NDArray[np.int64]
    score: NDArray[np.float64]


class Arrays(NamedTuple):
    """Trials of one simulator, workload and space.

    Attributes:
        designs: (N, D) int32, level indices.
        metrics: metric name -> (N,) float64, NaN for a design that has none.
        status: (N,) uint8, values of ``Status``.
        rows: where each comes from.
    """

    designs: Designs
    metrics: dict[str, NDArray[np.float64]]
    status: NDArray[np.uint8]
    rows: Rows


def take_arrays(dataset: Dataset, metrics: Sequence[str] | str | None) -> Arrays:
    """``Dataset.arrays``; errors as there."""
    check_one_problem(dataset.runs)
    run = dataset.runs[0]
    space = run.space
    known = [metric["name"] for metric in run.manifest["metrics"]]
    names = known if metrics is None else [metrics] if isinstance(metrics, str) else list(metrics)
    if not names:
        raise ArgumentError(f"metrics must name at least one of {', '.join(known)}, got none")
    for name in names:
        if name not in known:
            raise UnknownNameError("metric", name, known, owner=run.manifest["simulator"]["name"])
    columns = [f"{name}_level" for name in space.names] + names + ["status", "fidelity", "trial", "score"]
    designs, values, status, runs, trials, scores = [], [], [], [], [], []
    fidelities: set[str] = set()
    for index, _, batch in dataset.scan(columns):
        designs.append(levels(batch, space))
        values.append(np.array([batch.column(name).to_numpy(zero_copy_only=False) for name in names]))
        status.append(_codes(batch.column("status").to_pylist()))
        fidelities.update(batch.column("fidelity").unique().to_pylist())
        runs.append(np.full(batch.num_rows, index, np.int64))
        trials.append(batch.column("trial").to_numpy(zero_copy_only=False).astype(np.int64))
        scores.append(batch.column("score").to_numpy(zero_copy_only=False))
    if not designs:
        raise DataError("this dataset has no trial left; widen the selection")
    if len(fidelities) > 1:
        raise MixedDataError(
            f"these trials are of several fidelities ({', '.join(sorted(fidelities))}), whose metrics do not mean the same; "
            f'take one: dataset.select(fidelity="full")'
        )
    table = np.concatenate(values, axis=1)
    rows = Rows(np.concatenate(runs), np.concatenate(trials), np.concatenate(scores))
    return Arrays(np.concatenate(designs), dict(zip(names, table, strict=True)), np.concatenate(status), rows)


def check_one_problem(runs: Sequence[Run]) -> None:
    """Checks that all runs price designs alike.

    Raises:
        DataError: no run.
        MixedDataError: two of them do not; the message says in what they differ.
    """
    if not runs:
        raise DataError("this dataset has no run left; widen the selection")
    first = runs[0]
    expected = _identity(first)
    for run in runs[1:]:
        for what, value in _identity(run).items():
            if value != expected[what]:
                raise MixedDataError(
                    f"these runs cannot be taken as one table of numbers: they differ in {what}. {first.name} has "
                    f"{_short(expected[what])}, {run.name} has {_short(value)}. Take one with dataset.select(...), "
                    f"or open their folders apart."
                )


def _identity(run: Run) -> dict[str, object]:
    manifest = run.manifest
    simulator = manifest["simulator"]
    return {
        "simulator": simulator["name"],
        "simulator version": simulator["version"],
        "workload": (manifest["workload"]["name"], manifest["workload"]["digest"]),
        "space digest": manifest["space"]["digest"],
        "simulator arguments": {name: value for name, value in simulator["arguments"].items() if name != "workload"},
        "metrics": [metric["name"] for metric in manifest["metrics"]],
    }


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"{value[0]} (digest {str(value[1])[:12]})"
    return str(value)[:200]


def _codes(names: Sequence[str]) -> NDArray[np.uint8]:
    return np.array([STATUS_CODES[name] for name in names], np.uint8)


def memory_run(
    simulator: Simulator, designs: ArrayLike, metrics: Metrics | Mapping[str, ArrayLike], agent: str, name: str
) -> MemoryRun:
    """Arrays as a run; arguments and errors as in ``Dataset.from_arrays``."""
    import fsspec

    array = simulator.space.check(designs, who=simulator.name)
    if not len(array):
        raise DataError("a dataset needs at least one design, got none")
    found = metrics if isinstance(metrics, Metrics) else _metrics(simulator, metrics, len(array))
    if len(found) != len(array) or set(found.columns) != set(simulator.metric_names):
        raise ArgumentError(
            f"{simulator.name}: {len(array)} designs need metrics {', '.join(simulator.metric_names)} of as many rows, "
            f"got {', '.join(found.columns)} of {len(found)} rows"
        )
    ordered = {metric: found.columns[metric] for metric in simulator.metric_names}
    found = Metrics(ordered, found.status, found.violation, found.reasons)
    objective = make_objective(simulator.metric_names[0], simulator)
    manifest = describe_run(describe_task(simulator, objective, None), agent, {}, None)
    chunk = Chunk(0, 0, "full", 1.0, array, found, objective.score(found))
    manifest |= {"state": "finished", "trials": len(array)}
    return MemoryRun(name, f"memory/{name}", manifest, fsspec.filesystem("memory"), chunk=chunk, maker=simulator)


def _metrics(simulator: Simulator, columns: Mapping[str, ArrayLike], n: int) -> Metrics:
    result = Metrics.empty(simulator.metric_names, n)
    for name in columns:
        simulator.metric(name)
    for name in simulator.metric_names:
        if name not in columns:
            raise ArgumentError(f"{simulator.name}: metric {name} is missing; it measures {', '.join(simulator.metric_names)}")
        values = np.asarray(columns[name], np.float64)
        if values.shape != (n,):
            raise ArgumentError(f"{simulator.name}: metric {name} must have shape ({n},), got {values.shape}")
        result.columns[name][:] = values
    mark_suspects(result, {metric.name: metric for metric in simulator.metrics})
    return result
