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
from simulators.asic.shape import Shape
from simulators.asic.transfer import delay, iteration, offchip_floor


@njit(cache=True, nogil=True)
def flow(of: Shape, template: int, pes: int, bandwidth: int, hops: int, offchip: int, mode: int) -> Flow:
    """What a layer moves on a unit and how long it takes.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit, at least a cluster.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
    """
    cases = np.empty((MOST_CASES, CASE_SIZE), np.int64)
    found = analyse(of, template, pes, bandwidth, hops, mode, cases, np.empty(MOST_CASES))
    first_inputs, first_filters, first_outputs = cases[0, INPUTS], cases[0, FILTERS], cases[0, OUTPUTS]
    floor = offchip_floor(first_inputs, first_filters, first_outputs, offchip)
    cycles = macs = sums = inputs = filters = outputs = 0
    for i in range(found):
        times = cases[i, TIMES]
        outputs += times * cases[i, OUTPUTS]
        sums += times * cases[i, WORK]
        if cases[i, CRITICAL] <= 0:
            continue
        brought = cases[i, INPUTS] + cases[i, FILTERS]
        if i == 0:
            cycles += max(cases[i, COMPUTE] + delay(brought, bandwidth, hops), floor)
        else:
            cycles += times * iteration(max(cases[i, COMPUTE], floor), max(brought, cases[i, OUTPUTS]), bandwidth, hops)
        macs += times * cases[i, WORK]
        inputs += times * cases[i, INPUTS]
        filters += times * cases[i, FILTERS]
    return Flow(cycles, macs, sums, inputs, filters, outputs, first_inputs, first_filters, first_outputs)
