"""Memory sizes, energy, area and power of a run."""

from __future__ import annotations

import math

from numba import njit

from simulators.soc.layout import (
    AREA,
    AREA_DRAM,
    AREA_REST,
    BUSES,
    ENERGY,
    LATENCY,
    MAPPING,
    MARKER,
    MEMORIES,
    MEMORY_KIND,
    OK,
    PE_KIND,
    PES,
    PHASES,
    POWER,
    READ,
    TABLE,
    WORKER,
    WRITE,
    Floats,
    Platforms,
    Problem,
)
from simulators.soc.workspace import LOGGED, VIOLATION, WHERE, Workspace

LEAST_BYTES = 2048
WINDOW_S = 0.010
ENERGY_READ, ENERGY_WRITTEN, TABLE_AREA = range(3)


@njit(cache=True, nogil=True)
def size_index(problem: Problem, peak: float) -> int:
    """Row of the memory tables for a footprint in bytes."""
    return math.ceil(max(peak, LEAST_BYTES) / problem.size_step) - 1


@njit(cache=True, nogil=True)
def summarise(platform: Platforms, problem: Problem, work: Workspace, outcome: Floats) -> int:
    """Fills in the outcome of a run.

    Args:
        platform: ``(platform_size(T),)`` int32.
        problem: of the same tasks.
        work: of a run that came to its end.
        outcome: ``(OUTCOMES,)``.

    Returns:
        ``OK``, or ``TABLE`` (with the memory in ``work.state``).
    """
    sizes = problem.table.shape[2]
    for memory in range(MEMORIES):
        if work.peak[memory] >= 0.0 and size_index(problem, work.peak[memory]) >= sizes:
            work.state[WHERE] = memory
            work.state[VIOLATION] = work.peak[memory] / (sizes * problem.size_step) - 1.0
            return TABLE
    price_instructions(platform, problem, work)
    phases = int(work.state[LOGGED])
    energy = 0.0
    for phase in range(phases):
        spent = 0.0
        for entry in range(work.first[phase], work.first[phase + 1]):
            spent += work.log_work[entry] * work.cost[work.log_task[entry]]
        work.energy[phase] = spent
        energy += spent
    latency = 0.0
    for i in range(len(problem.last)):
        latency = max(latency, work.end[problem.last[i]])
    dram, rest = memory_area(platform, problem, work)
    rest += pe_area(platform, problem)
    outcome[LATENCY] = latency
    outcome[POWER] = power(work.energy, work.length, phases)
    outcome[AREA] = dram + rest
    outcome[ENERGY] = energy
    outcome[AREA_DRAM] = dram
    outcome[AREA_REST] = rest
    outcome[PHASES] = phases
    return OK


@njit(cache=True, nogil=True)
def price_instructions(platform: Platforms, problem: Problem, work: Workspace) -> None:
    """Energy of an instruction of each task: processing, and what it reads and writes on average."""
    tasks = len(problem.work)
    for task in range(tasks):
        if problem.work[task] == 0.0:
            work.cost[task] = 0.0
            continue
        cost = 1.0 / problem.pe_energy[platform[PE_KIND + platform[MAPPING + task]]]
        for memory in range(MEMORIES):
            block = BUSES + memory
            if (work.touched[task, READ] | work.touched[task, WRITE]) >> block & 1:
                kind = problem.memory_dram[platform[MEMORY_KIND + memory]]
                row = size_index(problem, work.peak[memory])
                moved = work.bytes[task, READ, block] * problem.table[kind, ENERGY_READ, row]
                moved += work.bytes[task, WRITE, block] * problem.table[kind, ENERGY_WRITTEN, row]
                cost += moved / problem.work[task]
        work.cost[task] = cost


@njit(cache=True, nogil=True)
def memory_area(platform: Platforms, problem: Problem, work: Workspace) -> tuple[float, float]:
    """Area of all memories that a task writes to, m2: DRAM and SRAM."""
    dram = sram = 0.0
    for memory in range(MEMORIES):
        if work.peak[memory] >= 0.0:
            kind = problem.memory_dram[platform[MEMORY_KIND + memory]]
            area = problem.table[kind, TABLE_AREA, size_index(problem, work.peak[memory])]
            if kind == 1:
                dram += area
            else:
                sram += area
    return dram, sram


@njit(cache=True, nogil=True)
def pe_area(platform: Platforms, problem: Problem) -> float:
    """Area of all processing elements that run something else than a source or a sink, m2."""
    used = 0
    for task in range(len(problem.work)):
        if problem.role[task] == WORKER or problem.role[task] == MARKER:
            used |= 1 << platform[MAPPING + task]
    area = 0.0
    for pe in range(PES):
        if used >> pe & 1:
            area += problem.pe_area[platform[PE_KIND + pe]]
    return area


@njit(cache=True, nogil=True)
def power(energy: Floats, length: Floats, phases: int) -> float:
    """Largest average power over slices of about 10 ms.

    The slices are FARSI's, quirk included: phases of no length are passed over without counting them, so that the slices lie
    a few phases before those that they were measured on.
    """
    low = up = slices = 0
    left, most = WINDOW_S, 0.0
    for phase in range(phases):
        if length[phase] == 0.0:
            continue
        if length[phase] > left:
            most = max(most, average(energy, length, low, up + 1))
            slices += 1
            low, left = up + 1, WINDOW_S
        else:
            left -= length[phase]
        up += 1
    if slices == 0:
        return average(energy, length, 0, phases)
    if low < phases:
        most = max(most, average(energy, length, low, phases))
    return most


@njit(cache=True, nogil=True)
def average(energy: Floats, length: Floats, start: int, stop: int) -> float:
    """Average power of some phases, W; 0 if they take no time."""
    spent = time = 0.0
    for phase in range(start, stop):
        spent += energy[phase]
        time += length[phase]
    return spent / time if time > 0.0 else 0.0
