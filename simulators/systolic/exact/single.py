"""One layer on one design, with every figure that the reference program reports."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.systolic.exact import fills
from simulators.systolic.exact.clock import Reads
from simulators.systolic.exact.demand import last_line
from simulators.systolic.exact.entries import tables
from simulators.systolic.exact.layout import COLUMNS, DATAFLOW, FILTER_KB, IFMAP_KB, REPORT, ROWS, USER
from simulators.systolic.exact.lowering import OS, WS, Folds, Shape, asked_words, folds, shape
from simulators.systolic.exact.misses import misses
from simulators.systolic.exact.price import price

Words = NDArray[np.int64]


def report(layer: Words, design: Words) -> Words:
    """Figures of one layer.

    Args:
        layer: a row of ``Network.table``.
        design: see ``layout.DESIGN``.

    Returns:
        (``layout.REPORT``,).
    """
    of = shape(layer)
    cut = folds(of, design[DATAFLOW], design[ROWS], design[COLUMNS])
    figures = np.zeros(len(REPORT), np.int64)
    price(of, cut, design, *_reads(of, cut, design), probes(of, cut), figures)
    return figures


def _reads(of: Shape, cut: Folds, design: Words) -> tuple[Words, Words, Reads, Reads]:
    """Lists of lines with misses and their numbers, and what the buffers of the input and the filters miss."""
    kilobytes = (design[IFMAP_KB], design[FILTER_KB])
    if design[USER]:
        lines, counts = misses(of, cut, True, kilobytes[0])
        filter_lines, filter_counts = misses(of, cut, False, kilobytes[1])
        ifmap = Reads(0, len(lines), int(counts.sum()), -1)
        filters = Reads(len(lines), len(filter_lines), int(filter_counts.sum()), -1)
        return np.append(lines, filter_lines), np.append(counts, filter_counts), ifmap, filters
    nothing = np.empty(0, np.int64)
    amount, request = fills.ifmap(of, cut, kilobytes[0])
    ifmap = Reads(0, 0, amount, fills.ifmap_line(of, cut, request) if request >= 0 else -1)
    amount, request = fills.filters(of, cut, kilobytes[1])
    filters = Reads(0, 0, amount, fills.filter_line(of, cut, request) if request >= 0 else -1)
    return nothing, nothing, ifmap, filters


def probes(of: Shape, cut: Folds) -> Words:
    """First and last lines that ask for an input word, a filter word, and at which an ofmap word leaves."""
    base = cut.lines - cut.fold_lines
    rows = cut.down - (cut.row_folds - 1) * cut.rows
    columns = cut.across - (cut.column_folds - 1) * cut.columns
    ifmap_first, filter_first = fills.first_lines(cut)
    streamed_last, loaded_last = base + cut.first + cut.time + rows - 2, base + cut.rows - 1
    if cut.dataflow == OS:
        ifmap_last, filter_last = streamed_last, base + cut.time + columns - 2
        ofmap_first = cut.time - 1 + cut.rows - min(cut.rows, cut.down)
        ofmap_last = base + cut.time + cut.rows + columns - 3
    else:
        ifmap_last, filter_last = (streamed_last, loaded_last) if cut.dataflow == WS else (loaded_last, streamed_last)
        ofmap_first = 2 * cut.rows - 1
        ofmap_last = base + 2 * cut.rows + cut.time + columns - 3
    if asked_words(of) < of.m * of.k:
        ifmap_last = last_line(of, cut, tables(of))
    return np.array([ifmap_first, ifmap_last, filter_first, filter_last, ofmap_first, ofmap_last], np.int64)
