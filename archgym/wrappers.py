"""Simulators around simulators: same contract, one added behaviour each."""

from __future__ import annotations

import hashlib
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
    """Stands in for ``inner`` everywhere; a subclass overrides ``evaluate``."""

    def __init__(self, inner: Simulator) -> None:
        self.inner = inner
        self.name, self.version = inner.name, inner.version
        self.space, self.metrics = inner.space, inner.metrics
        self.workload, self.arguments = inner.workload, MappingProxyType(dict(inner.arguments))
        self.deterministic, self.fidelities = inner.deterministic, MappingProxyType(dict(inner.fidelities))

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

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        return self.inner.evaluate(self.space.encode(columns), fidelity)


class Cached(Wrapper):
    """Remembers every class of equivalent designs; only new ones reach the wrapped simulator.

    Attributes:
        hits: designs answered from memory, or equal to another one of the same batch.
        misses: designs that were simulated.
        limit: how many classes are remembered; when more come, memory starts anew.
    """

    def __init__(self, inner: Simulator, limit: int = 2_000_000) -> None:
        super().__init__(inner)
        self.limit = limit
        self.hits = self.misses = 0
        self._forget()

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator; errors too."""
        array = self.space.check(designs, who=self.name)
        if not self.deterministic or not len(array):
            return self.inner.evaluate(array, fidelity)
        keys = [(fidelity, rank) for rank in self.space.rank(self.inner.canonical(array)).tolist()]
        if len(self._rows) + len(keys) > self.limit:
            self._forget()
        first = {key: row for row, key in reversed(list(enumerate(keys))) if key not in self._rows}
        self.misses += len(first)
        self.hits += len(keys) - len(first)
        if first:
            self._remember(first, self.inner.evaluate(array[list(first.values())], fidelity))
        return self._recall([self._rows[key] for key in keys])

    def _forget(self) -> None:
        self._rows: dict[tuple[str, int], int] = {}
        self._table = np.empty((64, len(self.metrics) + 2))  # metrics, status, violation
        self._reasons: dict[int, str] = {}

    def _remember(self, first: dict[tuple[str, int], int], priced: Metrics) -> None:
        start, stop = len(self._rows), len(self._rows) + len(first)
        if stop > len(self._table):
            self._table = np.resize(self._table, (2 * stop, self._table.shape[1]))
        columns = [*priced.columns.values(), priced.status, priced.violation]
        self._table[start:stop] = np.stack([np.asarray(column, np.float64) for column in columns], axis=1)
        self._reasons.update({start + row: reason for row, reason in priced.reasons.items()})
        self._rows.update({key: start + row for row, key in enumerate(first)})

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
        for row, draw in enumerate(self._draws(array)):
            if draw >= self.share or not result.ok[row]:
                continue
            status = self.KINDS[int(draw / self.share * len(self.KINDS))]
            result.status[row] = status
            result.violation[row] = float(draw) if status == Status.INVALID else 0.0
            result.reasons[row] = f"spoilt on purpose: {status.name}"
            for values in result.columns.values():
                values[row] = np.nan
        return result

    def _draws(self, array: Designs) -> NDArray[np.float64]:
        seeds = [hashlib.sha256(row.tobytes() + str(self.salt).encode()).digest()[:8] for row in array]
        return np.array([int.from_bytes(seed, "big") / 2**64 for seed in seeds])
