"""Messages to the player and to the arbiter.

Four kinds belong to one transaction: BEGIN_REQ towards the memory, END_REQ back ("accepted"), BEGIN_RESP back ("data
finished"), END_RESP towards the memory ("response consumed").  The protocol never has two messages of one kind under way
to the same receiver, so a mailbox has one slot per kind.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram.literal.kernel_queue import NUM_KINDS, notify
from simulators.dram.literal.records import INFINITY, NOTHING

BEGIN_REQ, END_REQ, BEGIN_RESP, END_RESP = range(NUM_KINDS)


@njit(cache=True)
def send(kernel: np.record, heap: np.recarray, receiver: int, kind: int, request: int, time: int) -> None:
    """Puts a message into the receiver's mailbox, to be seen at ``time``, at the earliest in the next round."""
    kernel.message_request[receiver, kind] = request
    kernel.message_time[receiver, kind] = time
    kernel.message_round[receiver, kind] = kernel.rounds + 1
    kernel.message_order[receiver, kind] = kernel.sent
    kernel.sent += 1
    notify(kernel, heap, receiver, time)


@njit(cache=True)
def next_kind(kernel: np.record, receiver: int) -> int:
    """Kind of the oldest message that the receiver can see in this round, or NOTHING."""
    best = NOTHING
    for kind in range(NUM_KINDS):
        visible = (
            kernel.message_request[receiver, kind] != NOTHING
            and kernel.message_time[receiver, kind] <= kernel.now
            and kernel.message_round[receiver, kind] <= kernel.rounds
        )
        if visible and (best == NOTHING or kernel.message_order[receiver, kind] < kernel.message_order[receiver, best]):
            best = kind
    return best


@njit(cache=True)
def take(kernel: np.record, receiver: int, kind: int) -> int:
    """Removes a message from the mailbox and returns its request."""
    request = kernel.message_request[receiver, kind]
    kernel.message_request[receiver, kind] = NOTHING
    return request


@njit(cache=True)
def rearm(kernel: np.record, heap: np.recarray, receiver: int) -> None:
    """Arms the inbox for the earliest message that lies in the future, as each inbox does at the end of a run."""
    earliest = INFINITY
    for kind in range(NUM_KINDS):
        if kernel.message_request[receiver, kind] != NOTHING and kernel.message_time[receiver, kind] > kernel.now:
            earliest = min(earliest, kernel.message_time[receiver, kind])
    if earliest < INFINITY:
        notify(kernel, heap, receiver, earliest)
