"""The (m, k) matrix of a layer's input: which word an entry is, if any.

An address splits into what a pixel m and what a tap k add to it, so two short tables give every entry; only an entry of a
window that reaches beyond the input asks for nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.bare import bare
from simulators.systolic.exact.lowering import Shape, asked_words

Words = NDArray[np.int64]

PIXEL_TABLES, TAP_TABLES = 4, 4


class Entries(NamedTuple):
    """Pointers to the tables of a layer, see ``tables``.

    Attributes:
        height, width: of the input.
        pixel_y, pixel_x: first row and column of the input in the window of each output pixel, (m,).
        pixel_column: column of each output pixel in the output, (m,).
        pixel_word: address of the first word of the window of each pixel, (m,).
        tap_y, tap_x: row and column of each tap within a window, (k,).
        tap_channel: channel of each tap, (k,).
        tap_word: what each tap adds to the address, (k,).
        ragged: whether a window reaches beyond the input.
    """

    height: int
    width: int
    pixel_y: Any
    pixel_x: Any
    pixel_column: Any
    pixel_word: Any
    tap_y: Any
    tap_x: Any
    tap_channel: Any
    tap_word: Any
    ragged: bool


@njit(cache=True, nogil=True)
def tables(of: Shape) -> Words:
    """All tables, one after the other: pixels first."""
    made = np.empty(PIXEL_TABLES * of.m + TAP_TABLES * of.k, np.int64)
    for m in range(of.m):
        column = m % of.out_w
        y, x = m // of.out_w * of.stride, column * of.stride
        made[m], made[of.m + m], made[2 * of.m + m] = y, x, column
        made[3 * of.m + m] = (y * of.width + x) * of.channels
    taps = PIXEL_TABLES * of.m
    for k in range(of.k):
        tap, channel = k // of.channels, k % of.channels
        y, x = tap // of.taps_w, tap % of.taps_w
        made[taps + k], made[taps + of.k + k], made[taps + 2 * of.k + k] = y, x, channel
        made[taps + 3 * of.k + k] = (y * of.width + x) * of.channels + channel
    return made


@njit(cache=True, nogil=True)
def entries(of: Shape, made: Words) -> Entries:
    """Pointers into ``tables``, which the caller keeps alive."""
    m, k, taps = of.m, of.k, PIXEL_TABLES * of.m
    return Entries(
        of.height,
        of.width,
        bare(made),
        bare(made[m:]),
        bare(made[2 * m :]),
        bare(made[3 * m :]),
        bare(made[taps:]),
        bare(made[taps + k :]),
        bare(made[taps + 2 * k :]),
        bare(made[taps + 3 * k :]),
        asked_words(of) < m * k,
    )


@njit(cache=True, nogil=True)
def asks(of: Entries, m: int, k: int) -> bool:
    """Whether an entry is a word of the input."""
    return of.pixel_y[m] + of.tap_y[k] < of.height and of.pixel_x[m] + of.tap_x[k] < of.width
