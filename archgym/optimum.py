"""The true optimum: every class of equivalent designs of a space evaluated once, kept as a table.

From the table follow, for any objective: the optimum, the rank and quantile of any design, the regret of any run and the
Pareto front.  Tables are cached in the user's cache folder (``ARCHGYM_CACHE`` overrides it).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ArchGymError, LogError
from archgym.manifest import describe_simulator
from archgym.metrics import Metrics, Status
from archgym.objective import Objective, Scores
from archgym.pareto import non_dominated
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace

LARGEST = 500_000_000
"""Spaces with more designs are not enumerated."""

CANONICAL_BATCH = 1 << 20
EVALUATE_BATCHES = (2048, 65_536)
"""Classes evaluated at a time, at least and at most: a part of the work that an interruption loses."""
WRITE_BATCH = 1 << 20

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done and how much there is."""


class SpaceTooLargeError(ArchGymError, ValueError):
    """A space that cannot be enumerated; the message gives its size and how long it would take."""


@dataclass(frozen=True)
class Table:
    """Every class of equivalent designs of a space, evaluated.

    Attributes:
        space: the space.
        ranks: (K,) int64, rank of each class's representative, rising.
        counts: (K,) int64, designs in each class; they sum to the space's size.
        metrics: K rows.
    """

    space: DesignSpace
    ranks: NDArray[np.int64]
    counts: NDArray[np.int64]
    metrics: Metrics

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def designs(self) -> Designs:
        """The representatives, (K, D) int32."""
        return self.space.unrank(self.ranks)

    def rows(self, representatives: ArrayLike) -> NDArray[np.intp]:
        """Row of each canonical design, (N,).

        Raises:
            ArchGymError: a design that is not a representative of this table.
        """
        ranks = self.space.rank(representatives)
        rows = np.minimum(np.searchsorted(self.ranks, ranks), len(self) - 1)
        if (self.ranks[rows] != ranks).any():
            raise ArchGymError("a design is not in the table: the table belongs to another workload or simulator version")
        return rows

    def landscape(self, objective: Objective) -> Landscape:
        """The table seen through one objective."""
        return Landscape(self, objective.score(self.metrics))

    def front(self, objective: Objective) -> NDArray[np.intp]:
        """Rows that no other row dominates in the metrics that the objective uses, best first cost first."""
        costs = objective.costs(self.metrics)
        rows = np.flatnonzero(non_dominated(costs))
        return rows[np.argsort(costs[rows, 0], kind="stable")]


@dataclass(frozen=True)
class Landscape:
    """Scores of a whole space under one objective.

    Attributes:
        table: where they come from.
        scores: (K,) float64, larger is better.
    """

    table: Table
    scores: Scores

    @property
    def best_score(self) -> float:
        """Score of the optimum."""
        return float(self.scores.max())

    @property
    def best_rows(self) -> NDArray[np.intp]:
        """Rows of all optima, (B,)."""
        return np.flatnonzero(self.scores == self.best_score)

    @cached_property
    def _ordered(self) -> tuple[Scores, NDArray[np.int64]]:
        order = np.argsort(-self.scores, kind="stable")
        return -self.scores[order], np.concatenate([[0], np.cumsum(self.table.counts[order])])

    def better(self, scores: ArrayLike) -> NDArray[np.int64]:
        """How many designs of the space score strictly better than each given score."""
        falling, before = self._ordered
        return before[np.searchsorted(falling, -np.asarray(scores, np.float64), side="left")]

    def quantile(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Share of the space's designs that are strictly better; zero at the optimum."""
        return np.asarray(self.better(scores) / self.table.space.size)

    def regret(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Relative distance of each score's cost to the optimum's."""
        return relative_regret(np.asarray(scores, np.float64), self.best_score)


def relative_regret(scores: Scores, best: float) -> NDArray[np.float64]:
    """(cost - optimal cost) / |optimal cost|; the plain difference where the optimal cost is zero."""
    return np.asarray((best - scores) / (abs(best) or 1.0))


def enumerate_space(simulator: Simulator, folder: Path | None = None, progress: Progress | None = None) -> Table:
    """Evaluates every class of equivalent designs; goes on where an earlier call was interrupted.

    Args:
        simulator: any deterministic simulator.
        folder: for finished parts and the table; the user's cache by default.
        progress: told about each step.

    Raises:
        SpaceTooLargeError: more than ``LARGEST`` designs.
        ArchGymError: no design is OK.
        LogError: the folder cannot be written.
    """
    target = table_path(simulator) if folder is None else folder / f"{table_key(simulator)}.parquet"
    if target.exists():
        return load_table(simulator, target)
    _check_size(simulator)
    report = progress or (lambda what, done, total: None)
    ranks, counts = _classes(simulator, report)
    parts = target.with_suffix("")
    try:
        parts.mkdir(parents=True, exist_ok=True)
        metrics = Metrics.concatenate(list(_evaluate(simulator, ranks, parts, report)))
        table = Table(simulator.space, ranks, counts, metrics)
        if not metrics.ok.any():  # a broken simulator: nothing of it may stay in the cache
            shutil.rmtree(parts)
            raise _nothing_ok(simulator, table)
        _write(table, target, simulator)
        shutil.rmtree(parts)
    except OSError as error:
        raise LogError(f"cannot write the table {target}: {error.strerror or error}") from error
    return table


def find_table(simulator: Simulator) -> Table | None:
    """The cached table of a simulator, workload and space, or None if it has not been enumerated yet."""
    path = table_path(simulator)
    return load_table(simulator, path) if path.exists() else None


def load_table(simulator: Simulator, path: Path) -> Table:
    """Reads a table.

    Raises:
        LogError: the file is damaged, or belongs to another simulator, version, workload or space.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        content = parquet.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise LogError(f"{path} cannot be read as a table of optima: {error}. Delete it and run: archgym optimum") from error
    if json.loads((content.schema.metadata or {}).get(b"archgym", b"{}")) != _identity(simulator):
        raise LogError(f"{path} belongs to another simulator, version, workload or space than {simulator.name} as built here")
    columns = {name: content[name].to_numpy() for name in simulator.metric_names}
    metrics = Metrics(columns, content["status"].to_numpy().astype(np.uint8), content["violation"].to_numpy())
    return Table(simulator.space, content["rank"].to_numpy(), content["count"].to_numpy(), metrics)


def table_key(simulator: Simulator) -> str:
    """Names a table: simulator, version, workload and space, as far as they decide metrics."""
    digest = hashlib.sha256(json.dumps(_identity(simulator), sort_keys=True).encode()).hexdigest()
    return f"{simulator.name}-{simulator.workload}-{digest[:16]}"


def table_path(simulator: Simulator) -> Path:
    """Where the cache keeps the table of a simulator."""
    return cache_folder() / "optimum" / f"{table_key(simulator)}.parquet"


def cache_folder() -> Path:
    """The user's cache folder for archgym; ``ARCHGYM_CACHE`` overrides it."""
    if given := os.environ.get("ARCHGYM_CACHE"):
        return Path(given)
    from platformdirs import user_cache_path

    return user_cache_path("archgym")


def _identity(simulator: Simulator) -> dict[str, Any]:
    described = describe_simulator(simulator)
    return {**described["simulator"], "workload": described["workload"]["digest"], "space": simulator.space.digest}


def _check_size(simulator: Simulator) -> None:
    size = simulator.space.size
    if size <= LARGEST:
        return
    sample = simulator.space.sample(256, 0)
    simulator.evaluate(sample[:1])
    start = perf_counter()
    simulator.evaluate(sample)
    years = (perf_counter() - start) / len(sample) * size / 3.15e7
    raise SpaceTooLargeError(
        f"{simulator.name}: the space has {size:,} designs; enumerating is limited to {LARGEST:,}. "
        f"At the speed of this machine it would take about {years:,.3g} years. Take a smaller space, or search it."
    )


def _nothing_ok(simulator: Simulator, table: Table) -> ArchGymError:
    status = Status(int(table.metrics.status[0])).name
    reason = next(iter(simulator.evaluate(table.designs[:1]).reasons.values()), "no reason given")
    return ArchGymError(f"{simulator.name}: none of {len(table):,} classes of designs is OK; the first is {status}: {reason}")


def _classes(simulator: Simulator, report: Progress) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ranks of all representatives, rising, and how many designs each stands for."""
    size = simulator.space.size
    if not simulator.has_equivalents:
        report("classes", size, size)
        return np.arange(size), np.ones(size, np.int64)
    ranks, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for start in range(0, size, CANONICAL_BATCH):
        stop = min(start + CANONICAL_BATCH, size)
        batch = simulator.space.rank(simulator.canonical(simulator.space.unrank(np.arange(start, stop))))
        merged = np.concatenate([ranks, batch])
        weights = np.concatenate([counts, np.ones(len(batch), np.int64)])
        ranks, inverse = np.unique(merged, return_inverse=True)
        counts = np.bincount(inverse, weights=weights, minlength=len(ranks)).astype(np.int64)
        report("classes", stop, size)
    return ranks, counts


def _evaluate(simulator: Simulator, ranks: NDArray[np.int64], parts: Path, report: Progress) -> Iterator[Metrics]:
    smallest, largest = EVALUATE_BATCHES
    batch = min(max(smallest, len(ranks) // 128), largest)
    for start in range(0, len(ranks), batch):
        stop = min(start + batch, len(ranks))
        part = parts / f"{start}.npy"
        if part.exists():
            values = np.load(part, allow_pickle=False)
        else:
            priced = simulator.evaluate(simulator.space.unrank(ranks[start:stop]))
            values = np.stack([*priced.columns.values(), priced.status, priced.violation])
            temporary = part.with_suffix(".tmp")
            with temporary.open("wb") as file:
                np.save(file, values, allow_pickle=False)
            os.replace(temporary, part)
        columns = dict(zip(simulator.metric_names, values[:-2], strict=True))
        yield Metrics(columns, values[-2].astype(np.uint8), values[-1])
        report("designs", stop, len(ranks))


def _write(table: Table, target: Path, simulator: Simulator) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    temporary = target.with_suffix(".tmp")
    identity = {"archgym": json.dumps(_identity(simulator))}
    pieces = (_columns(table, slice(at, at + WRITE_BATCH)) for at in range(0, len(table), WRITE_BATCH))
    tables = (pa.table(piece).replace_schema_metadata(identity) for piece in pieces)
    first = next(tables)
    with parquet.ParquetWriter(temporary, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for piece in tables:
            writer.write_table(piece)
    os.replace(temporary, target)


def _columns(table: Table, rows: slice) -> dict[str, Any]:
    """Some rows of a table as columns of the file; all at once, decoded designs of a large space would not fit in memory."""
    return {
        "rank": table.ranks[rows],
        "count": table.counts[rows],
        **table.space.decode(table.space.unrank(table.ranks[rows])),
        **{name: values[rows] for name, values in table.metrics.columns.items()},
        "status": table.metrics.status[rows],
        "violation": table.metrics.violation[rows],
    }
