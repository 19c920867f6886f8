"""The fast engine: exact to the last command, about half a millisecond per design.

``prepare`` links the requests of a trace once; ``simulate_prepared`` runs any number of controllers on it.  The loop is in
``fast_loop``, its parts are in ``fast_bank``, ``fast_refresh`` and ``fast_power``, the order of what happens at one time
stamp is in ``fast_queue``, and all tables are in ``fast_tables``.

Numba's cache looks at one file at a time: after a change to a part, delete ``__pycache__/fast*.nb*``.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from simulators.dram import fast_loop, fast_queue, layout
from simulators.dram.fast_heap import heap_words
from simulators.dram.fast_tables import DYNAMIC, MAX_BANKS, NEVER, WORK_WORDS, Words, bare, make_rules, make_trace, time_shift

# The thread pool that Numba starts does not survive a fork: a child process runs its controllers one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)

LONGEST_WAIT_CYCLES = 1 << 20  # far more than one request can add to the time of a run
FIXED_WORDS = WORK_WORDS + fast_queue.QUEUE_WORDS


@dataclass(frozen=True, eq=False)
class Prepared:
    """A trace on a memory, ready to be run; made by ``prepare``, safe to use from several threads.

    Attributes:
        rules: distances between commands, see ``fast_tables``.
        trace: the requests with their links.
        requests: number of requests, R.
        has_writes: whether any of them is a write.
        idle_workspaces: one array per run that has ended, to be used again.
    """

    rules: Words
    trace: Words
    requests: int
    has_writes: bool
    idle_workspaces: list[Words] = field(default_factory=list)


def prepare(
    timing: Words,
    line_time_ps: Words,
    player_period_ps: int,
    write: NDArray[np.uint8],
    bank: Words,
    row: Words,
    address: Words,
) -> Prepared:
    """Links the requests of a trace and builds the timing rules.

    Args:
        timing: ``(layout.NUM_TIMINGS,)`` int64.
        line_time_ps: ``(R,)`` time stamp of each request in ps, in any order.
        player_period_ps: clock period of the trace player.
        write: ``(R,)`` 1 for a write.
        bank: ``(R,)`` flat bank number.
        row: ``(R,)`` row number.
        address: ``(R,)`` full byte address, for the hazard check.

    Raises:
        ValueError: a trace without requests or too long to count its clocks, or a memory with too many banks or with
            timing that the engine does not cover.
    """
    requests = len(bank)
    if requests == 0:
        raise ValueError("dram: the fast engine needs a trace of at least one request, got none")
    if timing[layout.BANKS] > MAX_BANKS or timing[layout.BANKS] < 8:
        raise ValueError(f"dram: the fast engine runs memories of 8 to {MAX_BANKS} banks, got {timing[layout.BANKS]}")
    # Then an automatic precharge never has to wait longer than the read or write itself, as in every JEDEC part.
    if timing[layout.WR] - timing[layout.RTP] > timing[layout.WTR_L]:
        raise ValueError("dram: the fast engine needs WR <= WTR_L + RTP; take the literal engine for this memory")
    shift = time_shift(requests)
    line = -(-line_time_ps // int(timing[layout.TCK_PS]))
    if int(line.max()) + requests * LONGEST_WAIT_CYCLES >= NEVER >> shift:
        raise ValueError("dram: the time stamps of the trace are too large for the fast engine; take the literal engine")
    return Prepared(
        make_rules(timing, player_period_ps, shift),
        make_trace(line << shift, write, bank, row, address),
        requests,
        bool(write.any()),
    )


def simulate(
    controllers: Words,
    timing: Words,
    line_time_ps: Words,
    player_period_ps: int,
    write: NDArray[np.uint8],
    bank: Words,
    row: Words,
    address: Words,
    parallel: bool = True,
) -> Words:
    """Runs a trace through each of many controllers.

    Args:
        controllers: ``(N, 10)`` int64, columns as in ``layout``.
        timing: see ``prepare``, also for the following arguments.
        line_time_ps: ``(R,)``.
        player_period_ps: in ps.
        write: ``(R,)``.
        bank: ``(R,)``.
        row: ``(R,)``.
        address: ``(R,)``.
        parallel: spread the controllers over all threads that Numba uses.

    Returns:
        ``(N, layout.NUM_OUTCOMES)`` int64.

    Raises:
        ValueError: see ``prepare``; or a controller without any buffer slot or active transaction.
    """
    prepared = prepare(timing, line_time_ps, player_period_ps, write, bank, row, address)
    return simulate_prepared(controllers, prepared, parallel)


def simulate_prepared(controllers: Words, prepared: Prepared, parallel: bool = True) -> Words:
    """Runs a prepared trace through each of many controllers; see ``simulate``."""
    controllers = np.ascontiguousarray(controllers, np.int64)
    limited = controllers[:, layout.ARBITER] != layout.ARBITER_SIMPLE
    empty = (controllers[:, layout.REQUEST_BUFFER_SIZE] < 1) | (limited & (controllers[:, layout.MAX_ACTIVE_TRANSACTIONS] < 1))
    if empty.any():
        first = controllers[empty][0].tolist()
        raise ValueError(f"dram: buffer size and active transactions must be at least 1, got the controller {first}")
    outcomes = np.zeros((len(controllers), layout.NUM_OUTCOMES), np.int64)
    threads = max(1, min(get_num_threads(), len(controllers))) if parallel and not _forked.is_set() else 1
    workspaces = _take_workspaces(prepared, threads)
    batch = _parallel_batch if threads > 1 else _serial_batch
    batch(controllers, prepared.rules, prepared.trace, prepared.requests, prepared.has_writes, workspaces[:threads], outcomes)
    prepared.idle_workspaces.append(workspaces)
    return outcomes


def _take_workspaces(prepared: Prepared, threads: int) -> Words:
    """At least one workspace per thread, ``(threads, words)``: used ones if there are enough, else new ones."""
    try:
        workspaces = prepared.idle_workspaces.pop()
    except IndexError:
        workspaces = np.zeros((0, 0), np.int64)
    if len(workspaces) >= threads:
        return workspaces
    requests = prepared.requests
    words = FIXED_WORDS + DYNAMIC * (requests + 1) + heap_words(requests) + _log_words(requests)
    return np.zeros((threads, words), np.int64)


@njit(cache=True)
def _log_words(requests: int) -> int:
    """Room for three commands and an acceptance per request, two words each; the rest is for refreshes."""
    return 8 * requests + 8192


@njit(cache=True, nogil=True)
def _serial_batch(
    controllers: Words, rules: Words, trace: Words, requests: int, has_writes: bool, workspaces: Words, outcomes: Words
) -> None:
    for design in range(len(controllers)):
        _run_one(controllers[design], rules, trace, requests, has_writes, workspaces[0], outcomes[design])


@njit(cache=True, parallel=True)
def _parallel_batch(
    controllers: Words, rules: Words, trace: Words, requests: int, has_writes: bool, workspaces: Words, outcomes: Words
) -> None:
    threads = len(workspaces)
    for thread in prange(threads):
        for design in range(thread, len(controllers), threads):
            _run_one(controllers[design], rules, trace, requests, has_writes, workspaces[thread], outcomes[design])


@njit(cache=True)
def _run_one(
    controller: Words, rules: Words, trace: Words, requests: int, has_writes: bool, workspace: Words, outcome: Words
) -> None:
    """Divides the workspace and hands bare pointers to the loop."""
    state = FIXED_WORDS + DYNAMIC * (requests + 1)
    log = state + heap_words(requests)
    fast_loop.run(
        bare(controller),
        bare(rules),
        bare(trace),
        bare(workspace[FIXED_WORDS:]),
        bare(workspace),
        bare(workspace[WORK_WORDS:]),
        bare(workspace[state:]),
        bare(workspace[log:]),
        _log_words(requests),
        requests,
        has_writes,
        bare(outcome),
    )
