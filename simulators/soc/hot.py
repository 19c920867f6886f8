"""What holds a chip back: the task and the blocks that weigh most in whatever is farthest from its limit.

This is the question that FARSI asks of every design before it changes one (Boroujerdian et al., ACM TECS 2023, section 4).
"""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import (
    AREA_DRAM,
    AREA_REST,
    BLOCKS,
    BOTTLENECK_BUS,
    BOTTLENECK_MEMORY,
    BOTTLENECK_PE,
    BUSES,
    HOT_BUS,
    HOT_MEMORY,
    HOT_PE,
    HOT_TASK,
    LATENCY,
    LIMIT_PE,
    MEMORIES,
    POWER,
    Floats,
)
from simulators.soc.physical import pe_area
from simulators.soc.records import Record


@njit(cache=True, nogil=True)
def note_hot(graph: Record, work: Record, outcome: Floats) -> None:
    """Fills in the last part of an outcome.

    Where latency is farthest from its limit, a task weighs what it takes of time, and a kind of blocks the time in which one
    of them is what limits a task.  Where power is, both weigh what they take of energy.  Where an area is, blocks weigh their
    area, and the task is the longest on the largest processing element.

    Args:
        graph: of T tasks.
        work: of a run that came to its end.
        outcome: ``(OUTCOMES,)``, all but its last part filled in.
    """
    goal = farthest(graph, outcome)
    for task in range(graph.tasks):
        work.heat[task] = 0.0
        work.slowed[task] = LIMIT_PE
        work.longest[task] = 0.0
    pes = memories = buses = 0.0
    for phase in range(work.phases):
        length = work.length[phase]
        if length == 0.0:
            continue
        for entry in range(work.first[phase], work.first[phase + 1]):
            task, limit, amount = work.log_task[entry], work.log_limit[entry], length
            if goal == POWER:
                amount = work.log_work[entry] * work.cost[task]
                processing = work.log_work[entry] / work.pe_energy[work.pe[task]]
                pes += processing
                memories += amount - processing
            elif limit == LIMIT_PE:
                pes += length
            elif limit % BLOCKS < BUSES:
                buses += length
            else:
                memories += length
            work.heat[task] += amount
            if length > work.longest[task]:
                work.longest[task] = length
                work.slowed[task] = limit
    if goal == AREA_REST or goal == AREA_DRAM:
        pes = pe_area(graph, work)
        memories, buses = outcome[AREA_REST] + outcome[AREA_DRAM] - pes, 0.0
        note_largest(graph, work, outcome)
    else:
        note_hottest(graph, work, outcome)
    total = pes + memories + buses
    if total > 0.0:
        outcome[BOTTLENECK_PE], outcome[BOTTLENECK_MEMORY] = pes / total, max(memories, 0.0) / total
        outcome[BOTTLENECK_BUS] = buses / total
    else:
        outcome[BOTTLENECK_PE], outcome[BOTTLENECK_MEMORY], outcome[BOTTLENECK_BUS] = 1.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def farthest(graph: Record, outcome: Floats) -> int:
    """Which of latency, power and the two areas is farthest above its limit, or closest to it if none is above."""
    goal, most = LATENCY, outcome[LATENCY] / graph.limits[0]
    if outcome[POWER] / graph.limits[1] > most:
        goal, most = POWER, outcome[POWER] / graph.limits[1]
    if outcome[AREA_REST] / graph.limits[2] > most:
        goal, most = AREA_REST, outcome[AREA_REST] / graph.limits[2]
    if outcome[AREA_DRAM] / graph.limits[2] > most:
        goal = AREA_DRAM
    return goal


@njit(cache=True, nogil=True)
def note_hottest(graph: Record, work: Record, outcome: Floats) -> None:
    """The task that weighs most, and the blocks that it is on; those that slow it down where there are any."""
    hot = 0
    for task in range(1, graph.tasks):
        if work.heat[task] > work.heat[hot]:
            hot = task
    limit = work.slowed[hot]
    outcome[HOT_TASK], outcome[HOT_PE] = hot, work.pe[hot]
    outcome[HOT_MEMORY], outcome[HOT_BUS] = work.memory[hot], work.home[hot]
    if limit != LIMIT_PE:
        block = limit % BLOCKS
        if block < BUSES:
            outcome[HOT_BUS] = block
        else:
            outcome[HOT_MEMORY] = block - BUSES


@njit(cache=True, nogil=True)
def note_largest(graph: Record, work: Record, outcome: Floats) -> None:
    """The largest processing element and memory in use, and the longest task on that processing element."""
    largest = work.pe[0]
    for task in range(graph.tasks):
        if work.pe_area[work.pe[task]] > work.pe_area[largest]:
            largest = work.pe[task]
    fullest = 0
    for memory in range(MEMORIES):
        if work.most[memory] > work.most[fullest]:
            fullest = memory
    hot = -1
    for task in range(graph.tasks):
        if work.pe[task] == largest and (hot < 0 or work.heat[task] > work.heat[hot]):
            hot = task
    outcome[HOT_TASK], outcome[HOT_PE] = hot, largest
    outcome[HOT_MEMORY], outcome[HOT_BUS] = fullest, work.home[hot]
