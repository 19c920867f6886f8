"""The controller: what happens at one point in time, step by step.

1. hand out a finished response, 2. accept the request at the door, 3. look at the refresh manager, 4. and 5. choose among
the commands of the last evaluation and issue one, 6. evaluate everything anew and set the timer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import bank_machine, power, refresh, response_queue, scheduler, timing
from simulators.dram.literal.commands import is_cas
from simulators.dram.literal.kernel_queue import ARBITER, CONTROLLER_TIMER, DATA_TIMER, notify
from simulators.dram.literal.messages import BEGIN_RESP, END_REQ, send
from simulators.dram.literal.records import INFINITY, NEVER, NOTHING, fields

STATE = fields(
    "door_request",  # the request that wants to come in, or NOTHING; written by the arbiter
    "door_time",
    "release_request",  # the response that has been sent and not been taken, or NOTHING
    "release_time",  # when it was taken; written by the arbiter
    "last_release",  # when a response was last taken
    "inside",  # transactions from acceptance to release
    "served",
    "idle_since",  # start of the current idle period, meaningful while nothing is inside
    "idle",  # finished idle periods
)
LOG = fields("count")  # commands issued; only as many as fit are written down
COMMAND = fields("cycle", "command", "bank", "request")


class Parts(NamedTuple):
    """The whole simulation: one record per part, and the shared tables."""

    kernel: np.record
    player: np.record
    arbiter: np.record
    controller: np.record
    buffer: np.record  # the scheduler
    checker: np.record
    manager: np.record  # the refresh manager
    responses: np.record
    ledger: np.record  # the power ledger
    log: np.record
    heap: np.recarray
    banks: np.recarray
    requests: np.recarray
    commands: np.recarray


@njit(cache=True)
def reset(controller: np.record) -> None:
    """Starts empty and idle."""
    controller.door_request = NOTHING
    controller.door_time = INFINITY
    controller.release_request = NOTHING
    controller.release_time = INFINITY
    controller.last_release = NEVER
    controller.inside = 0
    controller.served = 0
    controller.idle_since = 0
    controller.idle = 0


@njit(cache=True)
def run(parts: Parts) -> None:
    """Executes the procedure once, at the current time."""
    now = parts.kernel.now
    _respond(parts, now)
    _accept(parts, now)
    refresh.evaluate(parts.manager, parts.banks, parts.checker, now)
    choice, time = _oldest(parts, now)
    if choice != NOTHING and time == now:
        _issue(parts, choice, now)
    # A command that waits for its turn later than now blocks the wake-ups for now.
    blocked = choice != NOTHING and time != now
    _set_timer(parts, now, blocked)


@njit(cache=True)
def _respond(parts: Parts, now: int) -> None:
    """Step 1: releases the response that was taken and sends the next one that is ready."""
    controller, responses = parts.controller, parts.responses
    if controller.release_request != NOTHING:
        if controller.release_time != now:
            return
        controller.last_release = now
        controller.release_request = NOTHING
        controller.served += 1
        controller.inside -= 1
        if controller.inside == 0:
            controller.idle_since = now
            return
    request = response_queue.take_ready(responses, parts.requests, now)
    if request == NOTHING:
        _set_data_timer(parts, now)
        return
    # At most one response per memory clock.
    time = now + int(controller.last_release == now)
    controller.release_request = request
    controller.release_time = INFINITY
    send(parts.kernel, parts.heap, ARBITER, BEGIN_RESP, request, time)


@njit(cache=True)
def _set_data_timer(parts: Parts, now: int) -> None:
    time = response_queue.trigger_time(parts.responses, parts.requests, now)
    if time < INFINITY:
        notify(parts.kernel, parts.heap, DATA_TIMER, time)


@njit(cache=True)
def _accept(parts: Parts, now: int) -> None:
    """Step 2: takes the request at the door if it has arrived and there is space."""
    controller, banks, requests = parts.controller, parts.banks, parts.requests
    request = controller.door_request
    if request == NOTHING or controller.door_time > now or not scheduler.has_space(parts.buffer, banks):
        return
    if controller.inside == 0:
        controller.idle += now - controller.idle_since
    controller.inside += 1
    controller.door_request = NOTHING
    requests[request].acceptance = now
    scheduler.store(parts.buffer, banks, requests, request)
    bank_machine.evaluate(banks, requests[request].bank, parts.buffer, parts.checker, requests, now)
    send(parts.kernel, parts.heap, ARBITER, END_REQ, request, now)


@njit(cache=True)
def _oldest(parts: Parts, now: int) -> tuple[int, int]:
    """Step 4: the earliest command of the last evaluation, at equal time the one for the oldest request.

    Returns:
        Where it comes from (bank, or number of banks for the refresh manager; NOTHING if there is no command) and its
        time.
    """
    choice, best_time, best_age = NOTHING, INFINITY, INFINITY
    if parts.manager.command != NOTHING:  # older than any request
        choice, best_time, best_age = len(parts.banks), max(parts.manager.time, now), NOTHING
    for index in range(len(parts.banks)):
        bank = parts.banks[index]
        if bank.command == NOTHING:
            continue
        time = max(bank.time, now)
        if time < best_time or (time == best_time and bank.request < best_age):
            choice, best_time, best_age = index, time, bank.request
    return choice, best_time


@njit(cache=True)
def _issue(parts: Parts, choice: int, now: int) -> None:
    """Step 5: issues the chosen command and lets everybody know."""
    bank, command, request = NOTHING, parts.manager.command, NOTHING
    if choice < len(parts.banks):
        bank, command, request = choice, parts.banks[choice].command, parts.banks[choice].request
    bank_machine.issue(parts.banks, bank, command, parts.requests)
    refresh.issue(parts.manager, command)
    timing.record(parts.checker, command, bank, now)
    if is_cas(command):
        _start_transfer(parts, request, now)
    power.record(parts.ledger, parts.checker.timing, command, bank, now)
    _log(parts, command, bank, request, now)


@njit(cache=True)
def _start_transfer(parts: Parts, request: int, now: int) -> None:
    """A column access frees a buffer slot, which the request at the door may use at once."""
    row, latencies = parts.requests[request], parts.checker.timing
    scheduler.remove(parts.buffer, parts.banks, parts.requests, request)
    _accept(parts, now)
    row.cas = now
    row.ready = now + (latencies[layout.WL] if row.write else latencies[layout.RL]) + latencies[layout.BURST]
    response_queue.insert(parts.responses, parts.requests, request)
    _set_data_timer(parts, now)


@njit(cache=True)
def _log(parts: Parts, command: int, bank: int, request: int, now: int) -> None:
    if request != NOTHING and parts.requests[request].first_command == NEVER:
        parts.requests[request].first_command = now
    if parts.log.count < len(parts.commands):
        entry = parts.commands[parts.log.count]
        entry.cycle = now
        entry.command = command
        entry.bank = bank
        entry.request = request
    parts.log.count += 1


@njit(cache=True)
def _set_timer(parts: Parts, now: int, blocked: bool) -> None:
    """Step 6: evaluates all banks and the refresh manager anew and wakes up for the first of them."""
    wake_up = INFINITY
    for index in range(len(parts.banks)):
        time = bank_machine.evaluate(parts.banks, index, parts.buffer, parts.checker, parts.requests, now)
        if not (blocked and time == now):
            wake_up = min(wake_up, time)
    time = refresh.evaluate(parts.manager, parts.banks, parts.checker, now)
    if not (blocked and time == now):
        wake_up = min(wake_up, time)
    if wake_up < INFINITY:
        notify(parts.kernel, parts.heap, CONTROLLER_TIMER, wake_up)
