"""The order in which the array asks for input words.

The (m, k) matrix of a layer splits into what a pixel m and what a tap k add to an address, so two short tables give every
entry; only an entry of a window that reaches beyond the input asks for nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.lowering import IS, OS, Folds, Shape, asked_words

Words = NDArray[np.int64]


class Entries(NamedTuple):
    """Tables for the entries of the (m, k) matrix.

    Attributes:
        pixel_y, pixel_x: first row and column of the input in the window of each output pixel, (m,).
        tap_y, tap_x: row and column of each tap within a window, (k,).
        pixel_word: address of the first word of the window of each pixel, (m,).
        tap_word: what each tap adds to that address, (k,).
        ragged: whether a window reaches beyond the input.
    """

    pixel_y: Words
    pixel_x: Words
    tap_y: Words
    tap_x: Words
    pixel_word: Words
    tap_word: Words
    ragged: bool


@njit(cache=True, nogil=True)
def entries(of: Shape) -> Entries:
    """The tables of a layer."""
    pixel_y, pixel_x, pixel_word = np.empty(of.m, np.int64), np.empty(of.m, np.int64), np.empty(of.m, np.int64)
    tap_y, tap_x, tap_word = np.empty(of.k, np.int64), np.empty(of.k, np.int64), np.empty(of.k, np.int64)
    for m in range(of.m):
        pixel_y[m] = m // of.out_w * of.stride
        pixel_x[m] = m % of.out_w * of.stride
        pixel_word[m] = (pixel_y[m] * of.width + pixel_x[m]) * of.channels
    for k in range(of.k):
        tap = k // of.channels
        tap_y[k] = tap // of.taps_w
        tap_x[k] = tap % of.taps_w
        tap_word[k] = (tap_y[k] * of.width + tap_x[k]) * of.channels + k % of.channels
    ragged = asked_words(of) < of.m * of.k
    return Entries(pixel_y, pixel_x, tap_y, tap_x, pixel_word, tap_word, ragged)


@njit(cache=True, nogil=True)
def asks(table: Entries, of: Shape, m: int, k: int) -> bool:
    """Whether an entry is a word of the input."""
    return table.pixel_y[m] + table.tap_y[k] < of.height and table.pixel_x[m] + table.tap_x[k] < of.width


@njit(cache=True, nogil=True)
def walk(of: Shape, cut: Folds, stream: NDArray[np.int32], upto: int) -> int:
    """Walks over the requests of one pass: all row folds, and in ``is`` all column folds too.

    Args:
        of: the layer.
        cut: its folds.
        stream: gets the address of each request, if it is long enough; may be empty.
        upto: stops at this request (from 0); negative for never.

    Returns:
        The line of the pass at which request ``upto`` stands; without one, the number of requests.
    """
    table = entries(of)
    keep = len(stream) > 0
    count = 0
    outer = cut.column_folds if cut.dataflow == IS else 1
    for c in range(outer):
        columns = min(cut.columns, cut.across - c * cut.columns)
        for r in range(cut.row_folds):
            start = (c * cut.row_folds + r) * cut.fold_lines
            rows = min(cut.rows, cut.down - r * cut.rows)
            stays = cut.dataflow == IS
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
                    if table.ragged and not asks(table, of, m, k):
                        continue
                    if count == upto:
                        return line
                    if keep:
                        stream[count] = table.pixel_word[m] + table.tap_word[k]
                    count += 1
    return count


@njit(cache=True, nogil=True)
def requests(of: Shape, cut: Folds) -> NDArray[np.int32]:
    """Addresses that one pass asks for, in order."""
    stream = np.empty(asked_words(of), np.int32)
    walk(of, cut, stream, -1)
    return stream


@njit(cache=True, nogil=True)
def last_line(of: Shape, cut: Folds) -> int:
    """The last line of all folds that asks for an input word."""
    table = entries(of)
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
                    if line > last and asks(table, of, m, k):
                        last = line
            if last >= 0:
                return (c * cut.row_folds + r) * cut.fold_lines + last
    return -1  # the first window lies inside, so this is never reached
