"""What a simulator returns: a struct of arrays, with a status for every design."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError, UnknownNameError


class Status(IntEnum):
    """What became of a design.  Everything but OK is told to the agent as a worst score, and costs budget."""

    OK = 0
    INVALID = 1  # breaks a stated rule; ``Metrics.violation`` says by how much
    FAILED = 2  # the simulator crashed or gave a non-finite value
    TIMEOUT = 3
    SUSPECT = 4  # outside the physical bounds that the simulator itself declares


@dataclass(frozen=True)
class Metric:
    """One number that a simulator yields per design.

    Attributes:
        name: carries the unit, for example ``latency_ns``.
        goal: "min" or "max" for what one optimises, "info" for what one looks at.
        bounds: physical limits at full fidelity, both included; a value outside makes the design SUSPECT.
        doc: one line.
    """

    name: str
    goal: Literal["min", "max", "info"] = "min"
    bounds: tuple[float, float] = (-math.inf, math.inf)
    doc: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ContractError(f"metric {self.name!r}: the name must be a Python identifier")
        if self.goal not in ("min", "max", "info"):
            raise ContractError(f"metric {self.name}: goal must be 'min', 'max' or 'info', got {self.goal!r}")
        if not self.bounds[0] <= self.bounds[1]:
            raise ContractError(f"metric {self.name}: bounds must be (low, high), got {self.bounds}")

    @property
    def worst(self) -> float:
        """The bound on the bad side, in the metric's own unit: no physical value is worse."""
        return self.bounds[0] if self.goal == "max" else self.bounds[1]

    def record(self) -> dict[str, Any]:
        """What the manifest stores."""
        bounds = [bound if math.isfinite(bound) else None for bound in self.bounds]
        return {"name": self.name, "goal": self.goal, "bounds": bounds, "doc": self.doc}


@dataclass
class Metrics:
    """Results of N designs.

    Attributes:
        columns: metric name -> (N,) float64; NaN where the status is not OK or SUSPECT.
        status: (N,) uint8, values of ``Status``.
        violation: (N,) float64, by how much an INVALID design breaks the rules, else zero.
        reasons: row -> why it is not OK.
    """

    columns: dict[str, NDArray[np.float64]]
    status: NDArray[np.uint8]
    violation: NDArray[np.float64]
    reasons: dict[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        if name not in self.columns:
            raise UnknownNameError("metric", name, self.columns)
        return self.columns[name]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """(N,) bool, where the status is OK."""
        return np.asarray(self.status == Status.OK)

    def take(self, rows: ArrayLike) -> Metrics:
        """The given rows, which may repeat, as new Metrics."""
        picked = np.arange(len(self))[np.asarray(rows)]
        reasons = {}
        if self.reasons:
            reasons = {new: self.reasons[int(old)] for new, old in enumerate(picked) if int(old) in self.reasons}
        columns = {name: values[picked] for name, values in self.columns.items()}
        return Metrics(columns, self.status[picked], self.violation[picked], reasons)

    def row(self, index: int) -> dict[str, float]:
        """Metrics of one design as plain floats."""
        return {name: float(values[index]) for name, values in self.columns.items()}

    @staticmethod
    def empty(names: Sequence[str], n: int = 0) -> Metrics:
        """``n`` designs about which nothing is known yet: NaN everywhere, status OK."""
        columns = dict(zip(names, np.full((len(names), n), np.nan), strict=True))
        return Metrics(columns, np.zeros(n, np.uint8), np.zeros(n))

    @staticmethod
    def concatenate(parts: Sequence[Metrics]) -> Metrics:
        """Rows of all parts one after the other; at least one part, all with the same metrics."""
        if len(parts) == 1:
            return parts[0]
        reasons: dict[int, str] = {}
        offset = 0
        for part in parts:
            reasons.update({offset + row: reason for row, reason in part.reasons.items()})
            offset += len(part)
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
        status = np.concatenate([part.status for part in parts])
        return Metrics(columns, status, np.concatenate([part.violation for part in parts]), reasons)


def mark_suspects(metrics: Metrics, declared: Mapping[str, Metric]) -> None:
    """Turns OK rows into FAILED where a value is not finite, else into SUSPECT where one is outside its metric's bounds."""
    lows = np.array([[declared[name].bounds[0]] for name in metrics.columns])
    highs = np.array([[declared[name].bounds[1]] for name in metrics.columns])
    table = np.array(list(metrics.columns.values()))
    sound = (np.isfinite(table) & (table >= lows) & (table <= highs)).all(axis=0)
    for row in np.flatnonzero(metrics.ok & ~sound):
        values = {name: float(column[row]) for name, column in metrics.columns.items()}
        strange = [name for name, value in values.items() if not math.isfinite(value)]
        if strange:
            metrics.status[row] = Status.FAILED
            metrics.reasons[int(row)] = f"{strange[0]} is not finite: {values[strange[0]]}"
            continue
        for name, value in values.items():
            low, high = declared[name].bounds
            if not low <= value <= high:
                metrics.status[row] = Status.SUSPECT
                metrics.reasons[int(row)] = f"{name} = {value:g} is outside its physical bounds [{low:g}, {high:g}]"
                break
    unpriced = (metrics.status != Status.OK) & (metrics.status != Status.SUSPECT)
    if not unpriced.any():
        return
    for column in metrics.columns.values():
        column[unpriced] = np.nan
