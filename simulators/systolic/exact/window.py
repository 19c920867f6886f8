"""Bandwidth mode USER: the window of a read buffer over the order of an operand, and what it holds.

A word is there if any place of it is in the window.  Which segments are in the window as a whole is known when it moves, so
exact places are only needed for the segments at its ends.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import njit

from simulators.systolic.exact.lowering import IS, OS, WS
from simulators.systolic.exact.order import Listing, Sets, place

MISSING = -1


class Window(NamedTuple):
    """Consecutive sets of a list; the list is a ring.

    Attributes:
        first: its first set.
        low: place of its first word.
        first_whole, last_whole: segments that are in it as a whole.
        wrapped: segments up to this one are in it too, because it goes on at the start of the list.
    """

    first: int
    low: int
    first_whole: int
    last_whole: int
    wrapped: int


@njit(cache=True, nogil=True)
def window(of: Listing, cut: Sets, first: int) -> Window:
    """The window that begins with set ``first``."""
    low, end = first * cut.size, cut.count * cut.size
    high = low + cut.active * cut.size
    first_whole = _first_not_below(of, low)
    last_whole = _first_not_below(of, min(high, end) + 1) - 2
    wrapped = _first_not_below(of, high - end + 1) - 2 if high > end else -1
    return Window(first, low, first_whole, last_whole, wrapped)


@njit(cache=True, nogil=True)
def _first_not_below(of: Listing, words: int) -> int:
    """The first segment before which at least so many words are listed; one more than there are if none is."""
    low, high = 0, of.segments + 1
    while low < high:
        middle = (low + high) // 2
        if of.starts[middle] < words:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def whole(at: Window, segment: int) -> int:
    """How many segments after this one are in the window as a whole too, ``MISSING`` if this one is not."""
    if at.first_whole <= segment <= at.last_whole:
        return at.last_whole - segment
    if segment <= at.wrapped:
        return at.wrapped - segment
    return MISSING


@njit(cache=True, nogil=True)
def ahead(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """Words from the start of the window to an entry, around the ring."""
    words = place(of, lane, step) - at.low
    return words if words >= 0 else words + cut.count * cut.size


@njit(cache=True, nogil=True)
def own_reach(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """How many further steps of a lane are surely in the window at their own place, ``MISSING`` if this one is not."""
    reach = whole(at, of.lane_segment[lane] + step)
    if reach == MISSING and ahead(of, cut, at, lane, step) < cut.active * cut.size:
        return 0
    return reach


@njit(cache=True, nogil=True)
def reach(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """The same at any place of the word of an input whose windows overlap.

    Steps are those in which the array asks: along time for a streamed operand, along lanes for a stationary one.  The other
    places of a word move along with it, to the next channel in ``os``, to the next pixel of an output row in the others.
    """
    shape, table = of.shape, of.entries
    m, k = (step, lane) if of.dataflow == WS else (lane, step)
    y, x, channel = table.pixel_y[m] + table.tap_y[k], table.pixel_x[m] + table.tap_x[k], table.tap_channel[k]
    column = table.pixel_column[m]
    most = (shape.channels - channel if of.dataflow == OS else shape.out_w - column) - 1
    best = MISSING
    for out_y in range(first_out(y, shape.taps_h, shape.stride), last_out(y, shape.stride, shape.out_h) + 1):
        for out_x in range(first_out(x, shape.taps_w, shape.stride), last_out(x, shape.stride, shape.out_w) + 1):
            pixel = out_y * shape.out_w + out_x
            tap = ((y - out_y * shape.stride) * shape.taps_w + x - out_x * shape.stride) * shape.channels + channel
            other_lane, other_step = (tap, pixel) if of.dataflow == WS else (pixel, tap)
            steps = whole(at, of.lane_segment[other_lane] + other_step)
            if steps == MISSING:
                if best == MISSING and ahead(of, cut, at, other_lane, other_step) < cut.active * cut.size:
                    best = 0
                continue
            if of.dataflow == IS:  # all lanes of a part are in one segment
                steps = of.operand.lanes - 1 - of.lane_column[other_lane]
            if of.dataflow != OS:
                steps = min(steps, shape.out_w - 1 - out_x)
            best = max(best, min(steps, most))
            if best == most:
                return best
    return best


@njit(cache=True, nogil=True)
def nearest(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """Sets from the first one of the window to the next one with the word, around the ring."""
    if not of.overlaps:
        return ahead(of, cut, at, lane, step) // cut.size
    shape, table = of.shape, of.entries
    m, k = (step, lane) if of.dataflow == WS else (lane, step)
    y, x, channel = table.pixel_y[m] + table.tap_y[k], table.pixel_x[m] + table.tap_x[k], table.tap_channel[k]
    best = cut.count * cut.size
    for out_y in range(first_out(y, shape.taps_h, shape.stride), last_out(y, shape.stride, shape.out_h) + 1):
        for out_x in range(first_out(x, shape.taps_w, shape.stride), last_out(x, shape.stride, shape.out_w) + 1):
            pixel = out_y * shape.out_w + out_x
            tap = ((y - out_y * shape.stride) * shape.taps_w + x - out_x * shape.stride) * shape.channels + channel
            other_lane, other_step = (tap, pixel) if of.dataflow == WS else (pixel, tap)
            best = min(best, ahead(of, cut, at, other_lane, other_step))
    return best // cut.size


@njit(cache=True, nogil=True)
def first_out(index: int, taps: int, stride: int) -> int:
    """The first output index along an axis whose window holds an input index."""
    return 0 if index < taps else (index - taps) // stride + 1


@njit(cache=True, nogil=True)
def last_out(index: int, stride: int, outs: int) -> int:
    """The last one."""
    return min(outs - 1, index // stride)
