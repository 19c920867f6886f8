"""The heap of timed notifications: a binary heap that decides ties by its mechanics, not by age.

``heap`` is a flat array: its size, a spare word, then time and tag of each entry.
"""

from __future__ import annotations

from numba import njit

from simulators.dram.fast_tables import Words

ENTRIES = 0  # how many there are
FIRST_TIME = 2  # time of the entry that will be popped next


@njit(cache=True)
def heap_words(requests: int) -> int:
    """Words that hold the heap of any run.

    At most five entries are alive.  Dead ones of the arbiter's inbox lie at the arrival of the one request under way, and
    each message of a transaction leaves at most one, which makes three for each request.  A dead one of the controller
    timer comes from an acceptance.
    """
    return 2 * (8 * requests + 256)


@njit(cache=True)
def push(heap: Words, time: int, tag: int) -> None:
    """Appends an entry and moves it up while its parent is strictly later."""
    heap[ENTRIES] += 1
    at = heap[ENTRIES]  # entry i, from 1, lies at word 2 * i
    while at > 1:
        parent = at >> 1
        if heap[2 * parent] <= time:
            break
        heap[2 * at] = heap[2 * parent]
        heap[2 * at + 1] = heap[2 * parent + 1]
        at = parent
    heap[2 * at] = time
    heap[2 * at + 1] = tag


@njit(cache=True)
def pop(heap: Words) -> int:
    """Removes the first entry and returns its tag; the last one takes its place and moves down past strictly earlier ones."""
    tag, last = heap[FIRST_TIME + 1], heap[ENTRIES]
    heap[ENTRIES] = last - 1
    time, moved = heap[2 * last], heap[2 * last + 1]
    at = 1
    while True:
        child = 2 * at
        if child + 1 < last and heap[2 * child + 2] < heap[2 * child]:
            child += 1
        if child >= last or heap[2 * child] >= time:
            break
        heap[2 * at] = heap[2 * child]
        heap[2 * at + 1] = heap[2 * child + 1]
        at = child
    heap[2 * at] = time
    heap[2 * at + 1] = moved
    return tag
