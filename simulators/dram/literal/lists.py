"""Lists of requests, linked through the ``next`` field of the request records.

A request is in at most one list at a time: in the scheduler until its column access, in the controller's response queue
until its response is sent, in the arbiter's response store until the player can take it.  Every record with the fields
``first``, ``last`` and ``length`` is a list.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram.literal.records import NOTHING


@njit(cache=True)
def clear(queue: np.record) -> None:
    """Empties the list."""
    queue.first = NOTHING
    queue.last = NOTHING
    queue.length = 0


@njit(cache=True)
def append(queue: np.record, requests: np.recarray, request: int) -> None:
    """Adds a request at the end."""
    _insert_after(queue, requests, queue.last, request)


@njit(cache=True)
def insert_by_age(queue: np.record, requests: np.recarray, request: int) -> None:
    """Adds a request in front of all younger ones."""
    before, after = NOTHING, queue.first
    while after != NOTHING and after < request:
        before, after = after, requests[after].next
    _insert_after(queue, requests, before, request)


@njit(cache=True)
def remove(queue: np.record, requests: np.recarray, request: int) -> None:
    """Takes a request out of the list, wherever it stands."""
    before, at = NOTHING, queue.first
    while at != request:
        before, at = at, requests[at].next
    after = requests[request].next
    if before == NOTHING:
        queue.first = after
    else:
        requests[before].next = after
    if after == NOTHING:
        queue.last = before
    queue.length -= 1


@njit(cache=True)
def _insert_after(queue: np.record, requests: np.recarray, before: int, request: int) -> None:
    if before == NOTHING:
        requests[request].next = queue.first
        queue.first = request
    else:
        requests[request].next = requests[before].next
        requests[before].next = request
    if queue.last == before:
        queue.last = request
    queue.length += 1
