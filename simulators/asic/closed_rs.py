"""Closed form of the row-stationary template: output rows and filter rows in parallel, on a diagonal."""

from __future__ import annotations

from numba import njit

from simulators.asic.counts import Flow
from simulators.asic.shape import Shape
from simulators.asic.transfer import delay, iteration, offchip_floor

FILTER_TILE = 16


@njit(cache=True, nogil=True)
def flow(of: Shape, pes: int, bandwidth: int, hops: int, offchip: int, lone: int) -> Flow:
    """What a layer of stride 1 moves and how long it takes.

    Args:
        of: the layer.
        pes: processing elements of the unit, at least as many as a filter has rows.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        lone: rows that a single unit counts in a last pass of its own: 1, or R as in MAESTRO.
    """
    clusters, window = pes // of.r, of.r * of.s
    full, rest = of.rows // clusters, of.rows % clusters
    first = min(of.rows, clusters)
    tile = min(FILTER_TILE, of.k)
    partial = of.k % FILTER_TILE if of.k > FILTER_TILE else 0  # filters of a last partial tile
    tiles = max(of.k // FILTER_TILE - 1, 0)  # full tiles after the first
    compute = tile * of.s + delay(window * (1 + tile), bandwidth, hops)
    steps = of.columns * of.c

    first_inputs, first_filters, first_outputs = first * window, tile * window, first * tile
    least = max(compute, offchip_floor(first_inputs, first_filters, first_outputs, offchip))
    cycles = max(least, compute + delay(first_inputs + first_filters, bandwidth, hops))
    inputs, filters, counted = first_inputs, first_filters, 0

    for last in range(2):  # the full passes over the rows, then the rest
        active, passes = (rest, min(rest, 1)) if last else (clusters, full)
        if passes == 0:
            continue
        restarts = passes - 1 if last == 0 or full == 0 else passes
        rows = lone if last == 1 and full > 0 and active == 1 else active
        counted += passes * rows

        moved = FILTER_TILE * window  # charged in full for the partial tile, too
        count = passes * steps * tiles
        cycles += count * iteration(least, max(moved, FILTER_TILE * rows), bandwidth, hops)
        filters += count * moved
        if partial > 0:
            count = passes * steps
            cycles += count * iteration(least, max(moved, partial * rows), bandwidth, hops)
            filters += count * moved

        count = passes * of.columns * (of.c - 1)
        moved = active * window
        cycles += count * iteration(least, max(moved + tile * window, tile * rows), bandwidth, hops)
        inputs += count * moved
        filters += count * tile * window

        count = passes * (of.columns - 1)
        moved = active * (window if of.c > 1 else of.r)
        cycles += count * iteration(least, max(moved, tile * rows), bandwidth, hops)
        inputs += count * moved

        moved = active * window if of.x > of.s or of.c > 1 else (of.r + active - 1) * of.s
        cycles += restarts * iteration(least, max(moved, tile * rows), bandwidth, hops)
        inputs += restarts * moved

    outputs = of.k * steps * counted
    macs = outputs * window
    return Flow(cycles, macs, macs, inputs, filters, outputs, first_inputs, first_filters, first_outputs)
