"""Bandwidth mode USER: the window of a read buffer over the order of an operand, and what it holds.

A word is there if any place of it is in the window.  Which segments are in the window as a whole is known when it moves, so
exact places are only needed for the segments at its ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.lowering import IS, WS
from simulators.systolic.exact.order import Listing, Sets, place

Words = NDArray[np.int64]

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
    first_whole = _first_not_below(of.starts, low)
    last_whole = _first_not_below(of.starts, min(high, end) + 1) - 2
    wrapped = _first_not_below(of.starts, high - end + 1) - 2 if high > end else -1
    return Window(first, low, first_whole, last_whole, wrapped)


@njit(cache=True, nogil=True)
def _first_not_below(starts: Words, value: int) -> int:
    """Index of the first entry of an ascending list that is not below a value; its length if there is none."""
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if starts[middle] < value:
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
def distance(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """Sets from the first one of the window to the one with this entry, around the ring."""
    return (place(of, lane, step) - at.low) % (cut.count * cut.size) // cut.size


@njit(cache=True, nogil=True)
def own_reach(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """How many further steps of a lane are surely in the window at their own place, ``MISSING`` if this one is not."""
    reach = whole(at, of.lane_segment[lane] + step)
    if reach == MISSING and distance(of, cut, at, lane, step) < cut.active:
        return 0
    return reach


@njit(cache=True, nogil=True)
def reach(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """The same at any place of the word of an input whose windows overlap.

    Steps are those in which the array asks: along time for a streamed operand, along lanes for a stationary one.
    """
    shape, table = of.shape, of.entries
    m, k = (step, lane) if of.dataflow == WS else (lane, step)
    y, x, channel = table.pixel_y[m] + table.tap_y[k], table.pixel_x[m] + table.tap_x[k], k % shape.channels
    column = table.pixel_x[m] // shape.stride
    best = MISSING
    for out_y in range(first_out(y, shape.taps_h, shape.stride), last_out(y, shape.stride, shape.out_h) + 1):
        for out_x in range(first_out(x, shape.taps_w, shape.stride), last_out(x, shape.stride, shape.out_w) + 1):
            pixel = out_y * shape.out_w + out_x
            tap = ((y - out_y * shape.stride) * shape.taps_w + x - out_x * shape.stride) * shape.channels + channel
            other_lane, other_step = (tap, pixel) if of.dataflow == WS else (pixel, tap)
            steps = whole(at, of.lane_segment[other_lane] + other_step)
            if steps == MISSING:
                if best == MISSING and distance(of, cut, at, other_lane, other_step) < cut.active:
                    best = 0
            elif of.dataflow == WS:  # the next pixels, to the end of either output row
                best = max(best, min(steps, shape.out_w - 1 - max(column, out_x)))
            elif of.dataflow == IS:  # the same, and to the end of the part
                ahead = min(of.operand.lanes - 1 - of.lane_column[other_lane], shape.out_w - 1 - max(column, out_x))
                best = max(best, ahead)
            else:  # the next channels
                best = max(best, min(steps, shape.channels - 1 - channel))
    return best


@njit(cache=True, nogil=True)
def nearest(of: Listing, cut: Sets, at: Window, lane: int, step: int) -> int:
    """Sets from the first one of the window to the next one with the word, around the ring."""
    if not of.overlaps:
        return distance(of, cut, at, lane, step)
    shape, table = of.shape, of.entries
    m, k = (step, lane) if of.dataflow == WS else (lane, step)
    y, x, channel = table.pixel_y[m] + table.tap_y[k], table.pixel_x[m] + table.tap_x[k], k % shape.channels
    best = cut.count
    for out_y in range(first_out(y, shape.taps_h, shape.stride), last_out(y, shape.stride, shape.out_h) + 1):
        for out_x in range(first_out(x, shape.taps_w, shape.stride), last_out(x, shape.stride, shape.out_w) + 1):
            pixel = out_y * shape.out_w + out_x
            tap = ((y - out_y * shape.stride) * shape.taps_w + x - out_x * shape.stride) * shape.channels + channel
            other_lane, other_step = (tap, pixel) if of.dataflow == WS else (pixel, tap)
            best = min(best, distance(of, cut, at, other_lane, other_step))
    return best


@njit(cache=True, nogil=True)
def first_out(index: int, taps: int, stride: int) -> int:
    """The first output index along an axis whose window holds an input index."""
    return 0 if index < taps else (index - taps) // stride + 1


@njit(cache=True, nogil=True)
def last_out(index: int, stride: int, outs: int) -> int:
    """The last one."""
    return min(outs - 1, index // stride)
