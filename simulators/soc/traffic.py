"""What each task moves through which block, and how fast it is when it runs alone."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import (
    BLOCKS,
    BUSES,
    LIMIT_PE,
    READ,
    WRITE,
)
from simulators.soc.records import Record


@njit(cache=True, nogil=True)
def move(work: Record, task: int, direction: int, memory: int, amount: float, units: float) -> None:
    """Notes that a task moves bytes between its processing element and a memory, over all buses between them."""
    home, block = work.home[task], BUSES + memory
    bus = work.memory_bus[memory]
    work.bytes[task, direction, block] += amount
    work.units[task, direction, block] += units
    work.touched[task, direction] |= 1 << block
    while True:
        work.bytes[task, direction, bus] += amount
        work.units[task, direction, bus] += units
        work.leaves[task, direction, bus] |= 1 << block
        work.touched[task, direction] |= 1 << bus
        if bus == home:
            return
        block = bus
        bus = work.before[home, bus]


@njit(cache=True, nogil=True)
def note_traffic(graph: Record, work: Record) -> None:
    """Notes the traffic of all tasks with work, and the rates they have alone; the others take no time."""
    tasks = graph.tasks
    for task in range(tasks):
        if graph.work[task] == 0.0:
            continue
        for direction in range(2):
            work.touched[task, direction] = 0
            for block in range(BLOCKS):
                work.bytes[task, direction, block] = 0.0
                work.units[task, direction, block] = 0.0
            for bus in range(BUSES):
                work.leaves[task, direction, bus] = 0
        for edge in range(graph.parent_start[task], graph.parent_start[task + 1]):
            memory = work.memory[graph.parent[edge]]
            move(work, task, READ, memory, graph.read_bytes[edge], graph.read_units[edge])
        if graph.write_bytes[task] > 0.0:
            memory = work.memory[task]
            move(work, task, WRITE, memory, graph.write_bytes[task], graph.write_units[task])
        rate, limit = work.pe_rate[work.pe[task]], LIMIT_PE
        for direction in range(2):
            for block in range(BLOCKS):
                if work.touched[task, direction] >> block & 1:
                    ratio = work.bytes[task, direction, block] / graph.work[task]
                    bound = work.peak[block] / ratio
                    if bound < rate:
                        rate, limit = bound, direction * BLOCKS + block
        work.solo[task] = rate
        work.solo_limit[task] = limit
