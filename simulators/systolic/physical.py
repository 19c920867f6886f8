"""What one design needs for one network, physically: cycles, words moved, energy.

All counts of a layer are those of one group times its repeats.  Layers follow each other; each starts with nothing on the
chip and ends with its outputs in DRAM.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.systolic import prepared
from simulators.systolic.folds import IS, OS, WS, ceil_divide, fold_cycles, overlapped_cycles, spans
from simulators.systolic.tiling import least_channels, least_traffic

PSUM_BYTES = 4.0
"""A partial sum has 32 bits."""
PORT_BYTES = 32.0
"""A bank reads or writes 256 bits a cycle."""

# A design as the kernels read it.
ROWS, COLUMNS, DATAFLOW, WORD_BYTES, IFMAP_KB, FILTER_KB, OFMAP_KB, BANKS, DRAM_BYTES_PER_CYCLE, DESIGN_SIZE = range(10)

# What a layer needs.
(
    MACS,
    CYCLES,
    COMPUTE_CYCLES,
    PORT_STALLS,  # cycles that the array waits for the banks
    MEMORY_CYCLES,  # cycles that the DRAM is busy
    IFMAP_READS,  # words that the array reads from the buffer of inputs
    FILTER_READS,
    OUTPUT_WRITES,  # finished outputs written into their buffer, in words
    PSUM_WRITES,  # partial sums
    PSUM_READS,
    IFMAP_DRAM,  # words from or to DRAM
    FILTER_DRAM,
    OFMAP_DRAM,
    DRAM_PAID,  # these words, each weighted by what it costs in energy relative to the memory's best
    OPERAND_STEPS,  # operands that move on to the next cell
    SUM_STEPS,  # sums that do
    QUANTITIES,
) = range(17)


@numba.njit(cache=True, nogil=True)
def layer_needs(
    design: NDArray[np.float64],
    shape: NDArray[np.float64],
    blocks: NDArray[np.float64],
    access: NDArray[np.float64],
    switches: NDArray[np.bool_],
    needs: NDArray[np.float64],
) -> None:
    """Fills ``needs`` (QUANTITIES,) for a design (DESIGN_SIZE,) and a layer; infinite where no tile fits."""
    dataflow, word = int(design[DATAFLOW]), design[WORD_BYTES]
    m, n, k = shape[prepared.M], shape[prepared.N], shape[prepared.K]
    partial_folds, overlap_folds, double_buffering, reuse, sram_ports = switches
    s_r, s_c, t = spans(dataflow, m, n, k)
    f_r, f_c = ceil_divide(s_r, design[ROWS]), ceil_divide(s_c, design[COLUMNS])
    summed = dataflow != OS and f_r > 1.0  # sums are finished in the buffer, over several folds

    compute = fold_cycles(dataflow, s_r, s_c, t, design[ROWS], design[COLUMNS], partial_folds)
    if overlap_folds:
        compute = min(compute, overlapped_cycles(dataflow, s_r, s_c, t, design[ROWS], design[COLUMNS]))
    stalls = port_stalls(design, dataflow, s_r, s_c, t, f_r, f_c, summed) if sram_ports else 0.0

    ifmap_reads, filter_reads = array_reads(dataflow, m, n, k, f_r, f_c)
    ifmap_dram, filter_dram = ifmap_reads, filter_reads
    if reuse:
        usable = 512.0 if double_buffering else 1024.0  # bytes of a KB
        ifmap_bytes, filter_bytes, m_blocks, n_blocks = least_traffic(
            blocks,
            int(shape[prepared.BLOCKS]),
            shape[prepared.CHANNELS],
            shape[prepared.TAPS],
            n,
            least_channels(dataflow, design[ROWS], shape[prepared.TAPS], shape[prepared.CHANNELS]),
            word,
            PSUM_BYTES if summed else word,
            usable * design[IFMAP_KB],
            usable * design[FILTER_KB],
            usable * design[OFMAP_KB],
        )
        ifmap_dram, filter_dram = ifmap_bytes / word, filter_bytes / word
        # What stays in the PEs is loaded again for every tile.
        if dataflow == WS:
            filter_reads *= m_blocks
        elif dataflow == IS:
            ifmap_reads *= n_blocks

    slowed = ifmap_dram * access[0, 0] + filter_dram * access[0, 1] + m * n * access[0, 2]
    memory = slowed * word / design[DRAM_BYTES_PER_CYCLE]
    if double_buffering:
        edges = first_and_last_bytes(dataflow, word, s_r, s_c, design) / design[DRAM_BYTES_PER_CYCLE]
        cycles = max(compute + stalls, memory) + edges
    else:
        cycles = compute + stalls + memory

    repeats = shape[prepared.REPEATS]
    macs = m * n * k
    operand_steps, sum_steps = steps(dataflow, macs, m * n, ifmap_reads, filter_reads, min(design[ROWS], s_r))
    needs[MACS] = macs * repeats
    needs[OPERAND_STEPS] = operand_steps * repeats
    needs[SUM_STEPS] = sum_steps * repeats
    needs[CYCLES] = np.ceil(cycles) * repeats
    needs[COMPUTE_CYCLES] = compute * repeats
    needs[PORT_STALLS] = stalls * repeats
    needs[MEMORY_CYCLES] = memory * repeats
    needs[IFMAP_READS] = ifmap_reads * repeats
    needs[FILTER_READS] = filter_reads * repeats
    needs[OUTPUT_WRITES] = m * n * repeats
    needs[PSUM_WRITES] = (f_r - 1.0) * m * n * repeats if summed else 0.0
    needs[PSUM_READS] = needs[PSUM_WRITES]
    needs[IFMAP_DRAM] = ifmap_dram * repeats
    needs[FILTER_DRAM] = filter_dram * repeats
    needs[OFMAP_DRAM] = m * n * repeats
    needs[DRAM_PAID] = (ifmap_dram * access[1, 0] + filter_dram * access[1, 1] + m * n * access[1, 2]) * repeats


@numba.njit(cache=True, nogil=True)
def array_reads(dataflow: int, m: float, n: float, k: float, f_r: float, f_c: float) -> tuple[float, float]:
    """Words of inputs and of weights that enter the array: what stays enters once, what moves once per fold across it."""
    if dataflow == OS:
        return f_c * m * k, f_r * n * k
    if dataflow == WS:
        return f_c * m * k, n * k
    return m * k, f_c * n * k


@numba.njit(cache=True, nogil=True)
def steps(
    dataflow: int, macs: float, outputs: float, ifmap_reads: float, filter_reads: float, used_rows: float
) -> tuple[float, float]:
    """Operands and sums that move from a cell to its neighbour.

    os: both operands move on with every product, sums move only when they are drained, on average through half of the rows.
    ws, is: one operand and the sum move on with every product; the other operand is loaded through half of the rows.
    """
    half = 0.5 * used_rows
    if dataflow == OS:
        return 2.0 * macs, outputs * half
    loaded = filter_reads if dataflow == WS else ifmap_reads
    return macs + loaded * half, macs


@numba.njit(cache=True, nogil=True)
def port_stalls(
    design: NDArray[np.float64],
    dataflow: int,
    s_r: float,
    s_c: float,
    t: float,
    f_r: float,
    f_c: float,
    summed: bool,
) -> float:
    """Cycles that the array waits because its edge asks for more bytes a cycle than the banks of a buffer deliver.

    While streaming, each used row takes a word a cycle (os: each column too); ws and is give a result per column and cycle,
    which is read, added to and written back while it is a partial sum.  Loading and draining move a word per column.
    """
    supply = design[BANKS] * PORT_BYTES
    word = design[WORD_BYTES]
    across, down = min(design[ROWS], s_r) * word / supply, min(design[COLUMNS], s_c) * word / supply
    if dataflow == OS:
        streaming, edge = max(across, down), down
    else:
        results = min(design[COLUMNS], s_c) * (2.0 * PSUM_BYTES if summed else word) / supply
        streaming, edge = max(across, results), down
    return f_r * f_c * t * max(0.0, streaming - 1.0) + f_c * s_r * max(0.0, edge - 1.0)


@numba.njit(cache=True, nogil=True)
def first_and_last_bytes(dataflow: int, word: float, s_r: float, s_c: float, design: NDArray[np.float64]) -> float:
    """Bytes that nothing hides: what the first fold needs to begin, and the outputs of the last cycle's columns and rows."""
    used_rows, used_columns = min(design[ROWS], s_r), min(design[COLUMNS], s_c)
    first = used_rows + used_columns if dataflow == OS else used_rows * used_columns
    last = used_rows * used_columns if dataflow == OS else used_columns
    return (first + last) * word
