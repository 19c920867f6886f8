"""How fast each running task is when several share blocks: the roofline of a phase."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import BLOCKS, BUSES, PES
from simulators.soc.records import Record


@njit(cache=True, nogil=True)
def entry(work: Record, task: int, bus: int) -> int:
    """Where a task's data enters a bus: from its processing element, or (from ``PES`` on) from another bus."""
    home = work.home[task]
    if home == bus:
        return work.pe[task]
    return PES + work.before[home, bus]


@njit(cache=True, nogil=True)
def memory_share(work: Record, running: int, task: int, direction: int, block: int) -> float:
    """Share of a memory that a task gets: its part of the burst units of all who run."""
    total = 0.0
    for i in range(running):
        other = work.running[i]
        if work.touched[other, direction] >> block & 1:
            total += work.units[other, direction, block]
    return work.units[task, direction, block] / total


@njit(cache=True, nogil=True)
def bus_share(work: Record, running: int, task: int, direction: int, bus: int) -> float:
    """Smallest share that a task gets of a bus, over the ways out that its data takes.

    The ways into a bus get equal turns at each way out; on one way in, tasks share in proportion to their burst units.
    """
    way_in = entry(work, task, bus)
    total = 0.0
    for i in range(running):
        other = work.running[i]
        if work.touched[other, direction] >> bus & 1 and entry(work, other, bus) == way_in:
            total += work.units[other, direction, bus]
    most = 1
    for out in range(BLOCKS):
        if work.leaves[task, direction, bus] >> out & 1:
            ways, count = 0, 0
            for i in range(running):
                other = work.running[i]
                uses = work.touched[other, direction] >> bus & 1 and work.leaves[other, direction, bus] >> out & 1
                if uses:
                    way = 1 << entry(work, other, bus)
                    if ways & way == 0:
                        ways |= way
                        count += 1
            most = max(most, count)
    return 1.0 / most * (work.units[task, direction, bus] / total)


@njit(cache=True, nogil=True)
def set_rates(graph: Record, work: Record, running: int) -> None:
    """Sets ``rate`` and ``limit`` of all running tasks, none of which is without work."""
    for i in range(running):
        task = work.running[i]
        rate, limit = work.solo[task], work.solo_limit[task]
        for direction in range(2):
            others = 0
            for j in range(running):
                if j != i:
                    others |= work.touched[work.running[j], direction]
            shared = work.touched[task, direction] & others
            block = 0
            while shared >> block:
                if shared >> block & 1:
                    if block < BUSES:
                        share = bus_share(work, running, task, direction, block)
                    else:
                        share = memory_share(work, running, task, direction, block)
                    ratio = work.bytes[task, direction, block] / graph.work[task]
                    bound = work.peak[block] * share / ratio
                    if bound < rate:
                        rate, limit = bound, direction * BLOCKS + block
                block += 1
        work.rate[task] = rate
        work.limit[task] = limit
