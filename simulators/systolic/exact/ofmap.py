"""When the words of the output leave the array."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from simulators.systolic.exact import grid
from simulators.systolic.exact.lowering import OS, Folds

NEVER = np.iinfo(np.int64).max


class Leaving(NamedTuple):
    """The words that leave in one fold: a grid that passes along its anti-diagonals.

    Attributes:
        first, last: lines of its first and last word, over all folds.
        before: words that left in earlier folds.
        rows, columns: sides of the grid.
    """

    first: int
    last: int
    before: int
    rows: int
    columns: int


@njit(cache=True, nogil=True)
def leaving(cut: Folds, c: int, r: int) -> Leaving:
    """The words of column fold ``c`` and row fold ``r``; ``NEVER`` beyond the last fold."""
    if c >= cut.column_folds:
        return Leaving(NEVER, NEVER, NEVER, 1, 1)
    columns = min(cut.columns, cut.across - c * cut.columns)
    if cut.dataflow == OS:
        rows = min(cut.rows, cut.down - r * cut.rows)
        first, in_column, in_earlier_rows = cut.time - 1 + cut.rows - rows, cut.down, r * cut.rows
    else:
        rows, first, in_column, in_earlier_rows = cut.time, 2 * cut.rows - 1, cut.row_folds * cut.time, r * cut.time
    first += (c * cut.row_folds + r) * cut.fold_lines
    before = c * cut.columns * in_column + in_earlier_rows * columns
    return Leaving(first, first + rows + columns - 2, before, rows, columns)


@njit(cache=True, nogil=True)
def holding(cut: Folds, at: Leaving, word: int) -> Leaving:
    """The fold with a word (from 0, over all folds); ``at`` is returned if it is that one."""
    if at.before <= word < at.before + at.rows * at.columns:
        return at
    in_column = (cut.down if cut.dataflow == OS else cut.row_folds * cut.time) * cut.columns
    c = word // in_column
    columns = min(cut.columns, cut.across - c * cut.columns)
    return leaving(cut, c, (word - c * in_column) // ((cut.rows if cut.dataflow == OS else cut.time) * columns))


@njit(cache=True, nogil=True)
def fold_from(cut: Folds, line: int) -> Leaving:
    """The first fold of which a word leaves at a line or later."""
    fold = line // cut.fold_lines
    c = fold // cut.row_folds
    at = leaving(cut, c, fold - c * cut.row_folds)
    if line <= at.last:
        return at
    c = (fold + 1) // cut.row_folds
    return leaving(cut, c, fold + 1 - c * cut.row_folds)


@njit(cache=True, nogil=True)
def line_of(at: Leaving, word: int) -> int:
    """The line at which a word of a fold leaves."""
    return at.first + grid.line_of(at.rows, at.columns, word - at.before)


@njit(cache=True, nogil=True)
def left_before(at: Leaving, line: int) -> int:
    """Words that leave before a line of a fold."""
    return at.before + grid.before(at.rows, at.columns, line - at.first)


@njit(cache=True, nogil=True)
def most_per_line(cut: Folds) -> int:
    """The most words that leave at one line."""
    side = min(cut.rows, cut.down) if cut.dataflow == OS else cut.time
    return min(side, min(cut.columns, cut.across))
