"""Closed form of the NVDLA-style template: weight stationary, filters and channels in parallel."""

from __future__ import annotations

from numba import njit

from simulators.asic.counts import Flow
from simulators.asic.shape import DLA_CLUSTER, Shape
from simulators.asic.transfer import delay, iteration, offchip_floor


@njit(cache=True, nogil=True)
def flow(of: Shape, pes: int, bandwidth: int, hops: int, offchip: int) -> Flow:
    """What a layer moves and how long it takes; exact if ``closed.applies``.

    Args:
        of: the layer.
        pes: processing elements of the unit.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
    """
    window = of.r * of.s
    if of.depthwise:
        clusters, items, channels, tiles = pes, of.c, 1, 1
        compute = window
    else:
        lanes = min(DLA_CLUSTER, pes)
        clusters, items = pes // lanes, of.k
        channels, tiles = min(lanes, of.c), (of.c + lanes - 1) // lanes
        compute = window + delay(2 * channels * window, bandwidth, hops)
    block = channels * window
    full, rest = items // clusters, items % clusters
    first = min(items, clusters)
    new_columns = channels * of.r * min(of.s, of.stride)
    new_rows = block if of.x > of.s else channels * min(of.r, of.stride) * of.s

    first_inputs = first * block if of.depthwise else block
    first_filters, first_outputs = first * block, _sent(first, items, clusters)
    least = max(compute, offchip_floor(first_inputs, first_filters, first_outputs, offchip))
    cycles = max(least, compute + delay(first_inputs + first_filters, bandwidth, hops))
    inputs, filters, outputs = first_inputs, first_filters, 0

    for last in range(2):  # the full passes over the filters (channels if depthwise), then the rest
        active, passes = (rest, min(rest, 1)) if last else (clusters, full)
        if passes == 0:
            continue
        restarts = passes - 1 if last == 0 or full == 0 else passes
        copies = active if of.depthwise else 1  # of the input; units that share a channel share its transfer
        out = _sent(active, items, clusters)

        count = passes * tiles * of.rows * (of.columns - 1)
        moved = copies * new_columns
        cycles += count * iteration(least, max(moved, out), bandwidth, hops)
        inputs += count * moved

        count = passes * tiles * (of.rows - 1)
        moved = copies * new_rows
        cycles += count * iteration(least, max(moved, out), bandwidth, hops)
        inputs += count * moved

        count = passes * (tiles - 1)
        moved = active * block
        cycles += count * iteration(least, max(block + moved, out), bandwidth, hops)
        inputs += count * block
        filters += count * moved

        fetched = active * window if of.depthwise else 0
        cycles += restarts * iteration(least, max(fetched + moved, out), bandwidth, hops)
        inputs += restarts * fetched
        filters += restarts * moved
        outputs += passes * tiles * of.rows * of.columns * out

    macs = of.k * of.c * window * of.rows * of.columns
    return Flow(cycles, macs, macs, inputs, filters, outputs, first_inputs, first_filters, first_outputs)


@njit(cache=True, nogil=True)
def _sent(active: int, items: int, clusters: int) -> int:
    """Outputs of an iteration; the last unit of an under-filled only pass sends nothing, as in MAESTRO."""
    return active - 1 if items < clusters and active >= 2 else active
