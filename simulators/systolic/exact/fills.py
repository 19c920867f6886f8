"""Bandwidth mode CALC: the replay of a read buffer where no closed form counts its reads, and when it is filled last."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact import closed, grid
from simulators.systolic.exact.demand import requests, walk
from simulators.systolic.exact.entries import tables
from simulators.systolic.exact.lowering import IS, OS, WS, ZERO, Folds, Shape, asked_words, ceil_div

Stream = NDArray[np.int32]

FEW_PASSES = 3  # up to here walking over all passes costs less than preparing jumps


@njit(cache=True, nogil=True)
def replay(stream: Stream, words: int, passes: int, fits: int) -> tuple[int, int]:
    """Counts misses of a set that is emptied at once when it holds ``fits`` words.

    Args:
        stream: addresses that one pass asks for.
        words: addresses are below this number.
        passes: how often the stream is asked for.
        fits: not more than the distinct words in the stream.

    Returns:
        Misses, and the number (from 0) of the request that filled the set for the last time.
    """
    if passes <= FEW_PASSES:
        return _walk(stream, words, ZERO, len(stream) * passes, fits)
    distance = _fill_distances(stream, words, fits)
    position, end, fills = ZERO, len(stream) * passes, ZERO
    while position + distance[position % len(stream)] <= end:
        position += distance[position % len(stream)]
        fills += 1
    rest, _ = _walk(stream, words, position, end, fits)
    return fills * fits + rest, position - 1


@njit(cache=True, nogil=True)
def _walk(stream: Stream, words: int, begin: int, end: int, fits: int) -> tuple[int, int]:
    """Requests ``begin`` to ``end`` of the repeated stream, the set being empty before."""
    seen = np.zeros(words, np.int32)  # in which generation of the set a word came in
    generation, held, misses, last = 1, 0, 0, -1
    place = begin % len(stream)
    for request in range(begin, end):
        word = stream[place]
        if seen[word] != generation:
            seen[word] = generation
            misses += 1
            held += 1
            if held == fits:
                generation += 1
                held = 0
                last = request
        place += 1
        if place == len(stream):
            place = 0
    return misses, last


@njit(cache=True, nogil=True)
def _fill_distances(stream: Stream, words: int, fits: int) -> Stream:
    """For each place of the repeated stream: how many requests fill a set that is empty there.

    One sweep with two ends: the set between them always holds ``fits`` distinct words.
    """
    distance = np.empty(len(stream), np.int32)
    inside = np.zeros(words, np.int32)
    held, length, front = 0, 0, 0
    for place in range(len(stream)):
        while held < fits:
            word = stream[front]
            held += inside[word] == 0
            inside[word] += 1
            length += 1
            front += 1
            if front == len(stream):
                front = 0
        distance[place] = length
        word = stream[place]
        inside[word] -= 1
        held -= inside[word] == 0
        length -= 1
    return distance


def ifmap(of: Shape, cut: Folds, kb: int) -> tuple[int, int]:
    """DRAM reads of the input, and the request that fills its buffer for the last time, -1 if none does."""
    reads, fits = closed.ifmap_reads(of, cut, kb), closed.capacity(kb)
    if reads == closed.UNKNOWN:
        passes = 1 if cut.dataflow == IS else cut.column_folds
        return replay(requests(of, cut, tables(of)), of.height * of.width * of.channels, passes, fits)
    # Closed forms with a full set are those in which every request misses.
    return reads, reads - reads % fits - 1


@njit(cache=True, nogil=True)
def filters(of: Shape, cut: Folds, kb: int) -> tuple[int, int]:
    """The same for the filters."""
    reads, fits = closed.filter_reads(of, cut, kb), closed.capacity(kb)
    if reads < fits or cut.dataflow != OS:
        return reads, reads - reads % fits - 1
    return closed.os_filter_fills(of, cut, fits)


def ifmap_line(of: Shape, cut: Folds, request: int) -> int:
    """The line at which an input request stands; numbers count over all folds, without what asks for nothing."""
    nothing, one_pass = np.empty(0, np.int32), asked_words(of)
    whole, rest = (0, request) if cut.dataflow == IS else divmod(request, one_pass)
    return whole * cut.row_folds * cut.fold_lines + walk(of, cut, tables(of), nothing, rest)


@njit(cache=True, nogil=True)
def filter_line(of: Shape, cut: Folds, request: int) -> int:
    """The line at which a filter request stands."""
    if cut.dataflow == IS:
        c, rest = divmod(request, of.k * of.n)
        r = rest // (of.n * cut.rows)
        rows = min(cut.rows, cut.down - r * cut.rows)
        within = cut.first + grid.line_of(of.n, rows, rest - r * of.n * cut.rows)
    else:
        repeats = cut.row_folds if cut.dataflow == OS else 1
        c, rest = divmod(request, of.k * cut.columns * repeats)
        columns = min(cut.columns, cut.across - c * cut.columns)
        if cut.dataflow == OS:
            r, rest = divmod(rest, of.k * columns)
            within = grid.line_of(of.k, columns, rest)
        else:
            r, rest = divmod(rest, cut.rows * columns)
            rows = min(cut.rows, cut.down - r * cut.rows)
            within = cut.rows - rows + rest // columns
    return (c * cut.row_folds + r) * cut.fold_lines + within


@njit(cache=True, nogil=True)
def dram_span(reads: int, kb: int, first_line: int, last_fill_line: int) -> tuple[int, int]:
    """First and last cycle of DRAM reads in CALC, in which ten words come per cycle.

    Args:
        reads: words read.
        kb: size of the buffer.
        first_line: the first line that asks for the operand.
        last_fill_line: the line at which the set was filled last, -1 if never.
    """
    if last_fill_line >= 0:
        return first_line - ceil_div(closed.capacity(kb), 10), last_fill_line + 1
    piece = 1024 * kb // 100
    return -ceil_div(ceil_div(reads, piece) * piece, 10), -1


@njit(cache=True, nogil=True)
def first_lines(cut: Folds) -> tuple[int, int]:
    """The first lines that ask for an input word and for a filter word."""
    stays = cut.rows - min(cut.rows, cut.down)
    if cut.dataflow == OS:
        return 0, 0
    return (cut.first, stays) if cut.dataflow == WS else (stays, cut.first)
