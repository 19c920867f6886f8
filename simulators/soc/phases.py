"""The phases of a run: a phase lasts until the first running task ends."""

from __future__ import annotations

from numba import njit

from simulators.soc.layout import CYCLE, ENDLESS, MEMORIES, OK, SINK, SOURCE
from simulators.soc.rates import set_rates
from simulators.soc.records import Record

DONE = 0.99  # a task that has done so much of its work at the end of a phase is complete, and the rest is not done


@njit(cache=True, nogil=True)
def run_phases(graph: Record, work: Record) -> int:
    """Runs the workload on a platform that is built.

    Args:
        graph: of T tasks.
        work: of a platform that is built, with its traffic; where everything that happens is noted.

    Returns:
        ``OK``, ``CYCLE`` (``work.place`` is a task that never starts) or ``ENDLESS``.
    """
    tasks = graph.tasks
    reset(graph, work)
    clock = before = 0.0
    running = waiting = launched = logged = phase = 0
    work.fresh[0] = graph.root
    fresh = 1 if work.missing[graph.root] == 0 else 0
    while phase < tasks + 2:
        length = clock - before
        before = clock
        work.length[phase] = length
        work.first[phase] = logged
        logged = advance(work, running, length, logged)
        phase += 1
        running, ended = split_ended(graph, work, running, clock)
        if ended > 0:
            fresh = end_tasks(graph, work, running, ended)
        launch_tasks(graph, work, running, fresh, clock)
        launched += fresh
        running, waiting = serialise(work, running + fresh, waiting)
        fresh = 0
        if running == 0:
            work.first[phase] = logged
            work.phases = phase
            if launched == tasks:
                return OK
            work.place = first_missing(work, tasks)
            work.violation = tasks - launched
            return CYCLE
        clock += shortest(graph, work, running)
    return ENDLESS


@njit(cache=True, nogil=True)
def reset(graph: Record, work: Record) -> None:
    """Puts all tasks before their start."""
    tasks = graph.tasks
    for task in range(tasks):
        work.left[task] = graph.work[task]
        work.missing[task] = graph.parent_start[task + 1] - graph.parent_start[task]
        work.retired[task] = 0
    for memory in range(MEMORIES):
        work.held[memory] = 0.0
        work.most[memory] = -1.0
    for task in range(tasks):
        if graph.role[task] != SINK:
            work.most[work.memory[task]] = 0.0


@njit(cache=True, nogil=True)
def advance(work: Record, running: int, length: float, logged: int) -> int:
    """Lets the running tasks work for a while; returns the new end of the log."""
    for i in range(running):
        task = work.running[i]
        done = work.rate[task] * length
        work.left[task] -= done
        work.log_task[logged] = task
        work.log_work[logged] = done
        work.log_limit[logged] = work.limit[task]
        logged += 1
    return logged


@njit(cache=True, nogil=True)
def split_ended(graph: Record, work: Record, running: int, clock: float) -> tuple[int, int]:
    """Moves the tasks that are complete behind those that run on, in order; returns how many there are of either."""
    kept = ended = 0
    for i in range(running):
        task = work.running[i]
        if graph.work[task] == 0.0 or 1.0 - work.left[task] / graph.work[task] >= DONE:
            work.finish[task] = clock
            work.fresh[ended] = task
            ended += 1
        else:
            work.running[kept] = task
            kept += 1
    for i in range(ended):
        work.running[kept + i] = work.fresh[i]
    return kept, ended


@njit(cache=True, nogil=True)
def end_tasks(graph: Record, work: Record, kept: int, ended: int) -> int:
    """Passes on what ended tasks have made and releases what they have read; returns how many tasks can be launched now."""
    fresh = 0
    for i in range(kept, kept + ended):
        task = work.running[i]
        for edge in range(graph.child_start[task], graph.child_start[task + 1]):
            child = graph.child[edge]
            work.missing[child] -= 1
            if work.missing[child] == 0:
                place = fresh
                while place > 0 and work.rank[work.fresh[place - 1]] > work.rank[child]:
                    work.fresh[place] = work.fresh[place - 1]
                    place -= 1
                work.fresh[place] = child
                fresh += 1
        work.retired[task] = 1
        for edge in range(graph.parent_start[task], graph.parent_start[task + 1]):
            release(graph, work, graph.parent[edge])
    return fresh


@njit(cache=True, nogil=True)
def release(graph: Record, work: Record, parent: int) -> None:
    """Releases a task's output if all its readers are retired, and takes these off the list.

    A reader of two outputs is off the list after the first, so that the second stays allocated; so it is in FARSI.
    """
    first, last = graph.child_start[parent], graph.child_start[parent + 1]
    for edge in range(first, last):
        if work.retired[graph.child[edge]] == 0:
            return
    for edge in range(first, last):
        work.retired[graph.child[edge]] = 0
    if graph.role[parent] != SOURCE:
        work.held[work.memory[parent]] -= graph.footprint[parent]


@njit(cache=True, nogil=True)
def launch_tasks(graph: Record, work: Record, running: int, fresh: int, clock: float) -> None:
    """Appends tasks to those that run and allocates their outputs, whether or not their processing elements are free."""
    for i in range(fresh):
        task = work.fresh[i]
        work.running[running + i] = task
        work.launch[task] = clock
        if graph.footprint[task] > 0.0:
            memory = work.memory[task]
            work.held[memory] += graph.footprint[task]
            work.most[memory] = max(work.most[memory], work.held[memory])


@njit(cache=True, nogil=True)
def serialise(work: Record, running: int, waiting: int) -> tuple[int, int]:
    """Lets the first task on each processing element run, of those that run and then those that wait; the others wait."""
    for i in range(waiting):
        work.running[running + i] = work.waiting[i]
    busy = kept = put_off = 0
    for i in range(running + waiting):
        task = work.running[i]
        pe = 1 << work.pe[task]
        if busy & pe == 0:
            busy |= pe
            work.running[kept] = task
            kept += 1
        else:
            work.waiting[put_off] = task
            put_off += 1
    return kept, put_off


@njit(cache=True, nogil=True)
def shortest(graph: Record, work: Record, running: int) -> float:
    """Seconds until the first running task ends; sets their rates unless one has no work."""
    for i in range(running):
        task = work.running[i]
        work.rate[task] = 1.0
        work.limit[task] = 0
        if graph.work[task] == 0.0:
            for j in range(running):
                work.rate[work.running[j]] = 1.0
            return 0.0
    set_rates(graph, work, running)
    least = work.left[work.running[0]] / work.rate[work.running[0]]
    for i in range(1, running):
        task = work.running[i]
        least = min(least, work.left[task] / work.rate[task])
    return least


@njit(cache=True, nogil=True)
def first_missing(work: Record, tasks: int) -> int:
    """The first task that still waits for another."""
    for task in range(tasks):
        if work.missing[task] > 0:
            return task
    return -1
