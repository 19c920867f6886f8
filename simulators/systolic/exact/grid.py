"""A grid of words that passes along its anti-diagonals, one per line: how many have passed, and when one passes."""

from __future__ import annotations

from math import sqrt

from numba import njit


@njit(cache=True, nogil=True)
def before(x: int, y: int, line: int) -> int:
    """Words of an x by y grid on the first ``line`` anti-diagonals."""
    if line <= 0:
        return 0
    rest = x + y - 1 - line
    if rest <= 0:
        return x * y
    short = min(x, y)
    if line <= short:
        return line * (line + 1) // 2
    if rest < short:
        return x * y - rest * (rest + 1) // 2
    return short * (short + 1) // 2 + (line - short) * short


@njit(cache=True, nogil=True)
def line_of(x: int, y: int, word: int) -> int:
    """The anti-diagonal on which word number ``word`` (from 0) passes."""
    short = min(x, y)
    ramp = short * (short + 1) // 2
    if word < ramp:
        return _triangle_root(word)
    behind = x * y - 1 - word
    if behind < ramp:
        return x + y - 2 - _triangle_root(behind)
    return short + (word - ramp) // short


@njit(cache=True, nogil=True)
def _triangle_root(word: int) -> int:
    """The largest t with t (t + 1) / 2 <= word."""
    t = int((sqrt(8.0 * word + 1.0) - 1.0) * 0.5)
    while t * (t + 1) // 2 > word:
        t -= 1
    while (t + 1) * (t + 2) // 2 <= word:
        t += 1
    return t
