"""Sums over the cases of a mapping."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.asic.counts import Flow
from simulators.asic.general.levels import analyse
from simulators.asic.general.table import (
    CASE_SIZE,
    COMPUTE,
    CRITICAL,
    FILTERS,
    INPUTS,
    MOST_CASES,
    OUTPUTS,
    TIMES,
    WORK,
)
from simulators.asic.layout import BANDWIDTH, PES, TEMPLATE
from simulators.asic.shape import shape
from simulators.asic.transfer import delay, iteration, offchip_floor


@njit(cache=True, nogil=True)
def flow(layer, unit, hops, offchip, mode):
    """What a layer moves on a unit and how long it takes.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64, with enough processing elements for a cluster.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.

    Returns:
        ``counts.Flow``.
    """
    cases = np.empty((MOST_CASES, CASE_SIZE), np.int64)
    bandwidth = unit[BANDWIDTH]
    found = analyse(shape(layer, mode), unit[TEMPLATE], unit[PES], bandwidth, hops, mode, cases)
    first_inputs, first_filters, first_outputs = cases[0, INPUTS], cases[0, FILTERS], cases[0, OUTPUTS]
    floor = offchip_floor(first_inputs, first_filters, first_outputs, offchip)
    cycles = macs = sums = inputs = filters = outputs = 0
    for i in range(found):
        case = cases[i]
        times = case[TIMES]
        outputs += times * case[OUTPUTS]
        sums += times * case[WORK]
        if case[CRITICAL] <= 0:
            continue
        brought = case[INPUTS] + case[FILTERS]
        if i == 0:
            cycles += max(case[COMPUTE] + delay(brought, bandwidth, hops), floor)
        else:
            cycles += times * iteration(max(case[COMPUTE], floor), max(brought, case[OUTPUTS]), bandwidth, hops)
        macs += times * case[WORK]
        inputs += times * case[INPUTS]
        filters += times * case[FILTERS]
    return Flow(cycles, macs, sums, inputs, filters, outputs, first_inputs, first_filters, first_outputs)
