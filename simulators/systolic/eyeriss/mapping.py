"""One layer under one row-stationary mapping: how long it takes and how often everything is accessed.

The dataflow is that of Eyeriss (Chen, Emer and Sze, ISCA 2016; Chen et al., JSSC 2017).  A PE keeps filter rows and slides
input rows past them, which gives rows of partial sums.  PEs above each other form a *chain*: some rows of a filter times some
channels, whose sums pass from one PE to the next.  Chains side by side work on a *strip* of output rows and on sets of
filters.  A PE takes turns with several filters and channels, as far as its three scratchpads hold them.  What does not fit in
space is done in passes; a filter with more rows than a column has PEs is folded.

The global buffer holds inputs and partial sums; weights go past it from DRAM to the PEs, as in ArchGym.  A *tile* is some
output rows.  Partial sums of a tile stay in the buffer until all channels have been added, for as many passes over filters as
there is room for; each such group of filters fetches the inputs again, unless all channels of a tile are kept.

Time is that of whatever is busiest: the PEs (one multiply-accumulate per cycle; a scratchpad with a single port either reads
or writes), the network (as wide as the buffer's read port), the buffer's ports and banks, or DRAM.  A smart buffer is filled
and drained meanwhile.  A plain array has no addresses of its own for that: while it is filled or drained, all else waits.

Every multiply-accumulate reads each scratchpad once and writes a partial sum, as in Eyeriss's published counts.  Counts are of
one group of the layer; what does not divide is rounded up where time passes, not where words move (but a partial sum passes
the whole chain, whether all its PEs have work or not).

No kernel here divides by zero, as every size is at least one; with Numba's check for it they would be four times slower.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss.shapes import all_input_rows, input_rows, parts


@njit(cache=True, nogil=True, error_model="numpy")
def tile_words(job, channels, filters, tile_rows, filter_rows):
    """Words of the inputs and of the partial sums of a tile, for so many channels, filters and rows of a filter."""
    rows = input_rows(tile_rows, filter_rows, job[at.STRIDE], job[at.DILATION])
    inputs = min(channels, job[at.CHANNELS]) * rows * job[at.WIDTH]
    return inputs, min(filters, job[at.FILTERS]) * tile_rows * job[at.OUT_W]


@njit(cache=True, nogil=True, error_model="numpy")
def count(job, counts):
    """Fills ``counts`` (NUM_COUNTS,) for the layer and the mapping in the slots of ``job``; the mapping is taken to fit."""
    filters, taps_h, taps_w = job[at.FILTERS], job[at.TAPS_H], job[at.TAPS_W]
    out_h, out_w, stride, dilation = job[at.OUT_H], job[at.OUT_W], job[at.STRIDE], job[at.DILATION]
    plane = job[at.CHANNELS] * job[at.WIDTH]  # words of an input row, all channels
    outputs = filters * out_h * out_w
    weights = filters * job[at.CHANNELS] * taps_h * taps_w
    macs = weights * out_h * out_w

    p, q, rows, strip, tile = (
        job[at.PE_FILTERS],
        job[at.PE_CHANNELS],
        job[at.FILTER_ROWS],
        job[at.OUT_ROWS],
        job[at.TILE_ROWS],
    )
    turn_filters, turn_channels = parts(filters, job[at.FILTER_SETS]), parts(job[at.CHANNELS], job[at.CHAIN_CHANNELS])
    folds, strips, tiles = parts(taps_h, rows), parts(out_h, strip), parts(out_h, tile)
    passes, sums = parts(turn_filters, p), parts(turn_channels, q) * folds

    # Words on the way: DRAM, buffer, network.
    if job[at.KEEPS_INPUTS] > 0.0:
        ifmap_dram = all_input_rows(out_h, tile, taps_h, taps_h, stride, dilation) * plane
    else:
        rounds = parts(passes, job[at.RESIDENT_PASSES])
        ifmap_dram = rounds * all_input_rows(out_h, tile, taps_h, rows, stride, dilation) * plane
    weights_dram = tiles * weights
    ifmap_sent = passes * all_input_rows(out_h, strip, taps_h, rows, stride, dilation) * plane
    psums_sent, psums_back = (sums - 1.0) * outputs, sums * outputs
    glb_reads, glb_writes = ifmap_sent + psums_sent + outputs, psums_back + ifmap_dram

    # A word is sent once in a pass and taken by all PEs that need it.
    full_sets = np.floor(filters / turn_filters)
    groups = full_sets * passes + parts(filters - full_sets * turn_filters, p)  # of filters that a PE takes turns with
    ifmap_taken = groups * taps_h * out_h * plane
    weights_taken = weights * ((tiles - 1.0) * strip + min(strip, out_h - (tiles - 1.0) * tile))
    way = 0.5 * (job[at.MESH_X] + job[at.MESH_Y])
    sent = ifmap_sent + weights_dram
    hops = way * (sent + psums_sent + psums_back) + (ifmap_taken + weights_taken - sent)
    hops += psums_back * (rows * job[at.CHAIN_CHANNELS] - 1.0)

    # A row of a scratchpad is read for all its words.
    window, held = q * taps_w, p * q * taps_w
    ifmap_rows = parts(window, job[at.IFMAP_BLOCK]) / window
    psum_rows = parts(p, job[at.PSUM_BLOCK]) / p
    weights_rows = parts(held, job[at.WEIGHTS_BLOCK]) / held
    counts[at.MACS] = macs
    counts[at.IFMAP_READS], counts[at.IFMAP_WRITES] = macs * ifmap_rows, ifmap_taken / job[at.IFMAP_BLOCK]
    counts[at.PSUM_READS], counts[at.PSUM_WRITES] = macs * psum_rows, macs * psum_rows
    counts[at.WEIGHTS_READS], counts[at.WEIGHTS_WRITES] = macs * weights_rows, weights_taken / job[at.WEIGHTS_BLOCK]
    counts[at.HOPS] = hops
    counts[at.GLB_READS], counts[at.GLB_WRITES] = glb_reads / job[at.GLB_BLOCK], glb_writes / job[at.GLB_BLOCK]
    counts[at.DRAM_WORDS] = ifmap_dram + weights_dram + outputs
    counts[at.IFMAP_DRAM], counts[at.WEIGHTS_DRAM], counts[at.OFMAP_DRAM] = ifmap_dram, weights_dram, outputs

    # Time.  In its last turn a PE has fewer filters and channels, and is done sooner.
    turns = turn_filters * turn_channels * folds
    busy = turns * strips * taps_w * out_w
    filled = passes * turn_channels * folds * strips * job[at.WIDTH]  # words of inputs that a PE takes
    loaded = turns * tiles * taps_w  # weights that a PE takes
    finished = turn_filters * sums * strips * out_w  # partial sums that a chain takes, and returns
    ifmap_port = busy * ifmap_rows + job[at.IFMAP_SHARED] * filled / job[at.IFMAP_BLOCK]
    weights_port = busy * weights_rows + job[at.WEIGHTS_SHARED] * loaded / job[at.WEIGHTS_BLOCK]
    psum_port = busy * psum_rows * (1.0 + job[at.PSUM_SHARED])
    pes = max(busy, ifmap_port, weights_port, psum_port)
    wait = filled * job[at.IFMAP_WAIT] + finished * job[at.PSUM_WAIT] + loaded * job[at.WEIGHTS_WAIT]
    network = (ifmap_sent + psums_sent + weights_dram) / job[at.GLB_READ_RATE]
    reads, writes, dram = glb_reads, glb_writes, counts[at.DRAM_WORDS]
    if job[at.GLB_PLAIN] > 0.0:
        filling = ifmap_dram / job[at.GLB_WRITE_RATE] + outputs / job[at.GLB_READ_RATE]
        wait += max(filling, (ifmap_dram + outputs) / job[at.DRAM_RATE])
        reads, writes, dram = reads - outputs, writes - ifmap_dram, weights_dram
    banks = (reads + writes) / (job[at.GLB_BLOCK] * job[at.GLB_ROW_RATE])
    glb = max(reads / job[at.GLB_READ_RATE], writes / job[at.GLB_WRITE_RATE], banks)
    dram /= job[at.DRAM_RATE]
    counts[at.PE_CYCLES], counts[at.WAIT_CYCLES], counts[at.NETWORK_CYCLES] = pes, wait, network
    counts[at.GLB_CYCLES], counts[at.DRAM_CYCLES] = glb, dram
    counts[at.CYCLES] = np.ceil(wait + max(pes, network, glb, dram))


@njit(cache=True, nogil=True, error_model="numpy")
def energy(job, counts):
    """Energy of counts in pJ, without what is paid per cycle."""
    total = 0.0
    for event in range(at.CYCLES):
        total += counts[event] * job[at.PRICE + event]
    return total
