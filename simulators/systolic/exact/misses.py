"""Bandwidth mode USER: the lines at which a read buffer misses, and how often.

A miss moves the window; one request may miss many times in a row.  Hits do not depend on time, so the misses of an operand
depend on the layer, the array, the dataflow and the size of the buffer only, not on bandwidths or on other buffers.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact import entries
from simulators.systolic.exact.lowering import ZERO, Folds, Shape
from simulators.systolic.exact.order import Listing, Sets, is_asked, listing, put_in_order, room, sets
from simulators.systolic.exact.window import MISSING, nearest, own_reach, reach, whole, window

Words = NDArray[np.int64]

START, AFTER, BEGIN, END, NEXT = range(5)  # of a remembered part: window before and after, its misses, next one of the part


def misses(shape: Shape, cut: Folds, is_ifmap: bool, kb: int) -> tuple[Words, Words]:
    """Lines with misses of the input or the filters, ascending, and the number of misses at each."""
    arrays = (entries.tables(shape), *room(shape, cut, is_ifmap))
    return _misses(shape, cut, is_ifmap, kb, *arrays)


@njit(cache=True, nogil=True)
def _misses(
    shape: Shape,
    cut: Folds,
    is_ifmap: bool,
    kb: int,
    tables: Words,
    lanes: Words,
    ranks: NDArray[np.int32],
    starts: Words,
) -> tuple[Words, Words]:
    """Goes through all folds; a part that is met again with the same window is not computed again."""
    of = listing(shape, cut, is_ifmap, tables, lanes, ranks, starts)
    put_in_order(of)
    cuts = sets(of.starts[of.segments], kb)
    lines, counts, size = np.empty(64, np.int64), np.empty(64, np.int64), ZERO
    if cuts.step == 0:
        return lines[:0], counts[:0]
    part_lines, part_counts, logged = np.empty(64, np.int64), np.empty(64, np.int64), ZERO
    known, count = np.empty((64, 5), np.int64), ZERO
    newest = np.full(of.operand.parts * (cut.row_folds if of.operand.stays else 1), -1, np.int64)
    until = np.empty(of.operand.lanes, np.int64)
    first = ZERO
    for c in range(cut.column_folds):
        for r in range(cut.row_folds):
            part = c * cut.row_folds + r if of.operand.stays else (c if of.operand.by_column else r)
            found = newest[part]
            while found >= 0 and known[found, START] != first:
                found = known[found, NEXT]
            if found < 0:
                part_lines, part_counts = _room(part_lines, part_counts, logged, cut.fold_lines)
                known = _more(known, count)
                begin = logged
                if of.operand.stays:
                    after, logged = _stationary(of, cuts, cut, c, r, first, part_lines, part_counts, logged)
                else:
                    after, logged = _streamed(of, cuts, cut.first, part, first, until, part_lines, part_counts, logged)
                known[count, START], known[count, AFTER] = first, after
                known[count, BEGIN], known[count, END], known[count, NEXT] = begin, logged, newest[part]
                newest[part], found = count, count
                count += 1
            begin, end = known[found, BEGIN], known[found, END]
            lines, counts = _room(lines, counts, size, end - begin)
            base = (c * cut.row_folds + r) * cut.fold_lines
            for event in range(begin, end):
                lines[size], counts[size] = base + part_lines[event], part_counts[event]
                size += 1
            first = known[found, AFTER]
    return lines[:size], counts[:size]


@njit(cache=True, nogil=True)
def _streamed(
    of: Listing, cuts: Sets, line0: int, part: int, first: int, until: Words, lines: Words, counts: Words, size: int
) -> tuple[int, int]:
    """Appends the misses of one part of a streamed operand; lane i is one line behind lane i - 1.

    Returns:
        The first set of the window afterwards, and the number of misses logged so far.
    """
    width = min(of.operand.lanes, of.operand.extent - part * of.operand.lanes)
    depth = of.operand.depth
    at = window(of, cuts, first)
    until.fill(-1)  # the last line at which each lane surely hits
    line = 0
    while line < depth + width - 1:
        steps = whole(at, part * depth + line)
        if steps != MISSING:  # all lanes of a line are in one segment
            line += steps + 1
            continue
        missed = 0
        for column in range(max(0, line - depth + 1), min(width, line + 1)):
            if until[column] >= line:
                continue
            lane, step = part * of.operand.lanes + column, line - column
            if of.ragged and not is_asked(of, lane, step):
                continue
            steps = own_reach(of, cuts, at, lane, step)
            if steps == MISSING and of.overlaps:
                steps = reach(of, cuts, at, lane, step)
            if steps != MISSING:
                until[column] = line + steps
                continue
            moves = (nearest(of, cuts, at, lane, step) - cuts.active) // cuts.step + 1
            at = window(of, cuts, (at.first + moves * cuts.step) % cuts.count)
            until.fill(-1)
            missed += moves
        if missed > 0:
            lines[size], counts[size] = line0 + line, missed
            size += 1
        line += 1
    return at.first, size


@njit(cache=True, nogil=True)
def _stationary(
    of: Listing, cuts: Sets, cut: Folds, c: int, r: int, first: int, lines: Words, counts: Words, size: int
) -> tuple[int, int]:
    """Appends the misses of a stationary operand in one fold; the last array row is loaded first.  Returns as above."""
    rows, columns = min(cut.rows, cut.down - r * cut.rows), min(cut.columns, cut.across - c * cut.columns)
    at = window(of, cuts, first)
    row = rows - 1
    while row >= 0:
        step = r * cut.rows + row
        segment = of.lane_segment[c * cut.columns] + step
        if whole(at, segment) != MISSING:  # go on above the window
            row -= 1 + segment - (at.first_whole if segment >= at.first_whole else 0)
            continue
        missed, column = 0, 0
        while column < columns:
            lane = c * cut.columns + column
            column += 1
            if of.ragged and not is_asked(of, lane, step):
                continue
            steps = own_reach(of, cuts, at, lane, step)
            if steps == MISSING and of.overlaps:
                steps = reach(of, cuts, at, lane, step)
                column += max(steps, 0)
            if steps != MISSING:
                continue
            moves = (nearest(of, cuts, at, lane, step) - cuts.active) // cuts.step + 1
            at = window(of, cuts, (at.first + moves * cuts.step) % cuts.count)
            missed += moves
        if missed > 0:
            lines[size], counts[size] = cut.rows - 1 - row, missed
            size += 1
        row -= 1
    return at.first, size


@njit(cache=True, nogil=True)
def _room(lines: Words, counts: Words, size: int, more: int) -> tuple[Words, Words]:
    """The same lists with room for more."""
    if size + more <= len(lines):
        return lines, counts
    longer_lines, longer_counts = np.empty(2 * (size + more), np.int64), np.empty(2 * (size + more), np.int64)
    for i in range(size):
        longer_lines[i], longer_counts[i] = lines[i], counts[i]
    return longer_lines, longer_counts


@njit(cache=True, nogil=True)
def _more(known: Words, count: int) -> Words:
    """The same table with room for one more row."""
    if count < len(known):
        return known
    longer = np.empty((2 * count, 5), np.int64)
    for i in range(count):
        for j in range(5):
            longer[i, j] = known[i, j]
    return longer
