"""Bandwidth mode USER: the order in which a read buffer fetches an operand.

The distinct parts of an operand are stacked on top of each other and listed in segments: a streamed operand along the
anti-diagonals of the stack, columns ascending; a stationary one along its rows.  The list is cut into sets of equal size, and
the buffer holds a window of consecutive sets.  All places count what is asked for only; gaps are skipped.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.bare import bare
from simulators.systolic.exact.entries import Entries, asks, entries
from simulators.systolic.exact.lowering import IS, OS, WS, Folds, Shape, asked_words, ceil_div, windows_overlap

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
    """An operand in its order; the tables are pointers.

    Attributes:
        operand: which one.
        shape: the layer.
        dataflow: see ``lowering.DATAFLOWS``.
        entries: tables for the input.
        ragged: whether entries of this operand ask for nothing.
        overlaps: whether a word can stand in several places.
        lane_segment, lane_column: of each lane, the segment of its entry at step 0 and the column in it, (extent,).
        ranks: if ragged, of each entry the number of words left of it in its segment, (extent * depth,).
        starts: words listed before each segment, and after the last one, (segments + 1,).
        segments: number of them.
    """

    operand: Operand
    shape: Shape
    dataflow: int
    entries: Entries
    ragged: bool
    overlaps: bool
    lane_segment: Any
    lane_column: Any
    ranks: Any
    starts: Any
    segments: int


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
def room(shape: Shape, cut: Folds, is_ifmap: bool) -> tuple[Words, NDArray[np.int32], Words]:
    """Arrays for a listing: lanes, ranks, starts."""
    of = operand(shape, cut, is_ifmap)
    ragged = is_ifmap and asked_words(shape) < shape.m * shape.k
    segments = of.parts * of.depth + (0 if of.stays else of.lanes - 1)
    return (
        np.empty(2 * of.extent, np.int64),
        np.empty(shape.m * shape.k if ragged else 0, np.int32),
        np.zeros(segments + 1, np.int64),
    )


@njit(cache=True, nogil=True)
def listing(
    shape: Shape, cut: Folds, is_ifmap: bool, tables: Words, lanes: Words, ranks: NDArray[np.int32], starts: Words
) -> Listing:
    """Pointers to the arrays of ``entries.tables`` and ``room``, which the caller keeps alive."""
    of, table = operand(shape, cut, is_ifmap), entries(shape, tables)
    ragged, overlaps = is_ifmap and table.ragged, is_ifmap and windows_overlap(shape)
    lane_segment, lane_column = bare(lanes), bare(lanes[of.extent :])
    segments = len(starts) - 1
    return Listing(
        of, shape, cut.dataflow, table, ragged, overlaps, lane_segment, lane_column, bare(ranks), bare(starts), segments
    )


@njit(cache=True, nogil=True)
def put_in_order(of: Listing) -> None:
    """Fills the arrays of a listing."""
    op = of.operand
    for lane in range(op.extent):
        part, column = lane // op.lanes, lane % op.lanes
        of.lane_segment[lane] = part * op.depth + (0 if op.stays else column)
        of.lane_column[lane] = column
    if of.ragged:
        for column in range(op.lanes):
            for lane in range(column, op.extent, op.lanes):
                for step in range(op.depth):
                    s = of.lane_segment[lane] + step
                    of.ranks[lane * op.depth + step] = of.starts[s + 1]
                    of.starts[s + 1] += is_asked(of, lane, step)
    else:
        for s in range(of.segments):
            of.starts[s + 1] = _columns_before(op, s, op.lanes)
    for s in range(of.segments):
        of.starts[s + 1] += of.starts[s]


@njit(cache=True, nogil=True)
def is_asked(of: Listing, lane: int, step: int) -> bool:
    """Whether an entry of the input is a word."""
    return asks(of.entries, step, lane) if of.dataflow == WS else asks(of.entries, lane, step)


@njit(cache=True, nogil=True)
def place(of: Listing, lane: int, step: int) -> int:
    """The place in the list of an entry that is a word."""
    s = of.lane_segment[lane] + step
    if of.ragged:
        return of.starts[s] + of.ranks[lane * of.operand.depth + step]
    return of.starts[s] + _columns_before(of.operand, s, of.lane_column[lane])


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
