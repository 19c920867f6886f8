"""Bandwidth mode USER: the order in which a read buffer fetches an operand.

The distinct parts of an operand are stacked on top of each other and listed in segments: a streamed operand along the
anti-diagonals of the stack, columns ascending; a stationary one along its rows.  The list is cut into sets of equal size, and
the buffer holds a window of consecutive sets.  All places count what is asked for only; gaps are skipped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.demand import Entries, asks, entries
from simulators.systolic.exact.lowering import IS, OS, WS, Folds, Shape, ceil_div, windows_overlap

Words = NDArray[np.int64]


class Operand(NamedTuple):
    """One operand of a layer on an array.

    Attributes:
        is_ifmap: input or filter.
        stays: whether it stays in the array; else it streams.
        by_column: whether it enters at array columns; else at rows.  Streamed parts follow these folds.
        lanes: array rows or columns at which it enters.
        extent: all its lanes: lane ``u`` belongs to part ``u // lanes``.
        depth: entries per lane: time steps if it streams, rows of the product if it stays.
        parts: distinct parts; of a stationary one, those of a column fold count as one.
    """

    is_ifmap: bool
    stays: bool
    by_column: bool
    lanes: int
    extent: int
    depth: int
    parts: int


class Sets(NamedTuple):
    """How the list is cut.

    Attributes:
        size: words per set.
        count: number of sets.
        active: sets in the window.
        step: sets by which the window moves at a miss; 0 if all sets are in it.
        refill: words of half the buffer.
    """

    size: int
    count: int
    active: int
    step: int
    refill: int


class Listing(NamedTuple):
    """An operand in its order.

    Attributes:
        operand: which one.
        shape: the layer.
        dataflow: see ``lowering.DATAFLOWS``.
        entries: tables for the input.
        ragged: whether entries of this operand ask for nothing.
        overlaps: whether a word can stand in several places.
        lane_segment, lane_column: of each lane, the segment of its entry at step 0 and the column in it, (extent,).
        starts: words listed before each segment, and after the last one, (segments + 1,).
    """

    operand: Operand
    shape: Shape
    dataflow: int
    entries: Entries
    ragged: bool
    overlaps: bool
    lane_segment: Words
    lane_column: Words
    starts: Words


@njit(cache=True, nogil=True)
def operand(of: Shape, cut: Folds, is_ifmap: bool) -> Operand:
    """The input or the filters of a layer."""
    stays = cut.dataflow == (IS if is_ifmap else WS)
    by_column = stays or (cut.dataflow == OS and not is_ifmap)
    lanes = cut.columns if by_column else cut.rows
    extent = cut.across if by_column else cut.down
    return Operand(is_ifmap, stays, by_column, lanes, extent, cut.down if stays else cut.time, ceil_div(extent, lanes))


@njit(cache=True, nogil=True)
def list_length(of: Operand) -> int:
    """Length of the list with gaps: parts are padded to the full width of the array."""
    return of.parts * of.depth * of.lanes


@njit(cache=True, nogil=True)
def listing(shape: Shape, cut: Folds, is_ifmap: bool) -> Listing:
    """Puts the input or the filters of a layer in order."""
    of, table = operand(shape, cut, is_ifmap), entries(shape)
    segments = of.parts * of.depth + (0 if of.stays else of.lanes - 1)
    lane_segment, lane_column = np.empty(of.extent, np.int64), np.empty(of.extent, np.int64)
    for lane in range(of.extent):
        part, column = lane // of.lanes, lane % of.lanes
        lane_segment[lane] = part * of.depth + (0 if of.stays else column)
        lane_column[lane] = column
    starts = np.zeros(segments + 1, np.int64)
    ragged, overlaps = is_ifmap and table.ragged, is_ifmap and windows_overlap(shape)
    made = Listing(of, shape, cut.dataflow, table, ragged, overlaps, lane_segment, lane_column, starts)
    if ragged:
        for lane in range(of.extent):
            for step in range(of.depth):
                starts[lane_segment[lane] + step + 1] += is_asked(made, lane, step)
    else:
        for s in range(segments):
            starts[s + 1] = _columns_before(of, s, of.lanes)
    for s in range(segments):
        starts[s + 1] += starts[s]
    return made


@njit(cache=True, nogil=True)
def is_asked(of: Listing, lane: int, step: int) -> bool:
    """Whether an entry of the input is a word."""
    m, k = (step, lane) if of.dataflow == WS else (lane, step)
    return asks(of.entries, of.shape, m, k)


@njit(cache=True, nogil=True)
def place(of: Listing, lane: int, step: int) -> int:
    """The place in the list of an entry that is a word."""
    s, column = of.lane_segment[lane] + step, of.lane_column[lane]
    if not of.ragged:
        return of.starts[s] + _columns_before(of.operand, s, column)
    found = of.starts[s]
    for other in range(column):
        part, row = divmod(s if of.operand.stays else s - other, of.operand.depth)
        lane = part * of.operand.lanes + other
        if 0 <= part < of.operand.parts and lane < of.operand.extent:
            found += is_asked(of, lane, row)
    return found


@njit(cache=True, nogil=True)
def _columns_before(of: Operand, s: int, column: int) -> int:
    """Words of a segment left of a column, if nothing is missing but lanes of the last part."""
    last = of.extent - (of.parts - 1) * of.lanes
    if of.stays:
        return min(column, last) if s >= (of.parts - 1) * of.depth else column
    lowest = max(0, s - of.parts * of.depth + 1)  # the stack begins here on this anti-diagonal
    missing = min(column - 1, s - (of.parts - 1) * of.depth) - max(last, lowest) + 1
    return min(column, s + 1) - lowest - max(0, missing)


@njit(cache=True, nogil=True)
def sets(words: int, kb: int) -> Sets:
    """The sets of a list of ``words`` words without gaps."""
    size, half = ceil_div(1024 * kb, 100), 512 * kb
    count = words // size + 1
    active = min(ceil_div(half, size), count)
    return Sets(size, count, active, min(ceil_div(half, size), count - active), half)
