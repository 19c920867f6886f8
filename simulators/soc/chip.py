"""A platform in words and as a picture: what its blocks are, who is connected with whom."""

from __future__ import annotations

from dataclasses import dataclass

from archgym.charts import Diagram
from simulators.soc.graph import Graph
from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    BUSES,
    MAPPING,
    MEMORIES,
    MEMORY_BUS,
    MEMORY_KIND,
    PE_BUS,
    PE_KIND,
    PES,
    Platforms,
)
from simulators.soc.library import Library

HEIGHTS = (0.0, 0.3, -0.3, 0.15)
"""Of the buses in a picture: no three on a line, so that every wire between two of them is seen."""

OUT = 0.6
"""How much farther from its bus every other block of a row stands."""


@dataclass(frozen=True)
class Chip:
    """Blocks of a platform by slot.

    Attributes:
        pes: slot -> what it is.
        memories: slot -> what it is.
        buses: slot -> what it is.
        wires: (block, block), for example ("pe0", "bus1").
        runs: slot of a processing element -> names of its tasks.
        keeps: slot of a memory -> names of the tasks that write to it.
    """

    pes: dict[int, str]
    memories: dict[int, str]
    buses: dict[int, str]
    wires: tuple[tuple[str, str], ...]
    runs: dict[int, list[str]]
    keeps: dict[int, list[str]]

    def diagram(self, title: str) -> Diagram:
        """The picture: processing elements above their buses, memories below."""
        blocks, left = [], 0.0
        on_bus = {bus: [a for a, b in self.wires if b == f"bus{bus}" and not a.startswith("bus")] for bus in self.buses}
        loose = [f"mem{slot}" for slot in self.memories if not any(f"mem{slot}" in each for each in on_bus.values())]
        for bus, text in self.buses.items():
            rows = [[name for name in on_bus[bus] if name.startswith(kind)] for kind in ("pe", "mem")]
            width = max(len(rows[0]), len(rows[1]), 1)
            for names, y in zip(rows, (1.2, -1.2), strict=True):
                for i, name in enumerate(names):  # every other one stands farther out, so that their texts do not meet
                    blocks.append(self._block(name, left + (i + 0.5) * width / len(names), y * (1 + OUT * (i % 2))))
            blocks.append((f"bus{bus}", text, left + width / 2, HEIGHTS[bus], "interconnect"))
            left += width
        blocks += [self._block(name, left + i + 0.5, -1.2) for i, name in enumerate(loose)]
        return Diagram(title, tuple(blocks), self.wires)

    def _block(self, name: str, x: float, y: float) -> tuple[str, str, float, float, str]:
        kind, slot = ("pe", int(name[2:])) if name.startswith("pe") else ("mem", int(name[3:]))
        text, tasks = (self.pes[slot], self.runs) if kind == "pe" else (self.memories[slot], self.keeps)
        used = len(tasks.get(slot, []))
        group = {"pe": "processing", "mem": "memory"}[kind] if used else "not in use"
        first, _, rest = text.partition(" ")
        return name, "<br>".join(part for part in (first, rest, f"{used} tasks") if part), x, y, group


def read_chip(platform: Platforms, graph: Graph, library: Library) -> Chip:
    """Puts one platform, ``(platform_size(T),)``, into words."""
    pe_names, memory_names, bus_names = names(graph, library)
    tasks = len(graph.tasks)
    pes = {slot: pe_names[platform[PE_KIND + slot]] for slot in range(PES) if platform[PE_KIND + slot] >= 0}
    memories = {
        slot: memory_names[platform[MEMORY_KIND + slot]] for slot in range(MEMORIES) if platform[MEMORY_KIND + slot] >= 0
    }
    buses = {slot: bus_names[platform[BUS_KIND + slot]] for slot in range(BUSES) if platform[BUS_KIND + slot] >= 0}
    wires = [(f"pe{slot}", f"bus{platform[PE_BUS + slot]}") for slot in pes]
    wires += [(f"mem{slot}", f"bus{platform[MEMORY_BUS + slot]}") for slot in memories if platform[MEMORY_BUS + slot] >= 0]
    wires += [(f"bus{slot}", f"bus{platform[BUS_LINK + slot]}") for slot in buses if platform[BUS_LINK + slot] >= 0]
    runs: dict[int, list[str]] = {}
    keeps: dict[int, list[str]] = {}
    for index, task in enumerate(graph.tasks):
        runs.setdefault(int(platform[MAPPING + index]), []).append(task.name)
        if task.role != "sink":
            keeps.setdefault(int(platform[MAPPING + tasks + index]), []).append(task.name)
    return Chip(pes, memories, buses, tuple(wires), runs, keeps)


def names(graph: Graph, library: Library) -> tuple[list[str], list[str], list[str]]:
    """What the rows of the library's tables are: processing elements, memories, buses (``problem.Problem``)."""
    clocks = [f"{round(clock * library.base_clock_hz / 1e6)} MHz" for clock in library.clocks]
    pes = ["A53"]
    for each in graph.accelerators:
        pes += [f"{each.task} x{unroll} {clock}" for unroll in library.unrolls(each.loop_iterations) for clock in clocks]
    buses = [f"{width} bytes {clock}" for width in library.widths for clock in clocks]
    return pes, [f"{kind} {bus}" for kind in ("DRAM", "SRAM") for bus in buses], buses
