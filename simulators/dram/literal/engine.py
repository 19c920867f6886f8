"""The engine: builds the parts, runs rounds until the player has its last response, and reads the results.

At each point in time rounds are repeated until no zero-delay message is outstanding; in one round each agent runs at most
once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.dram import layout
from simulators.dram.literal import (
    arbiter,
    bank_machine,
    controller,
    kernel_queue,
    player,
    power,
    refresh,
    response_queue,
    scheduler,
)
from simulators.dram.literal import timing as checks
from simulators.dram.literal.kernel_queue import ARBITER, PLAYER, next_round
from simulators.dram.literal.records import MAX_BANKS, NEVER, REQUEST, new

DONE, HEAP_FULL, STUCK = range(3)
HEAP_MARGIN = 64  # more entries than one round can push
HEAP_ENTRIES = 4096  # to begin with; the heap grows when a run needs more


class Recording(NamedTuple):
    """One run in detail.  Times are ps; a request or bank of -1 means none (commands to the whole rank)."""

    outcome: NDArray[np.int64]  # (NUM_OUTCOMES,)
    time_ps: NDArray[np.int64]  # (C,) when each command was issued
    command: NDArray[np.int64]  # (C,) index into commands.COMMAND_NAMES
    bank: NDArray[np.int64]  # (C,)
    request: NDArray[np.int64]  # (C,) line of the trace for which the command was issued
    arrival_ps: NDArray[np.int64]  # (R,) at the arbiter
    admission_ps: NDArray[np.int64]  # (R,) counted as active by the arbiter
    acceptance_ps: NDArray[np.int64]  # (R,) stored in the scheduler
    first_command_ps: NDArray[np.int64]  # (R,) first command issued on its behalf
    cas_ps: NDArray[np.int64]  # (R,) its RD or WR
    ready_ps: NDArray[np.int64]  # (R,) end of the data burst
    delivery_ps: NDArray[np.int64]  # (R,) response at the player


def simulate(
    controllers: NDArray[np.int64],
    timing: NDArray[np.int64],
    line_time_ps: NDArray[np.int64],
    player_period_ps: int,
    write: NDArray[np.uint8],
    bank: NDArray[np.int64],
    row: NDArray[np.int64],
    address: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Runs a trace through each of many controllers.

    Args:
        controllers: ``(N, 10)`` int64, columns as in ``layout``.
        timing: ``(layout.NUM_TIMINGS,)`` int64.
        line_time_ps: ``(R,)`` time stamp of each request in ps.
        player_period_ps: clock period of the trace player.
        write: ``(R,)`` 1 for a write.
        bank: ``(R,)`` flat bank number.
        row: ``(R,)`` row number.
        address: ``(R,)`` full byte address, for the hazard check.

    Returns:
        ``(N, layout.NUM_OUTCOMES)`` int64.

    Raises:
        ValueError: a controller without any buffer slot or active transaction, or a memory with too many banks.
    """
    parts = _build(timing, line_time_ps, write, bank, row, address)
    outcomes = np.zeros((len(controllers), layout.NUM_OUTCOMES), np.int64)
    for design, outcome in zip(controllers, outcomes, strict=True):
        parts = _run_one(parts, design, timing, player_period_ps, outcome)
    return outcomes


def record(
    design: NDArray[np.int64],
    timing: NDArray[np.int64],
    line_time_ps: NDArray[np.int64],
    player_period_ps: int,
    write: NDArray[np.uint8],
    bank: NDArray[np.int64],
    row: NDArray[np.int64],
    address: NDArray[np.int64],
) -> Recording:
    """Runs a trace through one controller, ``(10,)`` int64, and keeps what happened; see ``simulate``."""
    parts = _build(timing, line_time_ps, write, bank, row, address)
    outcome = np.zeros(layout.NUM_OUTCOMES, np.int64)
    parts = _run_one(parts, design, timing, player_period_ps, outcome)
    parts = parts._replace(commands=new(controller.COMMAND, int(parts.log.count)))
    parts = _run_one(parts, design, timing, player_period_ps, outcome)
    tck_ps = int(timing[layout.TCK_PS])
    commands, requests = parts.commands, parts.requests
    return Recording(
        outcome,
        commands.cycle * tck_ps,
        commands.command.copy(),
        commands.bank.copy(),
        commands.request.copy(),
        requests.arrival * tck_ps,
        requests.admission * tck_ps,
        requests.acceptance * tck_ps,
        requests.first_command * tck_ps,
        requests.cas * tck_ps,
        requests.ready * tck_ps,
        requests.delivery * tck_ps,
    )


def _build(
    timing: NDArray[np.int64],
    line_time_ps: NDArray[np.int64],
    write: NDArray[np.uint8],
    bank: NDArray[np.int64],
    row: NDArray[np.int64],
    address: NDArray[np.int64],
) -> controller.Parts:
    """Allocates one simulation and fills in the trace."""
    banks = int(timing[layout.BANKS])
    if banks > MAX_BANKS:
        raise ValueError(f"dram: the literal engine has room for {MAX_BANKS} banks, got a memory with {banks}")
    requests = new(REQUEST, len(line_time_ps))
    requests.line_time_ps, requests.write = line_time_ps, write
    requests.bank, requests.row, requests.address = bank, row, address
    return controller.Parts(
        kernel=new(kernel_queue.KERNEL)[0],
        player=new(player.STATE)[0],
        arbiter=new(arbiter.STATE)[0],
        controller=new(controller.STATE)[0],
        buffer=new(scheduler.STATE)[0],
        checker=new(checks.STATE)[0],
        manager=new(refresh.STATE)[0],
        responses=new(response_queue.STATE)[0],
        ledger=new(power.STATE)[0],
        log=new(controller.LOG)[0],
        heap=new(kernel_queue.ENTRY, HEAP_ENTRIES),
        banks=new(bank_machine.STATE, banks),
        requests=requests,
        commands=new(controller.COMMAND, 0),
    )


def _run_one(
    parts: controller.Parts,
    design: NDArray[np.int64],
    timing: NDArray[np.int64],
    player_period_ps: int,
    outcome: NDArray[np.int64],
) -> controller.Parts:
    """Runs one controller and fills ``outcome``; returns the parts, with a larger heap if the old one was too small."""
    simple = design[layout.ARBITER] == layout.ARBITER_SIMPLE
    if design[layout.REQUEST_BUFFER_SIZE] < 1 or (not simple and design[layout.MAX_ACTIVE_TRANSACTIONS] < 1):
        raise ValueError(f"dram: buffer size and active transactions must be at least 1, got the controller {design}")
    while True:
        _reset(parts, design, timing, player_period_ps)
        status = _run(parts)
        if status == DONE:
            _collect(parts, timing, outcome)
            return parts
        if status == STUCK:
            raise RuntimeError(f"dram: the simulation of controller {design} stopped before the last response")
        parts = parts._replace(heap=new(kernel_queue.ENTRY, 2 * len(parts.heap)))


@njit(cache=True)
def _reset(parts: controller.Parts, design: np.ndarray, timing: np.ndarray, player_period_ps: int) -> None:
    """Puts every part into its state before the first round."""
    kernel_queue.reset(parts.kernel)
    player.reset(parts.player, player_period_ps, timing[layout.TCK_PS])
    arbiter.reset(parts.arbiter, design)
    controller.reset(parts.controller)
    scheduler.reset(parts.buffer, design)
    checks.reset(parts.checker, timing)
    refresh.reset(parts.manager, design, timing)
    response_queue.reset(parts.responses, design)
    power.reset(parts.ledger)
    bank_machine.reset(parts.banks, design)
    parts.log.count = 0
    for i in range(len(parts.requests)):
        parts.requests[i].first_command = NEVER


@njit(cache=True, nogil=True)
def _run(parts: controller.Parts) -> int:
    """The main loop."""
    kernel, heap, requests = parts.kernel, parts.heap, parts.requests
    if len(requests) == 0:
        return DONE
    player.start(kernel, heap, parts.player, requests)
    # Like every process of the kernel, the controller runs once at the start; that arms the refresh trigger.
    controller.run(parts)
    while not parts.player.finished:
        if kernel.entries + HEAP_MARGIN > len(heap):
            return HEAP_FULL
        if not next_round(kernel, heap):
            return STUCK
        for i in range(kernel.num_runnable):
            agent = kernel.runnable[i]
            if agent == PLAYER:
                player.run(kernel, heap, parts.player, requests)
            elif agent == ARBITER:
                arbiter.run(kernel, heap, parts.arbiter, parts.controller, requests)
            else:
                controller.run(parts)
    return DONE


@njit(cache=True)
def _collect(parts: controller.Parts, timing: np.ndarray, outcome: np.ndarray) -> None:
    """Writes the outcome of a finished run."""
    tck_ps, now, door = timing[layout.TCK_PS], parts.kernel.now, parts.controller
    idle = door.idle + (now - door.idle_since if door.inside == 0 else 0)
    outcome[layout.TOTAL_PS] = now * tck_ps
    outcome[layout.SERVED] = door.served
    outcome[layout.IDLE_PS] = idle * tck_ps
    outcome[layout.LATENCY_SUM_PS] = 0
    outcome[layout.LATENCY_MAX_PS] = 0
    for i in range(len(parts.requests)):
        latency = (parts.requests[i].delivery - parts.requests[i].arrival) * tck_ps
        outcome[layout.LATENCY_SUM_PS] += latency
        outcome[layout.LATENCY_MAX_PS] = max(outcome[layout.LATENCY_MAX_PS], latency)
    power.finish(parts.ledger, timing, outcome)
