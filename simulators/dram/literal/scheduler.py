"""The scheduler: the request buffer (one list per bank, in order of arrival) and the choice inside a bank."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import lists
from simulators.dram.literal.records import NOTHING, fields

STATE = fields(
    "policy",  # FIFO, FRFCFS or FRFCFS_GRP
    "buffer",  # BANKWISE, READ_WRITE or SHARED
    "capacity",
    "reads",  # stored
    "writes",  # stored
    "last_accepted_bank",
    "last_cas_write",  # direction of the last column access issued, initially read
)


@njit(cache=True)
def reset(scheduler: np.record, design: np.ndarray) -> None:
    """Empties the buffer (the lists are emptied with the banks)."""
    scheduler.policy = design[layout.SCHEDULER]
    scheduler.buffer = design[layout.SCHEDULER_BUFFER]
    scheduler.capacity = design[layout.REQUEST_BUFFER_SIZE]
    scheduler.reads = 0
    scheduler.writes = 0
    scheduler.last_accepted_bank = 0
    scheduler.last_cas_write = 0


@njit(cache=True)
def has_space(scheduler: np.record, banks: np.recarray) -> bool:
    """Whether the request at the door may come in, whatever its bank and direction."""
    if scheduler.buffer == layout.SHARED:
        return scheduler.reads + scheduler.writes < scheduler.capacity
    if scheduler.buffer == layout.READ_WRITE:
        return scheduler.reads < scheduler.capacity and scheduler.writes < scheduler.capacity
    # Bankwise looks at the bank of the request accepted last, not at the one that asks.
    return banks[scheduler.last_accepted_bank].length < scheduler.capacity


@njit(cache=True)
def store(scheduler: np.record, banks: np.recarray, requests: np.recarray, request: int) -> None:
    """Takes a request into the buffer."""
    bank = requests[request].bank
    lists.append(banks[bank], requests, request)
    scheduler.last_accepted_bank = bank
    if requests[request].write:
        scheduler.writes += 1
    else:
        scheduler.reads += 1


@njit(cache=True)
def remove(scheduler: np.record, banks: np.recarray, requests: np.recarray, request: int) -> None:
    """Frees the slot of a request whose column access has been issued."""
    lists.remove(banks[requests[request].bank], requests, request)
    scheduler.last_cas_write = requests[request].write
    if requests[request].write:
        scheduler.writes -= 1
    else:
        scheduler.reads -= 1


@njit(cache=True)
def choose(scheduler: np.record, bank: np.record, requests: np.recarray) -> int:
    """The request that the bank should work on next, or NOTHING."""
    if scheduler.policy == layout.FIFO or not bank.activated:
        return bank.first
    hit = _next_hit(bank, requests, bank.first)
    if hit == NOTHING:
        return bank.first
    if scheduler.policy == layout.FRFCFS:
        return hit
    return _grouped_hit(scheduler, bank, requests, hit)


@njit(cache=True)
def has_further_request(bank: np.record) -> bool:
    """Whether a second request waits for the bank."""
    return bank.length >= 2


@njit(cache=True)
def has_further_hit(scheduler: np.record, bank: np.record, requests: np.recarray) -> bool:
    """Whether a second request for the open row waits (with FIFO: whether it is the very next one)."""
    if scheduler.policy == layout.FIFO:
        return bank.length >= 2 and requests[requests[bank.first].next].row == bank.open_row
    hit = _next_hit(bank, requests, bank.first)
    return hit != NOTHING and _next_hit(bank, requests, requests[hit].next) != NOTHING


@njit(cache=True)
def _next_hit(bank: np.record, requests: np.recarray, request: int) -> int:
    """First request for the open row, from the given one on."""
    while request != NOTHING and requests[request].row != bank.open_row:
        request = requests[request].next
    return request


@njit(cache=True)
def _grouped_hit(scheduler: np.record, bank: np.record, requests: np.recarray, first_hit: int) -> int:
    """First row hit in the direction of the last column access that overtakes no access to the same address."""
    hit = first_hit
    while hit != NOTHING:
        if requests[hit].write == scheduler.last_cas_write:
            earlier = first_hit
            while earlier != hit and requests[earlier].address != requests[hit].address:
                earlier = _next_hit(bank, requests, requests[earlier].next)
            if earlier == hit:
                return hit
        hit = _next_hit(bank, requests, requests[hit].next)
    return first_hit
