"""Rules that a design breaks whatever runs on it: banks the SRAM table lacks, banks slower than the clock, budgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from archgym import Columns, Constraint
from simulators.systolic import energy, numbers, sram
from simulators.systolic.batch import figures
from simulators.systolic.technology import DRAM_GB_PER_S, Tables

Floats = NDArray[np.float64]


def make_rules(
    node_nm: int,
    setting: str,
    tables: Tables,
    dram_types: Sequence[str],
    area_budget_mm2: float | None,
    bandwidth_budget_gbps: float | None,
) -> tuple[Constraint, ...]:
    """The rules of a space; a budget that is None is none.

    Args:
        node_nm: named in the rules' words, which are part of the space's digest.
        setting: of the technology, likewise.
        tables: of that technology.
        dram_types: names of the rows of ``tables.drams``.
        area_budget_mm2: most area.
        bandwidth_budget_gbps: most DRAM bandwidth, GB/s.
    """
    smallest = sram.SMALLEST_KB * 2 ** int(np.argmax(~np.isnan(tables.sram[energy.PORT, 0])))
    rules = [
        Constraint(
            "bank_size",
            partial(_bank_size, tables=tables),
            f"a bank of 256 bits must hold {smallest:g} to {sram.LARGEST_KB:g} KB (violation: doublings)",
        ),
        Constraint(
            "bank_cycle",
            partial(_bank_cycle, tables=tables),
            f"the slowest bank must keep up with the clock at {node_nm} nm (violation: share of the clock's period)",
        ),
    ]
    if area_budget_mm2 is not None:
        doc = f"at most {area_budget_mm2:g} mm2 at {node_nm} nm, {setting} (violation: share of the budget)"
        rules.append(
            Constraint("area_budget", partial(_area, tables=tables, dram_types=dram_types, budget=area_budget_mm2), doc)
        )
    if bandwidth_budget_gbps is not None:
        doc = f"at most {bandwidth_budget_gbps:g} GB/s of DRAM bandwidth (violation: share of the budget)"
        rules.append(
            Constraint(
                "bandwidth_budget",
                partial(_bandwidth, tables=tables, dram_types=dram_types, budget=bandwidth_budget_gbps),
                doc,
            )
        )
    return tuple(rules)


def _bank_size(columns: Columns, tables: Tables) -> Floats:
    return _sizes(*_buffers(columns), columns["banks"], tables.sram[energy.PORT])


def _bank_cycle(columns: Columns, tables: Tables) -> Floats:
    return _cycles(*_buffers(columns), columns["banks"], columns["clock_mhz"], tables.sram[energy.PORT])


def _buffers(columns: Columns) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    return columns["ifmap_kb"], columns["filter_kb"], columns["ofmap_kb"]


def _area(columns: Columns, tables: Tables, dram_types: Sequence[str], budget: float) -> Floats:
    priced = figures(numbers.from_columns(columns, dram_types), tables)
    return np.nan_to_num(energy.area(priced) / budget - 1.0, nan=0.0)  # NaN: banks that the table lacks, which is another rule


def _bandwidth(columns: Columns, tables: Tables, dram_types: Sequence[str], budget: float) -> Floats:
    rate = tables.drams[numbers.codes(columns["dram_type"], dram_types), DRAM_GB_PER_S] * columns["dram_channels"]
    return np.asarray(rate / budget - 1.0)


@njit(cache=True, nogil=True)
def _sizes(ifmap_kb, filter_kb, ofmap_kb, banks, table):
    amounts = np.empty(len(banks))
    for index in range(len(banks)):
        smallest = min(ifmap_kb[index], filter_kb[index], ofmap_kb[index]) / banks[index]
        largest = max(ifmap_kb[index], filter_kb[index], ofmap_kb[index]) / banks[index]
        amounts[index] = max(sram.outside(smallest, table), sram.outside(largest, table))
    return amounts


@njit(cache=True, nogil=True)
def _cycles(ifmap_kb, filter_kb, ofmap_kb, banks, clock_mhz, table):
    amounts = np.zeros(len(banks))
    for index in range(len(banks)):
        largest = max(ifmap_kb[index], filter_kb[index], ofmap_kb[index]) / banks[index]
        slowest = sram.figure(largest, table[sram.CYCLE_NS])
        if slowest == slowest:  # not NaN: a bank that the table lacks breaks another rule
            amounts[index] = max(slowest * clock_mhz[index] * 1e-3 - 1.0, 0.0)
    return amounts
