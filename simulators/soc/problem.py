"""A task graph and the library of blocks for it, as the arrays that the kernels read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archgym.errors import WorkloadError
from simulators.soc.graph import Graph
from simulators.soc.layout import MARKER, SINK, SOURCE, WORKER, Floats
from simulators.soc.library import Library
from simulators.soc.records import GRAPH, MOST_EDGES, MOST_TASKS, Record

ROLES = {"worker": WORKER, "source": SOURCE, "sink": SINK, "marker": MARKER}
BURST_BYTES = 1024


@dataclass(frozen=True, eq=False)
class Problem:
    """A task graph and the library of blocks for it, T tasks.

    Attributes:
        graphs: ``(1,)`` record of type ``records.GRAPH`` (in an array, because parallel loops of Numba take no single record).
        pes: ``(K, PE_COLUMNS)`` processing elements.  Kind 0 is the A53; then follow, per accelerator of the graph and in its
            order, all clocks of the first unroll setting, all clocks of the second, and so on.
        memories: ``(K, MEMORY_COLUMNS)``: all clocks of the narrowest DRAM, of the next width, ..., then the same of SRAM.
        buses: ``(K,)`` bytes/s, in the same order.
        table: ``(2, SIZE_COLUMNS, S)`` of SRAM and DRAM, for S multiples of ``size_step``.
        size_step: bytes.
    """

    graphs: Record
    pes: Floats
    memories: Floats
    buses: Floats
    table: Floats
    size_step: int

    @property
    def tasks(self) -> int:
        """Tasks of the graph, T."""
        return int(self.graphs["tasks"][0])


def make_problem(graph: Graph, library: Library) -> Problem:
    """Lays out a graph and the blocks that can serve it.

    Raises:
        WorkloadError: the graph is too large.
    """
    if len(graph.tasks) > MOST_TASKS or len(graph.edges) > MOST_EDGES:
        raise WorkloadError(
            f"{graph.name}: a graph may have up to {MOST_TASKS} tasks and {MOST_EDGES} edges, "
            f"got {len(graph.tasks)} and {len(graph.edges)}"
        )
    clocks = np.array(library.clocks) * library.base_clock_hz
    rates = np.outer(library.widths, clocks).ravel()
    is_dram = np.repeat([1.0, 0.0], len(rates))
    memories = np.stack([np.concatenate([rates, rates]), is_dram], axis=1)
    return Problem(_records(graph), _pes(graph, library), memories, rates, library.memories, library.size_step)


def _pes(graph: Graph, library: Library) -> Floats:
    """Processing elements, ``(K, PE_COLUMNS)``."""
    works = {task.name: (index, float(task.instructions)) for index, task in enumerate(graph.tasks)}
    rows = [(library.processor_rate, library.processor_energy, library.processor_area, -1.0)]
    for each in graph.accelerators:
        index, work = works[each.task]
        for unroll in library.unrolls(each.loop_iterations):
            energy = work / (each.energy_fj * 1e-15 * library.energy_scale * unroll)
            area = each.area_um2 * 1e-12 * library.area_scale * unroll
            for clock in library.clocks:
                rows.append((clock * unroll * work / (each.cycles / library.base_clock_hz), energy, area, float(index)))
    return np.array(rows)


def _records(graph: Graph) -> Record:
    """The graph as the kernels read it."""
    names = {task.name: index for index, task in enumerate(graph.tasks)}
    edges = [(names[source], names[target], size) for source, target, size in graph.edges]
    into = [[edge for edge in edges if edge[1] == task] for task in names.values()]
    out_of = [[edge for edge in edges if edge[0] == task] for task in names.values()]
    records = np.zeros(1, GRAPH)
    record = records[0]
    record["tasks"], record["root"] = len(names), names[graph.root]
    record["ends"] = len(graph.last)
    record["limits"] = 1.0
    record["end"][: len(graph.last)] = [names[name] for name in graph.last]
    record["parent_start"][1 : len(names) + 1] = np.cumsum([len(each) for each in into])
    record["child_start"][1 : len(names) + 1] = np.cumsum([len(each) for each in out_of])
    for index, task in enumerate(graph.tasks):
        reads, writes = [edge[2] for edge in into[index]], [edge[2] for edge in out_of[index]]
        dice = _dice(task.instructions, reads, writes)
        record["work"][index], record["role"][index] = task.instructions, ROLES[task.role]
        record["write_bytes"][index] = sum(writes)
        record["write_units"][index] = sum(int(size / dice) for size in writes)
        record["footprint"][index] = 0 if task.role in ("sink", "marker") else sum(writes)
        for place, edge in enumerate(into[index], start=int(record["parent_start"][index])):
            record["parent"][place], record["read_bytes"][place] = edge[0], edge[2]
            record["read_units"][place] = int(edge[2] / dice)
        for place, edge in enumerate(out_of[index], start=int(record["child_start"][index])):
            record["child"][place] = edge[1]
    visits = _visits([[edge[1] for edge in each] for each in out_of], names[graph.root])
    record["visits"] = len(visits)
    record["visit_task"][: len(visits)] = [task for task, _ in visits]
    record["visit_owner"][: len(visits)] = [owner for _, owner in visits]
    return records


def pe_kind(graph: Graph, library: Library, task: str, unroll: int, clock: int) -> int:
    """Row of an accelerator among the processing elements; ``unroll`` and ``clock`` are indices of its settings."""
    kind = 1
    for each in graph.accelerators:
        if each.task == task:
            return kind + unroll * len(library.clocks) + clock
        kind += len(library.unrolls(each.loop_iterations)) * len(library.clocks)
    raise KeyError(task)


def memory_kind(library: Library, dram: bool, width: int, clock: int) -> int:
    """Row of a memory; ``width`` and ``clock`` are indices of its settings."""
    return ((0 if dram else len(library.widths)) + width) * len(library.clocks) + clock


def bus_kind(library: Library, width: int, clock: int) -> int:
    """Row of a bus; ``width`` and ``clock`` are indices of its settings."""
    return width * len(library.clocks) + clock


def _dice(work: float, reads: Sequence[float], writes: Sequence[float]) -> int:
    """Into how many bursts a task divides its traffic."""
    dice = math.floor(min(reads) / BURST_BYTES) if reads else 1
    if dice == 0 or work // dice == 0 or (writes and min(writes) // dice == 0):
        return 1
    return dice


def _visits(children: Sequence[Sequence[int]], root: int) -> list[tuple[int, int]]:
    """The walk from the root that decides in which order tasks are listed on a bus: pairs (task, owner of the memory)."""
    steps: list[tuple[int, int]] = []
    visited: set[int] = set()
    trail: list[Iterator[int]] = []  # not by recursion: graphs may be longer than Python's goes deep
    path: list[int] = []

    def enter(task: int) -> None:
        if task not in visited:
            visited.add(task)
            if children[task]:
                steps.append((task, task))
            path.append(task)
            trail.append(iter(children[task]))

    enter(root)
    while trail:
        child = next(trail[-1], None)
        if child is None:
            trail.pop()
            path.pop()
        else:
            steps.append((child, path[-1]))
            enter(child)
    return steps
