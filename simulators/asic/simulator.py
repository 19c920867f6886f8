"""The ASIC simulator: networks and hardware together become latency, energy, area, and accuracy where it can matter."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns, Designs, Explanation, Metric, Metrics, Simulator, Status
from archgym.errors import ArgumentError, UnknownNameError
from simulators.asic import workloads
from simulators.asic.accuracy.choose import make_accuracy
from simulators.asic.area import unit_areas
from simulators.asic.capacity import excess
from simulators.asic.energy import nanojoules
from simulators.asic.layout import MODES, TEMPLATES
from simulators.asic.pricing import Priced, price_choices, together
from simulators.asic.space import choices, hardware, make_space

Floats = NDArray[np.float64]

SOLVERS = ("heuristic", "exact")


class ASIC(Simulator):
    """One chip with one to four sub-accelerators that runs several networks at once; networks and chip are searched together.

    Description:
        The problem of NASAIC (Yang et al., DAC 2020).  A design chooses a network for each task and, for each sub-accelerator
        (unit), a template, processing elements and bandwidth.  Each layer is priced on each unit as MAESTRO does, exactly;
        a heuristic maps them to units and schedules them for least energy within the latency spec.  Area depends on the units.
        A design that meets all specs is worth training: only then is accuracy evaluated (``accuracy_evaluated`` says so).

    Workloads:
        W1: CIFAR-10 and Nuclei.  W2: CIFAR-10 and STL-10.  W3: CIFAR-10 twice.  W2-wide: W2 with larger networks.

    Design space:
        It depends on the workload and on the number of units; in this order:

        * ``network1_...``, ``network2_...``: the lists of each task's networks (``networks/``): ``stem``, ``filters1``,
          ``extras1`` and so on of a ResNet9, ``height``, ``filters0`` and so on of a U-Net.
        * ``unit1_template`` (dla, shi, rs), ``unit1_pes`` (32, 64 .. 4064), ``unit1_bandwidth`` (8, 16 .. 56 GB/s); the same
          for every further unit.

        Groups: network_1, network_2, unit_1, unit_2.  W1 with two units has 19 parameters and 4.5e13 designs.

    Constraints:
        total_pes, total_bandwidth: what all units use together; the violation is relative.
        capacity: with ``mode="clean"``, buffers that a layer needs and its unit does not have.

    Metrics:
        ========================  ====  =================================================================
        name                      goal  meaning
        ========================  ====  =================================================================
        accuracy                  max   weighted mean over tasks; 0 where it was not evaluated
        latency_cycles            min   makespan of the schedule
        energy_nj                 min   sum over all layers
        area_um2                  min   sum over units
        penalty                   min   sum of (value - spec) / (bound - spec) over what exceeds its spec
        specs_met                 max   1 if all specs are met
        accuracy_evaluated        info  0 if accuracy was skipped, because some spec is not met
        accuracy_1 .. accuracy_2  info  of each task
        ========================  ====  =================================================================

    Validity:
        About a quarter of uniform samples keep both totals.  None fails.

    Args:
        workload: see above.
        units: sub-accelerators, 1 to 4.
        templates: which a unit may be.
        total_pes: of all units together.
        total_bandwidth: of all units together, GB/s at 1 GHz.
        latency_spec: cycles, instead of the workload's.
        energy_spec: nJ, likewise.
        area_spec: um2, likewise.
        weights: of the tasks' accuracies; equal if not given.
        mode: "compatible" reproduces MAESTRO's quirks, "clean" mends them and enforces buffer capacities.
        constants: of energy and area, "2019" (the paper's) or "2022".
        solver: "heuristic" or "exact" (OR-tools).
        accuracy: "trained", "directory" or "surrogate".
        data: folder of the data sets, for "directory".
        accuracy_seed: of the training.
        prune: evaluate accuracy only where all specs are met.

    Raises:
        UnknownNameError: an unknown workload, template, mode, constant set, solver or evaluator.
        ArgumentError: a number out of range.

    Version history:
        1: first version.
    """

    name = "asic"
    version = "1"

    def __init__(
        self,
        workload: str = "W1",
        units: int = 2,
        templates: Sequence[str] = TEMPLATES,
        total_pes: int = 4096,
        total_bandwidth: int = 64,
        latency_spec: float | None = None,
        energy_spec: float | None = None,
        area_spec: float | None = None,
        weights: Sequence[float] | None = None,
        mode: str = "compatible",
        constants: str = "2019",
        solver: str = "heuristic",
        accuracy: str = "trained",
        data: str | None = None,
        accuracy_seed: int = 0,
        prune: bool = True,
    ) -> None:
        for kind, value, known in (("mode", mode, MODES), ("solver", solver, SOLVERS)):
            if value not in known:
                raise UnknownNameError(kind, value, known, owner=self.name)
        specs = {"latency_cycles": latency_spec, "energy_nj": energy_spec, "area_um2": area_spec}
        self.problem = workloads.find(workload, specs)
        self.workload = self.problem.name
        self.weights = _weights(weights, len(self.problem.tasks))
        self.units, self.mode, self.constants, self.solver, self.prune = units, mode, constants, solver, prune
        self.accuracy = make_accuracy(accuracy, data)
        self.accuracy_seed = accuracy_seed
        self.space = make_space(self.problem.networks, units, templates, total_pes, total_bandwidth)
        unit_areas(np.array([[0, 64, 8]]), constants)  # an unknown constant set is refused here, not in every design
        self.metrics = self._declare()
        self.arguments = MappingProxyType(
            {
                "workload": workload,
                "units": units,
                "templates": list(templates),
                "total_pes": total_pes,
                "total_bandwidth": total_bandwidth,
                "latency_spec": latency_spec,
                "energy_spec": energy_spec,
                "area_spec": area_spec,
                "weights": None if weights is None else [float(weight) for weight in weights],
                "mode": mode,
                "constants": constants,
                "solver": solver,
                "accuracy": accuracy,
                "data": data,
                "accuracy_seed": accuracy_seed,
                "prune": prune,
            }
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the workloads."""
        return workloads.names()

    @property
    def workload_digest(self) -> str:
        """SHA-256 over tasks, networks and specs, and what kind of accuracy is evaluated."""
        limits = {name: [limit.spec, limit.bound] for name, limit in self.problem.limits.items()}
        lists = [[network.name, [choice.values for choice in network.choices]] for network in self.problem.networks]
        content = [self.problem.name, self.problem.tasks, lists, limits, self.accuracy.identity]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def canonical(self, designs: ArrayLike) -> Designs:
        """Puts the first level where a U-Net ignores a list, so that equal networks are one design."""
        array = self.space.check(designs, who=self.name).copy()
        for index, network in enumerate(self.problem.networks, start=1):
            names = [f"network{index}_{choice.name}" for choice in network.choices]
            columns = [self.space.index(name) for name in names]
            values = choices(self.space.decode(array), index, network)
            array[:, columns] = np.where(network.canonical(values) == values, array[:, columns], 0)
        return array

    def price(self, columns: Columns) -> tuple[Priced, NDArray[np.int64]]:
        """Maps and schedules decoded designs: latency, energy and mapping; and their units, (N, units, UNIT_SIZE)."""
        units = hardware(columns, self.units)
        networks = self.problem.networks
        values = [choices(columns, index, network) for index, network in enumerate(networks, start=1)]
        limit = int(self.problem.limits["latency_cycles"].spec)
        return price_choices(networks, values, units, limit, self.mode, self.solver), units

    def explain(self, design: ArrayLike) -> Explanation:
        """Who runs what and when, where the energy goes, and which specs are met; see ``explain``."""
        from simulators.asic.explain import explain

        return explain(self, self.space.check(np.asarray(design).reshape(1, -1), who=self.name))

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        priced, units = self.price(columns)
        n = len(units)
        areas = unit_areas(units.reshape(-1, units.shape[2]), self.constants).reshape(n, -1).sum(axis=1)
        values: dict[str, Floats] = {
            "latency_cycles": priced.latency.astype(np.float64),
            "energy_nj": nanojoules(priced.energy, self.constants),
            "area_um2": areas,
        }
        limits = self.problem.limits
        over = [
            np.maximum(values[name] - limits[name].spec, 0.0) / (limits[name].bound - limits[name].spec) for name in limits
        ]
        penalty = np.sum(over, axis=0)
        met = penalty == 0
        values |= {"penalty": penalty, "specs_met": met.astype(np.float64)}
        result = Metrics(values, np.zeros(n, np.uint8), np.zeros(n))
        self._reject(result, columns, priced, units)
        chosen = np.flatnonzero(result.ok & (met | (not self.prune)))
        result.columns |= self._accuracies(columns, chosen, n)
        return result

    def _accuracies(self, columns: Columns, chosen: NDArray[np.intp], n: int) -> dict[str, Floats]:
        each = np.zeros((len(self.problem.tasks), n))
        for index, (task, network) in enumerate(zip(self.problem.tasks, self.problem.networks, strict=True)):
            values = choices(columns, index + 1, network)
            for row in chosen:
                description = network.description(values[row])
                each[index, row] = self.accuracy.evaluate(task, description, self.accuracy_seed)
        evaluated = np.zeros(n)
        evaluated[chosen] = 1.0
        named = {f"accuracy_{index}": values for index, values in enumerate(each, start=1)}
        return {"accuracy": self.weights @ each, "accuracy_evaluated": evaluated, **named}

    def _reject(self, result: Metrics, columns: Columns, priced: Priced, units: NDArray[np.int64]) -> None:
        """Marks designs INVALID whose buffers are too small; even the smallest unit has cells enough for any layer."""
        if self.mode != "clean":
            return
        networks = self.problem.networks
        for row in np.flatnonzero(result.ok):
            rows = {name: values[row : row + 1] for name, values in columns.items()}
            layers, first = together([net.layers(choices(rows, i, net)) for i, net in enumerate(networks, start=1)])
            used = int(first[0, -1])
            amount, words = excess(layers[0, :used], priced.mapping[row, :used], units[row], self.mode, self.constants)
            if amount > 0:
                result.status[row], result.violation[row] = Status.INVALID, amount
                result.reasons[int(row)] = f"capacity: {words} (violation: share of the capacity)"

    def _declare(self) -> tuple[Metric, ...]:
        endless = float("inf")
        tasks = enumerate(self.problem.tasks, start=1)
        return (
            Metric("accuracy", "max", (0.0, 1.0), f"weighted mean over tasks, {self.accuracy.label}; 0 where not evaluated"),
            Metric("latency_cycles", "min", (1.0, endless), "makespan of the schedule"),
            Metric("energy_nj", "min", (0.0, endless), "sum over all layers"),
            Metric("area_um2", "min", (0.0, endless), "sum over units"),
            Metric("penalty", "min", (0.0, endless), "sum of (value - spec) / (bound - spec) over what exceeds its spec"),
            Metric("specs_met", "max", (0.0, 1.0), "1 if all specs are met"),
            Metric("accuracy_evaluated", "info", (0.0, 1.0), "0 if accuracy was skipped, because some spec is not met"),
            *(Metric(f"accuracy_{index}", "info", (0.0, 1.0), f"on {task}, {self.accuracy.label}") for index, task in tasks),
        )


def _rebuild(arguments: dict[str, Any]) -> ASIC:
    return ASIC(**arguments)


def _weights(weights: Sequence[float] | None, tasks: int) -> Floats:
    given = np.ones(tasks) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (tasks,) or not (np.isfinite(given) & (given >= 0)).all() or given.sum() == 0:
        raise ArgumentError(f"asic: weights must be {tasks} numbers of at least 0, not all 0, got {weights!r}")
    return np.asarray(given / given.sum())
