"""From a platform to the order of its tasks, or to the rule that it breaks."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    BUS_SELF,
    BUSES,
    CUT_OFF,
    ENERGY_RATE,
    IS_DRAM,
    MAPPING,
    MEMORIES,
    MEMORY_BUS,
    MEMORY_BUSES,
    MEMORY_KIND,
    MEMORY_UNREACHABLE,
    OK,
    ONLY_TASK,
    PE_AREA,
    PE_BUS,
    PE_KIND,
    PE_UNREACHABLE,
    PES,
    RATE,
    TASK_PE,
    Floats,
    Platforms,
)
from simulators.soc.records import Record
from simulators.soc.topology import cut_links, depth_first, find_paths, link_buses, prune


@njit(cache=True, nogil=True)
def unpack(platform: Platforms, graph: Record, pes: Floats, memories: Floats, buses: Floats, work: Record) -> None:
    """Copies a platform, and what the library knows of its blocks, into the record.

    Args:
        platform: ``(platform_size(T),)`` int32.
        graph: of T tasks.
        pes: ``(K, PE_COLUMNS)``, the library's processing elements.
        memories: ``(K, MEMORY_COLUMNS)``.
        buses: ``(K,)`` bytes/s.
        work: its first fields are filled in.
    """
    for task in range(graph.tasks):
        work.pe[task] = platform[MAPPING + task]
        work.memory[task] = platform[MAPPING + graph.tasks + task]
    for pe in range(PES):
        kind = platform[PE_KIND + pe]
        work.pe_only[pe] = -2
        work.pe_bus[pe] = -1
        if kind >= 0:
            work.pe_rate[pe] = pes[kind, RATE]
            work.pe_energy[pe] = pes[kind, ENERGY_RATE]
            work.pe_area[pe] = pes[kind, PE_AREA]
            work.pe_only[pe] = int(pes[kind, ONLY_TASK])
            work.pe_bus[pe] = platform[PE_BUS + pe]
    for memory in range(MEMORIES):
        kind = platform[MEMORY_KIND + memory]
        work.memory_bus[memory] = -1
        if kind >= 0:
            work.memory_kind[memory] = int(memories[kind, IS_DRAM])
            work.peak[BUSES + memory] = memories[kind, RATE]
            work.memory_bus[memory] = platform[MEMORY_BUS + memory]
    for bus in range(BUSES):
        kind = platform[BUS_KIND + bus]
        work.link[bus] = platform[BUS_LINK + bus]
        work.is_bus[bus] = 0
        if kind >= 0:
            work.is_bus[bus] = 1
            work.peak[bus] = buses[kind]


@njit(cache=True, nogil=True)
def build(graph: Record, work: Record) -> int:
    """Connects the blocks, cuts and prunes, and orders the tasks.

    Args:
        graph: of T tasks.
        work: unpacked; buses, paths, homes and ranks are noted here.

    Returns:
        ``OK``, or the rule that is broken; then ``work`` holds by how much, and which task or bus is the first.
    """
    link_buses(work)
    find_paths(work)
    broken = check(graph, work)
    if broken != OK:
        return broken
    list_tasks(graph, work)
    if cut_links(work):
        find_paths(work)
    found = depth_first(work, work.pe_bus[0])
    stranded = count_stranded(graph, work, found)
    if stranded > 0:
        work.violation = stranded
        work.place = work.pe_bus[0]
        return CUT_OFF
    if prune(work, found):
        find_paths(work)
        found = depth_first(work, work.pe_bus[0])
    rank_tasks(graph, work, found)
    return OK


@njit(cache=True, nogil=True)
def check(graph: Record, work: Record) -> int:
    """The first rule that is broken before anything is cut; the violation counts the links and tasks that break any rule."""
    start = work.pe_bus[0]
    broken, violation = OK, 0
    for bus in range(BUSES):
        if work.link[bus] == bus and work.is_bus[bus] == 1:
            violation += 1
            if broken == OK:
                broken, work.place = BUS_SELF, bus
    for memory in range(MEMORIES):
        if work.memory_bus[memory] < -1:
            violation += -work.memory_bus[memory] - 1
            if broken == OK:
                broken, work.place = MEMORY_BUSES, memory
    for task in range(graph.tasks):
        wrong = OK
        if is_apart(work, start, work.pe_bus[work.pe[task]]):
            wrong = PE_UNREACHABLE
            violation += 1
        if is_apart(work, start, work.memory_bus[work.memory[task]]):
            wrong = MEMORY_UNREACHABLE
            violation += 1
        only = work.pe_only[work.pe[task]]
        if only != -1 and only != task:
            wrong = TASK_PE
            violation += 1
        if wrong != OK and (broken == OK or wrong < broken):
            broken, work.place = wrong, task
    work.violation = violation
    return broken


@njit(cache=True, nogil=True)
def is_apart(work: Record, start: int, bus: int) -> bool:
    """Whether there is no way from one bus to another, or no other bus; not if it is several, which is an error of its own."""
    return bus == -1 or (bus >= 0 and work.across[start, bus] == 0)


@njit(cache=True, nogil=True)
def list_tasks(graph: Record, work: Record) -> None:
    """Lists the tasks whose data crosses each bus, and which buses have a task in common, before anything is cut."""
    tasks = graph.tasks
    for bus in range(BUSES):
        work.count[bus] = 0
        work.together[bus] = 0
    for task in range(tasks):
        work.crossed[task] = 0
    for step in range(graph.visits):
        task, owner = graph.visit_task[step], graph.visit_owner[step]
        pe_bus = work.pe_bus[work.pe[task]]
        memory_bus = work.memory_bus[work.memory[owner]]
        added = work.across[pe_bus, memory_bus] & ~work.crossed[task]
        if added == 0:
            continue
        work.crossed[task] |= added
        for bus in range(BUSES):
            if added >> bus & 1:
                work.listed[bus, work.count[bus]] = task
                work.count[bus] += 1
    for task in range(tasks):
        for bus in range(BUSES):
            if work.crossed[task] >> bus & 1:
                work.together[bus] |= work.crossed[task]


@njit(cache=True, nogil=True)
def count_stranded(graph: Record, work: Record, found: int) -> int:
    """How many tasks lost the way to processing element 0 when links were cut."""
    tasks = graph.tasks
    reached = 0
    for place in range(found):
        reached |= 1 << work.order[place]
    stranded = 0
    for task in range(tasks):
        if work.crossed[task] & ~reached:
            stranded += 1
    return stranded


@njit(cache=True, nogil=True)
def rank_tasks(graph: Record, work: Record, found: int) -> None:
    """Orders the tasks as they are met on a walk over the blocks: processing element 0, then bus by bus."""
    tasks = graph.tasks
    for task in range(tasks):
        work.rank[task] = -1
        work.home[task] = work.pe_bus[work.pe[task]]
    ranked = 0
    for task in range(tasks):
        if work.pe[task] == 0:
            work.rank[task] = ranked
            ranked += 1
    for place in range(found):
        bus = work.order[place]
        for i in range(work.count[bus]):
            task = work.listed[bus, i]
            if work.rank[task] < 0:
                work.rank[task] = ranked
                ranked += 1
        if ranked == tasks:
            return
