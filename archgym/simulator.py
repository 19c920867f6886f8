"""The simulator contract: designs in, metrics out, and never an exception for one bad design."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ContractError, UnknownNameError
from archgym.explanation import Explanation
from archgym.metrics import Metric, Metrics, Status, mark_suspects
from archgym.space import Columns, Designs, DesignSpace


class InvalidDesign(Exception):
    """Raised by a hook: this design breaks a rule, by ``violation`` > 0."""

    def __init__(self, reason: str, violation: float = 1.0) -> None:
        super().__init__(reason)
        self.violation = violation


class Simulator(ABC):
    """Prices batches of designs.  A subclass sets the attributes below and writes ``_evaluate``.

    Attributes:
        name: one word, the entry point's name.
        version: bumped whenever a metric of any design moves.
        space: what can be designed.
        metrics: what is measured.
        workload: name of what runs on the design.
        arguments: JSON-able keyword arguments that rebuild this simulator; stored in every manifest.
        deterministic: whether equal designs always give equal metrics.
        fidelities: fidelity name -> cost of one evaluation in budget units; "full" costs 1.
        summaries: a JSON file of known optima that ships with the simulator (``archgym.standing``), or None.
        lanes: how many designs may be evaluated at once.  Above one it promises that ``evaluate`` may be called by so many
            threads at a time, one design each; meant for evaluations that run elsewhere and take milliseconds to hours.
        in_order: with several lanes, whether agents are told results in the order in which they proposed the designs, so
            that a run does not depend on how long each takes.  If not, agents that can (``Agent.asynchronous``) are told as
            designs finish.
    """

    name: str
    version: str
    space: DesignSpace
    metrics: tuple[Metric, ...]
    workload: str = ""
    arguments: Mapping[str, Any] = MappingProxyType({})
    deterministic: bool = True
    fidelities: Mapping[str, float] = MappingProxyType({"full": 1.0})
    summaries: Path | None = None
    lanes: int = 1
    in_order: bool = True

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the workloads that come with the simulator."""
        return ()

    @abstractmethod
    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]] | Metrics:
        """Prices designs that passed the screen.

        Args:
            columns: parameter name -> (N,) decoded values, N >= 1.
            fidelity: a key of ``fidelities``.

        Returns:
            metric name -> (N,) numbers, every declared metric.  A non-finite value marks its design FAILED.  A simulator that
            finds out only here that designs are INVALID returns a ``Metrics`` with statuses, violations and reasons.
        """

    def _evaluate_levels(self, designs: Designs, fidelity: str) -> Mapping[str, NDArray[Any]] | Metrics:
        """Prices designs given as levels, (N, D) int32: a simulator whose kernels read levels overrides this one too."""
        return self._evaluate(self.space.decode(designs), fidelity)

    def canonical(self, designs: ArrayLike) -> Designs:
        """Maps designs that cannot differ on this workload onto one representative; the identity by default."""
        return self.space.check(designs, who=self.name)

    @property
    def has_equivalents(self) -> bool:
        """Whether ``canonical`` may map any design to another one."""
        return type(self).canonical is not Simulator.canonical

    def explain(self, design: ArrayLike) -> Explanation:
        """Where time and energy of one design go.

        Raises:
            ContractError: the simulator does not explain its designs.
        """
        raise ContractError(f"{self.name}: this simulator does not explain its designs")

    def close(self) -> None:  # noqa: B027 - most simulators hold nothing
        """Lets go of what evaluations hold: processes, connections; by default nothing.

        Called when a run ends, however it ends.  Evaluations that are under way in other threads then end soon and begin
        nothing anew; what they return is not used.  The simulator may be evaluated again afterwards.
        """

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Names of all metrics, in declaration order."""
        return tuple(metric.name for metric in self.metrics)

    def metric(self, name: str) -> Metric:
        """The declaration of a metric.

        Raises:
            UnknownNameError: the simulator has no such metric.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise UnknownNameError("metric", name, self.metric_names, owner=self.name)

    @property
    def workload_digest(self) -> str:
        """Hash of what the workload contains; simulators whose workload is a file or is generated override it."""
        return hashlib.sha256(json.dumps([self.name, self.workload]).encode()).hexdigest()

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """Prices designs.

        Equivalent designs (same ``canonical`` representative) are simulated once.

        Args:
            designs: (N, D) integer level indices; N may be zero.
            fidelity: a key of ``fidelities``.

        Returns:
            Metrics of N rows.  Bad designs are rows with a status and a reason.

        Raises:
            DesignError: the array itself is wrong (shape, type, range).
            UnknownNameError: no such fidelity.
            ContractError: the subclass returned something else than it declared.
        """
        array = self.space.check(designs, who=self.name)
        if fidelity not in self.fidelities:
            raise UnknownNameError("fidelity", fidelity, self.fidelities, owner=self.name)
        columns = self.space.decode(array) if self.space.constraints and len(array) else None
        result = self._screen(array, columns)
        valid = np.flatnonzero(result.ok)
        if len(valid) == 0:
            return result
        everything = len(valid) == len(array)
        rows, inverse = self._distinct(array if everything else array[valid])
        if everything and inverse is None:
            return self._price(rows, fidelity, None if self.has_equivalents else columns)
        priced = self._price(rows, fidelity)
        _scatter(result, valid, priced if inverse is None else priced.take(inverse))
        return result

    def _screen(self, array: Designs, columns: Columns | None) -> Metrics:
        result = Metrics.empty(self.metric_names, len(array))
        if columns is not None:
            result.violation = self.space.excess(columns, len(array))
            broken = np.flatnonzero(result.violation > 0)
            if len(broken):
                result.status[broken] = Status.INVALID
                for row, reason in zip(broken, self.space.broken_rules(array[broken]), strict=True):
                    result.reasons[int(row)] = reason
        return result

    def _distinct(self, array: Designs) -> tuple[Designs, NDArray[np.intp] | None]:
        """Designs to simulate, and for each given one its row among them; None if they are the given ones, in order."""
        if not self.has_equivalents or not self.deterministic:
            return array, None
        representatives = self.canonical(array)
        if len(array) == 1:
            return representatives, None
        _, first, inverse = np.unique(self._keys(representatives), return_index=True, return_inverse=True)
        return representatives[first], inverse

    def _keys(self, designs: Designs) -> NDArray[Any]:
        """One sortable key per design: its rank, or its bytes where ranks are longer than a machine word."""
        if self.space.size < 2**63:
            return self.space.rank(designs)
        rows = np.ascontiguousarray(designs.astype(np.min_scalar_type(int(self.space.nvec.max()))))
        return rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).reshape(-1)

    def _price(self, designs: Designs, fidelity: str, columns: Columns | None = None) -> Metrics:
        """Runs the hook; where it raises, runs it design by design, so that one design cannot take its neighbours along."""
        try:
            returned = self._evaluate_levels(designs, fidelity) if columns is None else self._evaluate(columns, fidelity)
            return self._collect(returned, len(designs), fidelity)
        except (ContractError, KeyboardInterrupt):
            raise
        except Exception as error:
            if len(designs) > 1:
                return Metrics.concatenate([self._price(designs[i : i + 1], fidelity) for i in range(len(designs))])
            return self._failed(error)

    def _failed(self, error: Exception) -> Metrics:
        failed = Metrics.empty(self.metric_names, 1)
        failed.reasons[0] = f"{type(error).__name__}: {error}"
        if isinstance(error, InvalidDesign):
            failed.status[0], failed.violation[0], failed.reasons[0] = Status.INVALID, error.violation, str(error)
        else:
            failed.status[0] = Status.TIMEOUT if isinstance(error, TimeoutError) else Status.FAILED
        return failed

    def _collect(self, returned: Mapping[str, NDArray[Any]] | Metrics, n: int, fidelity: str) -> Metrics:
        result = Metrics.empty(self.metric_names, n)
        columns: Mapping[str, NDArray[Any]]
        if isinstance(returned, Metrics):
            if len(returned) != n or len(returned.violation) != n:
                raise ContractError(f"{self.name}: _evaluate must return Metrics of {n} rows, got {len(returned)}")
            columns = returned.columns
            result.status[:], result.violation[:] = returned.status, returned.violation
            result.reasons = dict(returned.reasons)
        elif isinstance(returned, Mapping):
            columns = returned
        else:
            raise ContractError(f"{self.name}: _evaluate must return a mapping or Metrics, got {type(returned).__name__}")
        missing = [name for name in self.metric_names if name not in columns]
        if missing:
            raise ContractError(f"{self.name}: _evaluate must return every declared metric; missing: {', '.join(missing)}")
        for name in self.metric_names:
            values = np.asarray(columns[name], np.float64)
            if values.shape != (n,):
                raise ContractError(f"{self.name}: metric {name} must have shape ({n},), got {values.shape}")
            result.columns[name][:] = values
        # Bounds are those of full fidelity: a part of a workload may well take less than the whole can.
        bounded = fidelity == "full"
        mark_suspects(result, {metric.name: metric if bounded else Metric(metric.name) for metric in self.metrics})
        return result


class PointSimulator(Simulator):
    """A simulator that prices one design at a time; a subclass writes ``_evaluate_point``."""

    @abstractmethod
    def _evaluate_point(self, design: dict[str, Any], fidelity: str) -> Mapping[str, float]:
        """Prices one design given as name -> value.

        Raises:
            InvalidDesign: the design breaks a rule that shows only while it is being priced.
            TimeoutError: pricing took too long.
            Exception: anything else marks the design FAILED, with the exception's text as the reason.
        """

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        n = len(next(iter(columns.values())))
        designs = ({name: values[i].item() for name, values in columns.items()} for i in range(n))
        return Metrics.concatenate([self._price_point(design, fidelity) for design in designs])

    def _price_point(self, design: dict[str, Any], fidelity: str) -> Metrics:
        # Each design on its own: one that fails must not make its neighbours, which may be slow, run again.
        try:
            point = self._evaluate_point(design, fidelity)
            return self._collect({name: np.array([value]) for name, value in point.items()}, 1, fidelity)
        except ContractError:
            raise
        except Exception as error:
            return self._failed(error)


def _scatter(result: Metrics, rows: NDArray[np.intp], priced: Metrics) -> None:
    result.status[rows] = priced.status
    result.violation[rows] = priced.violation
    for name, values in priced.columns.items():
        result.columns[name][rows] = values
    for source, reason in priced.reasons.items():
        result.reasons[int(rows[source])] = reason
