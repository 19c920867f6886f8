"""The model: platforms in, latency, power, area and energy out; spread over threads."""

from __future__ import annotations

import os
import threading

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from simulators.soc.build import build
from simulators.soc.layout import OK, OUTCOMES, Floats, Platforms, Problem, Words, platform_size
from simulators.soc.phases import run_phases
from simulators.soc.physical import summarise
from simulators.soc.traffic import note_traffic
from simulators.soc.workspace import VIOLATION, WHERE, Workspace, make_workspace

# The thread pool that Numba starts does not survive a fork: a child process prices its platforms one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)

FEW = 64  # platforms that are not worth the start of threads


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
    if platforms.ndim != 2 or platforms.shape[1] != platform_size(len(problem.work)):
        raise ValueError(f"soc: platforms must be (N, {platform_size(len(problem.work))}), got {platforms.shape}")
    platforms = np.ascontiguousarray(platforms, np.int32)
    n = len(platforms)
    outcomes = np.full((n, OUTCOMES), np.nan)
    fates, places, violations = np.zeros(n, np.int8), np.full(n, -1, np.int64), np.zeros(n)
    threads = 1
    if parallel and n >= FEW and not _forked.is_set():
        threads = get_num_threads()
    if threads > 1:
        _parallel_batch(platforms, problem, threads, outcomes, fates, places, violations)
    else:
        _serial_batch(platforms, problem, outcomes, fates, places, violations)
    return outcomes, fates, places, violations


@njit(cache=True, nogil=True)
def run(platform: Platforms, problem: Problem, work: Workspace, outcome: Floats) -> int:
    """Runs a workload on one platform; returns what became of it."""
    fate = build(platform, problem, work)
    if fate != OK:
        return fate
    note_traffic(platform, problem, work)
    fate = run_phases(platform, problem, work)
    if fate != OK:
        return fate
    return summarise(platform, problem, work, outcome)


@njit(cache=True, nogil=True)
def _note(
    platform: Platforms,
    problem: Problem,
    work: Workspace,
    index: int,
    outcomes: Floats,
    fates: NDArray[np.int8],
    places: Words,
    violations: Floats,
) -> None:
    fate = run(platform, problem, work, outcomes[index])
    fates[index] = fate
    if fate != OK:
        places[index] = int(work.state[WHERE])
        violations[index] = work.state[VIOLATION]


@njit(cache=True, nogil=True)
def _serial_batch(
    platforms: Platforms, problem: Problem, outcomes: Floats, fates: NDArray[np.int8], places: Words, violations: Floats
) -> None:
    work = make_workspace(len(problem.work))
    for index in range(len(platforms)):
        _note(platforms[index], problem, work, index, outcomes, fates, places, violations)


@njit(cache=True, parallel=True)
def _parallel_batch(
    platforms: Platforms,
    problem: Problem,
    threads: int,
    outcomes: Floats,
    fates: NDArray[np.int8],
    places: Words,
    violations: Floats,
) -> None:
    for thread in prange(threads):
        work = make_workspace(len(problem.work))
        for index in range(thread, len(platforms), threads):
            _note(platforms[index], problem, work, index, outcomes, fates, places, violations)
