"""The discrete-event kernel: events, the binary heap of timed notifications, and the order of agents in a round.

The order in which agents run inside one time stamp is observable, because the arbiter writes the controller's door slot
directly.  That order follows from the mechanics of the heap, dead entries included, so the heap is modelled as it is and
ties are *not* decided by age.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram.literal.records import NOTHING, fields

PLAYER, ARBITER, CONTROLLER = range(3)  # agents

# Events.  The inbox of an agent has the agent's number; the other four wake the controller.
PLAYER_INBOX, ARBITER_INBOX, DOOR, END_OF_RESPONSE, DATA_TIMER, CONTROLLER_TIMER = range(6)
NUM_EVENTS = 6
AGENT_OF_EVENT = (PLAYER, ARBITER, CONTROLLER, CONTROLLER, CONTROLLER, CONTROLLER)

NUM_KINDS = 4  # kinds of message, see messages.py

KERNEL = fields(
    "now",
    "rounds",  # counts the rounds of the simulation; a zero-delay message is visible from the next one on
    "entries",  # in the heap, dead ones included
    "pushes",  # entries pushed so far: the serial number of the next one
    "num_posted",
    "num_runnable",
    "sent",  # messages sent so far
    posted=(NUM_EVENTS,),  # zero-delay events of this round, in order of posting
    runnable=(3,),  # agents of this round, in order of running
    outstanding=(NUM_EVENTS,),  # 1: the event is posted
    live_serial=(NUM_EVENTS,),  # heap entry that stands for the event, or NOTHING
    live_time=(NUM_EVENTS,),
    message_request=(2, NUM_KINDS),  # undelivered messages by receiver and kind, see messages.py
    message_time=(2, NUM_KINDS),
    message_round=(2, NUM_KINDS),
    message_order=(2, NUM_KINDS),
)
ENTRY = fields("time", "event", "serial")


@njit(cache=True)
def reset(kernel: np.record) -> None:
    """Starts an empty kernel at time 0."""
    kernel.now = 0
    kernel.rounds = 0
    kernel.entries = 0
    kernel.pushes = 0
    kernel.num_posted = 0
    kernel.num_runnable = 0
    kernel.sent = 0
    kernel.outstanding[:] = 0
    kernel.live_serial[:] = NOTHING
    kernel.message_request[:] = NOTHING


@njit(cache=True)
def notify(kernel: np.record, heap: np.recarray, event: int, time: int) -> None:
    """Asks for an event at a time; of several requests only the earliest survives.

    A request for the current time is posted for the next round.  The entry that an earlier request replaces stays in the
    heap as a dead one.
    """
    if kernel.outstanding[event]:
        return
    if time == kernel.now:
        kernel.outstanding[event] = 1
        kernel.posted[kernel.num_posted] = event
        kernel.num_posted += 1
        kernel.live_serial[event] = NOTHING
    elif kernel.live_serial[event] == NOTHING or time < kernel.live_time[event]:
        kernel.live_serial[event] = kernel.pushes
        kernel.live_time[event] = time
        _push(kernel, heap, time, event)


@njit(cache=True)
def next_round(kernel: np.record, heap: np.recarray) -> bool:
    """Prepares the next round: moves time if nothing is posted, and fills ``kernel.runnable``.

    Returns:
        False if nothing will ever happen again.
    """
    kernel.rounds += 1
    kernel.num_runnable = 0
    if kernel.num_posted > 0:
        # The kernel works off the posted events from the back.
        for i in range(kernel.num_posted - 1, -1, -1):
            event = kernel.posted[i]
            kernel.outstanding[event] = 0
            wake(kernel, AGENT_OF_EVENT[event])
        kernel.num_posted = 0
        return True
    while kernel.num_runnable == 0 and kernel.entries > 0:
        # All entries of one time leave the heap before any agent runs; dead ones wake nobody.
        kernel.now = heap[0].time
        while kernel.entries > 0 and heap[0].time == kernel.now:
            event, serial = heap[0].event, heap[0].serial
            _pop(kernel, heap)
            if serial == kernel.live_serial[event]:
                kernel.live_serial[event] = NOTHING
                wake(kernel, AGENT_OF_EVENT[event])
    return kernel.num_runnable > 0


@njit(cache=True)
def wake(kernel: np.record, agent: int) -> None:
    """Adds an agent to this round, unless it is in already."""
    for i in range(kernel.num_runnable):
        if kernel.runnable[i] == agent:
            return
    kernel.runnable[kernel.num_runnable] = agent
    kernel.num_runnable += 1


@njit(cache=True)
def _push(kernel: np.record, heap: np.recarray, time: int, event: int) -> None:
    """Appends an entry and moves it up while its parent is strictly later."""
    at = kernel.entries
    kernel.entries += 1
    while at > 0:
        parent = (at - 1) // 2
        if heap[parent].time <= time:
            break
        _copy(heap, parent, at)
        at = parent
    heap[at].time = time
    heap[at].event = event
    heap[at].serial = kernel.pushes
    kernel.pushes += 1


@njit(cache=True)
def _pop(kernel: np.record, heap: np.recarray) -> None:
    """Removes the root: the last entry takes its place and moves down while a child is strictly earlier."""
    kernel.entries -= 1
    size = kernel.entries
    if size == 0:
        return
    time, event, serial = heap[size].time, heap[size].event, heap[size].serial
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size and heap[child + 1].time < heap[child].time:
            child += 1
        if heap[child].time >= time:
            break
        _copy(heap, child, at)
        at = child
    heap[at].time = time
    heap[at].event = event
    heap[at].serial = serial


@njit(cache=True)
def _copy(heap: np.recarray, source: int, target: int) -> None:
    heap[target].time = heap[source].time
    heap[target].event = heap[source].event
    heap[target].serial = heap[source].serial
