"""What a proxy learns from: logged or computed trials of one simulator, merged into classes of equivalent designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ProxyError, UnknownNameError
from archgym.metrics import Metrics, Status
from archgym.simulator import Simulator
from archgym.space import Designs

FEWEST = 20
"""Classes of equivalent designs that a proxy needs: fewer cannot be learned from and judged too."""

Data = tuple[Simulator, ArrayLike, Metrics | Mapping[str, ArrayLike]]


@dataclass(frozen=True)
class TrainingSet:
    """Priced designs, one row per class of equivalent designs.

    Attributes:
        simulator: which priced them.
        names: the M metrics.
        designs: (K, D) int32 canonical designs, in rank order.
        values: (K, M) float64, the mean over the trials of a class.
        weights: (K,) how many trials each class had.
        trials: rows that were given; failed: those among them that have no value, which are left out.
    """

    simulator: Simulator
    names: tuple[str, ...]
    designs: Designs
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    trials: int
    failed: int

    def __len__(self) -> int:
        return len(self.designs)

    def rows(self, rows: NDArray[Any]) -> TrainingSet:
        """Some classes of it."""
        designs, values, weights = self.designs[rows], self.values[rows], self.weights[rows]
        return TrainingSet(self.simulator, self.names, designs, values, weights, int(weights.sum()), 0)

    def split(self, share: float, seed: int) -> tuple[TrainingSet, TrainingSet]:
        """Two sets that share no class; the second has the given share of the classes."""
        order = np.random.default_rng(seed).permutation(len(self))
        held = max(round(share * len(self)), 1)
        return self.rows(np.sort(order[held:])), self.rows(np.sort(order[:held]))


def training_set(data: Any, metrics: Sequence[str] | None = None) -> TrainingSet:
    """Reads trials.

    Args:
        data: a ``Dataset``, or (simulator, designs (N, D), metrics): ``Metrics`` or columns of N numbers.
        metrics: names of what is to be predicted; by default all that the simulator wants small or large and that vary.

    Raises:
        ProxyError: too few rows, only failures, a constant metric, or values that are not finite.
        UnknownNameError: a metric that the simulator does not have.
        MixedDataError: a dataset of several simulators, versions, workloads or spaces.
    """
    simulator, designs, columns, status = _read(data)
    names = tuple(metrics) if metrics is not None else _goals(simulator, columns)
    for name in names:
        simulator.metric(name)
        if name not in columns:
            raise UnknownNameError("metric", name, columns, owner="the trials given to the proxy")
    if not names or len(set(names)) != len(names):
        raise ProxyError(f"a proxy needs at least one metric and each one once, got {list(names)}")
    ok = status == Status.OK
    if len(ok) and not ok.any():
        raise ProxyError(f"none of the {len(ok)} trials is OK: a proxy has nothing to learn from failures alone")
    values = np.stack([np.asarray(columns[name], np.float64) for name in names], axis=1)[ok]
    _check_finite(names, values)
    merged, means, weights = _merge(simulator, designs[ok], values)
    if len(merged) < FEWEST:
        raise ProxyError(
            f"{len(ok)} trials hold {len(merged)} different designs that are OK (equivalent ones count once); "
            f"a proxy needs at least {FEWEST}. Give it more trials."
        )
    constant = [name for name, column in zip(names, means.T, strict=True) if np.ptp(column) == 0]
    if constant and metrics is not None:
        raise ProxyError(
            f"{', '.join(constant)}: the same value in all {ok.sum()} trials, so there is nothing to learn; leave it out"
        )
    kept = [i for i, name in enumerate(names) if name not in constant]
    if not kept:
        raise ProxyError(f"every metric ({', '.join(names)}) has the same value in all {ok.sum()} trials: nothing to learn")
    chosen = tuple(names[i] for i in kept)
    return TrainingSet(simulator, chosen, merged, means[:, kept], weights, len(ok), int((~ok).sum()))


def _read(data: Any) -> tuple[Simulator, Designs, Mapping[str, Any], NDArray[np.uint8]]:
    if isinstance(data, tuple):
        if len(data) != 3 or not isinstance(data[0], Simulator):
            raise ProxyError("a proxy learns from a Dataset or from (simulator, designs, metrics)")
        simulator, given, metrics = data
        designs = simulator.space.check(given, who=simulator.name)
        columns: Mapping[str, Any] = metrics.columns if isinstance(metrics, Metrics) else metrics
        status = metrics.status if isinstance(metrics, Metrics) else np.zeros(len(designs), np.uint8)
        for name, column in columns.items():
            if np.shape(column) != (len(designs),):
                raise ProxyError(f"{name}: expected {len(designs)} values, one per design, got shape {np.shape(column)}")
        if len(status) != len(designs):
            raise ProxyError(f"{len(designs)} designs go with as many rows of metrics, got {len(status)}")
        return simulator, designs, columns, status
    if not hasattr(data, "arrays") or not hasattr(data, "simulators"):
        raise ProxyError(f"a proxy learns from a Dataset or from (simulator, designs, metrics), got {type(data).__name__}")
    whole = data.select(fidelity="full")  # what a part of the workload costs is not what is to be predicted
    designs, columns, status, _ = whole.arrays()
    (simulator,) = whole.simulators()
    return simulator, designs, columns, status


def _goals(simulator: Simulator, columns: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(metric.name for metric in simulator.metrics if metric.goal != "info" and metric.name in columns)


def _check_finite(names: tuple[str, ...], values: NDArray[np.float64]) -> None:
    for name, column in zip(names, values.T, strict=True):
        bad = np.flatnonzero(~np.isfinite(column))
        if len(bad):
            raise ProxyError(f"{name}: {len(bad)} trials that are marked OK are not finite, the first is {column[bad[0]]}")


def _merge(
    simulator: Simulator, designs: Designs, values: NDArray[np.float64]
) -> tuple[Designs, NDArray[np.float64], NDArray[np.float64]]:
    canonical = simulator.canonical(designs)
    _, first, inverse = np.unique(canonical, axis=0, return_index=True, return_inverse=True)
    weights = np.bincount(inverse.reshape(-1), minlength=len(first)).astype(np.float64)
    sums = np.zeros((len(first), values.shape[1]))
    np.add.at(sums, inverse.reshape(-1), values)
    # A class that was tried once, or that always gave one value, keeps that value to the last bit.
    means = np.where(weights[:, None] > 1, sums / weights[:, None], values[first])
    equal = np.isclose(means, values[first], rtol=1e-12, atol=0)
    return canonical[first], np.where(equal, values[first], means), weights
