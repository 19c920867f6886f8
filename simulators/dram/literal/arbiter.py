"""The arbiter between player and controller: admission, back-pressure and the way back of the responses.

Requests are admitted in trace order, so the requests that wait for the controller are always those numbered from
``sent`` to ``admitted - 1``.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import lists
from simulators.dram.literal.kernel_queue import ARBITER, DOOR, END_OF_RESPONSE, PLAYER, notify
from simulators.dram.literal.messages import BEGIN_REQ, BEGIN_RESP, END_REQ, next_kind, rearm, send, take
from simulators.dram.literal.records import NEVER, NOTHING, fields

STATE = fields(
    "kind",  # ARBITER_SIMPLE, ARBITER_FIFO or ARBITER_REORDER
    "max_active",
    "channel_busy",  # the controller has not acknowledged the last request
    "thread_busy",  # the player has not consumed the last response
    "active",  # admitted and not yet consumed by the player (not counted by ARBITER_SIMPLE)
    "admitted",
    "sent",
    "refused",  # the request that waits for admission, or NOTHING
    "last_end_req",  # when the controller last acknowledged a request
    "last_end_resp",  # when the player last consumed a response
    "returned",  # responses sent to the player: the age that ARBITER_REORDER returns next
    "first",  # responses that wait for the player: a list
    "last",
    "length",
)


@njit(cache=True)
def reset(arbiter: np.record, design: np.ndarray) -> None:
    """Prepares an idle arbiter."""
    arbiter.kind = design[layout.ARBITER]
    arbiter.max_active = design[layout.MAX_ACTIVE_TRANSACTIONS]
    arbiter.channel_busy = 0
    arbiter.thread_busy = 0
    arbiter.active = 0
    arbiter.admitted = 0
    arbiter.sent = 0
    arbiter.refused = NOTHING
    arbiter.last_end_req = NEVER
    arbiter.last_end_resp = NEVER
    arbiter.returned = 0
    lists.clear(arbiter)


@njit(cache=True)
def run(kernel: np.record, heap: np.recarray, arbiter: np.record, controller: np.record, requests: np.recarray) -> None:
    """Handles the messages of this round."""
    while True:
        kind = next_kind(kernel, ARBITER)
        if kind == NOTHING:
            break
        request = take(kernel, ARBITER, kind)
        if kind == BEGIN_REQ:
            requests[request].arrival = kernel.now
            _request_arrives(kernel, heap, arbiter, controller, requests, request)
        elif kind == END_REQ:
            _controller_accepted(kernel, heap, arbiter, controller, request)
        elif kind == BEGIN_RESP:
            _response_arrives(kernel, heap, arbiter, controller, requests, request)
        else:
            _player_consumed(kernel, heap, arbiter, controller, requests, request)
    rearm(kernel, heap, ARBITER)


@njit(cache=True)
def _request_arrives(
    kernel: np.record,
    heap: np.recarray,
    arbiter: np.record,
    controller: np.record,
    requests: np.recarray,
    request: int,
) -> None:
    if arbiter.kind == layout.ARBITER_SIMPLE:
        _admit(kernel, arbiter, requests, request)
    elif arbiter.active < arbiter.max_active:
        arbiter.active += 1
        _admit(kernel, arbiter, requests, request)
        send(kernel, heap, PLAYER, END_REQ, request, kernel.now)
    else:
        arbiter.refused = request
    if not arbiter.channel_busy and arbiter.sent < arbiter.admitted:
        _send_to_free_controller(kernel, heap, arbiter, controller)


@njit(cache=True)
def _controller_accepted(
    kernel: np.record, heap: np.recarray, arbiter: np.record, controller: np.record, request: int
) -> None:
    arbiter.last_end_req = kernel.now
    if arbiter.kind == layout.ARBITER_SIMPLE:
        # No store of its own: the controller's acknowledgement is the player's.
        send(kernel, heap, PLAYER, END_REQ, request, kernel.now)
    if arbiter.sent < arbiter.admitted:
        _put_at_door(kernel, heap, arbiter, controller, kernel.now + 1)
    else:
        arbiter.channel_busy = 0


@njit(cache=True)
def _response_arrives(
    kernel: np.record,
    heap: np.recarray,
    arbiter: np.record,
    controller: np.record,
    requests: np.recarray,
    request: int,
) -> None:
    if arbiter.kind != layout.ARBITER_SIMPLE:
        _release(kernel, heap, controller)
    if arbiter.kind == layout.ARBITER_REORDER:
        lists.insert_by_age(arbiter, requests, request)
    else:
        lists.append(arbiter, requests, request)
    if not arbiter.thread_busy:
        # One clock later if the player has consumed another response in this very time stamp.
        just_consumed = arbiter.kind != layout.ARBITER_SIMPLE and arbiter.last_end_resp == kernel.now
        _return_next(kernel, heap, arbiter, requests, kernel.now + int(just_consumed))


@njit(cache=True)
def _player_consumed(
    kernel: np.record,
    heap: np.recarray,
    arbiter: np.record,
    controller: np.record,
    requests: np.recarray,
    request: int,
) -> None:
    arbiter.last_end_resp = kernel.now
    if arbiter.kind == layout.ARBITER_SIMPLE:
        _release(kernel, heap, controller)
    elif arbiter.refused != NOTHING:
        # The refused request takes over the place of the consumed one: the active count stays.
        _admit(kernel, arbiter, requests, arbiter.refused)
        send(kernel, heap, PLAYER, END_REQ, arbiter.refused, kernel.now)
        arbiter.refused = NOTHING
        if not arbiter.channel_busy:
            _send_to_free_controller(kernel, heap, arbiter, controller)
    else:
        arbiter.active -= 1
    arbiter.thread_busy = 0
    _return_next(kernel, heap, arbiter, requests, kernel.now + 1)


@njit(cache=True)
def _admit(kernel: np.record, arbiter: np.record, requests: np.recarray, request: int) -> None:
    arbiter.admitted += 1
    requests[request].admission = kernel.now


@njit(cache=True)
def _send_to_free_controller(kernel: np.record, heap: np.recarray, arbiter: np.record, controller: np.record) -> None:
    """Sends the oldest waiting request, one clock later if the controller has acknowledged one in this time stamp."""
    just_accepted = arbiter.kind != layout.ARBITER_SIMPLE and arbiter.last_end_req == kernel.now
    arbiter.channel_busy = 1
    _put_at_door(kernel, heap, arbiter, controller, kernel.now + int(just_accepted))


@njit(cache=True)
def _put_at_door(kernel: np.record, heap: np.recarray, arbiter: np.record, controller: np.record, time: int) -> None:
    """Writes the controller's door slot.

    It is visible at once to a controller that runs later in the same round; the controller is woken in the next round, or
    at ``time``.
    """
    controller.door_request = arbiter.sent
    controller.door_time = time
    arbiter.sent += 1
    notify(kernel, heap, DOOR, time)


@njit(cache=True)
def _release(kernel: np.record, heap: np.recarray, controller: np.record) -> None:
    """Tells the controller that its response has been taken; like the door slot, visible at once."""
    controller.release_time = kernel.now
    notify(kernel, heap, END_OF_RESPONSE, kernel.now)


@njit(cache=True)
def _return_next(kernel: np.record, heap: np.recarray, arbiter: np.record, requests: np.recarray, time: int) -> None:
    """Sends the first waiting response to the player, if there is one and it may go."""
    request = arbiter.first
    if request == NOTHING or (arbiter.kind == layout.ARBITER_REORDER and request != arbiter.returned):
        return
    lists.remove(arbiter, requests, request)
    arbiter.thread_busy = 1
    arbiter.returned += 1
    send(kernel, heap, PLAYER, BEGIN_RESP, request, time)
