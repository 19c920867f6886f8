"""All figures of one layer on one design, from what its read buffers miss."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact import closed, fills
from simulators.systolic.exact.clock import Reads, run
from simulators.systolic.exact.layout import (
    BW_FILTER,
    BW_IFMAP,
    BW_OFMAP,
    COLUMNS,
    COMPUTE_CYCLES,
    CYCLES_INCL_PREFETCH,
    DRAM_FILTER,
    DRAM_IFMAP,
    DRAM_OFMAP,
    DRAM_SPANS,
    FILTER_KB,
    IFMAP_KB,
    MACS,
    OFFERED_CYCLES,
    OFFERED_ELEMENTS,
    OFMAP_KB,
    SRAM_FILTER,
    SRAM_IFMAP,
    SRAM_OFMAP,
    SRAM_SPANS,
    STALL_CYCLES,
    TOTAL_CYCLES,
    USED_ELEMENTS,
    USER,
)
from simulators.systolic.exact.lowering import Folds, Shape, ceil_div
from simulators.systolic.exact.order import list_length, operand

Words = NDArray[np.int64]


@njit(cache=True, nogil=True)
def closed_figures(of: Shape, cut: Folds, figures: Words) -> None:
    """Sets the figures that depend on the array and the dataflow only."""
    elements = cut.rows * cut.columns * cut.row_folds * cut.column_folds
    figures[COMPUTE_CYCLES] = cut.lines
    figures[SRAM_IFMAP] = closed.sram_ifmap_reads(of, cut)
    figures[SRAM_FILTER] = closed.sram_filter_reads(of, cut)
    figures[SRAM_OFMAP] = closed.sram_ofmap_writes(of, cut)
    figures[MACS] = of.m * of.n * of.k
    figures[USED_ELEMENTS] = cut.down * cut.across
    figures[OFFERED_ELEMENTS] = elements
    figures[OFFERED_CYCLES] = elements * closed.fold_lines_for_utilisation(cut)


@njit(cache=True, nogil=True)
def price(
    of: Shape,
    cut: Folds,
    design: Words,
    lines: Words,
    counts: Words,
    ifmap: Reads,
    filters: Reads,
    probes: Words,
    figures: Words,
) -> None:
    """Sets all figures.

    Args:
        of: the layer.
        cut: its folds on the design's array.
        design: see ``layout.DESIGN``.
        lines: lists of lines with misses, see ``misses.misses``.
        counts: the numbers of misses there.
        ifmap: misses of the input buffer.
        filters: misses of the filter buffer.
        probes: first and last lines of each operand, or empty; then the SRAM spans are not set.
        figures: (``layout.REPORT``,).
    """
    closed_figures(of, cut, figures)
    user = design[USER] == 1
    ifmap_refill = ceil_div(512 * design[IFMAP_KB], design[BW_IFMAP])
    filter_refill = ceil_div(512 * design[FILTER_KB], design[BW_FILTER])
    bandwidth = design[BW_OFMAP] if user else design[COLUMNS]
    clock = run(
        of,
        cut,
        lines,
        counts,
        ifmap,
        ifmap_refill,
        filters,
        filter_refill,
        design[OFMAP_KB],
        bandwidth,
        probes,
        figures[SRAM_SPANS:],
    )
    if user:
        ifmap_first = min(ifmap_refill, ceil_div(list_length(operand(of, cut, True)), design[BW_IFMAP]))
        filter_first = min(filter_refill, ceil_div(list_length(operand(of, cut, False)), design[BW_FILTER]))
        figures[DRAM_IFMAP] = design[BW_IFMAP] * (ifmap_first + ifmap.amount * ifmap_refill)
        figures[DRAM_FILTER] = design[BW_FILTER] * (filter_first + filters.amount * filter_refill)
        spans = (-ifmap_first, clock.ifmap_last, -filter_first, clock.filter_last)
    else:
        figures[DRAM_IFMAP], figures[DRAM_FILTER] = ifmap.amount, filters.amount
        ifmap_line, filter_line = fills.first_lines(cut)
        ifmap_span = fills.dram_span(ifmap.amount, design[IFMAP_KB], ifmap_line, ifmap.fill)
        filter_span = fills.dram_span(filters.amount, design[FILTER_KB], filter_line, filters.fill)
        spans = (ifmap_span[0], ifmap_span[1], filter_span[0], filter_span[1])
    figures[DRAM_OFMAP] = clock.writes
    figures[TOTAL_CYCLES], figures[STALL_CYCLES] = clock.total, clock.stalls
    figures[CYCLES_INCL_PREFETCH] = clock.drain_stop - min(spans[0], spans[2])
    for end in range(4):
        figures[DRAM_SPANS + end] = spans[end]
    figures[DRAM_SPANS + 4], figures[DRAM_SPANS + 5] = clock.drain_start, clock.drain_stop
