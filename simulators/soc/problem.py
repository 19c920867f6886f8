"""A task graph and the library of blocks for it, as the arrays that the kernels read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from simulators.soc.graph import Graph
from simulators.soc.layout import MARKER, SINK, SOURCE, WORKER, Problem
from simulators.soc.library import Library

ROLES = {"worker": WORKER, "source": SOURCE, "sink": SINK, "marker": MARKER}
BURST_BYTES = 1024


def make_problem(graph: Graph, library: Library) -> Problem:
    """Lays out a graph and the blocks that can serve it.

    Kinds of processing elements are the A53, then per accelerator of the graph, in its order, all clocks of the first unroll
    setting, all clocks of the second, and so on.  Memories are all clocks of the narrowest DRAM, of the next width, ..., then
    the same of SRAM; buses likewise.
    """
    names = {task.name: index for index, task in enumerate(graph.tasks)}
    edges = [(names[source], names[target], float(size)) for source, target, size in graph.edges]
    tasks = range(len(names))
    into = [[edge for edge in edges if edge[1] == task] for task in tasks]
    out_of = [[edge for edge in edges if edge[0] == task] for task in tasks]
    work = [float(task.instructions) for task in graph.tasks]
    role = np.array([ROLES[task.role] for task in graph.tasks], np.int64)
    dice = [_dice(work[task], [edge[2] for edge in into[task]], [edge[2] for edge in out_of[task]]) for task in tasks]
    written = np.array([sum(edge[2] for edge in out_of[task]) for task in tasks])
    visits = _visits([[edge[1] for edge in out_of[task]] for task in tasks], names[graph.root])
    clocks = np.array(library.clocks) * library.base_clock_hz
    rates = np.outer(library.widths, clocks).ravel()
    rows = [(library.processor_rate, library.processor_energy, library.processor_area, -1)]
    for each in graph.accelerators:
        amount = float(graph.tasks[names[each.task]].instructions)
        for unroll in library.unrolls(each.loop_iterations):
            energy = amount / (each.energy_fj * 1e-15 * library.energy_scale * unroll)
            area = each.area_um2 * 1e-12 * library.area_scale * unroll
            for clock in library.clocks:
                rate = clock * unroll * amount / (each.cycles / library.base_clock_hz)
                rows.append((rate, energy, area, names[each.task]))
    return Problem(
        work=np.array(work),
        role=role,
        parent_start=_starts(into),
        parent=np.array([edge[0] for task in tasks for edge in into[task]], np.int64),
        read_bytes=np.array([edge[2] for task in tasks for edge in into[task]]),
        read_units=np.array([float(int(edge[2] / dice[task])) for task in tasks for edge in into[task]]),
        child_start=_starts(out_of),
        child=np.array([edge[1] for task in tasks for edge in out_of[task]], np.int64),
        write_bytes=written,
        write_units=np.array([float(sum(int(edge[2] / dice[task]) for edge in out_of[task])) for task in tasks]),
        footprint=np.where((role == SINK) | (role == MARKER), 0.0, written),
        visit_task=np.array([task for task, _ in visits], np.int64),
        visit_owner=np.array([owner for _, owner in visits], np.int64),
        last=np.array([names[name] for name in graph.last], np.int64),
        root=names[graph.root],
        pe_rate=np.array([row[0] for row in rows]),
        pe_energy=np.array([row[1] for row in rows]),
        pe_area=np.array([row[2] for row in rows]),
        pe_task=np.array([row[3] for row in rows], np.int64),
        memory_rate=np.concatenate([rates, rates]),
        memory_dram=np.repeat([1, 0], len(rates)),
        bus_rate=rates,
        table=library.memories,
        size_step=library.size_step,
    )


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


def _starts(lists: Sequence[Sequence[object]]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.cumsum([0, *(len(each) for each in lists)], dtype=np.int64)


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
