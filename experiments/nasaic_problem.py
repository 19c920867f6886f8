"""What the NASAIC study searches: the ASIC simulator, whole or with parts of it held, and a record of what was tried."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

import archgym
from archgym import Columns, Constraint, Designs, DesignSpace, Metrics, Simulator
from archgym.wrappers import Cached, Wrapper

SPECS = ("latency_cycles", "energy_nj", "area_um2")


@dataclass(frozen=True)
class Problem:
    """A workload with a kind of accuracy.

    Attributes:
        workload: W1, W2, W3 or W2-wide.
        accuracy: "surrogate" or "trained".
        arguments: others of the simulator, for example ``latency_spec``.
    """

    workload: str
    accuracy: str = "surrogate"
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def simulator(self, **changed: Any) -> Simulator:
        """The ASIC simulator; ``changed`` overrides its arguments."""
        arguments = {"workload": self.workload, "accuracy": self.accuracy, **self.arguments, **changed}
        return archgym.make_simulator("asic", **arguments)


@dataclass
class Phase:
    """What one part of a method tried, in order, in the whole space.

    Attributes:
        space: the whole space.
        designs: (N, D) levels.
        metrics: N rows.
        answers: whether the method's answer may be among them.
        rated: whether accuracies were asked for.
        agent_seconds: between evaluations.
        simulator_seconds: within the simulator.
    """

    space: DesignSpace
    designs: Designs
    metrics: Metrics
    answers: bool = True
    rated: bool = True
    agent_seconds: float = 0.0
    simulator_seconds: float = 0.0

    def best(self) -> int:
        """Row of the first design with the largest accuracy among those that meet the specs; if none, the least penalty."""
        return int(np.argmax(reward(self.metrics)))


def reward(metrics: Metrics) -> NDArray[np.float64]:
    """Accuracy where the specs are met, else minus the penalty; minus infinity where a design is not OK."""
    met = metrics["specs_met"] == 1
    return np.where(metrics.ok, np.where(met, metrics["accuracy"], -metrics["penalty"]), -np.inf)


def networks_of(space: DesignSpace) -> list[str]:
    """Names of the parameters that make up networks."""
    return [parameter.name for parameter in space.parameters if parameter.group.startswith("network")]


def units_of(space: DesignSpace) -> list[str]:
    """Names of the parameters that make up hardware."""
    return [parameter.name for parameter in space.parameters if not parameter.group.startswith("network")]


class _Whole(Mapping[str, NDArray[Any]]):
    """Columns of the whole space as constraints see them: free ones, copies of free ones, fixed values."""

    def __init__(self, columns: Columns, fixed: Mapping[str, Any], tied: Mapping[str, str]) -> None:
        self._columns, self._fixed, self._tied = columns, fixed, tied

    def __getitem__(self, name: str) -> NDArray[Any]:
        return np.asarray(self._fixed[name]) if name in self._fixed else self._columns[self._tied.get(name, name)]

    def __iter__(self) -> Iterator[str]:
        return iter([*self._columns, *self._fixed, *self._tied])

    def __len__(self) -> int:
        return len(self._columns) + len(self._fixed) + len(self._tied)


def _amount(columns: Columns, rule: Constraint, fixed: Mapping[str, Any], tied: Mapping[str, str]) -> NDArray[np.float64]:
    return rule.amount(cast(Columns, _Whole(columns, fixed, tied)))


class Restricted(Wrapper):
    """A simulator some of whose parameters are fixed, or follow another one.

    Constraints stay as long as some hardware is free: those of this simulator look at hardware only.

    Args:
        inner: the simulator.
        fixed: parameter -> its value.
        tied: parameter -> the free parameter whose value it takes.
    """

    def __init__(self, inner: Simulator, fixed: Mapping[str, Any], tied: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(inner)
        self._fixed, self._tied = dict(fixed), dict(tied)
        self._start = inner.space.encode(self._fixed)
        held = {*self._fixed, *self._tied}
        self._free = [column for column, name in enumerate(inner.space.names) if name not in held]
        free = tuple(inner.space.parameters[column] for column in self._free)
        rules = tuple(
            Constraint(rule.name, partial(_amount, rule=rule, fixed=self._fixed, tied=self._tied), rule.doc)
            for rule in inner.space.constraints
        )
        self.space = DesignSpace(free, name=f"{inner.space.name}-restricted")
        if units_of(self.space):
            self.space = DesignSpace(free, rules, name=self.space.name)
        self.arguments = MappingProxyType({**inner.arguments, "fixed": self._fixed, "tied": self._tied})

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner, self._fixed, self._tied)

    def whole(self, designs: ArrayLike) -> Designs:
        """Designs of the restricted space in the whole one."""
        array = self.space.check(designs, who=self.name)
        result = np.repeat(self._start, len(array), axis=0)
        result[:, self._free] = array
        for name, source in self._tied.items():
            values = self.inner.space.decode(result)[source]
            result[:, self.inner.space.index(name)] = self.inner.space.encode({name: values})[:, self.inner.space.index(name)]
        return result

    def canonical(self, designs: ArrayLike) -> Designs:
        """As the wrapped simulator."""
        return self.inner.canonical(self.whole(designs))[:, self._free]

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator."""
        return self.inner.evaluate(self.whole(designs), fidelity)


class Recorder(Wrapper):
    """Remembers what was evaluated, in order and in canonical form; equal designs are simulated once."""

    def __init__(self, inner: Simulator) -> None:
        super().__init__(Cached(inner))
        self._designs: list[Designs] = []
        self._metrics: list[Metrics] = []

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator."""
        metrics = self.inner.evaluate(designs, fidelity)
        self._designs.append(self.canonical(designs))
        self._metrics.append(metrics)
        return metrics

    def phase(self, **remarks: Any) -> Phase:
        """All that was evaluated so far."""
        return Phase(self.space, np.concatenate(self._designs), Metrics.concatenate(self._metrics), **remarks)


def specs_of(problem: Problem) -> dict[str, float]:
    """Spec of each limited metric."""
    limits = problem.simulator(accuracy="surrogate").problem.limits  # type: ignore[attr-defined]
    return {name: limits[name].spec for name in SPECS}
