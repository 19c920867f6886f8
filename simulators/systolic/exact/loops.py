"""Loops over designs and layers, on one thread or on all that Numba uses."""

from __future__ import annotations

import os
import threading

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.exact import closed as forms
from simulators.systolic.exact.clock import Reads
from simulators.systolic.exact.layout import (
    COLUMNS,
    COMPUTE_CYCLES,
    DATAFLOW,
    DRAM_FILTER,
    DRAM_IFMAP,
    DRAM_OFMAP,
    FIGURES,
    FILTER_KB,
    IFMAP_KB,
    REPORT,
    ROWS,
    TOTAL_CYCLES,
    USER,
)
from simulators.systolic.exact.lowering import folds, shape
from simulators.systolic.exact.price import closed_figures, price

Words = NDArray[np.int64]

LENGTH = len(FIGURES)
REPORT_LENGTH = len(REPORT)

# The thread pool that Numba starts does not survive a fork: a child process runs its designs one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)


def threads(designs: int) -> int:
    """Threads that so many designs are spread over."""
    return 1 if _forked.is_set() else max(1, min(get_num_threads(), designs))


@njit(cache=True, nogil=True)
def needs_profile(table: Words, combinations: Words, is_ifmap: bool) -> NDArray[np.bool_]:
    """Which layers have no closed form on which combinations of (dataflow, rows, columns, KB, USER)."""
    needed = np.zeros((len(combinations), len(table)), np.bool_)
    for u in range(len(combinations)):
        for i in range(len(table)):
            of = shape(table[i])
            cut = folds(of, combinations[u, 0], combinations[u, 1], combinations[u, 2])
            calc = is_ifmap and forms.ifmap_reads(of, cut, combinations[u, 3]) == forms.UNKNOWN
            needed[u, i] = combinations[u, 4] == 1 or calc
    return needed


@njit(cache=True, nogil=True)
def _one(
    table: Words,
    design: Words,
    ifmap_places: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    nothing: Words,
    figures: Words,
    sums: Words,
) -> None:
    """Adds up the layers of a design; places are (L, 3)."""
    for i in range(len(table)):
        of = shape(table[i])
        cut = folds(of, design[DATAFLOW], design[ROWS], design[COLUMNS])
        ifmap = Reads(ifmap_places[i, 0], ifmap_places[i, 1], ifmap_places[i, 2], -1)
        filters = Reads(filter_places[i, 0], filter_places[i, 1], filter_places[i, 2], -1)
        if design[USER] == 0:
            # Only whether a set was ever full matters here, not when.
            reads = forms.ifmap_reads(of, cut, design[IFMAP_KB])
            reads = ifmap.amount if reads == forms.UNKNOWN else reads
            ifmap = Reads(0, 0, reads, 0 if reads >= forms.capacity(design[IFMAP_KB]) else -1)
            reads = forms.filter_reads(of, cut, design[FILTER_KB])
            filters = Reads(0, 0, reads, 0 if reads >= forms.capacity(design[FILTER_KB]) else -1)
        price(of, cut, design, lines, counts, ifmap, filters, nothing, figures)
        for figure in range(LENGTH):
            sums[figure] += figures[figure] * table[i, layers.REPEATS]


@njit(cache=True, nogil=True)
def serial(
    table: Words,
    designs: Words,
    ifmap_numbers: Words,
    ifmap_places: Words,
    filter_numbers: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    sums: Words,
) -> None:
    """Adds up the figures of all layers for each design.

    Args:
        table: (L, ``simulators.systolic.layers.COLUMNS``).
        designs: (N, ``layout.DESIGN``).
        ifmap_numbers: of each design, its row of ``ifmap_places``, (N,).
        ifmap_places: see ``placing``, (U, L, 3).
        filter_numbers: the same for the filters.
        filter_places: the same for the filters.
        lines: lists of lines with misses.
        counts: the numbers of misses there.
        sums: (N, ``layout.FIGURES``) of zeros.
    """
    nothing, figures = np.empty(0, np.int64), np.zeros(REPORT_LENGTH, np.int64)
    for design in range(len(designs)):
        ifmap, filters = ifmap_places[ifmap_numbers[design]], filter_places[filter_numbers[design]]
        _one(table, designs[design], ifmap, filters, lines, counts, nothing, figures, sums[design])


@njit(cache=True, parallel=True)
def parallel(
    table: Words,
    designs: Words,
    ifmap_numbers: Words,
    ifmap_places: Words,
    filter_numbers: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    sums: Words,
) -> None:
    """As ``serial``, on all threads.

    Args:
        table: (L, ``simulators.systolic.layers.COLUMNS``).
        designs: (N, ``layout.DESIGN``).
        ifmap_numbers: of each design, its row of ``ifmap_places``, (N,).
        ifmap_places: see ``placing``, (U, L, 3).
        filter_numbers: the same for the filters.
        filter_places: the same for the filters.
        lines: lists of lines with misses.
        counts: the numbers of misses there.
        sums: (N, ``layout.FIGURES``) of zeros.
    """
    for design in prange(len(designs)):
        nothing, figures = np.empty(0, np.int64), np.zeros(REPORT_LENGTH, np.int64)
        ifmap, filters = ifmap_places[ifmap_numbers[design]], filter_places[filter_numbers[design]]
        _one(table, designs[design], ifmap, filters, lines, counts, nothing, figures, sums[design])


@njit(cache=True, nogil=True)
def _closed_one(table: Words, design: Words, figures: Words, sums: Words) -> None:
    for i in range(len(table)):
        of = shape(table[i])
        cut = folds(of, design[DATAFLOW], design[ROWS], design[COLUMNS])
        closed_figures(of, cut, figures)
        figures[TOTAL_CYCLES] = figures[COMPUTE_CYCLES] - 1
        figures[DRAM_IFMAP] = max(0, forms.ifmap_reads(of, cut, design[IFMAP_KB]))
        figures[DRAM_FILTER] = forms.filter_reads(of, cut, design[FILTER_KB])
        figures[DRAM_OFMAP] = forms.ofmap_words(of, cut)
        for figure in range(LENGTH):
            sums[figure] += figures[figure] * table[i, layers.REPEATS]


@njit(cache=True, nogil=True)
def closed_serial(table: Words, designs: Words, sums: Words) -> None:
    """As ``serial``, what has a closed form only."""
    figures = np.zeros(LENGTH, np.int64)
    for design in range(len(designs)):
        _closed_one(table, designs[design], figures, sums[design])


@njit(cache=True, parallel=True)
def closed_parallel(table: Words, designs: Words, sums: Words) -> None:
    """As ``closed_serial``, on all threads."""
    for design in prange(len(designs)):
        figures = np.zeros(LENGTH, np.int64)
        _closed_one(table, designs[design], figures, sums[design])
