"""The model: platforms in, latency, power, area and energy out; spread over threads."""

from __future__ import annotations

import os
import threading

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from simulators.soc.build import build, unpack
from simulators.soc.hot import note_hot
from simulators.soc.layout import OK, OUTCOMES, Floats, Platforms, Words, platform_size
from simulators.soc.phases import run_phases
from simulators.soc.physical import summarise
from simulators.soc.problem import Problem
from simulators.soc.records import Record, make_work
from simulators.soc.traffic import note_traffic

# The thread pool that Numba starts does not survive a fork: a child process prices its platforms one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)

FEW = 1024  # platforms that are not worth the start of threads


def simulate(platforms: Platforms, problem: Problem, parallel: bool = True) -> tuple[Floats, NDArray[np.int8], Words, Floats]:
    """Runs a workload on each of many platforms.

    Args:
        platforms: ``(N, platform_size(T))`` int32, columns as in ``layout``; slot numbers must be in range.
        problem: a graph of T tasks and its library.
        parallel: spread the platforms over all threads that Numba uses.

    Returns:
        Outcomes ``(N, OUTCOMES)``, NaN where a platform is not ``OK``; what became of each, ``(N,)``; where it fails (a bus,
        task or memory), ``(N,)``; and by how much, ``(N,)``.

    Raises:
        ValueError: platforms of another shape.
    """
    if platforms.ndim != 2 or platforms.shape[1] != platform_size(problem.tasks):
        raise ValueError(f"soc: platforms must be (N, {platform_size(problem.tasks)}), got {platforms.shape}")
    platforms = np.ascontiguousarray(platforms, np.int32)
    n = len(platforms)
    outcomes = np.full((n, OUTCOMES), np.nan)
    fates, places, violations = np.zeros(n, np.int8), np.full(n, -1, np.int64), np.zeros(n)
    threads = get_num_threads() if parallel and n >= FEW and not _forked.is_set() else 1
    batch = _parallel_batch if threads > 1 else _serial_batch
    tables = (problem.pes, problem.memories, problem.buses, problem.table)
    batch(platforms, problem.graphs, *tables, problem.size_step, make_work(threads), outcomes, fates, places, violations)
    return outcomes, fates, places, violations


def trace(platform: Platforms, problem: Problem) -> tuple[int, Floats, Record]:
    """Runs a workload on one platform, ``(platform_size(T),)``; returns its fate, its outcome and all that was noted."""
    work, outcome = make_work(1), np.full((1, OUTCOMES), np.nan)
    fates, places, violations = np.zeros(1, np.int8), np.full(1, -1, np.int64), np.zeros(1)
    tables = (problem.pes, problem.memories, problem.buses, problem.table)
    row = np.ascontiguousarray(platform, np.int32)[None, :]
    _serial_batch(row, problem.graphs, *tables, problem.size_step, work, outcome, fates, places, violations)
    return int(fates[0]), outcome[0], work[0]


@njit(cache=True, nogil=True)
def run(
    platform: Platforms,
    graph: Record,
    pes: Floats,
    memories: Floats,
    buses: Floats,
    table: Floats,
    step: int,
    work: Record,
    outcome: Floats,
) -> int:
    """Runs a workload on one platform, notes everything in ``work`` and the result in ``outcome``; returns its fate."""
    unpack(platform, graph, pes, memories, buses, work)
    fate = build(graph, work)
    if fate != OK:
        return fate
    note_traffic(graph, work)
    fate = run_phases(graph, work)
    if fate != OK:
        return fate
    fate = summarise(graph, table, step, work, outcome)
    if fate == OK:
        note_hot(graph, work, outcome)
    return fate


@njit(cache=True, nogil=True)
def _serial_batch(
    platforms: Platforms,
    graphs: Record,
    pes: Floats,
    memories: Floats,
    buses: Floats,
    table: Floats,
    step: int,
    works: Record,
    outcomes: Floats,
    fates: NDArray[np.int8],
    places: Words,
    violations: Floats,
) -> None:
    graph, work = graphs[0], works[0]
    for index in range(len(platforms)):
        fate = run(platforms[index], graph, pes, memories, buses, table, step, work, outcomes[index])
        fates[index] = fate
        if fate != OK:
            places[index], violations[index] = work.place, work.violation


@njit(cache=True, parallel=True)
def _parallel_batch(
    platforms: Platforms,
    graphs: Record,
    pes: Floats,
    memories: Floats,
    buses: Floats,
    table: Floats,
    step: int,
    works: Record,
    outcomes: Floats,
    fates: NDArray[np.int8],
    places: Words,
    violations: Floats,
) -> None:
    threads = len(works)
    for thread in prange(threads):
        graph, work = graphs[0], works[thread]
        for index in range(thread, len(platforms), threads):
            fate = run(platforms[index], graph, pes, memories, buses, table, step, work, outcomes[index])
            fates[index] = fate
            if fate != OK:
                places[index], violations[index] = work.place, work.violation
