"""From a platform to the order of its tasks, or to the rule that it breaks."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    BUS_SELF,
    BUSES,
    CUT_OFF,
    MAPPING,
    MEMORIES,
    MEMORY_BUS,
    MEMORY_KIND,
    MEMORY_UNREACHABLE,
    OK,
    PE_BUS,
    PE_KIND,
    PE_UNREACHABLE,
    PES,
    SINK,
    TASK_PE,
    Platforms,
    Problem,
)
from simulators.soc.topology import cut_links, depth_first, find_paths, link_buses, prune
from simulators.soc.workspace import VIOLATION, WHERE, Workspace


@njit(cache=True, nogil=True)
def build(platform: Platforms, problem: Problem, work: Workspace) -> int:
    """Connects the blocks, cuts and prunes, and orders the tasks.

    Args:
        platform: ``(platform_size(T),)`` int32.
        problem: of the same tasks.
        work: buses, paths, homes and ranks are noted here.

    Returns:
        ``OK``, or the rule that is broken; then ``work.state`` holds by how much, and which task or bus is the first.
    """
    for pe in range(PES):
        work.pe_bus[pe] = platform[PE_BUS + pe] if platform[PE_KIND + pe] >= 0 else -1
    for memory in range(MEMORIES):
        work.memory_bus[memory] = platform[MEMORY_BUS + memory] if platform[MEMORY_KIND + memory] >= 0 else -1
    link_buses(platform, work)
    find_paths(work)
    broken = check(platform, problem, work)
    if broken != OK:
        return broken
    list_tasks(platform, problem, work)
    if cut_links(work):
        find_paths(work)
    found = depth_first(work, work.pe_bus[0])
    stranded = count_stranded(platform, problem, work, found)
    if stranded > 0:
        work.state[VIOLATION] = stranded
        work.state[WHERE] = work.pe_bus[0]
        return CUT_OFF
    if prune(work, found):
        find_paths(work)
        found = depth_first(work, work.pe_bus[0])
    rank_tasks(platform, problem, work, found)
    return OK


@njit(cache=True, nogil=True)
def check(platform: Platforms, problem: Problem, work: Workspace) -> int:
    """The first rule that is broken before anything is cut; the violation counts the links and tasks that break any rule."""
    tasks = len(problem.work)
    start = work.pe_bus[0]
    broken, violation = OK, 0
    for bus in range(BUSES):
        if platform[BUS_LINK + bus] == bus and platform[BUS_KIND + bus] >= 0:
            violation += 1
            if broken == OK:
                broken = BUS_SELF
                work.state[WHERE] = bus
    for task in range(tasks):
        pe, memory = platform[MAPPING + task], platform[MAPPING + tasks + task]
        only = problem.pe_task[platform[PE_KIND + pe]] if platform[PE_KIND + pe] >= 0 else -2
        wrong = OK
        if only != -1 and only != task:
            wrong = TASK_PE
        elif work.across[start, work.pe_bus[pe]] == 0:
            wrong = PE_UNREACHABLE
        far = problem.role[task] != SINK and (work.memory_bus[memory] < 0 or work.across[start, work.memory_bus[memory]] == 0)
        if far:
            violation += 1
            if wrong == OK:
                wrong = MEMORY_UNREACHABLE
            else:
                violation += 1
        elif wrong != OK:
            violation += 1
        if wrong != OK and (broken == OK or wrong < broken):
            broken = wrong
            work.state[WHERE] = task
    work.state[VIOLATION] = violation
    return broken


@njit(cache=True, nogil=True)
def list_tasks(platform: Platforms, problem: Problem, work: Workspace) -> None:
    """Lists the tasks whose data crosses each bus, and which buses have a task in common, before anything is cut."""
    tasks = len(problem.work)
    for bus in range(BUSES):
        work.count[bus] = 0
        work.together[bus] = 0
    for task in range(tasks):
        work.crossed[task] = 0
    for step in range(len(problem.visit_task)):
        task, owner = problem.visit_task[step], problem.visit_owner[step]
        pe_bus = work.pe_bus[platform[MAPPING + task]]
        memory_bus = work.memory_bus[platform[MAPPING + tasks + owner]]
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
def count_stranded(platform: Platforms, problem: Problem, work: Workspace, found: int) -> int:
    """How many tasks lost the way to processing element 0 when links were cut."""
    tasks = len(problem.work)
    reached = 0
    for place in range(found):
        reached |= 1 << work.order[place]
    stranded = 0
    for task in range(tasks):
        if work.crossed[task] & ~reached:
            stranded += 1
    return stranded


@njit(cache=True, nogil=True)
def rank_tasks(platform: Platforms, problem: Problem, work: Workspace, found: int) -> None:
    """Orders the tasks as they are met on a walk over the blocks: processing element 0, then bus by bus."""
    tasks = len(problem.work)
    for task in range(tasks):
        work.rank[task] = -1
        work.home[task] = work.pe_bus[platform[MAPPING + task]]
    ranked = 0
    for task in range(tasks):
        if platform[MAPPING + task] == 0:
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
