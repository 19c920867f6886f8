"""The encoding that ArchGym searched: three slots of each kind, wired and mapped freely, so that few designs are valid."""

from __future__ import annotations

import numpy as np

from archgym import Designs, DesignSpace, Parameter
from archgym.errors import WorkloadError
from simulators.soc.graph import Graph
from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    MAPPING,
    MEMORY_BUS,
    MEMORY_KIND,
    PE_BUS,
    PE_KIND,
    Platforms,
    platform_size,
)
from simulators.soc.library import Library

SLOTS = range(3)
PROCESSOR = "A53"


class Limited:
    """ArchGym's "limited" encoding.

    A processing element is an A53 or the slowest accelerator, not unrolled, of one task only: the first of the library.
    Memories are DRAM, four bytes wide; so are buses.  ``bus*_mem`` hangs a memory on a bus: one that is named twice has two
    buses, which breaks a rule, and one that is not named has none.  A bus that is linked to itself breaks a rule too.

    Attributes:
        space: parameters in ArchGym's order of genes.
    """

    def __init__(self, graph: Graph, library: Library) -> None:
        if not graph.accelerators:
            raise WorkloadError(f"{graph.name}: the limited encoding offers one accelerator, but the graph has none")
        self._tasks = len(graph.tasks)
        self._clocks_mhz = tuple(round(clock * library.base_clock_hz / 1e6) for clock in library.clocks)
        self.space = _make_space(graph, self._clocks_mhz)

    def canonical(self, designs: Designs) -> Designs:
        """The designs themselves."""
        return designs

    def platforms(self, designs: Designs) -> Platforms:
        """Platforms of designs, ``(N, platform_size(T))`` int32, columns as in ``layout``."""
        platforms = np.full((len(designs), platform_size(self._tasks)), -1, np.int32)
        # Kind 0 is the A53, 1 the first accelerator at its lowest clock; the first kinds of memories and buses are the clocks
        # of the narrowest DRAM and bus: levels are kinds.  Where there may be none, level 0 is none.
        pes, memories, buses, pe_bus, link, hung = (designs[:, 3 * part : 3 * part + 3] for part in range(6))
        for first, levels in ((PE_KIND, pes), (MEMORY_KIND, memories), (BUS_KIND, buses), (PE_BUS, pe_bus)):
            platforms[:, first : first + 3] = levels
        platforms[:, BUS_LINK : BUS_LINK + 3] = link - 1
        for memory in SLOTS:
            on = hung == memory + 1
            count = on.sum(axis=1)
            platforms[:, MEMORY_BUS + memory] = np.where(count == 1, on.argmax(axis=1), np.where(count == 0, -1, -count))
        platforms[:, MAPPING:] = designs[:, 18:]
        return platforms


def _make_space(graph: Graph, clocks_mhz: tuple[int, ...]) -> DesignSpace:
    slots, optional = tuple(SLOTS), (-1, *SLOTS)
    accelerated = graph.accelerators[0].task
    parameters = []
    for slot in SLOTS:
        doc = f"an A53, or an accelerator for {accelerated}"
        parameters.append(Parameter(f"pe{slot}", (PROCESSOR, accelerated), ordered=False, group="processing", doc=doc))
    for kind, group in (("mem", "memory"), ("bus", "interconnect")):
        for slot in SLOTS:
            parameters.append(Parameter(f"{kind}{slot}_clock", clocks_mhz, unit="MHz", group=group, doc="four bytes wide"))
    for name, values, doc in (
        ("pe{}_bus", slots, "bus of the processing element"),
        ("bus{}_link", optional, "bus that this one is linked to, -1 for none"),
        ("bus{}_mem", optional, "memory that hangs on the bus, -1 for none"),
    ):
        for slot in SLOTS:
            default = 0 if name == "bus{}_mem" and slot == 0 else None  # so that the default design is valid: all in slots 0
            full = name.format(slot)
            parameters.append(Parameter(full, values, ordered=False, group="interconnect", doc=doc, default=default))
    for what, doc in (("pe", "processing element that runs {}"), ("mem", "memory that {} writes to")):
        for index, task in enumerate(graph.tasks):
            name = f"task{index}_{what}"
            parameters.append(Parameter(name, slots, ordered=False, group="mapping", doc=doc.format(task.name)))
    return DesignSpace(tuple(parameters), name=f"soc-limited-{graph.name}")
