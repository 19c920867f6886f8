"""What a design costs: prices per event, energy from counts of events, and area.

``prices`` turns one design into a row of prices.  Energy is linear in the counts: add up the counts of all layers, then
call ``energy`` once.  A count stands at the same index as its price, so the dynamic energy is their scalar product.

Buffers: ifmap, filter and ofmap each have ``banks`` banks of an equal share of the buffer, each with one port of 256 bits.
Lines are read and written whole and every word of a line is used, so a word of p bits pays p / 256 of an access.  The table
has such banks from 1 to 2048 KB; a buffer of others has NaN prices, and ``SIZE_VIOLATION`` is above zero.

Partial sums move as words of ``SUM_BITS`` (32), final outputs as operands.  Units: pJ, mm2, mW, ns.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic import sram
from simulators.systolic.technology import (
    BITS,
    CELL_UM2,
    DRAM_GB_PER_S,
    DRAM_PJ_PER_BIT,
    HOP_PJ_PER_BIT,
    LINK_PJ_PER_BIT_MM,
    MAC_PJ,
    OTHER_AREA_SHARE,
    REGISTER_PJ_PER_BIT,
    SRAM_AREA,
    SRAM_ENERGY,
    STANDING_PJ,
    SUM_BITS,
)

# Counts, and at the same index the price of one in pJ.
COUNTS = (
    "macs",  # multiply-accumulates
    "operand_registers",  # operand words written into a cell's register
    "sum_registers",  # sums written into a cell's register
    "operand_links",  # operand words passed to the neighbouring cell
    "sum_links",  # sums passed to the neighbouring cell
    "operand_hops",  # operand words between a buffer and the edge of the array
    "sum_hops",  # sums between a buffer and the edge of the array
    "ifmap_reads",  # operand words
    "ifmap_writes",
    "filter_reads",
    "filter_writes",
    "ofmap_reads",  # final outputs, operand words
    "ofmap_writes",
    "sum_reads",  # partial sums in the ofmap buffer
    "sum_writes",
    "dram_words",  # operand words, either way
    "dram_sums",  # partial sums, either way
    "cycles",  # priced at the standing energy of one cycle
    "leaks",  # set it to the cycles as well: leakage of the SRAM during one cycle
)
(
    MACS,
    OPERAND_REGISTERS,
    SUM_REGISTERS,
    OPERAND_LINKS,
    SUM_LINKS,
    OPERAND_HOPS,
    SUM_HOPS,
    IFMAP_READS,
    IFMAP_WRITES,
    FILTER_READS,
    FILTER_WRITES,
    OFMAP_READS,
    OFMAP_WRITES,
    SUM_READS,
    SUM_WRITES,
    DRAM_WORDS,
    DRAM_SUMS,
    CYCLES,
    LEAKS,
) = range(len(COUNTS))
NUM_COUNTS = len(COUNTS)

# What else ``prices`` says, behind the prices.
FIGURES = (
    "leakage_mw",  # of all SRAM
    "cells_mm2",
    "sram_mm2",
    "other_mm2",  # control
    "access_ns",  # slowest bank
    "cycle_ns",  # slowest bank, from one access to the next
    "dram_words_per_cycle",  # operand words that one DRAM channel moves per clock of the array
    "size_violation",  # doublings by which banks are outside the table, the three buffers together
    "clock_violation",  # share by which the slowest bank's cycle is longer than the clock, 0 if it is not
)
(
    LEAKAGE_MW,
    CELLS_MM2,
    SRAM_MM2,
    OTHER_MM2,
    ACCESS_NS,
    CYCLE_NS,
    DRAM_WORDS_PER_CYCLE,
    SIZE_VIOLATION,
    CLOCK_VIOLATION,
) = range(NUM_COUNTS, NUM_COUNTS + len(FIGURES))
NUM_PRICES = NUM_COUNTS + len(FIGURES)

# Where energy goes, and the counts that belong to each term, which are neighbours.
TERMS = ("mac", "registers", "noc", "sram", "dram", "standing", "leakage")
TERM_STARTS = (MACS, OPERAND_REGISTERS, OPERAND_LINKS, IFMAP_READS, DRAM_WORDS, CYCLES, LEAKS, NUM_COUNTS)
NUM_TERMS = len(TERMS)

PORT = sram.WIDTHS.index(256)
PORT_BITS = 256


@njit(cache=True, nogil=True)
def prices(rows, columns, ifmap_kb, filter_kb, ofmap_kb, banks, number_format, clock_mhz, dram_type, tables, out):
    """Prices one design.

    Args:
        rows: cells along the first side of the array.
        columns: cells along the second side.
        ifmap_kb: size of the buffer for inputs.
        filter_kb: size of the buffer for weights.
        ofmap_kb: size of the buffer for outputs and partial sums.
        banks: banks of each buffer.
        number_format: index into ``technology.FORMATS``, for example ``technology.INT8``.
        clock_mhz: clock of the array.
        dram_type: index into ``technology.DRAMS``.
        tables: ``Technology.tables``.
        out: ``(NUM_PRICES,)`` float64, filled.
    """
    scalars, numbers = tables.scalars, tables.formats[number_format]
    bits, sum_bits = numbers[BITS], scalars[SUM_BITS]
    pitch_mm = math.sqrt(numbers[CELL_UM2]) * 1e-3

    out[MACS] = numbers[MAC_PJ]
    out[OPERAND_REGISTERS] = bits * scalars[REGISTER_PJ_PER_BIT]
    out[SUM_REGISTERS] = sum_bits * scalars[REGISTER_PJ_PER_BIT]
    out[OPERAND_LINKS] = bits * scalars[LINK_PJ_PER_BIT_MM] * pitch_mm
    out[SUM_LINKS] = sum_bits * scalars[LINK_PJ_PER_BIT_MM] * pitch_mm
    out[OPERAND_HOPS] = bits * scalars[HOP_PJ_PER_BIT]
    out[SUM_HOPS] = sum_bits * scalars[HOP_PJ_PER_BIT]
    out[DRAM_WORDS] = bits * tables.drams[dram_type, DRAM_PJ_PER_BIT]
    out[DRAM_SUMS] = sum_bits * tables.drams[dram_type, DRAM_PJ_PER_BIT]
    out[CYCLES] = rows * columns * numbers[STANDING_PJ]
    out[DRAM_WORDS_PER_CYCLE] = tables.drams[dram_type, DRAM_GB_PER_S] * 8e3 / (bits * clock_mhz)

    out[CELLS_MM2] = rows * columns * numbers[CELL_UM2] * 1e-6
    out[LEAKAGE_MW] = out[SRAM_MM2] = out[ACCESS_NS] = out[CYCLE_NS] = out[SIZE_VIOLATION] = 0.0
    figures = tables.sram[PORT]
    _buffer(ifmap_kb, banks, bits, figures, scalars, IFMAP_READS, IFMAP_WRITES, out)
    _buffer(filter_kb, banks, bits, figures, scalars, FILTER_READS, FILTER_WRITES, out)
    _buffer(ofmap_kb, banks, bits, figures, scalars, OFMAP_READS, OFMAP_WRITES, out)
    out[SUM_READS] = out[OFMAP_READS] * sum_bits / bits
    out[SUM_WRITES] = out[OFMAP_WRITES] * sum_bits / bits
    out[OTHER_MM2] = (out[CELLS_MM2] + out[SRAM_MM2]) * scalars[OTHER_AREA_SHARE]
    out[LEAKS] = out[LEAKAGE_MW] * 1e3 / clock_mhz  # 1 mW x 1 ns = 1 pJ
    out[CLOCK_VIOLATION] = max(out[CYCLE_NS] * clock_mhz * 1e-3 - 1.0, 0.0)


@njit(cache=True, nogil=True)
def _buffer(kb, banks, bits, figures, scalars, reads, writes, out):
    """Adds one buffer to the prices."""
    bank_kb = kb / banks
    share = bits / PORT_BITS * scalars[SRAM_ENERGY]
    out[reads] = sram.figure(bank_kb, figures[sram.READ_PJ]) * share
    out[writes] = sram.figure(bank_kb, figures[sram.WRITE_PJ]) * share
    out[LEAKAGE_MW] += sram.figure(bank_kb, figures[sram.LEAK_MW]) * banks
    out[SRAM_MM2] += sram.figure(bank_kb, figures[sram.AREA_MM2]) * banks * scalars[SRAM_AREA]
    out[ACCESS_NS] = max(out[ACCESS_NS], sram.figure(bank_kb, figures[sram.ACCESS_NS]))
    out[CYCLE_NS] = max(out[CYCLE_NS], sram.figure(bank_kb, figures[sram.CYCLE_NS]))
    out[SIZE_VIOLATION] += sram.outside(bank_kb, figures)


@njit(cache=True, nogil=True)
def energy(counts, price, terms):
    """Energy of a run by term.

    Args:
        counts: ``(NUM_COUNTS,)``, how often each event happens; ``CYCLES`` and ``LEAKS`` are the cycles of the run.
        price: ``(NUM_PRICES,)`` as ``prices`` filled it.
        terms: ``(NUM_TERMS,)`` float64, filled: pJ by ``TERMS``.

    Returns:
        The sum of all terms in pJ.
    """
    total = 0.0
    for term in range(NUM_TERMS):
        terms[term] = 0.0
        for event in range(TERM_STARTS[term], TERM_STARTS[term + 1]):
            terms[term] += counts[event] * price[event]
        total += terms[term]
    return total


def area(priced: NDArray[np.float64]) -> NDArray[np.float64]:
    """Area of the chip in mm2, shape ``(...)``, from prices of shape ``(..., NUM_PRICES)``."""
    return np.asarray(priced[..., CELLS_MM2] + priced[..., SRAM_MM2] + priced[..., OTHER_MM2])
