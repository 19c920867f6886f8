"""The heterogeneous assignment problem solved exactly, with OR-tools' CP-SAT: to check the heuristic and final designs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArchGymError, MissingExtraError

Ints = NDArray[np.int64]


def exact(latency: Ints, energy: Ints, first: Ints, limit: int) -> tuple[Ints, Ints]:
    """Finds the mapping of least energy within a limit, and of those the one with the least makespan.

    Where no schedule meets the limit, the limit becomes the least makespan there is.

    Args:
        latency: ``(L, k)`` cycles.
        energy: ``(L, k)`` integers.
        first: ``(m + 1,)``, network ``c`` has the layers ``first[c]`` to ``first[c + 1] - 1``.
        limit: on the makespan, in cycles.

    Returns:
        ``(L,)`` units and ``(L,)`` starts.

    Raises:
        MissingExtraError: OR-tools is not installed.
        ArchGymError: the solver gave up.
    """
    problem = _Problem(latency, energy, first)
    if limit >= 0 and problem.solve("energy", makespan=limit):
        problem.solve("makespan", makespan=limit, energy=problem.energy)
    else:
        problem.solve("makespan")
        problem.solve("energy", makespan=problem.makespan)
    return problem.mapping, _packed(latency, first, problem.mapping, problem.start)


class _Problem:
    """One case, solved several times under different limits.

    Attributes:
        mapping: ``(L,)`` of the last solution, as are the following.
        start: ``(L,)``.
        makespan: in cycles.
        energy: total.
    """

    def __init__(self, latency: Ints, energy: Ints, first: Ints) -> None:
        try:
            from ortools.sat.python import cp_model
        except ImportError as error:
            raise MissingExtraError("asic: the exact solver", "ortools", "asic") from error
        self.cp_model = cp_model
        self.tables = latency, energy, first
        self.mapping = self.start = np.zeros(len(latency), np.int64)
        self.makespan = self.energy = 0

    def solve(self, least: str, makespan: int | None = None, energy: int | None = None) -> bool:
        """Minimises ``energy`` or ``makespan`` under limits on both; False where nothing meets them."""
        horizon = int(self.tables[0].max(axis=1).sum())
        if makespan is not None:
            horizon = min(horizon, makespan)
        model = self.cp_model.CpModel()
        chosen, starts = self._layers(model, horizon)
        goal = self._makespan(model, starts, chosen, horizon) if least == "makespan" else self._spent(chosen)
        if energy is not None:
            model.add(self._spent(chosen) <= energy)
        model.minimize(goal)
        solver = self.cp_model.CpSolver()
        solver.parameters.num_workers = 1  # one worker with a fixed seed: the same result every time
        solver.parameters.random_seed = 0
        status = solver.solve(model)
        if status == self.cp_model.INFEASIBLE:
            return False
        if status != self.cp_model.OPTIMAL:
            raise ArchGymError(f"asic: the exact solver gave up with status {solver.status_name(status)}")
        self._read(solver, chosen, starts)
        return True

    def _layers(self, model: Any, horizon: int) -> tuple[list[list[Any]], list[Any]]:
        """Adds the layers to a model: which unit runs each, when it starts, and what keeps them apart."""
        latency, _, first = self.tables
        layers, units = latency.shape
        chosen = [[model.new_bool_var("") for _ in range(units)] for _ in range(layers)]
        starts = [model.new_int_var(0, horizon, "") for _ in range(layers)]
        ends = [model.new_int_var(0, horizon, "") for _ in range(layers)]
        runs: list[list[Any]] = [[] for _ in range(units)]
        for layer in range(layers):
            model.add_exactly_one(chosen[layer])
            for unit in range(units):
                cycles = int(latency[layer, unit])
                run = model.new_optional_interval_var(starts[layer], cycles, ends[layer], chosen[layer][unit], "")
                runs[unit].append(run)
        for unit in range(units):
            model.add_no_overlap(runs[unit])
        heads = set(first.tolist())
        for layer in range(1, layers):
            if layer not in heads:
                model.add(starts[layer] >= ends[layer - 1])
        return chosen, starts

    def _makespan(self, model: Any, starts: list[Any], chosen: list[list[Any]], horizon: int) -> Any:
        latency, _, first = self.tables
        makespan = model.new_int_var(0, horizon, "")
        for last in (first[1:] - 1).tolist():
            cycles = sum(int(latency[last, unit]) * chosen[last][unit] for unit in range(latency.shape[1]))
            model.add(makespan >= starts[last] + cycles)
        return makespan

    def _spent(self, chosen: list[list[Any]]) -> Any:
        energy = self.tables[1]
        return sum(int(energy[layer, unit]) * chosen[layer][unit] for layer, unit in np.ndindex(*energy.shape))

    def _read(self, solver: Any, chosen: list[list[Any]], starts: list[Any]) -> None:
        latency, energy, _ = self.tables
        self.mapping = np.array([[solver.value(each) for each in units] for units in chosen], np.int64).argmax(axis=1)
        self.start = np.array([solver.value(each) for each in starts], np.int64)
        layer = np.arange(len(self.mapping))
        self.makespan = int((self.start + latency[layer, self.mapping]).max())
        self.energy = int(energy[layer, self.mapping].sum())


def _packed(latency: Ints, first: Ints, mapping: Ints, start: Ints) -> Ints:
    """The same order on every unit, every layer as early as it can be: a solver may leave gaps."""
    network = np.searchsorted(first, np.arange(len(start)), side="right") - 1
    ready = np.zeros(len(first), np.int64)
    free = np.zeros(latency.shape[1], np.int64)
    packed = np.zeros_like(start)
    for layer in np.lexsort((np.arange(len(start)), start)):
        unit = mapping[layer]
        packed[layer] = max(ready[network[layer]], free[unit])
        ready[network[layer]] = free[unit] = packed[layer] + latency[layer, unit]
    return packed
