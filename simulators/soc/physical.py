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
    ENERGY_READ,
    ENERGY_WRITTEN,
    LATENCY,
    MARKER,
    MEMORIES,
    OK,
    PES,
    PHASES,
    POWER,
    READ,
    SERIAL_LATENCY,
    SIZE_AREA,
    TABLE,
    WORKER,
    WRITE,
    Floats,
)
from simulators.soc.records import Record

LEAST_BYTES = 2048
WINDOW_S = 0.010


@njit(cache=True, nogil=True)
def size_index(peak: float, step: int) -> int:
    """Row of the memory tables for a footprint in bytes."""
    return math.ceil(max(peak, LEAST_BYTES) / step) - 1


@njit(cache=True, nogil=True)
def summarise(graph: Record, table: Floats, step: int, work: Record, outcome: Floats) -> int:
    """Fills in the outcome of a run.

    Args:
        graph: of T tasks.
        table: ``(2, SIZE_COLUMNS, S)`` of SRAM and DRAM, for S multiples of ``step``.
        step: bytes.
        work: of a run that came to its end.
        outcome: ``(OUTCOMES,)``.

    Returns:
        ``OK``, or ``TABLE`` (``work.place`` is the memory).
    """
    sizes = table.shape[2]
    for memory in range(MEMORIES):
        if work.most[memory] >= 0.0 and size_index(work.most[memory], step) >= sizes:
            work.place = memory
            work.violation = work.most[memory] / (sizes * step) - 1.0
            return TABLE
    price_instructions(graph, table, step, work)
    phases = work.phases
    energy = 0.0
    for phase in range(phases):
        spent = 0.0
        for entry in range(work.first[phase], work.first[phase + 1]):
            spent += work.log_work[entry] * work.cost[work.log_task[entry]]
        work.energy[phase] = spent
        energy += spent
    latency = 0.0
    for i in range(graph.ends):
        latency = max(latency, work.finish[graph.end[i]])
    serial = 0.0
    for task in range(graph.tasks):
        if graph.work[task] > 0.0:
            serial += graph.work[task] / work.solo[task]
    dram, rest = memory_area(graph, table, step, work)
    rest += pe_area(graph, work)
    outcome[LATENCY] = latency
    outcome[POWER] = power(work.energy, work.length, phases)
    outcome[AREA] = dram + rest
    outcome[ENERGY] = energy
    outcome[AREA_DRAM] = dram
    outcome[AREA_REST] = rest
    outcome[SERIAL_LATENCY] = serial
    outcome[PHASES] = phases
    return OK


@njit(cache=True, nogil=True)
def price_instructions(graph: Record, table: Floats, step: int, work: Record) -> None:
    """Energy of an instruction of each task: processing, and what it reads and writes on average."""
    tasks = graph.tasks
    for task in range(tasks):
        if graph.work[task] == 0.0:
            work.cost[task] = 0.0
            continue
        cost = 1.0 / work.pe_energy[work.pe[task]]
        for memory in range(MEMORIES):
            block = BUSES + memory
            if (work.touched[task, READ] | work.touched[task, WRITE]) >> block & 1:
                kind = work.memory_kind[memory]
                row = size_index(work.most[memory], step)
                moved = work.bytes[task, READ, block] * table[kind, ENERGY_READ, row]
                moved += work.bytes[task, WRITE, block] * table[kind, ENERGY_WRITTEN, row]
                cost += moved / graph.work[task]
        work.cost[task] = cost


@njit(cache=True, nogil=True)
def memory_area(graph: Record, table: Floats, step: int, work: Record) -> tuple[float, float]:
    """Area of all memories that a task writes to, m2: DRAM and SRAM."""
    dram = sram = 0.0
    for memory in range(MEMORIES):
        if work.most[memory] >= 0.0:
            kind = work.memory_kind[memory]
            area = table[kind, SIZE_AREA, size_index(work.most[memory], step)]
            if kind == 1:
                dram += area
            else:
                sram += area
    return dram, sram


@njit(cache=True, nogil=True)
def pe_area(graph: Record, work: Record) -> float:
    """Area of all processing elements that run something else than a source or a sink, m2."""
    used = 0
    for task in range(graph.tasks):
        if graph.role[task] == WORKER or graph.role[task] == MARKER:
            used |= 1 << work.pe[task]
    area = 0.0
    for pe in range(PES):
        if used >> pe & 1:
            area += work.pe_area[pe]
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
