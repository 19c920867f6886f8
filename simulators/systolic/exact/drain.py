"""How the ofmap buffer lays words out in lines, and lets them leave.

At a drain the words that came since the last one are laid out behind the lines that wait, the last line possibly short.  Then
a number of lines leaves.  Lines that leave count as full, only the last one for what it holds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.lowering import ceil_div

Words = NDArray[np.int64]

FIRST_ROOM = 16


class Regular(NamedTuple):
    """All drains of a layer, none of which has to wait for another.

    Attributes:
        first, last: words (from 0) that start the first and the last drain, -1 if there is none.
        writes: words believed to have left in all drains.
        loose: words that came after the last one.
        full, short: the line that waits then, if any: 1 and 0 if it is full, 0 and its words if it is short.
    """

    first: int
    last: int
    writes: int
    loose: int
    full: int
    short: int


@njit(cache=True, nogil=True)
def regular(words: int, part: int, bandwidth: int) -> Regular:
    """Drains of ``part`` words or a line more, each started by the first word beyond a part.

    Args:
        words: of the layer.
        part: words beyond which a drain starts.
        bandwidth: words of a full line.
    """
    if words <= part:
        return Regular(-1, -1, 0, words, 0, 0)
    if part % bandwidth:  # the word that starts a drain leaves with it
        drains = words // (part + 1)
        return Regular(part, drains * (part + 1) - 1, drains * (part + 1), words - drains * (part + 1), 0, 0)
    # It stays, in a short line after the first drain; that line counts as full when it leaves, so a full one stays then.
    drains = (words - 1) // part
    full = 1 if drains > 1 or bandwidth == 1 else 0
    return Regular(part, drains * part, drains * part, words - drains * part - 1, full, 1 - full)


@njit(cache=True, nogil=True)
def queue_of(full: int, short: int) -> Words:
    """A ring of (full lines, words of the short line behind them), with one entry."""
    queue = np.empty((FIRST_ROOM, 2), np.int64)
    queue[0, 0], queue[0, 1] = full, short
    return queue


@njit(cache=True, nogil=True)
def longer(queue: Words, head: int) -> Words:
    """A full ring with twice the room, the first entry in front."""
    made = np.empty((2 * len(queue), 2), np.int64)
    for i in range(len(queue)):
        place = (head + i) % len(queue)
        made[i, 0], made[i, 1] = queue[place, 0], queue[place, 1]
    return made


@njit(cache=True, nogil=True)
def leave(queue: Words, head: int, size: int, loose: int, bandwidth: int, most: int) -> tuple[int, int, int, int]:
    """Lays out what is loose, in a ring that has room, and lets up to ``most`` lines leave.

    Args:
        queue: see ``queue_of``.
        head: its first entry.
        size: number of its entries.
        loose: words not yet laid out.
        bandwidth: words of a full line.
        most: lines that leave; there are at least as many.

    Returns:
        Head and size afterwards, the lines that left, and the words believed to have left.
    """
    tail = (head + size) % len(queue)
    queue[tail, 0] = loose // bandwidth
    queue[tail, 1] = loose - queue[tail, 0] * bandwidth
    size += 1
    left, missing = 0, 0
    while left < most and size > 0:
        full = min(queue[head, 0], most - left)
        left += full
        queue[head, 0] -= full
        missing = 0
        if queue[head, 1] > 0 and left < most:
            missing = bandwidth - queue[head, 1]
            queue[head, 1] = 0
            left += 1
        if queue[head, 0] == 0 and queue[head, 1] == 0:
            head = (head + 1) % len(queue)
            size -= 1
    return head, size, left, left * bandwidth - missing


@njit(cache=True, nogil=True)
def flush(queue: Words, head: int, size: int, loose: int, bandwidth: int, part: int) -> tuple[int, int]:
    """Lays out what is loose and lets all lines leave, as many at a time as a part of the buffer takes.

    Args:
        queue: see ``queue_of``.
        head: its first entry.
        size: number of its entries.
        loose: words not yet laid out.
        bandwidth: words of a full line.
        part: words of a part.

    Returns:
        Lines that left, and words believed to have left.
    """
    most, lines, missing, last_missing = ceil_div(part, bandwidth), 0, 0, 0
    for entry in range(size + 1):
        place = (head + entry) % len(queue)
        full = loose // bandwidth if entry == size else queue[place, 0]
        short = loose - full * bandwidth if entry == size else queue[place, 1]
        if full > 0:
            lines += full
            last_missing = 0
        if short > 0:
            lines += 1
            last_missing = bandwidth - short
            if lines % most == 0:  # the last one of those that leave together
                missing += last_missing
                last_missing = 0
    return lines, lines * bandwidth - missing - last_missing
