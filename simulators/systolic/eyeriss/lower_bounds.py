"""What no mapping that completes a choice can fall below, in cycles and in pJ: lets the mapper skip without losing anything.

``learn`` writes down what all mappings of a layer on a design share.  ``bound`` follows ``mapping.count`` term by term; words
that are not decided yet are taken as few as they can be.  Energy leaves out what is paid per cycle, as it decides between
mappings of equal cycles.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss.shapes import input_rows, parts

ROUNDING = 1e-12
"""Keeps a bound on the safe side of a division."""


@njit(cache=True, nogil=True, error_model="numpy")
def learn(job):
    """Fills the slots from ``OUTPUTS`` on, with no best mapping yet."""
    outputs = job[at.FILTERS] * job[at.OUT_H] * job[at.OUT_W]
    weights = job[at.FILTERS] * job[at.CHANNELS] * job[at.TAPS_H] * job[at.TAPS_W]
    plane = job[at.CHANNELS] * job[at.WIDTH]
    fetched = input_rows(job[at.OUT_H], job[at.TAPS_H], job[at.STRIDE], job[at.DILATION]) * plane
    macs = weights * job[at.OUT_H] * job[at.OUT_W]
    job[at.OUTPUTS], job[at.WEIGHTS], job[at.PLANE], job[at.FETCHED] = outputs, weights, plane, fetched
    job[at.BEST_CYCLES] = job[at.BEST_PJ] = np.inf

    held = np.floor(job[at.WEIGHTS_WORDS] / job[at.TAPS_W])
    job[at.MOST_FILTERS] = min(job[at.PSUM_WORDS], held)
    job[at.MOST_CHANNELS] = min(np.floor(job[at.IFMAP_WORDS] / job[at.TAPS_W]), held)
    job[at.SLOWDOWN] = max((1.0 + job[at.PSUM_SHARED]) / job[at.PSUM_BLOCK], 1.0)
    overlapped, job[at.GLB_WAIT] = fetched + weights + outputs, 0.0
    if job[at.GLB_PLAIN] > 0.0:
        filling = fetched / job[at.GLB_WRITE_RATE] + outputs / job[at.GLB_READ_RATE]
        overlapped, job[at.GLB_WAIT] = weights, max(filling, (fetched + outputs) / job[at.DRAM_RATE])
    job[at.DRAM_BUSY] = overlapped / job[at.DRAM_RATE]

    hop, dram = job[at.PRICE + at.HOPS], job[at.PRICE + at.DRAM_WORDS]
    way = 0.5 * (job[at.MESH_X] + job[at.MESH_Y]) * hop
    read = job[at.PRICE + at.GLB_READS] / job[at.GLB_BLOCK]
    write = job[at.PRICE + at.GLB_WRITES] / job[at.GLB_BLOCK]
    job[at.SENT_PJ] = way - hop + read
    job[at.TAKEN_PJ] = hop + job[at.PRICE + at.IFMAP_WRITES] / job[at.IFMAP_BLOCK]
    job[at.PSUM_PJ], job[at.BACK_PJ] = way + read, way + write
    job[at.WEIGHT_PJ] = way - hop + dram
    job[at.LOADED_PJ] = hop + job[at.PRICE + at.WEIGHTS_WRITES] / job[at.WEIGHTS_BLOCK]
    job[at.FETCH_PJ] = dram + write
    job[at.FIXED_PJ] = macs * job[at.PRICE + at.MACS] + outputs * (dram + read)
    job[at.FIXED_PJ] += weights * job[at.WEIGHT_PJ] + fetched * job[at.FETCH_PJ]
    job[at.READS_PJ] = macs * (
        job[at.PRICE + at.IFMAP_READS] / job[at.IFMAP_BLOCK]
        + (job[at.PRICE + at.PSUM_READS] + job[at.PRICE + at.PSUM_WRITES]) / job[at.PSUM_BLOCK]
        + job[at.PRICE + at.WEIGHTS_READS] / job[at.WEIGHTS_BLOCK]
    )


@njit(cache=True, nogil=True, error_model="numpy")
def more_reads_pj(job, filters, channels):
    """Energy of reading scratchpads (and of writing partial sums) that ``READS_PJ`` leaves out, for a PE's turns."""
    window = channels * job[at.TAPS_W]
    held = filters * window
    ifmap = parts(window, job[at.IFMAP_BLOCK]) / window * job[at.PRICE + at.IFMAP_READS]
    psum = parts(filters, job[at.PSUM_BLOCK]) / filters
    psum *= job[at.PRICE + at.PSUM_READS] + job[at.PRICE + at.PSUM_WRITES]
    weights = parts(held, job[at.WEIGHTS_BLOCK]) / held * job[at.PRICE + at.WEIGHTS_READS]
    return job[at.WEIGHTS] * job[at.OUT_H] * job[at.OUT_W] * (ifmap + psum + weights) - job[at.READS_PJ]


@njit(cache=True, nogil=True, error_model="numpy")
def fewest_tiles(job, channels, filters):
    """Into how many tiles a layer is cut at least, if so many channels and filters are worked on at once.

    Infinite if the buffer does not hold one strip of output rows.
    """
    plane = min(channels, job[at.CHANNELS]) * job[at.WIDTH]
    psums = min(filters, job[at.FILTERS]) * job[at.OUT_W]
    # Inputs of a tile of t rows are the less of two straight lines in t (``shapes.input_rows``).
    apart = job[at.GLB_WORDS] / (plane * job[at.FILTER_ROWS] + psums)
    start = plane * ((job[at.FILTER_ROWS] - 1.0) * job[at.DILATION] + 1.0 - job[at.STRIDE])
    together = (job[at.GLB_WORDS] - start) / (plane * job[at.STRIDE] + psums)
    most = max(apart, together) * (1.0 + ROUNDING)
    if most >= job[at.OUT_H]:
        return 1.0
    strips = np.floor(most / job[at.OUT_ROWS])
    return parts(job[at.OUT_H], strips * job[at.OUT_ROWS]) if strips > 0.0 else np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def bound(job, filters, channels, least_filters, least_channels):
    """What no mapping with the first four factors of ``job`` falls below.

    Args:
        job: blackboard, with all slots up to ``FETCH_PJ`` filled but those of the other factors.
        filters: that a PE takes turns with, at most.
        channels: that a PE takes turns with, at most.
        least_filters: that a PE takes turns with, at least.
        least_channels: that a PE takes turns with, at least.

    Returns:
        Cycles and pJ, infinite if the best mapping so far is out of reach; and both if the global buffer were unlimited.
    """
    strips, folds = job[at.STRIPS], job[at.FOLDS]
    turns = job[at.TURN_FILTERS] * job[at.TURN_CHANNELS] * folds
    busy, loaded = turns * strips * job[at.TAPS_W] * job[at.OUT_W], turns * job[at.TAPS_W]
    passes, sums = parts(job[at.TURN_FILTERS], filters), parts(job[at.TURN_CHANNELS], channels) * folds
    filled = passes * job[at.TURN_CHANNELS] * folds * strips * job[at.WIDTH]
    finished = job[at.TURN_FILTERS] * sums * strips * job[at.OUT_W]
    sent, back = passes * job[at.SENT_ONCE], sums * job[at.OUTPUTS]

    wait = job[at.GLB_WAIT] + filled * job[at.IFMAP_WAIT] + finished * job[at.PSUM_WAIT]
    ifmap_port = (busy + job[at.IFMAP_SHARED] * filled) / job[at.IFMAP_BLOCK]
    busiest = max(busy * job[at.SLOWDOWN], ifmap_port, back / job[at.GLB_WRITE_RATE], job[at.DRAM_BUSY])
    moved = sent + back - job[at.OUTPUTS]
    unlimited = _cycles(job, wait, busiest, busy, loaded, moved, 1.0)
    if unlimited > job[at.BEST_CYCLES]:
        return np.inf, np.inf, unlimited, np.inf
    tiles = fewest_tiles(job, least_channels * job[at.CHAIN_CHANNELS], least_filters * job[at.FILTER_SETS])
    if tiles == np.inf:
        return np.inf, np.inf, unlimited, np.inf
    cycles = _cycles(job, wait, busiest, busy, loaded, moved, tiles)
    if cycles <= job[at.BEST_CYCLES]:
        words = _least_words(job, filters, channels, least_filters, least_channels)
        cycles = max(cycles, np.ceil((wait + words / job[at.GLB_READ_RATE]) * (1.0 - ROUNDING)))

    taken = job[at.FILTERS] / filters * job[at.TAPS_H] * job[at.OUT_H] * job[at.PLANE]
    chain = job[at.FILTER_ROWS] * job[at.CHAIN_CHANNELS]
    pj = job[at.FIXED_PJ] + job[at.READS_PJ] + sent * job[at.SENT_PJ] + taken * job[at.TAKEN_PJ]
    pj += (back - job[at.OUTPUTS]) * job[at.PSUM_PJ] + back * (job[at.BACK_PJ] + (chain - 1.0) * job[at.PRICE + at.HOPS])
    pj += job[at.WEIGHTS] * job[at.OUT_ROWS] * job[at.LOADED_PJ]
    return cycles, pj + job[at.WEIGHTS] * (tiles - 1.0) * job[at.WEIGHT_PJ], unlimited, pj


@njit(cache=True, nogil=True, error_model="numpy")
def _cycles(job, wait, busiest, busy, loaded, moved, tiles):
    """Least time if weights are fetched for so many tiles."""
    weights_port = (busy + job[at.WEIGHTS_SHARED] * loaded * tiles) / job[at.WEIGHTS_BLOCK]
    network = (moved + job[at.WEIGHTS] * tiles) / job[at.GLB_READ_RATE]
    return np.ceil(wait + loaded * tiles * job[at.WEIGHTS_WAIT] + max(busiest, weights_port, network))


@njit(cache=True, nogil=True, error_model="numpy")
def _least_words(job, filters, channels, least_filters, least_channels):
    """Words sent to the PEs at least, whatever the numbers of filters and channels between the given ones.

    More filters at a time have inputs sent less often, more channels partial sums, but both make tiles smaller and have
    weights fetched more often.
    """
    tile = job[at.WEIGHTS] * job[at.OUT_H] / job[at.GLB_WORDS]  # words of weights per word that an output row takes
    inputs = min(job[at.FILTER_ROWS], job[at.STRIDE]) * job[at.WIDTH]
    per_filter = tile * job[at.FILTERS] / job[at.TURN_FILTERS] * job[at.OUT_W]
    per_channel = tile * job[at.CHANNELS] / job[at.TURN_CHANNELS] * inputs
    words = _least_sum(job[at.TURN_FILTERS] * job[at.SENT_ONCE], per_filter, least_filters, filters)
    psums = job[at.TURN_CHANNELS] * job[at.FOLDS] * job[at.OUTPUTS]
    return words + _least_sum(psums, per_channel, least_channels, channels) - job[at.OUTPUTS]


@njit(cache=True, nogil=True, error_model="numpy")
def _least_sum(falling, rising, low, high):
    """The least of ``falling / x + rising * x`` between two bounds of x."""
    x = min(max(np.sqrt(falling / rising), low), high)
    return falling / x + rising * x


@njit(cache=True, nogil=True, error_model="numpy")
def less(cycles, pj, other_cycles, other_pj):
    """Whether the first is better: fewer cycles, or as many and less energy."""
    return cycles < other_cycles or (cycles == other_cycles and pj < other_pj)


@njit(cache=True, nogil=True, error_model="numpy")
def may_win(job, cycles, pj):
    """Whether something with these bounds may be better than the best mapping so far."""
    return less(cycles, pj, job[at.BEST_CYCLES], job[at.BEST_PJ])
