"""The space ``soc``: every point is a chip that works, with every block of the library.

There is nothing to check.  Slot 0 of the processing elements is always an A53 and runs the source; a task names its
processing element by its number among those that can run it; buses form a tree (or a triangle and a tail), and every block
hangs on a bus in use.  A level that means nothing on a chip (the clock of a memory that is not in use) is ignored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym import DesignSpace, Parameter
from simulators.soc.graph import Graph
from simulators.soc.layout import BUSES, MEMORIES, PES
from simulators.soc.library import Library
from simulators.soc.problem import pe_kind
from simulators.soc.records import MOST_TASKS

PROCESSOR = "A53"

# Columns of a design.
N_PE, N_BUS, N_MEMORY = range(3)  # slots in use, less one
KIND = 3  # (PES - 1,) of the processing elements from slot 1 on, and so for the next two
UNROLL = KIND + PES - 1
CLOCK = UNROLL + PES - 1
BUS_WIDTH = CLOCK + PES - 1  # (BUSES,)
BUS_CLOCK = BUS_WIDTH + BUSES
DRAM = BUS_CLOCK + BUSES  # (MEMORIES,) 0 for DRAM, 1 for SRAM
MEMORY_WIDTH = DRAM + MEMORIES
MEMORY_CLOCK = MEMORY_WIDTH + MEMORIES
LINK2 = MEMORY_CLOCK + MEMORIES  # parent of bus 2: bus 0, bus 1 or both
LINK3 = LINK2 + 1  # parent of bus 3; that of bus 1 is bus 0
PE_BUS = LINK3 + 1  # (PES,)
MEMORY_BUS = PE_BUS + PES  # (MEMORIES,)
MAPPING = MEMORY_BUS + MEMORIES  # processing elements of all tasks but the source, then memories of all but sinks


Codec = Any  # np.void of the type below; Numba reads its fields as attributes, without counting references

CODEC = np.dtype(
    [
        ("tasks", "i8"),
        ("kinds", "i8"),  # of processing elements: the A53, then the accelerators in the order of their tasks
        ("only", "i8", MOST_TASKS + 1),  # [kinds] task of each, -1 for the A53
        ("first", "i8", MOST_TASKS + 1),  # [kinds] row of its first setting in the library
        ("settings", "i8", MOST_TASKS + 1),  # [kinds] how many unroll settings it has
        ("most_settings", "i8"),  # levels of an unroll parameter
        ("clocks", "i8"),  # how many there are
        ("widths", "i8"),  # how many there are
        ("own", "i8", MOST_TASKS),  # [tasks] kind of the accelerator for each, -1 for none
        ("pe_column", "i8", MOST_TASKS),  # [tasks] column of each task's processing element, -1 for the source
        ("memory_column", "i8", MOST_TASKS),  # [tasks] column of each task's memory, -1 for a sink
    ]
)


def make_codec(graph: Graph, library: Library) -> Codec:
    """Prepares the decoding of designs for a graph."""
    names = [task.name for task in graph.tasks]
    made = sorted(graph.accelerators, key=lambda each: names.index(each.task))
    codec = np.zeros(1, CODEC)[0]
    codec["tasks"], codec["kinds"] = len(names), len(made) + 1
    codec["clocks"], codec["widths"] = len(library.clocks), len(library.widths)
    codec["only"][0], codec["settings"][0] = -1, 1
    codec["own"] = -1
    for kind, each in enumerate(made, start=1):
        task = names.index(each.task)
        codec["only"][kind], codec["own"][task] = task, kind
        codec["first"][kind] = pe_kind(graph, library, each.task, 0, 0)
        codec["settings"][kind] = len(library.unrolls(each.loop_iterations))
    codec["most_settings"] = codec["settings"].max()
    movable = np.array([name != graph.root for name in names])
    writes = np.array([task.role != "sink" for task in graph.tasks])
    codec["pe_column"][: len(names)] = np.where(movable, MAPPING + np.cumsum(movable) - 1, -1)
    codec["memory_column"][: len(names)] = np.where(writes, MAPPING + movable.sum() + np.cumsum(writes) - 1, -1)
    return codec


def make_space(graph: Graph, library: Library) -> DesignSpace:
    """The space of chips for a graph: 66 parameters of blocks and wires, and about two per task."""
    codec = make_codec(graph, library)
    kinds = (PROCESSOR, *(graph.tasks[task].name for task in codec["only"][1 : int(codec["kinds"])]))
    clocks = tuple(round(clock * library.base_clock_hz / 1e6) for clock in library.clocks)
    unrolls = tuple(range(int(codec["most_settings"])))
    pes, buses, memories, movable = range(PES), range(BUSES), range(MEMORIES), range(1, PES)
    parameters = [
        _count("n_pe", PES, "processing", "processing elements"),
        _count("n_bus", BUSES, "interconnect", "buses"),
        _count("n_mem", MEMORIES, "memory", "memories"),
        *(_choice(f"pe{i}_kind", kinds, "processing", "A53, or the accelerator of a task") for i in movable),
        *(_level(f"pe{i}_unroll", unrolls, "", "processing", "from not at all (0) to completely (last)") for i in movable),
        *(_level(f"pe{i}_clock", clocks, "MHz", "processing", "of an accelerator") for i in movable),
        *(_level(f"bus{i}_width", library.widths, "bytes", "interconnect", "moved per clock") for i in buses),
        *(_level(f"bus{i}_clock", clocks, "MHz", "interconnect", "of the bus") for i in buses),
        *(_choice(f"mem{i}_kind", ("DRAM", "SRAM"), "memory", "what the memory is made of") for i in memories),
        *(_level(f"mem{i}_width", library.widths, "bytes", "memory", "moved per clock") for i in memories),
        *(_level(f"mem{i}_clock", clocks, "MHz", "memory", "of the memory") for i in memories),
        _choice("bus2_link", ("bus0", "bus1", "both"), "interconnect", "what bus 2 is linked to; bus 1 hangs on bus 0"),
        _choice("bus3_link", ("bus0", "bus1", "bus2"), "interconnect", "what bus 3 is linked to"),
        *(_choice(f"pe{i}_bus", tuple(buses), "interconnect", "modulo the buses in use") for i in pes),
        *(_choice(f"mem{i}_bus", tuple(buses), "interconnect", "modulo the buses in use") for i in memories),
    ]
    for index, task in enumerate(graph.tasks):
        if codec["pe_column"][index] >= 0:
            doc = f"which of the processing elements in use that can run {task.name}, modulo their number"
            parameters.append(_choice(f"task{index}_pe", tuple(pes), "mapping", doc))
    for index, task in enumerate(graph.tasks):
        if codec["memory_column"][index] >= 0:
            doc = f"to which memory {task.name} writes, modulo those in use"
            parameters.append(_choice(f"task{index}_mem", tuple(memories), "mapping", doc))
    return DesignSpace(tuple(parameters), name="soc")


def _count(name: str, most: int, group: str, what: str) -> Parameter:
    return Parameter(name, tuple(range(1, most + 1)), group=group, doc=f"{what} in use")


def _choice(name: str, values: tuple[str, ...] | tuple[int, ...], group: str, doc: str) -> Parameter:
    return Parameter(name, values, ordered=False, group=group, doc=doc)


def _level(name: str, values: tuple[int, ...], unit: str, group: str, doc: str) -> Parameter:
    return Parameter(name, values, unit=unit, group=group, doc=doc)
