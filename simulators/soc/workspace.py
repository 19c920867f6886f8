"""What the kernels note down about one platform; one workspace per thread, used again for every platform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from simulators.soc.layout import BLOCKS, BUSES, MEMORIES, PES, Floats, Words

STATES = 8  # scalars that a run leaves for whoever explains it
VIOLATION, WHERE, RUNNING, LOGGED = range(4)


class Workspace(NamedTuple):
    """Scratch of one platform; T tasks, and at most F phases.

    Attributes:
        near: ``(BUSES, BUSES)`` neighbouring buses of each bus, in order of connection.
        degree: ``(BUSES,)`` how many there are.
        before: ``(BUSES, BUSES)`` on the path from the first bus to the second: the last but one; -1 if there is no path.
        across: ``(BUSES, BUSES)`` set of all buses on that path, as bits.
        together: ``(BUSES,)`` set of buses that share a task with each bus.
        order: ``(BUSES,)`` buses depth-first from processing element 0.
        pe_bus: ``(PES,)`` bus of each processing element.
        memory_bus: ``(MEMORIES,)`` bus of each memory.
        crossed: ``(T,)`` set of buses that a task's data passes.
        listed: ``(BUSES, T)`` tasks of each bus, in the order in which they are put on its list.
        count: ``(BUSES,)`` how many there are.
        rank: ``(T,)`` place of each task in the order of launching.
        home: ``(T,)`` bus of each task's processing element.
        bytes: ``(T, 2, BLOCKS)`` that a task moves through each block, read and written.
        units: ``(T, 2, BLOCKS)`` burst units of the same.
        leaves: ``(T, 2, BUSES)`` where a task's data leaves a bus to: set of blocks.
        touched: ``(T, 2)`` set of blocks that a task's data passes.
        solo: ``(T,)`` instructions/s of a task that runs alone.
        solo_limit: ``(T,)`` what limits it.
        left: ``(T,)`` instructions not done yet.
        missing: ``(T,)`` incoming edges without a token.
        launch: ``(T,)`` s.
        end: ``(T,)`` s.
        rate: ``(T,)`` instructions/s in this phase.
        limit: ``(T,)`` what limits it.
        running: ``(T,)`` who runs.
        waiting: ``(T,)`` who waits for a processing element.
        fresh: ``(T,)`` who is launched in this phase.
        retired: ``(T,)`` 1 between a task's end and the release of an input of its.
        held: ``(MEMORIES,)`` bytes allocated now.
        peak: ``(MEMORIES,)`` most bytes allocated at a time, -1 for a memory that nobody writes to.
        length: ``(F,)`` s of each phase.
        first: ``(F + 1,)`` where each phase's entries start in the log.
        log_task: ``(F * PES,)`` who runs in a phase.
        log_work: ``(F * PES,)`` instructions done.
        log_limit: ``(F * PES,)`` what limits the rate.
        energy: ``(F,)`` J of each phase.
        cost: ``(T,)`` J of an instruction of each task.
        state: ``(STATES,)`` scalars.
    """

    near: Words
    degree: Words
    before: Words
    across: Words
    together: Words
    order: Words
    pe_bus: Words
    memory_bus: Words
    crossed: Words
    listed: Words
    count: Words
    rank: Words
    home: Words
    bytes: Floats
    units: Floats
    leaves: Words
    touched: Words
    solo: Floats
    solo_limit: Words
    left: Floats
    missing: Words
    launch: Floats
    end: Floats
    rate: Floats
    limit: Words
    running: Words
    waiting: Words
    fresh: Words
    retired: Words
    held: Floats
    peak: Floats
    length: Floats
    first: Words
    log_task: Words
    log_work: Floats
    log_limit: Words
    energy: Floats
    cost: Floats
    state: Floats


@njit(cache=True, nogil=True)
def most_phases(tasks: int) -> int:
    """Phases that a run can have: each but the first ends a task, and the last one runs none."""
    return tasks + 2


@njit(cache=True, nogil=True)
def make_workspace(tasks: int) -> Workspace:
    """An empty workspace for graphs of so many tasks."""
    phases = most_phases(tasks)
    return Workspace(
        near=np.empty((BUSES, BUSES), np.int64),
        degree=np.empty(BUSES, np.int64),
        before=np.empty((BUSES, BUSES), np.int64),
        across=np.empty((BUSES, BUSES), np.int64),
        together=np.empty(BUSES, np.int64),
        order=np.empty(BUSES, np.int64),
        pe_bus=np.empty(PES, np.int64),
        memory_bus=np.empty(MEMORIES, np.int64),
        crossed=np.empty(tasks, np.int64),
        listed=np.empty((BUSES, tasks), np.int64),
        count=np.empty(BUSES, np.int64),
        rank=np.empty(tasks, np.int64),
        home=np.empty(tasks, np.int64),
        bytes=np.empty((tasks, 2, BLOCKS)),
        units=np.empty((tasks, 2, BLOCKS)),
        leaves=np.empty((tasks, 2, BUSES), np.int64),
        touched=np.empty((tasks, 2), np.int64),
        solo=np.empty(tasks),
        solo_limit=np.empty(tasks, np.int64),
        left=np.empty(tasks),
        missing=np.empty(tasks, np.int64),
        launch=np.empty(tasks),
        end=np.empty(tasks),
        rate=np.empty(tasks),
        limit=np.empty(tasks, np.int64),
        running=np.empty(tasks, np.int64),
        waiting=np.empty(tasks, np.int64),
        fresh=np.empty(tasks, np.int64),
        retired=np.empty(tasks, np.int64),
        held=np.empty(MEMORIES),
        peak=np.empty(MEMORIES),
        length=np.empty(phases),
        first=np.empty(phases + 1, np.int64),
        log_task=np.empty(phases * PES, np.int64),
        log_work=np.empty(phases * PES),
        log_limit=np.empty(phases * PES, np.int64),
        energy=np.empty(phases),
        cost=np.empty(tasks),
        state=np.zeros(STATES),
    )
