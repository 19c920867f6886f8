"""The synthetic simulator: one class, several landscapes, each a formula over levels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Constraint, Designs, DesignSpace, Metric, Parameter, Simulator
from archgym.errors import ArgumentError, ContractError, UnknownNameError

LANDSCAPES = {
    "sphere": "separable and smooth: squared distance to the target design",
    "ruggedness": "separable with a penalty on odd distances: neighbours mislead",
    "interaction": "pairs of neighbouring parameters must agree as well as be right",
    "needle": "flat everywhere except at the target design",
    "constrained": "sphere, where designs whose levels sum to more than half of the maximum are INVALID",
}


class Synthetic(Simulator):
    """A made-up design problem with a known optimum.

    Description:
        D parameters ``x0``, ``x1``, ... of L levels each (the last third are categories, without order).  ``distance`` is
        least at one target design drawn from ``seed``; ``area`` grows with the levels, so that (distance, area) has a front.

    Workloads:
        The landscapes: sphere, ruggedness, interaction, needle, constrained.

    Validity:
        Under ``constrained`` a design whose levels sum to more than half of the possible sum is INVALID; the violation is the
        excess.  Nothing fails.
    """

    name = "synthetic"
    version = "1"
    metrics = (
        Metric("distance", "min", (0.0, 1e6), "distance to the target, zero at the optimum"),
        Metric("area", "min", (0.0, 1e6), "sum of the levels"),
    )
    fidelities = MappingProxyType({"full": 1.0, "coarse": 0.1})

    def __init__(self, workload: str = "sphere", parameters: int = 8, levels: int = 6, seed: int = 0) -> None:
        if workload not in LANDSCAPES:
            raise UnknownNameError("workload", workload, LANDSCAPES, owner=self.name)
        for argument, value in (("parameters", parameters), ("levels", levels)):
            if not isinstance(value, int) or value < 1:
                raise ArgumentError(f"{self.name}: {argument} must be a whole number from 1, got {value!r}")
        self.workload = workload
        self.arguments = MappingProxyType(
            {"workload": workload, "parameters": parameters, "levels": levels, "seed": seed},
        )
        ordered = parameters - parameters // 3
        declared = tuple(
            Parameter(f"x{i}", tuple(range(levels)), ordered=i < ordered, group="sizes" if i < ordered else "kinds")
            for i in range(parameters)
        )
        most = partial(_excess, limit=parameters * (levels - 1) / 2)
        rules = (Constraint("budget", most, "levels must not sum to more than half of the maximum"),)
        self.space = DesignSpace(declared, rules if workload == "constrained" else (), name=f"synthetic-{parameters}x{levels}")
        self._target = self._draw_target(np.random.default_rng(seed), parameters, levels)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """The landscapes."""
        return tuple(LANDSCAPES)

    @property
    def optimum(self) -> Designs:
        """The only design with distance zero, (1, D)."""
        return self._target[None, :]

    def front(self) -> NDArray[np.float64]:
        """The true (distance, area) front of a sphere, constrained or not, (K, 2), least distance first.

        Both are sums over parameters, so the least distance for every area follows by dynamic programming over parameters.
        What is on the front has no larger area than the target, so that the constraint never cuts it.

        Raises:
            ContractError: another landscape, whose distance is no such sum.
        """
        if self.workload not in ("sphere", "constrained"):
            raise ContractError(f"{self.name}: the front is known for sphere, constrained; not for {self.workload}")
        best = np.array([0.0])
        for index, target in enumerate(self._target):
            choices = self._distance(np.arange(len(self.space.parameters[index].values)), int(target), index)
            grown = np.full(len(best) + len(choices) - 1, np.inf)
            for level, cost in enumerate(choices):
                grown[level : level + len(best)] = np.minimum(grown[level : level + len(best)], best + cost)
            best = grown
        least = np.minimum.accumulate(np.append(np.inf, best[:-1]))
        areas = np.flatnonzero(best < least)
        return np.stack([best[areas], areas.astype(np.float64)], axis=1)[::-1]

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[np.float64]]:
        levels = np.stack(list(columns.values()), axis=1)
        distances = np.stack([self._distance(levels[:, i], int(t), i) for i, t in enumerate(self._target)], axis=1)
        cost = distances.sum(axis=1)
        if self.workload == "ruggedness":
            cost = cost + 3.0 * (np.abs(levels - self._target) % 2).sum(axis=1)
        elif self.workload == "interaction":
            wrong = levels != self._target
            cost = cost + 4.0 * (wrong[:, :-1] ^ wrong[:, 1:]).sum(axis=1)
        elif self.workload == "needle":
            cost = np.where(cost > 0, 1.0, 0.0)
        if fidelity == "coarse":
            cost = np.round(cost / 4) * 4
        return {"distance": cost.astype(np.float64), "area": levels.sum(axis=1).astype(np.float64)}

    def _distance(self, levels: NDArray[Any], target: int, index: int) -> NDArray[np.float64]:
        if self.space.parameters[index].ordered:
            return np.asarray((levels - target) ** 2, np.float64)
        return np.where(levels == target, 0.0, 4.0)

    def _draw_target(self, rng: np.random.Generator, parameters: int, levels: int) -> NDArray[np.int32]:
        target = rng.integers(0, levels, parameters).astype(np.int32)
        if self.workload == "constrained":
            target = np.minimum(target, (levels - 1) // 2).astype(np.int32)
        return target


def _excess(columns: Columns, limit: float) -> NDArray[np.float64]:
    return np.stack(list(columns.values()), axis=1).sum(axis=1) - limit


def _rebuild(arguments: dict[str, Any]) -> Synthetic:
    return Synthetic(**arguments)
