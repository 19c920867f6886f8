"""Many designs on a network in one call.

``evaluate`` gives every figure of the network, ``per_layer`` the figures of each layer, ``closed`` only what has a closed
form, a thousand times faster.
"""

from __future__ import annotations

import os
import threading
from typing import Any

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import ArrayLike, NDArray

from archgym.errors import DesignError
from simulators.systolic import layers
from simulators.systolic.exact import closed as forms
from simulators.systolic.exact.clock import Reads
from simulators.systolic.exact.layout import (
    COLUMNS,
    COMPUTE_CYCLES,
    CYCLES_INCL_PREFETCH,
    DATAFLOW,
    DESIGN,
    DRAM_FILTER,
    DRAM_IFMAP,
    DRAM_OFMAP,
    FIGURES,
    FILTER_KB,
    IFMAP_KB,
    MACS,
    OFFERED_CYCLES,
    OFFERED_ELEMENTS,
    REPORT,
    ROWS,
    TOTAL_CYCLES,
    USED_ELEMENTS,
    USER,
)
from simulators.systolic.exact.lowering import DATAFLOWS, check, folds, shape
from simulators.systolic.exact.price import closed_figures, price
from simulators.systolic.exact.profiles import Profiles, sizes_of

Words = NDArray[np.int64]
Figures = dict[str, NDArray[Any]]

BLOCK = 512  # designs whose profiles are held at the same time
LENGTH = len(FIGURES)
REPORT_LENGTH = len(REPORT)

# The thread pool that Numba starts does not survive a fork: a child process runs its designs one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)


def pack(**columns: ArrayLike) -> Words:
    """Designs as rows of numbers.

    Args:
        columns: the names in ``layout.DESIGN``, each a number or an array of N numbers; ``dataflow`` may be spelled.

    Returns:
        (N, 10) int64.

    Raises:
        DesignError: a missing or unknown column, or a value out of range.
    """
    if set(columns) != set(DESIGN):
        raise DesignError(f"systolic: a design has the columns {', '.join(DESIGN)}; got {', '.join(sorted(columns))}")
    dataflow = np.asarray(columns["dataflow"])
    if dataflow.dtype.kind in "UO":
        unknown = set(dataflow.ravel().tolist()) - set(DATAFLOWS)
        if unknown:
            raise DesignError(f"systolic: dataflow must be one of {', '.join(DATAFLOWS)}, got {sorted(map(str, unknown))[0]}")
        columns["dataflow"] = np.vectorize(DATAFLOWS.index, otypes=[np.int64])(dataflow)
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(columns[name])) for name in DESIGN))
    return checked(np.stack(arrays, axis=-1))


def checked(designs: ArrayLike) -> Words:
    """The same designs as a contiguous array.

    Raises:
        DesignError: another shape than (N, 10), or a value out of range.
    """
    given = np.asarray(designs)
    packed = np.ascontiguousarray(given, np.int64)
    if packed.ndim != 2 or packed.shape[1] != len(DESIGN):
        raise DesignError(f"systolic: packed designs must have shape (N, {len(DESIGN)}), got {packed.shape}")
    if (packed != given).any():
        raise DesignError(f"systolic: packed designs must be whole numbers, got {given[packed != given][0]}")
    for place, name in enumerate(DESIGN):
        low, high = {DATAFLOW: (0, len(DATAFLOWS) - 1), USER: (0, 1)}.get(place, (1, np.iinfo(np.int64).max))
        wrong = (packed[:, place] < low) | (packed[:, place] > high)
        if wrong.any():
            raise DesignError(f"systolic: {name} must be from {low} to {high}, got {packed[wrong][0, place]}")
    return packed


def evaluate(table: Words, designs: ArrayLike, profiles: Profiles) -> Figures:
    """Figures of a network: sums over its layers, repeats included.

    Args:
        table: layers, see ``simulators.systolic.layers.COLUMNS``.
        designs: (N, 10) int64, see ``layout.DESIGN`` and ``pack``.
        profiles: where misses are kept between calls.

    Returns:
        The names in ``layout.FIGURES``, each (N,) int64, and ``overall_util``, ``mapping_eff`` and ``compute_util`` (%).

    Raises:
        WorkloadError: layers that the reference program does not know, see ``lowering.check``.
        DesignError: designs of another shape or out of range.
    """
    check(table)
    packed = checked(designs)
    return summarise(_sums(np.ascontiguousarray(table, np.int64), packed, profiles), packed)


def per_layer(table: Words, designs: ArrayLike, profiles: Profiles) -> Figures:
    """Figures of each layer, run once: as ``evaluate``, each (N, L)."""
    check(table)
    packed = checked(designs)
    once = np.ascontiguousarray(table, np.int64).copy()
    once[:, layers.REPEATS] = 1
    found = [summarise(_sums(once[i : i + 1], packed, profiles), packed) for i in range(len(once))]
    return {name: np.stack([one[name] for one in found], axis=-1) for name in found[0]}


def closed(table: Words, designs: ArrayLike) -> Figures:
    """What has a closed form: exact without stalls (CALC), a bound from below with stalls (USER).

    Args:
        table: see ``evaluate``.
        designs: see ``evaluate``; bandwidths and the bandwidth mode are not looked at.

    Returns:
        As ``evaluate``, without ``total_cycles_incl_prefetch``.  ``dram_ifmap_n`` counts only layers in which it has a closed
        form; ``dram_ofmap_n`` is the number of words that leave the array, without what the program adds to it.

    Raises:
        WorkloadError: see ``evaluate``.
        DesignError: see ``evaluate``.
    """
    check(table)
    packed = checked(designs)
    sums = np.zeros((len(packed), LENGTH), np.int64)
    threads = _threads(len(packed))
    (_closed_parallel if threads > 1 else _closed_serial)(np.ascontiguousarray(table, np.int64), packed, sums)
    found = summarise(sums, packed)
    del found[FIGURES[CYCLES_INCL_PREFETCH]]
    return found


def summarise(sums: Words, designs: Words) -> Figures:
    """Names the figures (N, ``layout.FIGURES``) and adds the utilisations."""
    found: Figures = {name: sums[:, place] for place, name in enumerate(FIGURES)}
    with np.errstate(divide="ignore"):  # a product of one by one on one element takes no cycle
        found["overall_util"] = 100 * sums[:, MACS] / (sums[:, TOTAL_CYCLES] * designs[:, ROWS] * designs[:, COLUMNS])
    found["mapping_eff"] = 100 * sums[:, USED_ELEMENTS] / sums[:, OFFERED_ELEMENTS]
    found["compute_util"] = 100 * sums[:, MACS] / sums[:, OFFERED_CYCLES]
    return found


def _sums(table: Words, designs: Words, profiles: Profiles) -> Words:
    """Figures (N, ``layout.FIGURES``) of the network."""
    sums = np.zeros((len(designs), LENGTH), np.int64)
    # Sorted, so that designs of a block share most of what they need.
    order = np.lexsort(designs[:, [FILTER_KB, IFMAP_KB, COLUMNS, ROWS, DATAFLOW, USER]].T)
    for start in range(0, len(order), BLOCK):
        chosen = order[start : start + BLOCK]
        block, found = designs[chosen], np.zeros((len(chosen), LENGTH), np.int64)
        with profiles.lock:
            places = _places(table, block, profiles)
            batch = _parallel if _threads(len(block)) > 1 else _serial
            batch(table, block, *places, profiles.lines, profiles.counts, found)
        sums[chosen] = found
    return sums


def _places(table: Words, block: Words, profiles: Profiles) -> tuple[Words, Words, Words, Words]:
    """Where the misses of the input and of the filters are.

    Returns:
        For the input, then for the filters: the number of each design's combination of array, dataflow and size, (N,); and for
        each combination and layer its ``profiles.Place``, (U, L, 3), zeros where a closed form is enough.
    """
    wanted, slots, answer = [], [], []
    sizes = [sizes_of(layer) for layer in table]
    for is_ifmap, kilobytes in ((True, IFMAP_KB), (False, FILTER_KB)):
        combinations, numbers = np.unique(block[:, [DATAFLOW, ROWS, COLUMNS, kilobytes, USER]], axis=0, return_inverse=True)
        places = np.zeros((len(combinations), len(table), 3), np.int64)
        needed = _needs_profile(table, combinations, is_ifmap)
        for u, combination in enumerate(map(tuple, combinations.tolist())):
            for layer in np.flatnonzero(needed[u]).tolist():
                wanted.append((sizes[layer], is_ifmap, combination))
                slots.append((places, u, layer))
        answer += [numbers.reshape(-1), places]
    for (places, u, layer), place in zip(slots, profiles.require(wanted), strict=True):
        places[u, layer] = place
    return answer[0], answer[1], answer[2], answer[3]


def _threads(designs: int) -> int:
    return 1 if _forked.is_set() else max(1, min(get_num_threads(), designs))


@njit(cache=True, nogil=True)
def _needs_profile(table: Words, combinations: Words, is_ifmap: bool) -> NDArray[np.bool_]:
    """Which layers have no closed form on which combinations of (dataflow, rows, columns, KB, USER)."""
    needed = np.zeros((len(combinations), len(table)), np.bool_)
    for u in range(len(combinations)):
        for i in range(len(table)):
            of = shape(table[i])
            cut = folds(of, combinations[u, 0], combinations[u, 1], combinations[u, 2])
            calc = is_ifmap and forms.ifmap_reads(of, cut, combinations[u, 3]) == forms.UNKNOWN
            needed[u, i] = combinations[u, 4] == 1 or calc
    return needed


@njit(cache=True, nogil=True)
def _one(
    table: Words,
    design: Words,
    ifmap_places: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    nothing: Words,
    figures: Words,
    sums: Words,
) -> None:
    """Adds up the layers of a design; places are (L, 3)."""
    for i in range(len(table)):
        of = shape(table[i])
        cut = folds(of, design[DATAFLOW], design[ROWS], design[COLUMNS])
        ifmap = Reads(ifmap_places[i, 0], ifmap_places[i, 1], ifmap_places[i, 2], -1)
        filters = Reads(filter_places[i, 0], filter_places[i, 1], filter_places[i, 2], -1)
        if design[USER] == 0:
            # Only whether a set was ever full matters here, not when.
            reads = forms.ifmap_reads(of, cut, design[IFMAP_KB])
            reads = ifmap.amount if reads == forms.UNKNOWN else reads
            ifmap = Reads(0, 0, reads, 0 if reads >= forms.capacity(design[IFMAP_KB]) else -1)
            reads = forms.filter_reads(of, cut, design[FILTER_KB])
            filters = Reads(0, 0, reads, 0 if reads >= forms.capacity(design[FILTER_KB]) else -1)
        price(of, cut, design, lines, counts, ifmap, filters, nothing, figures)
        for figure in range(LENGTH):
            sums[figure] += figures[figure] * table[i, layers.REPEATS]


@njit(cache=True, nogil=True)
def _serial(
    table: Words,
    designs: Words,
    ifmap_numbers: Words,
    ifmap_places: Words,
    filter_numbers: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    sums: Words,
) -> None:
    nothing, figures = np.empty(0, np.int64), np.zeros(REPORT_LENGTH, np.int64)
    for design in range(len(designs)):
        ifmap, filters = ifmap_places[ifmap_numbers[design]], filter_places[filter_numbers[design]]
        _one(table, designs[design], ifmap, filters, lines, counts, nothing, figures, sums[design])


@njit(cache=True, parallel=True)
def _parallel(
    table: Words,
    designs: Words,
    ifmap_numbers: Words,
    ifmap_places: Words,
    filter_numbers: Words,
    filter_places: Words,
    lines: Words,
    counts: Words,
    sums: Words,
) -> None:
    for design in prange(len(designs)):
        nothing, figures = np.empty(0, np.int64), np.zeros(REPORT_LENGTH, np.int64)
        ifmap, filters = ifmap_places[ifmap_numbers[design]], filter_places[filter_numbers[design]]
        _one(table, designs[design], ifmap, filters, lines, counts, nothing, figures, sums[design])


@njit(cache=True, nogil=True)
def _closed_one(table: Words, design: Words, figures: Words, sums: Words) -> None:
    for i in range(len(table)):
        of = shape(table[i])
        cut = folds(of, design[DATAFLOW], design[ROWS], design[COLUMNS])
        closed_figures(of, cut, figures)
        figures[TOTAL_CYCLES] = figures[COMPUTE_CYCLES] - 1
        figures[DRAM_IFMAP] = max(0, forms.ifmap_reads(of, cut, design[IFMAP_KB]))
        figures[DRAM_FILTER] = forms.filter_reads(of, cut, design[FILTER_KB])
        figures[DRAM_OFMAP] = forms.ofmap_words(of, cut)
        for figure in range(LENGTH):
            sums[figure] += figures[figure] * table[i, layers.REPEATS]


@njit(cache=True, nogil=True)
def _closed_serial(table: Words, designs: Words, sums: Words) -> None:
    figures = np.zeros(LENGTH, np.int64)
    for design in range(len(designs)):
        _closed_one(table, designs[design], figures, sums[design])


@njit(cache=True, parallel=True)
def _closed_parallel(table: Words, designs: Words, sums: Words) -> None:
    for design in prange(len(designs)):
        figures = np.zeros(LENGTH, np.int64)
        _closed_one(table, designs[design], figures, sums[design])
