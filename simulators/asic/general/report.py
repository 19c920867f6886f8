"""Figures beside the flow that MAESTRO prints: delays, bandwidth needs, processing elements at work, arithmetic intensity."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.general.levels import analyse
from simulators.asic.general.table import (
    CASE_SIZE,
    COMPUTE,
    CRITICAL,
    FILTERS,
    INPUTS,
    MOST_CASES,
    OUTPUTS,
    RANK,
    TIMES,
    WORK,
)
from simulators.asic.shape import Shape
from simulators.asic.transfer import delay

Floats = NDArray[np.float64]

REPORT = (
    "avg_active_pes",
    "peak_noc_bw_req",  # elements per cycle
    "avg_noc_bw_req",
    "offchip_bw_req",
    "arithmetic_intensity",  # multiply-accumulates per element brought to the units, in the case that repeats most
    *(f"{what}_delay_{which}" for what in ("ingress", "egress", "compute") for which in ("min", "max", "avg")),  # cycles
)
ACTIVE_PES, PEAK_NOC, AVERAGE_NOC, OFFCHIP, INTENSITY, DELAYS = range(6)
REPORT_SIZE = len(REPORT)


@njit(cache=True, nogil=True)
def report(of: Shape, template: int, pes: int, bandwidth: int, hops: int, mode: int, out: Floats) -> None:
    """Writes the figures of a layer on a unit.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit, at least a cluster.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        out: ``(REPORT_SIZE,)`` float64, filled in the order of ``REPORT``.
    """
    cases = np.empty((MOST_CASES, CASE_SIZE), np.int64)
    busy = np.empty(MOST_CASES)
    found = analyse(of, template, pes, bandwidth, hops, mode, cases, busy)
    out[:] = 0.0
    total = highest = 0
    longest = 1
    moved_first = max(cases[0, INPUTS] + cases[0, FILTERS], cases[0, OUTPUTS])
    for i in range(found):
        if cases[i, CRITICAL] <= 0:
            continue
        times, compute, brought = cases[i, TIMES], cases[i, COMPUTE], cases[i, INPUTS] + cases[i, FILTERS]
        moved = max(brought, cases[i, OUTPUTS])
        out[ACTIVE_PES] += times * busy[i]
        out[PEAK_NOC] = max(out[PEAK_NOC], moved // max(compute, 1))
        out[AVERAGE_NOC] += times * moved // max(compute, 1)  # rounded once per case
        if cases[i, RANK] >= highest:
            highest = cases[i, RANK]
            out[INTENSITY] = cases[i, WORK] / max(brought, 1)
        longest = max(longest, compute)
        delays = (delay(brought, bandwidth, hops), delay(cases[i, OUTPUTS], bandwidth, hops), compute)
        for j in range(3):
            at, cycles = DELAYS + 3 * j, delays[j]
            out[at] = cycles if total == 0 else min(out[at], cycles)
            out[at + 1] = cycles if total == 0 else max(out[at + 1], cycles)
            out[at + 2] += times * cycles
        total += times
    total = max(total, 1)
    out[ACTIVE_PES] /= total
    out[AVERAGE_NOC] /= total
    for j in range(3):
        out[DELAYS + 3 * j + 2] //= total
    out[OFFCHIP] = moved_first // longest
