"""The response queue: finished and unfinished data bursts, in the order in which they may be answered."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import lists
from simulators.dram.literal.records import INFINITY, NOTHING, fields

STATE = fields(
    "reorder",  # 1: in order of admission; 0: in order of column accesses
    "expected",  # with reorder: the request whose turn it is
    "first",  # the list
    "last",
    "length",
)


@njit(cache=True)
def reset(responses: np.record, design: np.ndarray) -> None:
    """Empties the queue."""
    responses.reorder = int(design[layout.RESP_QUEUE] == layout.RESP_REORDER)
    responses.expected = 0
    lists.clear(responses)


@njit(cache=True)
def insert(responses: np.record, requests: np.recarray, request: int) -> None:
    """Adds a request whose column access has just been issued."""
    if responses.reorder:
        lists.insert_by_age(responses, requests, request)
    else:
        lists.append(responses, requests, request)


@njit(cache=True)
def take_ready(responses: np.record, requests: np.recarray, now: int) -> int:
    """Removes and returns the request that can be answered now, or NOTHING."""
    request = _whose_turn(responses)
    if request == NOTHING or requests[request].ready > now:
        return NOTHING
    lists.remove(responses, requests, request)
    responses.expected += 1
    return request


@njit(cache=True)
def trigger_time(responses: np.record, requests: np.recarray, now: int) -> int:
    """When the request whose turn it is will be ready; INFINITY if that is not in the future."""
    request = _whose_turn(responses)
    if request == NOTHING or requests[request].ready <= now:
        return INFINITY
    return requests[request].ready


@njit(cache=True)
def _whose_turn(responses: np.record) -> int:
    if responses.reorder and responses.first != responses.expected:
        return NOTHING
    return responses.first
