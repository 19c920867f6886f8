"""When words leave the array, and how the ofmap buffer lays them out in lines to drain."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact import grid
from simulators.systolic.exact.lowering import OS, Folds

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def leaving(cut: Folds, c: int, r: int) -> tuple[int, int, int]:
    """Of fold (c, r): sides of its grid of words, and the line of the fold at which the first word leaves."""
    columns = min(cut.columns, cut.across - c * cut.columns)
    if cut.dataflow == OS:
        rows = min(cut.rows, cut.down - r * cut.rows)
        return rows, columns, cut.time - 1 + cut.rows - rows
    return cut.time, columns, 2 * cut.rows - 1


@njit(cache=True, nogil=True)
def per_column(cut: Folds) -> int:
    """Words per array column in all row folds together."""
    return cut.down if cut.dataflow == OS else cut.row_folds * cut.time


@njit(cache=True, nogil=True)
def line_of(cut: Folds, word: int) -> int:
    """The line at which a word (from 0, over all folds) leaves."""
    c = word // (per_column(cut) * cut.columns)
    rest = word - c * per_column(cut) * cut.columns
    columns = min(cut.columns, cut.across - c * cut.columns)
    fold_words = (cut.rows if cut.dataflow == OS else cut.time) * columns
    r = rest // fold_words
    rows, columns, first = leaving(cut, c, r)
    return (c * cut.row_folds + r) * cut.fold_lines + first + grid.line_of(rows, columns, rest - r * fold_words)


@njit(cache=True, nogil=True)
def before(cut: Folds, line: int) -> int:
    """Words that leave before a line."""
    fold = line // cut.fold_lines
    c = fold // cut.row_folds
    r = fold - c * cut.row_folds
    rows, columns, first = leaving(cut, c, r)
    fold_words = (cut.rows if cut.dataflow == OS else cut.time) * columns
    done = c * per_column(cut) * cut.columns + r * fold_words
    return done + grid.before(rows, columns, line - fold * cut.fold_lines - first)


@njit(cache=True, nogil=True)
def next_line(cut: Folds, line: int) -> int:
    """The first line from ``line`` on at which a word leaves; beyond all lines if there is none."""
    fold = line // cut.fold_lines
    if fold >= cut.row_folds * cut.column_folds:
        return line
    c = fold // cut.row_folds
    rows, columns, first = leaving(cut, c, fold - c * cut.row_folds)
    within = line - fold * cut.fold_lines
    if within <= first + rows + columns - 2:
        return fold * cut.fold_lines + max(first, within)
    fold += 1
    c = fold // cut.row_folds
    _, _, first = leaving(cut, c, fold - c * cut.row_folds)
    return fold * cut.fold_lines + first


@njit(cache=True, nogil=True)
def leave(queue: Words, head: int, size: int, loose: int, bandwidth: int, most: int) -> tuple[Words, int, int, int, int]:
    """Lays out loose words in lines behind those that wait, and lets lines leave.

    Args:
        queue: ring of what was laid out at one time and waits: (full lines, words of the short line behind them).
        head: its first entry.
        size: its number of entries.
        loose: words that came since.
        bandwidth: words of a full line.
        most: lines that leave at most.

    Returns:
        The queue, its head and size, the lines that left, and the words that are believed to have left: short lines count as
        full, the last one excepted.
    """
    if loose > 0:
        if size == len(queue):
            longer = np.empty((2 * size, 2), np.int64)
            for i in range(size):
                longer[i, 0], longer[i, 1] = queue[(head + i) % size, 0], queue[(head + i) % size, 1]
            queue, head = longer, 0
        tail = (head + size) % len(queue)
        queue[tail, 0] = loose // bandwidth
        queue[tail, 1] = loose - queue[tail, 0] * bandwidth
        size += 1
    lines, missing = 0, 0
    while size > 0 and lines < most:
        full = min(queue[head, 0], most - lines)
        lines += full
        queue[head, 0] -= full
        missing = 0
        if queue[head, 1] > 0 and lines < most:
            missing = bandwidth - queue[head, 1]
            lines += 1
            queue[head, 1] = 0
        if queue[head, 0] == 0 and queue[head, 1] == 0:
            head = (head + 1) % len(queue)
            size -= 1
    return queue, head, size, lines, lines * bandwidth - missing
