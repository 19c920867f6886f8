"""What has a closed form: cycles, utilisation, SRAM accesses, and DRAM reads in bandwidth mode CALC.

In that mode a read buffer is a set of words that is emptied at once when it is full.
"""

from __future__ import annotations

from numba import njit

from simulators.systolic.exact.lowering import IS, OS, WS, ZERO, Folds, Shape, distinct_words, windows_overlap

UNKNOWN = -1  # no closed form


@njit(cache=True, nogil=True)
def capacity(kb: int) -> int:
    """Words that fill the set of a read buffer: half of it, in hundredths that are rounded down."""
    return 50 * (1024 * kb // 100)


@njit(cache=True, nogil=True)
def sram_ifmap_reads(of: Shape, cut: Folds) -> int:
    """Requests of input words, those outside the input included."""
    return of.m * of.k * (1 if cut.dataflow == IS else cut.column_folds)


@njit(cache=True, nogil=True)
def sram_filter_reads(of: Shape, cut: Folds) -> int:
    """Requests of filter words."""
    if cut.dataflow == OS:
        return cut.row_folds * of.n * of.k
    return of.k * of.n * (1 if cut.dataflow == WS else cut.column_folds)


@njit(cache=True, nogil=True)
def ofmap_words(of: Shape, cut: Folds) -> int:
    """Words that leave the array; partial sums of every row fold do."""
    return of.m * of.n * (1 if cut.dataflow == OS else cut.row_folds)


@njit(cache=True, nogil=True)
def sram_ofmap_writes(of: Shape, cut: Folds) -> int:
    """Writes that the program reports: it counts an idle row and column per fold in os."""
    extra = cut.row_folds * cut.column_folds * (cut.rows + cut.columns) if cut.dataflow == OS else 0
    return ofmap_words(of, cut) + extra


@njit(cache=True, nogil=True)
def fold_lines_for_utilisation(cut: Folds) -> int:
    """Cycles per fold that the compute utilisation is taken of."""
    return cut.fold_lines + (0 if cut.dataflow == OS else cut.columns - 1)


@njit(cache=True, nogil=True)
def ifmap_reads(of: Shape, cut: Folds, kb: int) -> int:
    """DRAM reads of the input in CALC, or ``UNKNOWN`` if windows overlap and do not fit."""
    fits, words = capacity(kb), distinct_words(of)
    if words < fits:
        return words
    if windows_overlap(of):
        return UNKNOWN
    return words if cut.dataflow == IS else words * cut.column_folds


@njit(cache=True, nogil=True)
def filter_reads(of: Shape, cut: Folds, kb: int) -> int:
    """DRAM reads of the filters in CALC."""
    fits, words = capacity(kb), of.k * of.n
    if cut.dataflow == WS or words < fits:
        return words
    if cut.dataflow == IS:
        return words * cut.column_folds
    reads, _ = os_filter_fills(of, cut, fits)
    return reads


@njit(cache=True, nogil=True)
def os_filter_fills(of: Shape, cut: Folds, fits: int) -> tuple[int, int]:
    """Reads of the filters in os and CALC, and the request (from 0) that fills the set for the last time, or -1.

    Each column fold reads its block of k * columns words ``row_folds`` times in a row; all blocks but the last are equal.
    """
    passes = cut.row_folds
    last_block = of.k * (cut.across - (cut.column_folds - 1) * cut.columns)
    block, blocks = of.k * cut.columns, cut.column_folds - 1
    reads, held, last = ZERO, ZERO, ZERO - 1
    if blocks > 0 and (block >= fits or passes == 1):  # every request misses
        reads = blocks * block * passes
        held = reads % fits
        last = reads - held - 1
    elif blocks > 0:
        # A block that does not fit beside what is held fills the set after ``part`` words; these are read once more by the
        # next pass, and then the set holds that block only.  From there every ``spacing`` blocks do the same again.
        spacing = -(-fits // block) - 1
        part = fits - spacing * block
        fills = (blocks - 1) // spacing
        reads = blocks * block + fills * part
        held = (blocks - fills * spacing) * block
        if fills > 0:
            last = fills * spacing * block * passes + part - 1
    return _fill_block(last_block, passes, fits, blocks * block * passes, reads, held, last)


@njit(cache=True, nogil=True)
def _fill_block(block: int, passes: int, fits: int, start: int, reads: int, held: int, last: int) -> tuple[int, int]:
    """Adds one block, the first request of which is number ``start``, to what was read, what is held and the last fill."""
    if block >= fits or passes == 1:
        misses = block * passes
        if held + misses >= fits:
            last = start + misses - (held + misses) % fits - 1
        return reads + misses, last
    if held + block < fits:
        return reads + block, last
    part = fits - held
    return reads + block + part, start + part - 1
