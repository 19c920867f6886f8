"""Closed form of the ShiDianNao-style template: output stationary, rows and columns in parallel."""

from __future__ import annotations

from numba import njit

from simulators.asic.counts import Flow
from simulators.asic.shape import SHI_CLUSTER, Shape
from simulators.asic.transfer import delay, iteration, offchip_floor


@njit(cache=True, nogil=True)
def flow(of: Shape, pes: int, bandwidth: int, hops: int, offchip: int, lone: int) -> Flow:
    """What a layer of stride 1 moves and how long it takes.

    Args:
        of: the layer.
        pes: processing elements of the unit, at least 8.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        lone: rows that a single unit counts in a last pass of its own: 1, or R as in MAESTRO.
    """
    clusters, window = pes // SHI_CLUSTER, of.r * of.s
    full, rest = of.rows // clusters, of.rows % clusters
    first = min(of.rows, clusters)
    lanes = min(SHI_CLUSTER, of.columns)
    width = min(SHI_CLUSTER - 1 + of.s, of.x)  # of a tile of the input; MAESTRO's own is wider than some inputs (README)
    compute = window + delay((lanes + 1) * window, bandwidth, hops)
    wide = max(of.columns // SHI_CLUSTER - 1, 0)  # column tiles after the first
    narrow = of.columns % SHI_CLUSTER if of.columns > SHI_CLUSTER else 0  # columns of a last partial tile
    planes = of.k * of.c

    first_inputs, first_filters, first_outputs = first * of.r * width, window, first * lanes
    least = max(compute, offchip_floor(first_inputs, first_filters, first_outputs, offchip))
    cycles = max(least, compute + delay(first_inputs + first_filters, bandwidth, hops))
    inputs, filters, counted = first_inputs, first_filters, 0

    for last in range(2):  # the full passes over the rows, then the rest
        active, passes = (rest, min(rest, 1)) if last else (clusters, full)
        if passes == 0:
            continue
        restarts = planes * (passes - 1 if last == 0 or full == 0 else passes)
        rows = lone if last == 1 and full > 0 and active == 1 else active
        counted += passes * rows

        moved = SHI_CLUSTER * active * of.r  # charged in full for the partial tile, too
        count = passes * planes * wide
        cycles += count * iteration(least, max(moved, SHI_CLUSTER * rows), bandwidth, hops)
        inputs += count * moved
        if narrow > 0:
            count = passes * planes
            cycles += count * iteration(least, max(moved, narrow * rows), bandwidth, hops)
            inputs += count * moved

        moved = active * of.r * width if of.x > SHI_CLUSTER - 1 + of.s else (of.r + active - 1) * width
        cycles += restarts * iteration(least, max(moved, lanes * rows), bandwidth, hops)
        inputs += restarts * moved

    moved = (of.r + first - 1 - int(of.rows < clusters and first >= 2)) * width
    count = of.k * (of.c - 1)
    cycles += count * iteration(least, max(moved + window, first_outputs), bandwidth, hops)
    inputs += count * moved
    count += of.k - 1
    cycles += (of.k - 1) * iteration(least, max(window, first_outputs), bandwidth, hops)
    filters += count * window

    outputs = planes * of.columns * counted
    macs = outputs * window
    return Flow(cycles, macs, macs, inputs, filters, outputs, first_inputs, first_filters, first_outputs)
