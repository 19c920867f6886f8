"""The order in which the array asks for input words."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.bare import bare
from simulators.systolic.exact.entries import asks, entries
from simulators.systolic.exact.lowering import IS, OS, Folds, Shape, asked_words

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def walk(of: Shape, cut: Folds, tables: Words, stream: NDArray[np.int32], upto: int) -> int:
    """Walks over the requests of one pass: all row folds, and in ``is`` all column folds too.

    Args:
        of: the layer.
        cut: its folds.
        tables: see ``entries.tables``.
        stream: gets the address of each request; may be empty.
        upto: stops at this request (from 0); negative for never.

    Returns:
        The line of the pass at which request ``upto`` stands; without one, the number of requests.
    """
    table, words = entries(of, tables), bare(stream)
    keep, stays = len(stream) > 0, cut.dataflow == IS
    count = 0
    for c in range(cut.column_folds if stays else 1):
        columns = min(cut.columns, cut.across - c * cut.columns)
        for r in range(cut.row_folds):
            start = (c * cut.row_folds + r) * cut.fold_lines
            rows = min(cut.rows, cut.down - r * cut.rows)
            for step in range(rows if stays else cut.time + rows - 1):
                # A stationary operand enters from the last array row on; a streamed one is skewed.
                line = start + (cut.rows - rows + step if stays else cut.first + step)
                low = 0 if stays else max(0, step - cut.time + 1)
                high = columns if stays else min(rows, step + 1)
                for lane in range(low, high):
                    if stays:
                        m, k = c * cut.columns + lane, r * cut.rows + rows - 1 - step
                    elif cut.dataflow == OS:
                        m, k = r * cut.rows + lane, step - lane
                    else:
                        m, k = step - lane, r * cut.rows + lane
                    if table.ragged and not asks(table, m, k):
                        continue
                    if count == upto:
                        return line
                    if keep:
                        words[count] = table.pixel_word[m] + table.tap_word[k]
                    count += 1
    return count


def requests(of: Shape, cut: Folds, tables: Words) -> NDArray[np.int32]:
    """Addresses that one pass asks for, in order."""
    stream = np.empty(asked_words(of), np.int32)
    walk(of, cut, tables, stream, -1)
    return stream


@njit(cache=True, nogil=True)
def last_line(of: Shape, cut: Folds, tables: Words) -> int:
    """The last line of all folds that asks for an input word."""
    table = entries(of, tables)
    for c in range(cut.column_folds - 1, -1, -1):
        columns = min(cut.columns, cut.across - c * cut.columns)
        for r in range(cut.row_folds - 1, -1, -1):
            rows = min(cut.rows, cut.down - r * cut.rows)
            last = -1
            for row in range(rows):
                for step in range(columns if cut.dataflow == IS else cut.time):
                    if cut.dataflow == IS:
                        m, k, line = c * cut.columns + step, r * cut.rows + row, cut.rows - 1 - row
                    elif cut.dataflow == OS:
                        m, k, line = r * cut.rows + row, step, step + row
                    else:
                        m, k, line = step, r * cut.rows + row, cut.first + step + row
                    if line > last and asks(table, m, k):
                        last = line
            if last >= 0:
                return (c * cut.row_folds + r) * cut.fold_lines + last
    return -1  # the first window lies inside, so this is never reached
