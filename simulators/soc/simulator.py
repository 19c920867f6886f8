"""The SoC simulator: designs to platforms, platforms to metrics."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import astuple
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns, Designs, Explanation, Metric, Metrics, Simulator
from archgym.errors import UnknownNameError
from simulators.soc import budgets, graph, layout, model, rules, workloads
from simulators.soc.everything import Everything
from simulators.soc.layout import AREA, AREA_DRAM, AREA_REST, ENERGY, LATENCY, PHASES, POWER, SERIAL_LATENCY, Platforms
from simulators.soc.library import load_library
from simulators.soc.limited import Limited
from simulators.soc.problem import make_problem

ENCODINGS: dict[str, type[Everything] | type[Limited]] = {"soc": Everything, "limited": Limited}
"""Encodings by name.  Each has a ``space`` and turns designs into ``platforms``; the model knows no more of it."""

_METRICS: tuple[tuple[str, str, int, float, str], ...] = (  # name, goal, outcome, units per SI unit, doc
    ("latency_ms", "min", LATENCY, 1e3, "until the workload's last task ends"),
    ("power_mw", "min", POWER, 1e3, "largest average over about 10 ms"),
    ("area_mm2", "min", AREA, 1e6, "all blocks that are used"),
    ("energy_mj", "min", ENERGY, 1e3, "of a run"),
    ("area_dram_mm2", "info", AREA_DRAM, 1e6, "of the DRAM"),
    ("area_rest_mm2", "info", AREA_REST, 1e6, "of everything else"),
    ("serial_latency_ms", "info", SERIAL_LATENCY, 1e3, "if all tasks ran one after the other"),
    ("phases", "info", PHASES, 1.0, "of the run, those without length included"),
    ("bottleneck_processing", "info", layout.BOTTLENECK_PE, 1.0, "share in what is farthest from its limit"),
    ("bottleneck_memory", "info", layout.BOTTLENECK_MEMORY, 1.0, "share in the same"),
    ("bottleneck_interconnect", "info", layout.BOTTLENECK_BUS, 1.0, "share in the same"),
    ("hot_task", "info", layout.HOT_TASK, 1.0, "the task that weighs most in it"),
    ("hot_pe", "info", layout.HOT_PE, 1.0, "the slot of the processing element that does"),
    ("hot_mem", "info", layout.HOT_MEMORY, 1.0, "the slot of the memory"),
    ("hot_bus", "info", layout.HOT_BUS, 1.0, "the slot of the bus"),
)
_DISTANCE = (
    ("distance_to_budget", "min", "what latency, power and both areas exceed their limits by, relatively, summed"),
    ("meets_budget", "info", "1 where all limits are met"),
)


class SoC(Simulator):
    """A system on chip for augmented and virtual reality: processors, accelerators, memories and buses under a task graph.

    Description:
        A design says which blocks there are, how they are connected, where each task runs and where it writes to.  The run
        is a sequence of phases, each as long as the first running task needs to its end.  In a phase every task is as fast as
        the slowest of its blocks lets it be; tasks share memories and buses.  Energy, area and power follow from the work,
        the bytes moved and the sizes that memories must have.  The model is that of FARSI (Boroujerdian et al., ACM TECS
        2023) as ArchGym ran it, and reproduces it to rounding (README.md of this folder shows the table).

    Workloads:
        audio_decoder, edge_detection, hpvm_cava: FARSI's (short: audio, edge, cava).  chain-20-0, fork-join-50-1,
        series-parallel-100-2 and so on: drawn, with 5 to 100 tasks, from a seed.  The path of a task graph in JSON
        (``graph.py`` describes it).  Several of these with ``+`` between: they start together.

    Design space:
        ``soc``, for T tasks 66 + 2 (T - 1) parameters, in which every design is valid:

        * ``n_pe``, ``n_bus``, ``n_mem``: slots in use, up to 8, 4 and 6; parameters of other slots are ignored.
        * ``pe1_kind`` .. ``pe7_kind``: an A53, or the accelerator of a task; ``pe0`` is an A53 and runs the source.
        * ``pe1_unroll`` .. ``pe7_unroll``, ``pe1_clock`` .. ``pe7_clock``: of an accelerator.
        * ``bus0_width`` .. ``bus3_clock``: 4 .. 128 bytes, 100 .. 800 MHz.
        * ``mem0_kind`` .. ``mem5_clock``: DRAM or SRAM, 4 .. 128 bytes, 100 .. 800 MHz.
        * ``bus2_link``, ``bus3_link``: what these buses are linked to; bus 1 hangs on bus 0.
        * ``pe0_bus`` .. ``mem5_bus``: the bus of each block, modulo those in use.
        * ``task1_pe`` and so on, ``task0_mem`` and so on: which of the processing elements that can run the task, and to
          which memory it writes, modulo those in use.

        ``limited`` is ArchGym's, for T tasks 18 + 2 T parameters, in this order:

        * ``pe0`` .. ``pe2``: an A53, or the accelerator of the library's first task.
        * ``mem0_clock`` .. ``mem2_clock``, ``bus0_clock`` .. ``bus2_clock``: 100, 400, 600, 800 MHz.
        * ``pe0_bus`` .. ``pe2_bus``: the bus of each processing element, 0 .. 2.
        * ``bus0_link`` .. ``bus2_link``: the bus that each bus is linked to, -1 for none.
        * ``bus0_mem`` .. ``bus2_mem``: the memory on each bus, -1 for none.
        * ``task0_pe`` and so on, ``task0_mem`` and so on: where each task runs and writes to, 0 .. 2.

        Groups: processing, memory, interconnect, mapping.

    Constraints:
        In ``soc`` none, but that a memory must not hold more than the tables of memories reach (52 MB; memory_size), and that
        tasks must not wait for each other in a circle (cycle).  In ``limited`` besides bus_self, memory_buses, task_pe,
        memory_unreachable, pe_unreachable: found while a design is built; the violation is the number of links, memories and
        tasks that break any of them.  cut_off: the number of tasks out of reach.

    Metrics:
        =======================  ====  ============================================================================
        name                     goal  meaning
        =======================  ====  ============================================================================
        latency_ms               min   until the workload's last task ends
        power_mw                 min   largest average over about 10 ms
        area_mm2                 min   all blocks that are used
        energy_mj                min   of a run
        area_dram_mm2            info  of the DRAM
        area_rest_mm2            info  of everything else
        serial_latency_ms        info  if all tasks ran one after the other
        phases                   info  of the run, those without length included
        bottleneck_processing    info  share in what is farthest from its limit
        bottleneck_memory        info  share in the same
        bottleneck_interconnect  info  share in the same
        hot_task                 info  the task that weighs most in it
        hot_pe                   info  the slot of the processing element that does
        hot_mem                  info  the slot of the memory
        hot_bus                  info  the slot of the bus
        distance_to_budget       min   what latency, power and both areas exceed their limits by, relatively, summed
        meets_budget             info  1 where all limits are met
        =======================  ====  ============================================================================

    Validity:
        Every design of ``soc`` is valid; of uniform samples of ``limited`` 0.3 to 0.4 % are.  None fails.

    Args:
        workload: a name or a path.
        space: "soc" or "limited".
        budget: "published", "standard", "hard" or "tight"; or limits ``latency_s``, ``power_w`` and ``area_m2``.  If not
            given, the standard one where there is one, else that of the graph's file, else half the time, the power and four
            times the area of one A53.

    Raises:
        UnknownNameError: no such workload, space or budget.
        WorkloadError: a task graph that cannot be read or that makes no sense.
        ArgumentError: a budget that is not three positive numbers.

    Version history:
        1: first version.
    """

    name = "soc"
    version = "1"

    def __init__(
        self, workload: str = "audio_decoder", space: str = "soc", budget: str | Mapping[str, float] | None = None
    ) -> None:
        if space not in ENCODINGS:
            raise UnknownNameError("space", space, ENCODINGS, owner=self.name)
        parts, library = workloads.find(str(workload)), load_library()
        self.graph = workloads.together(parts)
        self.workload = self.graph.name
        self.budget = budgets.find(parts, library, budget)
        self.problem = make_problem(self.graph, library)
        self.problem.graphs["limits"] = astuple(self.budget)
        self.encoding = ENCODINGS[space](self.graph, library)
        self.space = self.encoding.space
        declared = [*((name, goal, doc) for name, goal, _, _, doc in _METRICS), *_DISTANCE]
        self.metrics = tuple(Metric(name, goal, (0.0, np.inf), doc) for name, goal, doc in declared)  # type: ignore[arg-type]
        given = dict(budget) if isinstance(budget, Mapping) else budget
        self.arguments = MappingProxyType({"workload": str(workload), "space": space, "budget": given})

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the task graphs that come with the simulator; drawn ones and paths work too, alone and together."""
        return graph.names()

    @property
    def workload_digest(self) -> str:
        """SHA-256 of the task graph and the budget."""
        return hashlib.sha256(json.dumps([self.graph.digest, astuple(self.budget)]).encode()).hexdigest()

    @property
    def has_equivalents(self) -> bool:
        """Whether some levels are ignored: in ``limited`` all count."""
        return not isinstance(self.encoding, Limited)

    def canonical(self, designs: ArrayLike) -> Designs:
        """One design for all that differ in nothing but levels that are ignored."""
        return self.encoding.canonical(self.space.check(designs, who=self.name))

    def platforms(self, designs: ArrayLike) -> Platforms:
        """Designs as the model reads them, (N, columns) int32 (``simulators.soc.layout``)."""
        return self.encoding.platforms(self.space.check(designs, who=self.name))

    def explain(self, design: ArrayLike) -> Explanation:
        """Blocks and wires, what runs where and when, and what holds the chip back; see ``explain``."""
        from simulators.soc.explain import explain

        return explain(self, self.space.check(np.asarray(design).reshape(1, -1), who=self.name))

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        return self._evaluate_levels(self.space.encode(columns), fidelity)

    def _evaluate_levels(self, designs: Designs, fidelity: str) -> Metrics:
        platforms = self.encoding.platforms(designs)
        outcomes, fates, places, violations = model.simulate(platforms, self.problem)
        values: dict[str, NDArray[np.float64]] = {
            name: outcomes[:, outcome] * scale for name, _, outcome, scale, _ in _METRICS
        }
        values["distance_to_budget"] = self.budget.distance(outcomes)
        values["meets_budget"] = (values["distance_to_budget"] == 0.0).astype(np.float64)
        return Metrics(values, rules.statuses(fates), violations, rules.reasons(fates, places, platforms, self.graph))


def _rebuild(arguments: dict[str, Any]) -> SoC:
    return SoC(**arguments)
