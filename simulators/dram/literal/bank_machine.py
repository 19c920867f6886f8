"""The bank machines: which command a bank needs next, and when it may come."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import lists, scheduler, timing
from simulators.dram.literal.commands import ACT, PRE, PREA, RD, RDA, REFA, WR, WRA
from simulators.dram.literal.records import INFINITY, NOTHING, fields

STATE = fields(
    "page_policy",
    "activated",  # 1: a row is open
    "open_row",
    "blocked",  # 1: waits for a refresh
    "request",  # as of the last evaluation, like the two below; a bank without one is idle
    "command",
    "time",  # when the command may be issued
    "first",  # the scheduler's list of requests for this bank
    "last",
    "length",
)


@njit(cache=True)
def reset(banks: np.recarray, design: np.ndarray) -> None:
    """Closes all banks and empties their lists."""
    for i in range(len(banks)):
        bank = banks[i]
        bank.page_policy = design[layout.PAGE_POLICY]
        bank.activated = 0
        bank.open_row = 0
        bank.blocked = 0
        bank.request = NOTHING
        bank.command = NOTHING
        bank.time = INFINITY
        lists.clear(bank)


@njit(cache=True)
def evaluate(banks: np.recarray, index: int, buffer: np.record, checker: np.record, requests: np.recarray, now: int) -> int:
    """Chooses request and command of one bank anew.

    Returns:
        When the command may be issued; INFINITY if there is none.
    """
    bank = banks[index]
    bank.command = NOTHING
    bank.time = INFINITY
    if bank.blocked:  # keeps its request, and so does not count as idle
        return INFINITY
    bank.request = scheduler.choose(buffer, bank, requests)
    if bank.request != NOTHING:
        bank.command = _next_command(bank, buffer, requests)
        bank.time = timing.earliest(checker, bank.command, index, now)
    return bank.time


@njit(cache=True)
def _next_command(bank: np.record, buffer: np.record, requests: np.recarray) -> int:
    request = requests[bank.request]
    if not bank.activated:
        return ACT
    # Closed pages are not compared: whatever was activated is used once and closed again.
    if bank.page_policy != layout.CLOSED and request.row != bank.open_row:
        return PRE
    close = False
    if bank.page_policy == layout.CLOSED:
        close = True
    elif bank.page_policy == layout.CLOSED_ADAPTIVE:
        close = not scheduler.has_further_hit(buffer, bank, requests)
    elif bank.page_policy == layout.OPEN_ADAPTIVE:
        close = scheduler.has_further_request(bank) and not scheduler.has_further_hit(buffer, bank, requests)
    if request.write:
        return WRA if close else WR
    return RDA if close else RD


@njit(cache=True)
def issue(banks: np.recarray, index: int, command: int, requests: np.recarray) -> None:
    """Changes the state of the bank, or of all banks, as the command does."""
    if command == PREA:
        for i in range(len(banks)):
            banks[i].activated = 0
    elif command == REFA:
        for i in range(len(banks)):
            banks[i].blocked = 0
    elif command == ACT:
        banks[index].activated = 1
        banks[index].open_row = requests[banks[index].request].row
    elif command == PRE:
        banks[index].activated = 0
    else:
        banks[index].request = NOTHING
        if command == RDA or command == WRA:
            banks[index].activated = 0


@njit(cache=True)
def all_idle(banks: np.recarray) -> bool:
    """Whether no bank had a request when it was last evaluated."""
    for i in range(len(banks)):
        if banks[i].request != NOTHING:
            return False
    return True


@njit(cache=True)
def block_all(banks: np.recarray) -> None:
    """Stops all banks until the next refresh."""
    for i in range(len(banks)):
        banks[i].blocked = 1
