"""Simulators around simulators: same contract, one added behaviour each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError
from archgym.explanation import Explanation
from archgym.metrics import Metrics, Status
from archgym.simulator import Simulator
from archgym.space import Columns, Designs


class Wrapper(Simulator):
    """Stands in for ``inner`` everywhere; a subclass overrides ``evaluate``, and ``__reduce__`` if it has arguments."""

    def __init__(self, inner: Simulator) -> None:
        self.inner = inner
        self.name, self.version = inner.name, inner.version
        self.space, self.metrics = inner.space, inner.metrics
        self.workload, self.arguments = inner.workload, MappingProxyType(dict(inner.arguments))
        self.summaries = inner.summaries
        self.deterministic, self.fidelities = inner.deterministic, MappingProxyType(dict(inner.fidelities))
        # A cache is asked by one thread only: what stands around one has one lane.
        self.lanes, self.in_order = 1 if isinstance(inner, Cached) else inner.lanes, inner.in_order

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner,)

    @property
    def workload_digest(self) -> str:
        """That of the wrapped simulator."""
        return self.inner.workload_digest

    def canonical(self, designs: ArrayLike) -> Designs:
        """As the wrapped simulator."""
        return self.inner.canonical(designs)

    def explain(self, design: ArrayLike) -> Explanation:
        """As the wrapped simulator."""
        return self.inner.explain(design)

    def close(self) -> None:
        """As the wrapped simulator."""
        self.inner.close()

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator."""
        return self.inner.evaluate(designs, fidelity)

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]] | Metrics:
        return self.inner._evaluate(columns, fidelity)

    def _evaluate_levels(self, designs: Designs, fidelity: str) -> Mapping[str, NDArray[Any]] | Metrics:
        return self.inner._evaluate_levels(designs, fidelity)


class Cached(Wrapper):
    """Remembers every class of equivalent designs; only new ones reach the wrapped simulator.

    Attributes:
        hits: designs answered from memory, or equal to another one of the same batch.
        misses: designs that were simulated.
        limit: how many classes are remembered; when a batch brings more, memory starts anew with that batch.
    """

    def __init__(self, inner: Simulator, limit: int = 2_000_000) -> None:
        super().__init__(inner)
        self.limit = limit
        self.hits = self.misses = 0
        self._forget()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner, self.limit)

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator; errors too."""
        array = self.space.check(designs, who=self.name)
        if not self.deterministic or not len(array):
            return self.inner.evaluate(array, fidelity)
        keys = self.space.rank(self.inner.canonical(array)).tolist()
        new = self._new(keys, fidelity)
        if self._count + len(new) > self.limit:
            self._forget()
            new = self._new(keys, fidelity)
        self.misses += len(new)
        self.hits += len(keys) - len(new)
        if new:
            self._remember(new, self.inner.evaluate(array[list(new.values())], fidelity), fidelity)
        known = self._rows[fidelity]
        return self._recall([known[key] for key in keys])

    def recall(self, key: int, fidelity: str) -> Metrics | None:
        """What is remembered of a design, one row, or None.

        Args:
            key: rank of its canonical representative.
            fidelity: of the evaluation.
        """
        row = self._rows.get(fidelity, {}).get(key)
        if row is None:
            return None
        self.hits += 1
        return self._recall([row])

    def learn(self, key: int, priced: Metrics, fidelity: str) -> None:
        """Takes note of a design that was simulated elsewhere: ``key`` as in ``recall``, ``priced`` one row."""
        if self._count + 1 > self.limit:
            self._forget()
        self.misses += 1
        self._remember({key: 0}, priced, fidelity)

    def _new(self, keys: list[int], fidelity: str) -> dict[int, int]:
        # Rank -> the first row of the batch that has it, for ranks that are not in memory.
        known = self._rows.get(fidelity, {})
        new: dict[int, int] = {}
        for row, key in enumerate(keys):
            if key not in known:
                new.setdefault(key, row)
        return new

    def _forget(self) -> None:
        self._count = 0
        self._rows: dict[str, dict[int, int]] = {}  # fidelity -> rank -> row of the table
        self._table = np.empty((64, len(self.metrics) + 2))  # metrics, status, violation
        self._reasons: dict[int, str] = {}

    def _remember(self, new: dict[int, int], priced: Metrics, fidelity: str) -> None:
        start, stop = self._count, self._count + len(new)
        if stop > len(self._table):
            self._table = np.resize(self._table, (2 * stop, self._table.shape[1]))
        columns = [*priced.columns.values(), priced.status, priced.violation]
        self._table[start:stop] = np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
        self._reasons.update({start + row: reason for row, reason in priced.reasons.items()})
        self._rows.setdefault(fidelity, {}).update(zip(new, range(start, stop), strict=True))
        self._count = stop

    def _recall(self, rows: list[int]) -> Metrics:
        found = self._table[rows]
        reasons = {row: self._reasons[key] for row, key in enumerate(rows) if key in self._reasons} if self._reasons else {}
        columns = {name: found[:, i].copy() for i, name in enumerate(self.metric_names)}
        return Metrics(columns, found[:, -2].astype(np.uint8), found[:, -1].copy(), reasons)


class Faulty(Wrapper):
    """Spoils a fixed share of designs, always the same ones: a test of everything that has to live with bad designs.

    Which design fails, and how, follows from a hash of its levels and ``salt``; neighbours stay untouched.
    """

    KINDS = (Status.FAILED, Status.TIMEOUT, Status.SUSPECT, Status.INVALID)

    def __init__(self, inner: Simulator, share: float = 0.1, salt: int = 0) -> None:
        super().__init__(inner)
        if not 0 <= share <= 1:
            raise ContractError(f"Faulty: share must be from 0 to 1, got {share}")
        self.share, self.salt = share, salt

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner, self.share, self.salt)

    def canonical(self, designs: ArrayLike) -> Designs:
        """The identity: of two equivalent designs one may be spoilt."""
        return self.space.check(designs, who=self.name)

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator, with some rows spoilt."""
        array = self.space.check(designs, who=self.name)
        result = self.inner.evaluate(array, fidelity)
        draws = self._draws(array)
        for row in np.flatnonzero(result.ok & (draws < self.share)).tolist():
            draw = float(draws[row])
            status = self.KINDS[int(draw / self.share * len(self.KINDS))]
            result.status[row] = status
            result.violation[row] = 1.0 + draw if status == Status.INVALID else 0.0
            result.reasons[row] = f"spoilt on purpose: {status.name}"
            if status != Status.SUSPECT:  # a suspect design has been priced, only not plausibly
                for values in result.columns.values():
                    values[row] = np.nan
        return result

    def _draws(self, array: Designs) -> NDArray[np.float64]:
        seeds = [hashlib.sha256(row.tobytes() + str(self.salt).encode()).digest()[:8] for row in array]
        return np.array([int.from_bytes(seed, "big") / 2**64 for seed in seeds])
