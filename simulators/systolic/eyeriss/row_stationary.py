"""The mapper: of all row-stationary mappings that are enumerated, the one with the fewest cycles, then with the least energy.

Enumerated is every combination of

* filter rows in a column: every way to cut the filter into equal parts;
* output rows and sets of filters side by side, channels along a chain: the sizes of ``shapes.Layer``;
* filters and channels that a PE takes turns with, and tiles of output rows: ``shapes.SPLITS`` of what is left of each;
* inputs of a tile kept or fetched again, in the latter case with as many partial sums resident as the buffer holds,

that fits the array, the scratchpads and the buffer.  ``lower_bounds`` skips what cannot win, which does not change the result
beyond the rounding of an energy.  Of equal mappings the first in a fixed order wins, so a design always gets the same one.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from simulators.systolic.eyeriss import shapes
from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss.lower_bounds import bound, learn, less, may_win, more_reads_pj
from simulators.systolic.eyeriss.mapping import count, energy, tile_words
from simulators.systolic.eyeriss.shapes import PARTS, SIZE, all_input_rows, parts

SPLITS = shapes.SPLITS

# Columns of the list of choices in space: positions in the lists of ``shapes.Layer``, and bounds on cycles.
A, B, C, D, BOUND, UNLIMITED = range(6)
NUM_COLUMNS = 6


@njit(cache=True, nogil=True, error_model="numpy")
def shortage(hardware, shape):
    """Doublings by which the storages together fall short of the smallest tile of a layer; 0 if there is a mapping.

    The smallest tile is a filter row in a PE, with one partial sum, and an input and an output row in the buffer.
    """
    row = shape[at.TAPS_W - at.SHAPE]
    short = max(math.log2(row / hardware[at.IFMAP_WORDS]), 0.0) + max(math.log2(row / hardware[at.WEIGHTS_WORDS]), 0.0)
    tile = shape[at.WIDTH - at.SHAPE] + shape[at.OUT_W - at.SHAPE]
    return short + max(math.log2(tile / hardware[at.GLB_WORDS]), 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def find(hardware, prices, layer, choices, factors, counts):
    """Finds the best mapping of a layer that fits (``shortage`` is 0).

    Args:
        hardware: (21,) ``slots.HARDWARE``.
        prices: (12,) pJ, in the order of ``slots.COUNTS``.
        layer: ``shapes.Layer``.
        choices: (``Layer.choices`` or more, 6) to work in.
        factors: (9,) filled with the mapping, ``slots.FACTORS``.
        counts: (20,) filled with what it costs, ``slots.COUNTS``, one group of the layer.
    """
    job, trial = np.empty(at.NUM_SLOTS), np.empty(at.NUM_COUNTS)
    job[: at.PRICE] = hardware
    job[at.PRICE : at.SHAPE] = prices
    job[at.SHAPE : at.MAPPING] = layer.shape
    learn(job)
    found, first = _list_choices(job, layer, choices)
    # The most promising choice in space first: with its mapping in hand most others need not be looked at.
    _try_sets(job, layer, choices[first], trial, factors, counts)
    left = 0
    for i in range(found):
        if choices[i, UNLIMITED] <= job[at.BEST_CYCLES] and i != first:
            choices[left] = choices[i]
            left += 1
    for i in np.argsort(choices[:left, BOUND], kind="mergesort"):
        if choices[i, UNLIMITED] <= job[at.BEST_CYCLES]:
            _try_sets(job, layer, choices[i], trial, factors, counts)


@njit(cache=True, nogil=True, error_model="numpy")
def _list_choices(job, layer, choices):
    """Lists what can be laid out in space, with as many sets of filters as there is room for.

    Returns:
        How many choices there are, and the position of the one with the least bounds.
    """
    filter_rows, out_rows, channels, filter_sets, sent = (
        layer.filter_rows,
        layer.out_rows,
        layer.channels,
        layer.filter_sets,
        layer.sent,
    )
    found = first = 0
    least_cycles = least_pj = np.inf
    for a in range(len(filter_rows)):
        job[at.FILTER_ROWS], job[at.FOLDS] = filter_rows[a, SIZE], filter_rows[a, PARTS]
        if filter_rows[a, SIZE] == 0.0 or filter_rows[a, SIZE] > job[at.MESH_Y]:
            break
        for c in range(len(channels)):
            chain = channels[c, SIZE] * filter_rows[a, SIZE]
            if chain == 0.0 or chain > job[at.MESH_Y]:
                break
            job[at.CHAIN_CHANNELS], job[at.TURN_CHANNELS] = channels[c, SIZE], channels[c, PARTS]
            chains = job[at.MESH_X] * np.floor(job[at.MESH_Y] / chain)
            d = 0
            while filter_sets[d + 1, SIZE] != 0.0 and filter_sets[d + 1, SIZE] <= chains:
                d += 1
            for b in range(len(out_rows)):
                if out_rows[b, SIZE] == 0.0 or out_rows[b, SIZE] > chains:
                    break
                while filter_sets[d, SIZE] * out_rows[b, SIZE] > chains:
                    d -= 1
                job[at.OUT_ROWS], job[at.STRIPS], job[at.SENT_ONCE] = out_rows[b, SIZE], out_rows[b, PARTS], sent[a, b]
                job[at.FILTER_SETS], job[at.TURN_FILTERS] = filter_sets[d, SIZE], filter_sets[d, PARTS]
                cycles, pj, unlimited = _bound_in_space(job)
                choices[found, A], choices[found, B], choices[found, C], choices[found, D] = a, b, c, d
                choices[found, BOUND], choices[found, UNLIMITED] = cycles, unlimited
                if less(cycles, pj, least_cycles, least_pj):
                    first, least_cycles, least_pj = found, cycles, pj
                found += 1
    return found, first


@njit(cache=True, nogil=True, error_model="numpy")
def _bound_in_space(job):
    """Bounds on cycles and pJ, and one on cycles that does not fall with fewer sets of filters."""
    most = min(job[at.MOST_FILTERS], job[at.TURN_FILTERS])
    cycles, pj, unlimited, _ = bound(job, most, job[at.MOST_CHANNELS], 1.0, 1.0)
    return cycles, pj, unlimited


@njit(cache=True, nogil=True, error_model="numpy")
def _try_sets(job, layer, choice, trial, factors, counts):
    """Tries a choice in space with all numbers of sets of filters that it has room for."""
    a, b, c = int(choice[A]), int(choice[B]), int(choice[C])
    job[at.FILTER_ROWS], job[at.FOLDS] = layer.filter_rows[a, SIZE], layer.filter_rows[a, PARTS]
    job[at.CHAIN_CHANNELS], job[at.TURN_CHANNELS] = layer.channels[c, SIZE], layer.channels[c, PARTS]
    job[at.OUT_ROWS], job[at.STRIPS] = layer.out_rows[b, SIZE], layer.out_rows[b, PARTS]
    job[at.SENT_ONCE] = layer.sent[a, b]
    for d in range(int(choice[D]), -1, -1):
        job[at.FILTER_SETS], job[at.TURN_FILTERS] = layer.filter_sets[d, SIZE], layer.filter_sets[d, PARTS]
        cycles, pj, unlimited = _bound_in_space(job)
        if unlimited > job[at.BEST_CYCLES]:
            break  # fewer sets of filters leave more of the buffer to tiles, but cannot gain more than this
        if may_win(job, cycles, pj):
            _take_turns(job, trial, factors, counts)


@njit(cache=True, nogil=True, error_model="numpy")
def _take_turns(job, trial, factors, counts):
    """Tries all numbers of filters and channels that a PE may take turns with."""
    last_p = 0.0
    for i in range(len(SPLITS)):
        p = parts(job[at.TURN_FILTERS], SPLITS[i])
        if p > job[at.MOST_FILTERS] or p == last_p:
            continue
        job[at.PE_FILTERS] = last_p = p
        most = min(job[at.MOST_CHANNELS], np.floor(job[at.WEIGHTS_WORDS] / (p * job[at.TAPS_W])))
        cycles, pj, _, _ = bound(job, p, most, p, 1.0)
        if may_win(job, cycles, pj):
            last_q = 0.0
            for j in range(len(SPLITS)):
                q = parts(job[at.TURN_CHANNELS], SPLITS[j])
                if q > most or q == last_q:
                    continue
                job[at.PE_CHANNELS] = last_q = q
                cycles, pj, unlimited, untiled = bound(job, p, q, p, q)
                if unlimited > job[at.BEST_CYCLES]:
                    break  # fewer channels at a time only send more partial sums
                if may_win(job, cycles, pj):
                    _cut_tiles(job, cycles, untiled + more_reads_pj(job, p, q), trial, factors, counts)
                if q == 1.0:
                    break
        if p == 1.0:
            break


@njit(cache=True, nogil=True, error_model="numpy")
def _cut_tiles(job, cycles, untiled, trial, factors, counts):
    """Tries all tiles for a choice of everything else, which takes at least ``cycles`` and, uncut, ``untiled`` pJ."""
    height, strip, rows, taps = job[at.OUT_H], job[at.OUT_ROWS], job[at.FILTER_ROWS], job[at.TAPS_H]
    filters, channels = job[at.PE_FILTERS] * job[at.FILTER_SETS], job[at.PE_CHANNELS] * job[at.CHAIN_CHANNELS]
    passes = parts(job[at.TURN_FILTERS], job[at.PE_FILTERS])
    last = 0.0
    for k in range(len(SPLITS)):
        size = parts(job[at.STRIPS], SPLITS[k])
        if size == last:
            continue
        last = size
        tile = min(size * strip, height)
        tiles = parts(height, tile)
        job[at.TILE_ROWS] = tile
        taken = (tiles - 2.0) * strip + min(strip, height - (tiles - 1.0) * tile)
        pj = untiled + job[at.WEIGHTS] * ((tiles - 1.0) * job[at.WEIGHT_PJ] + taken * job[at.LOADED_PJ])
        if not may_win(job, cycles, pj):
            break  # smaller tiles fetch weights more often still
        inputs, psums = tile_words(job, channels, filters, tile, rows)
        if inputs + psums <= job[at.GLB_WORDS]:
            resident = min(np.floor((job[at.GLB_WORDS] - inputs) / psums), passes)
            job[at.KEEPS_INPUTS], job[at.RESIDENT_PASSES] = 0.0, resident
            fetched = all_input_rows(height, tile, taps, rows, job[at.STRIDE], job[at.DILATION]) * job[at.PLANE]
            if may_win(job, cycles, pj + (parts(passes, resident) * fetched - job[at.FETCHED]) * job[at.FETCH_PJ]):
                _keep_best(job, trial, factors, counts)
        inputs, psums = tile_words(job, job[at.CHANNELS], filters, tile, taps)
        if inputs + psums <= job[at.GLB_WORDS]:
            job[at.KEEPS_INPUTS], job[at.RESIDENT_PASSES] = 1.0, 1.0
            fetched = all_input_rows(height, tile, taps, taps, job[at.STRIDE], job[at.DILATION]) * job[at.PLANE]
            if may_win(job, cycles, pj + (fetched - job[at.FETCHED]) * job[at.FETCH_PJ]):
                _keep_best(job, trial, factors, counts)
        if size == 1.0:
            break


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_best(job, trial, factors, counts):
    count(job, trial)
    pj = energy(job, trial)
    if may_win(job, trial[at.CYCLES], pj):
        job[at.BEST_CYCLES], job[at.BEST_PJ] = trial[at.CYCLES], pj
        factors[:] = job[at.MAPPING : at.MAPPING + len(factors)]
        counts[:] = trial
