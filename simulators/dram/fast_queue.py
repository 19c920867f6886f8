"""Who runs first at a time stamp: a replay of player, arbiter and the event kernel's queue.

The order of the agents inside a time stamp follows from the heap of timed notifications, dead entries included.  The loop
does without all of this and only keeps a log of the controller's runs.  When a tie matters it calls ``arbiter_first``,
which exchanges the messages up to that moment; the controller's decisions, and with them all times, are read from the log.
The state stays in ``queue`` for the next tie of the same run.
"""

from __future__ import annotations

from numba import njit

from simulators.dram import layout
from simulators.dram.fast_heap import ENTRIES, FIRST_TIME, pop, push
from simulators.dram.fast_tables import (
    CAS_ORDER,
    DYNAMIC,
    LINE,
    NEVER,
    READ_READY,
    READY,
    SHIFT,
    STATIC,
    WRITE,
    WRITE_READY,
    Words,
    next_edge,
)

# log: a pair per run of the controller: the time with these bits below, and when the controller wants to wake up afterwards.
CAS, ACCEPTS = 1, 2
DOOR_RUN = ACCEPTS  # a run for a request at the door alone; with CAS the freed slot was taken at once
KIND = 3

PLAYER, ARBITER, CONTROLLER = range(3)  # agents
PLAYER_INBOX, ARBITER_INBOX, DOOR, END_OF_RESPONSE, DATA_TIMER, TIMER = range(6)  # events; the last four wake the controller
END_REQ, BEGIN_RESP, END_RESP = range(3)  # messages without delay
NOBODY = -1

# queue: the state of the replay.  Messages posted in this round lie at TO_..., those being handled four words later.
LIVE, LIVE_TIME, OUTSTANDING, POSTED, RUNNABLE, TO_PLAYER, TO_ARBITER = range(0, 56, 8)
NOW, PUSHES, NUM_POSTED, NUM_RUNNABLE, POPPED, NUM_TO_PLAYER, NUM_TO_ARBITER = range(56, 63)
LOGGED, READ, WAKE_UP = range(64, 67)  # words of the log that are filled, that have been read; the last wish in it
NEXT_LINE, DELAYED_TO_PLAYER = range(67, 69)
REQUEST_TIME, REQUEST_SENT, RESPONSE_TIME, RESPONSE_SENT, SENT = range(69, 74)  # timed messages to the arbiter
CHANNEL_BUSY, THREAD_BUSY, ACTIVE, ADMITTED, FORWARDED, REFUSED, RECEIVED, RETURNED = range(74, 82)
LAST_END_REQ, LAST_END_RESP = range(82, 84)
DOOR_FULL, DOOR_TIME, SLOT_FULL, SLOT_TIME, LAST_RELEASE, INSIDE, TAKEN, LAST_CAS, DELIVERED, UNIT = range(84, 94)
QUEUE_WORDS = 96


@njit(cache=True)
def _notify(queue: Words, heap: Words, event: int, time: int) -> None:
    """Asks for an event; only the earliest request survives, and a replaced one stays in the heap as a dead entry."""
    if queue[OUTSTANDING + event]:
        return
    if time == queue[NOW]:
        queue[OUTSTANDING + event] = 1
        queue[POSTED + queue[NUM_POSTED]] = event
        queue[NUM_POSTED] += 1
        queue[LIVE + event] = NOBODY
    elif queue[LIVE + event] == NOBODY or time < queue[LIVE_TIME + event]:
        queue[LIVE + event] = queue[PUSHES]
        queue[LIVE_TIME + event] = time
        push(heap, time, queue[PUSHES] * 8 + event)
        queue[PUSHES] += 1


@njit(cache=True)
def _wake(queue: Words, event: int) -> None:
    """Lets the agent of an event run in this round, after those that are woken already."""
    agent = min(event, CONTROLLER)
    for i in range(queue[NUM_RUNNABLE]):
        if queue[RUNNABLE + i] == agent:
            return
    queue[RUNNABLE + queue[NUM_RUNNABLE]] = agent
    queue[NUM_RUNNABLE] += 1


@njit(cache=True)
def start(queue: Words, heap: Words, rules: Words, first_line: int, trigger: int) -> None:
    """State at time 0: the player has sent the first line, and the controller waits for its refresh trigger."""
    for i in range(QUEUE_WORDS):
        queue[i] = 0
    heap[ENTRIES] = 0
    for event in range(LIVE, LIVE + 8):
        queue[event] = NOBODY
    for time in (LAST_END_REQ, LAST_END_RESP, LAST_RELEASE, LAST_CAS):
        queue[time] = -1
    queue[UNIT] = 1 << rules[SHIFT]
    queue[NEXT_LINE] = 1
    queue[RESPONSE_SENT] = NOBODY
    queue[REQUEST_TIME], queue[RESPONSE_TIME], queue[DELAYED_TO_PLAYER] = first_line, NEVER, NEVER
    queue[WAKE_UP] = trigger
    _notify(queue, heap, ARBITER_INBOX, first_line)
    if trigger < NEVER:
        _notify(queue, heap, TIMER, trigger)


@njit(cache=True)
def arbiter_first(
    controller: Words, rules: Words, trace: Words, requests: Words, queue: Words, heap: Words, log: Words, until: int
) -> bool:
    """Replays up to the first round of time ``until``: whether the arbiter runs before the controller in it."""
    replay(controller, rules, trace, requests, queue, heap, log, until)
    _next_time(queue, heap)
    queue[POPPED] = 1
    for i in range(queue[NUM_RUNNABLE]):
        if queue[RUNNABLE + i] != PLAYER:
            return queue[RUNNABLE + i] == ARBITER
    return False


@njit(cache=True)
def replay(
    controller: Words, rules: Words, trace: Words, requests: Words, queue: Words, heap: Words, log: Words, until: int
) -> None:
    """Replays all that happens before time ``until``."""
    in_order = controller[layout.RESP_QUEUE] == layout.RESP_REORDER
    kind, limit = controller[layout.ARBITER], controller[layout.MAX_ACTIVE_TRANSACTIONS]
    while True:
        if queue[POPPED]:
            queue[POPPED] = 0
        elif queue[NUM_POSTED]:
            queue[NUM_RUNNABLE] = 0
            for i in range(queue[NUM_POSTED] - 1, -1, -1):  # the kernel works them off from the back
                event = queue[POSTED + i]
                queue[OUTSTANDING + event] = 0
                _wake(queue, event)
            queue[NUM_POSTED] = 0
        elif heap[ENTRIES] > 0 and heap[FIRST_TIME] < until:
            _next_time(queue, heap)
        else:
            return
        to_player, to_arbiter = queue[NUM_TO_PLAYER], queue[NUM_TO_ARBITER]
        queue[NUM_TO_PLAYER] = queue[NUM_TO_ARBITER] = 0
        for i in range(4):
            queue[TO_PLAYER + 4 + i] = queue[TO_PLAYER + i]
            queue[TO_ARBITER + 4 + i] = queue[TO_ARBITER + i]
        for i in range(queue[NUM_RUNNABLE]):
            agent = queue[RUNNABLE + i]
            if agent == PLAYER:
                _player_runs(trace, rules, requests, queue, heap, to_player)
            elif agent == ARBITER:
                _arbiter_runs(requests, queue, heap, kind, limit, in_order, to_arbiter)
            else:
                _controller_runs(trace, rules, requests, queue, heap, log, in_order)


@njit(cache=True)
def _next_time(queue: Words, heap: Words) -> None:
    """Pops all entries of the next time; the agents will run in the order of their first live entry."""
    time = heap[FIRST_TIME]
    queue[NOW] = time
    queue[NUM_RUNNABLE] = 0
    while heap[ENTRIES] > 0 and heap[FIRST_TIME] == time:
        tag = pop(heap)
        event = tag & 7
        if queue[LIVE + event] == tag >> 3:
            queue[LIVE + event] = NOBODY
            _wake(queue, event)


@njit(cache=True)
def _tell_arbiter(queue: Words, heap: Words, message: int) -> None:
    queue[TO_ARBITER + queue[NUM_TO_ARBITER]] = message
    queue[NUM_TO_ARBITER] += 1
    _notify(queue, heap, ARBITER_INBOX, queue[NOW])


@njit(cache=True)
def _tell_player(queue: Words, heap: Words, message: int) -> None:
    queue[TO_PLAYER + queue[NUM_TO_PLAYER]] = message
    queue[NUM_TO_PLAYER] += 1
    _notify(queue, heap, PLAYER_INBOX, queue[NOW])


# ---- controller


@njit(cache=True)
def _controller_runs(
    trace: Words, rules: Words, requests: Words, queue: Words, heap: Words, log: Words, in_order: bool
) -> None:
    """Hands out responses, and follows the log as far as the controller can see the requests in it."""
    now = queue[NOW]
    ask = not queue[SLOT_FULL]
    if queue[SLOT_FULL] and queue[SLOT_TIME] == now:
        queue[LAST_RELEASE] = now
        queue[SLOT_FULL] = 0
        queue[INSIDE] -= 1
        ask = queue[INSIDE] > 0
    if ask:
        ready = _next_ready(trace, rules, requests, queue, in_order)
        if ready <= now:
            queue[SLOT_FULL], queue[SLOT_TIME] = 1, NEVER
            queue[DELIVERED] += 1
            if queue[LAST_RELEASE] == now:  # at most one response per clock
                queue[RESPONSE_TIME] = now + queue[UNIT]
                queue[RESPONSE_SENT] = queue[SENT]
                queue[SENT] += 1
                _notify(queue, heap, ARBITER_INBOX, queue[RESPONSE_TIME])
            else:
                _tell_arbiter(queue, heap, BEGIN_RESP)
        elif ready < NEVER:
            _notify(queue, heap, DATA_TIMER, ready)
    while queue[READ] < queue[LOGGED] and log[queue[READ]] & ~KIND == now:
        kind = log[queue[READ]] & KIND
        if kind == DOOR_RUN and not (queue[DOOR_FULL] and queue[DOOR_TIME] <= now):
            break  # the request will be there in a later round
        queue[WAKE_UP] = log[queue[READ] + 1]
        queue[READ] += 2
        if kind & ACCEPTS:
            queue[INSIDE] += 1
            queue[DOOR_FULL] = 0
            _tell_arbiter(queue, heap, END_REQ)
        if kind & CAS:
            queue[TAKEN] += 1
            queue[LAST_CAS] = now
            ready = _next_ready(trace, rules, requests, queue, in_order)
            if now < ready < NEVER:
                _notify(queue, heap, DATA_TIMER, ready)
    if queue[WAKE_UP] < NEVER:
        _notify(queue, heap, TIMER, queue[WAKE_UP])


@njit(cache=True)
def _next_ready(trace: Words, rules: Words, requests: Words, queue: Words, in_order: bool) -> int:
    """When the response whose turn it is will be ready; NEVER if its column access has not been issued."""
    turn = queue[DELIVERED]
    if not in_order:
        return requests[requests[turn * DYNAMIC + CAS_ORDER] * DYNAMIC + READY] if turn < queue[TAKEN] else NEVER
    ready = requests[turn * DYNAMIC + READY]
    latency = rules[WRITE_READY] if trace[turn * STATIC + WRITE] else rules[READ_READY]
    return ready if ready != 0 and ready - latency <= queue[LAST_CAS] else NEVER


# ---- player


@njit(cache=True)
def _player_runs(trace: Words, rules: Words, requests: Words, queue: Words, heap: Words, messages: int) -> None:
    """Sends the next line when one is acknowledged, and consumes responses."""
    now = queue[NOW]
    if queue[DELAYED_TO_PLAYER] == now:
        queue[DELAYED_TO_PLAYER] = NEVER
        _tell_arbiter(queue, heap, END_RESP)
    for i in range(messages):
        if queue[TO_PLAYER + 4 + i] == BEGIN_RESP:
            _tell_arbiter(queue, heap, END_RESP)
        elif trace[queue[NEXT_LINE] * STATIC + LINE] < NEVER:
            queue[REQUEST_TIME] = max(next_edge(now, rules), trace[queue[NEXT_LINE] * STATIC + LINE])
            queue[REQUEST_SENT] = queue[SENT]
            queue[SENT] += 1
            queue[NEXT_LINE] += 1
            _notify(queue, heap, ARBITER_INBOX, queue[REQUEST_TIME])
    if queue[DELAYED_TO_PLAYER] < NEVER:
        _notify(queue, heap, PLAYER_INBOX, queue[DELAYED_TO_PLAYER])


# ---- arbiter


@njit(cache=True)
def _arbiter_runs(requests: Words, queue: Words, heap: Words, kind: int, limit: int, in_order: bool, messages: int) -> None:
    """Handles the messages in the order in which they were sent."""
    now = queue[NOW]
    request_first = queue[REQUEST_SENT] < queue[RESPONSE_SENT]
    if queue[REQUEST_TIME] == now and request_first:
        _request_arrives(queue, heap, kind, limit)
    if queue[RESPONSE_TIME] == now:
        queue[RESPONSE_TIME] = NEVER
        _response_arrives(requests, queue, heap, kind, in_order)
    if queue[REQUEST_TIME] == now:
        _request_arrives(queue, heap, kind, limit)
    for i in range(messages):
        message = queue[TO_ARBITER + 4 + i]
        if message == END_REQ:
            queue[LAST_END_REQ] = now
            if kind == layout.ARBITER_SIMPLE:
                _tell_player(queue, heap, END_REQ)
            if queue[FORWARDED] < queue[ADMITTED]:
                _forward(queue, heap, now + queue[UNIT])
            else:
                queue[CHANNEL_BUSY] = 0
        elif message == BEGIN_RESP:
            _response_arrives(requests, queue, heap, kind, in_order)
        else:
            _player_consumed(queue, heap, kind)
            _return_next(requests, queue, heap, kind, in_order, now + queue[UNIT])
    earliest = min(queue[REQUEST_TIME], queue[RESPONSE_TIME])
    if earliest < NEVER:
        _notify(queue, heap, ARBITER_INBOX, earliest)


@njit(cache=True)
def _request_arrives(queue: Words, heap: Words, kind: int, limit: int) -> None:
    queue[REQUEST_TIME] = NEVER
    if kind == layout.ARBITER_SIMPLE:
        queue[ADMITTED] += 1
    elif queue[ACTIVE] < limit:
        queue[ACTIVE] += 1
        queue[ADMITTED] += 1
        _tell_player(queue, heap, END_REQ)
    else:
        queue[REFUSED] = 1
    if not queue[CHANNEL_BUSY] and queue[FORWARDED] < queue[ADMITTED]:
        just_accepted = kind != layout.ARBITER_SIMPLE and queue[LAST_END_REQ] == queue[NOW]
        _forward(queue, heap, queue[NOW] + queue[UNIT] * just_accepted)


@njit(cache=True)
def _forward(queue: Words, heap: Words, time: int) -> None:
    queue[CHANNEL_BUSY] = queue[DOOR_FULL] = 1
    queue[FORWARDED] += 1
    queue[DOOR_TIME] = time
    _notify(queue, heap, DOOR, time)


@njit(cache=True)
def _release(queue: Words, heap: Words) -> None:
    queue[SLOT_TIME] = queue[NOW]
    _notify(queue, heap, END_OF_RESPONSE, queue[NOW])


@njit(cache=True)
def _response_arrives(requests: Words, queue: Words, heap: Words, kind: int, in_order: bool) -> None:
    if kind != layout.ARBITER_SIMPLE:
        _release(queue, heap)
    queue[RECEIVED] += 1
    if not queue[THREAD_BUSY]:
        just_consumed = kind != layout.ARBITER_SIMPLE and queue[LAST_END_RESP] == queue[NOW]
        _return_next(requests, queue, heap, kind, in_order, queue[NOW] + queue[UNIT] * just_consumed)


@njit(cache=True)
def _player_consumed(queue: Words, heap: Words, kind: int) -> None:
    queue[LAST_END_RESP] = queue[NOW]
    queue[THREAD_BUSY] = 0
    if kind == layout.ARBITER_SIMPLE:
        _release(queue, heap)
    elif queue[REFUSED]:
        queue[REFUSED] = 0
        queue[ADMITTED] += 1
        _tell_player(queue, heap, END_REQ)
        if not queue[CHANNEL_BUSY]:
            _forward(queue, heap, queue[NOW] + queue[UNIT] * (queue[LAST_END_REQ] == queue[NOW]))
    else:
        queue[ACTIVE] -= 1


@njit(cache=True)
def _return_next(requests: Words, queue: Words, heap: Words, kind: int, in_order: bool, time: int) -> None:
    """Sends the next response to the player, if it is there; the reordering arbiter waits for the one in turn."""
    turn = queue[RETURNED]
    there = turn < queue[RECEIVED]
    if kind == layout.ARBITER_REORDER and not in_order and queue[RECEIVED] > 0:
        # Responses come in the order of their column accesses, so by growing readiness.
        last = requests[(queue[RECEIVED] - 1) * DYNAMIC + CAS_ORDER]
        ready = requests[turn * DYNAMIC + READY]
        there = 0 < ready <= requests[last * DYNAMIC + READY]
    if not there:
        return
    queue[RETURNED] = turn + 1
    queue[THREAD_BUSY] = 1
    if time == queue[NOW]:
        _tell_player(queue, heap, BEGIN_RESP)
    else:
        queue[DELAYED_TO_PLAYER] = time
        _notify(queue, heap, PLAYER_INBOX, time)
