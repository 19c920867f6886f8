"""Many designs at once: needs, energy and area over all layers of a network, in parallel over designs."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.systolic import energy, physical
from simulators.systolic.physical import QUANTITIES, layer_needs
from simulators.systolic.prepared import Prepared
from simulators.systolic.technology import BITS, Tables

# A design as the space has it, in numbers: the columns of ``designs`` below.
ROWS, COLUMNS, DATAFLOW, IFMAP_KB, FILTER_KB, OFMAP_KB, BANKS, FORMAT, CLOCK_MHZ, DRAM_TYPE, CHANNELS = range(11)

SMALL = 64
"""Batches up to this size are not worth waking threads for."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Priced:
    """Results of N designs.

    Attributes:
        needs: (N, QUANTITIES) of ``physical``, summed over layers; infinite where a layer's smallest tile does not fit.
        terms: (N, NUM_TERMS) energy in pJ by ``energy.TERMS``.
        prices: (N, NUM_PRICES) of ``energy``.
    """

    needs: Floats
    terms: Floats
    prices: Floats


def price(designs: Floats, network: Prepared, switches: NDArray[np.bool_], tables: Tables) -> Priced:
    """Prices designs on one network.

    Args:
        designs: (N, 11) float64.
        network: prepared for its batch.
        switches: (5,), in the order of ``Switches``.
        tables: of a ``Technology``.
    """
    n = len(designs)
    result = Priced(np.empty((n, QUANTITIES)), np.empty((n, energy.NUM_TERMS)), np.empty((n, energy.NUM_PRICES)))
    kernel = _serial if n <= SMALL else _parallel
    kernel(
        designs, network.shapes, network.blocks, network.access, switches, tables, result.needs, result.terms, result.prices
    )
    return result


def figures(designs: Floats, tables: Tables) -> Floats:
    """Prices and figures of designs alone, whatever runs on them: (N, NUM_PRICES) of ``energy``."""
    prices = np.empty((len(designs), energy.NUM_PRICES))
    _figures(designs, tables, prices)
    return prices


def layers_needs(design: Floats, network: Prepared, switches: NDArray[np.bool_], tables: Tables) -> Floats:
    """What one design (11,) needs for each distinct layer: (L, QUANTITIES)."""
    prices = np.empty(energy.NUM_PRICES)
    view = np.empty(physical.DESIGN_SIZE)
    _price(design, tables, prices, view)
    needs = np.empty((len(network.shapes), QUANTITIES))
    for layer in range(len(needs)):
        layer_needs(view, network.shapes[layer], network.blocks[layer], network.access[layer], switches, needs[layer])
    return needs


@numba.njit(cache=True, nogil=True)
def _price(design: Floats, tables: Tables, prices: Floats, view: Floats) -> None:
    """Fills the prices of a design and the design as the physical model reads it."""
    number_format, dram_type = int(design[FORMAT]), int(design[DRAM_TYPE])
    energy.prices(
        design[ROWS],
        design[COLUMNS],
        design[IFMAP_KB],
        design[FILTER_KB],
        design[OFMAP_KB],
        design[BANKS],
        number_format,
        design[CLOCK_MHZ],
        dram_type,
        tables,
        prices,
    )
    word = tables.formats[number_format, BITS] / 8.0
    view[physical.ROWS] = design[ROWS]
    view[physical.COLUMNS] = design[COLUMNS]
    view[physical.DATAFLOW] = design[DATAFLOW]
    view[physical.WORD_BYTES] = word
    view[physical.IFMAP_KB] = design[IFMAP_KB]
    view[physical.FILTER_KB] = design[FILTER_KB]
    view[physical.OFMAP_KB] = design[OFMAP_KB]
    view[physical.BANKS] = design[BANKS]
    view[physical.DRAM_BYTES_PER_CYCLE] = prices[energy.DRAM_WORDS_PER_CYCLE] * word * design[CHANNELS]


@numba.njit(cache=True, nogil=True)
def _figures(designs: Floats, tables: Tables, prices: Floats) -> None:
    view = np.empty(physical.DESIGN_SIZE)
    for index in range(len(designs)):
        _price(designs[index], tables, prices[index], view)


@numba.njit(cache=True, nogil=True)
def count(needs: Floats, dataflow: int, counts: Floats) -> None:
    """Fills the events that energy is paid for from what a layer, or a whole network, needs."""
    counts[energy.MACS] = needs[physical.MACS]
    counts[energy.OPERAND_REGISTERS] = needs[physical.OPERAND_STEPS]
    counts[energy.SUM_REGISTERS] = needs[physical.MACS] + (needs[physical.SUM_STEPS] if dataflow == 0 else 0.0)
    counts[energy.OPERAND_LINKS] = needs[physical.OPERAND_STEPS]
    counts[energy.SUM_LINKS] = needs[physical.SUM_STEPS]
    reads = needs[physical.IFMAP_READS] + needs[physical.FILTER_READS]
    counts[energy.OPERAND_HOPS] = reads + needs[physical.OUTPUT_WRITES]
    counts[energy.SUM_HOPS] = needs[physical.PSUM_READS] + needs[physical.PSUM_WRITES]
    counts[energy.IFMAP_READS] = needs[physical.IFMAP_READS]
    counts[energy.IFMAP_WRITES] = needs[physical.IFMAP_DRAM]
    counts[energy.FILTER_READS] = needs[physical.FILTER_READS]
    counts[energy.FILTER_WRITES] = needs[physical.FILTER_DRAM]
    counts[energy.OFMAP_READS] = needs[physical.OFMAP_DRAM]
    counts[energy.OFMAP_WRITES] = needs[physical.OUTPUT_WRITES]
    counts[energy.SUM_READS] = needs[physical.PSUM_READS]
    counts[energy.SUM_WRITES] = needs[physical.PSUM_WRITES]
    counts[energy.DRAM_WORDS] = needs[physical.DRAM_PAID]
    counts[energy.DRAM_SUMS] = 0.0
    counts[energy.CYCLES] = needs[physical.CYCLES]
    counts[energy.LEAKS] = needs[physical.CYCLES]


@numba.njit(cache=True, nogil=True)
def pay(needs: Floats, dataflow: Floats, prices: Floats, terms: Floats) -> None:
    """Fills the energy by term, (N, NUM_TERMS), of N designs, or of N layers of one design if ``prices`` has one row."""
    counts = np.empty(energy.NUM_COUNTS)
    for index in range(len(needs)):
        design = min(index, len(prices) - 1)
        count(needs[index], int(dataflow[design]), counts)
        energy.energy(counts, prices[design], terms[index])


@numba.njit(cache=True, nogil=True)
def _one(
    design: Floats,
    shapes: Floats,
    blocks: Floats,
    access: Floats,
    switches: NDArray[np.bool_],
    tables: Tables,
    totals: Floats,
    terms: Floats,
    prices: Floats,
) -> None:
    view, needs, counts = np.empty(physical.DESIGN_SIZE), np.empty(QUANTITIES), np.empty(energy.NUM_COUNTS)
    _price(design, tables, prices, view)
    totals[:] = 0.0
    for layer in range(len(shapes)):
        layer_needs(view, shapes[layer], blocks[layer], access[layer], switches, needs)
        for quantity in range(QUANTITIES):
            totals[quantity] += needs[quantity]
    count(totals, int(design[DATAFLOW]), counts)
    energy.energy(counts, prices, terms)


@numba.njit(cache=True, nogil=True)
def _serial(
    designs: Floats,
    shapes: Floats,
    blocks: Floats,
    access: Floats,
    switches: NDArray[np.bool_],
    tables: Tables,
    totals: Floats,
    terms: Floats,
    prices: Floats,
) -> None:
    for index in range(len(designs)):
        _one(designs[index], shapes, blocks, access, switches, tables, totals[index], terms[index], prices[index])


@numba.njit(cache=True, nogil=True, parallel=True)
def _parallel(
    designs: Floats,
    shapes: Floats,
    blocks: Floats,
    access: Floats,
    switches: NDArray[np.bool_],
    tables: Tables,
    totals: Floats,
    terms: Floats,
    prices: Floats,
) -> None:
    for index in numba.prange(len(designs)):
        _one(designs[index], shapes, blocks, access, switches, tables, totals[index], terms[index], prices[index])
