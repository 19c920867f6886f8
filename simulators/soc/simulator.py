"""The SoC simulator: designs to platforms, platforms to metrics."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Designs, Metric, Metrics, Simulator
from archgym.errors import UnknownNameError
from simulators.soc import graph, model, rules
from simulators.soc.layout import AREA, AREA_DRAM, AREA_REST, ENERGY, LATENCY, PHASES, POWER, SERIAL_LATENCY, Platforms
from simulators.soc.library import load_library
from simulators.soc.limited import Limited
from simulators.soc.problem import make_problem

ENCODINGS = {"limited": Limited}
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
        audio_decoder, edge_detection, hpvm_cava: FARSI's; or the path of a task graph in JSON (``graph.py`` describes it).

    Design space:
        ``limited`` is ArchGym's, for T tasks 18 + 2 T parameters, in this order:

        * ``pe0`` .. ``pe2``: an A53, or the accelerator of the library's first task.
        * ``mem0_clock`` .. ``mem2_clock``, ``bus0_clock`` .. ``bus2_clock``: 100, 400, 600, 800 MHz.
        * ``pe0_bus`` .. ``pe2_bus``: the bus of each processing element, 0 .. 2.
        * ``bus0_link`` .. ``bus2_link``: the bus that each bus is linked to, -1 for none.
        * ``bus0_mem`` .. ``bus2_mem``: the memory on each bus, -1 for none.
        * ``task0_pe`` and so on, ``task0_mem`` and so on: where each task runs and writes to, 0 .. 2.

        Groups: processing, memory, interconnect, mapping.

    Constraints:
        bus_self, memory_buses, task_pe, memory_unreachable, pe_unreachable: found while a design is built; the violation is
        the number of links, memories and tasks that break any of them.  cut_off: the number of tasks out of reach.

    Metrics:
        =================  ====  ==========================================
        name               goal  meaning
        =================  ====  ==========================================
        latency_ms         min   until the workload's last task ends
        power_mw           min   largest average over about 10 ms
        area_mm2           min   all blocks that are used
        energy_mj          min   of a run
        area_dram_mm2      info  of the DRAM
        area_rest_mm2      info  of everything else
        serial_latency_ms  info  if all tasks ran one after the other
        phases             info  of the run, those without length included
        =================  ====  ==========================================

    Validity:
        Of uniform samples of ``limited`` 0.3 to 0.4 % are valid.  None fails.

    Args:
        workload: a name or a path.
        space: "limited".

    Raises:
        UnknownNameError: no such workload or space.
        WorkloadError: a task graph that cannot be read or that makes no sense.

    Version history:
        1: first version.
    """

    name = "soc"
    version = "1"

    def __init__(self, workload: str = "edge_detection", space: str = "limited") -> None:
        if space not in ENCODINGS:
            raise UnknownNameError("space", space, ENCODINGS, owner=self.name)
        self.graph = _find_graph(str(workload))
        library = load_library()
        self.workload = self.graph.name
        self.problem = make_problem(self.graph, library)
        self.encoding = ENCODINGS[space](self.graph, library)
        self.space = self.encoding.space
        self.metrics = tuple(Metric(name, goal, (0.0, np.inf), doc) for name, goal, _, _, doc in _METRICS)  # type: ignore[arg-type]
        self.arguments = MappingProxyType({"workload": str(workload), "space": space})

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the task graphs that come with the simulator; a path to one works too."""
        return graph.names()

    @property
    def workload_digest(self) -> str:
        """SHA-256 of the task graph."""
        return self.graph.digest

    def platforms(self, designs: Designs) -> Platforms:
        """Designs as the model reads them, (N, columns) int32 (``simulators.soc.layout``)."""
        return self.encoding.platforms(designs)

    def _evaluate(self, columns: Columns, fidelity: str) -> Metrics:
        return self._evaluate_levels(self.space.encode(columns), fidelity)

    def _evaluate_levels(self, designs: Designs, fidelity: str) -> Metrics:
        platforms = self.platforms(designs)
        outcomes, fates, places, violations = model.simulate(platforms, self.problem)
        values: dict[str, NDArray[np.float64]] = {
            name: outcomes[:, outcome] * scale for name, _, outcome, scale, _ in _METRICS
        }
        return Metrics(values, rules.statuses(fates), violations, rules.reasons(fates, places, platforms, self.graph))


def _rebuild(arguments: dict[str, Any]) -> SoC:
    return SoC(**arguments)


def _find_graph(workload: str) -> graph.Graph:
    if workload in graph.names() or not (Path(workload).suffix or Path(workload).exists()):
        return graph.load(workload)
    return graph.read(workload)
