"""What each task moves through which block, and how fast it is when it runs alone."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import (
    BLOCKS,
    BUS_KIND,
    BUSES,
    LIMIT_PE,
    MAPPING,
    MEMORY_KIND,
    PE_KIND,
    READ,
    WRITE,
    Platforms,
    Problem,
)
from simulators.soc.workspace import Workspace


@njit(cache=True, nogil=True)
def peak(platform: Platforms, problem: Problem, block: int) -> float:
    """Bytes/s of a bus or memory."""
    if block < BUSES:
        return problem.bus_rate[platform[BUS_KIND + block]]
    return problem.memory_rate[platform[MEMORY_KIND + block - BUSES]]


@njit(cache=True, nogil=True)
def move(work: Workspace, task: int, direction: int, memory: int, amount: float, units: float) -> None:
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
def note_traffic(platform: Platforms, problem: Problem, work: Workspace) -> None:
    """Notes the traffic of all tasks with work, and the rates they have alone; the others take no time."""
    tasks = len(problem.work)
    for task in range(tasks):
        if problem.work[task] == 0.0:
            continue
        for direction in range(2):
            work.touched[task, direction] = 0
            for block in range(BLOCKS):
                work.bytes[task, direction, block] = 0.0
                work.units[task, direction, block] = 0.0
            for bus in range(BUSES):
                work.leaves[task, direction, bus] = 0
        for edge in range(problem.parent_start[task], problem.parent_start[task + 1]):
            memory = platform[MAPPING + tasks + problem.parent[edge]]
            move(work, task, READ, memory, problem.read_bytes[edge], problem.read_units[edge])
        if problem.write_bytes[task] > 0.0:
            memory = platform[MAPPING + tasks + task]
            move(work, task, WRITE, memory, problem.write_bytes[task], problem.write_units[task])
        rate, limit = problem.pe_rate[platform[PE_KIND + platform[MAPPING + task]]], LIMIT_PE
        for direction in range(2):
            for block in range(BLOCKS):
                if work.touched[task, direction] >> block & 1:
                    ratio = work.bytes[task, direction, block] / problem.work[task]
                    bound = peak(platform, problem, block) / ratio
                    if bound < rate:
                        rate, limit = bound, direction * BLOCKS + block
        work.solo[task] = rate
        work.solo_limit[task] = limit
