"""Many designs on a network in one call.

``evaluate`` gives every figure of the network, ``per_layer`` the figures of each layer, ``closed`` only what has a closed
form, in a microsecond per design.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulators.systolic import layers
from simulators.systolic.exact import loops
from simulators.systolic.exact.designs import checked, pack
from simulators.systolic.exact.layout import (
    COLUMNS,
    CYCLES_INCL_PREFETCH,
    FIGURES,
    MACS,
    OFFERED_CYCLES,
    OFFERED_ELEMENTS,
    ROWS,
    TOTAL_CYCLES,
    USED_ELEMENTS,
)
from simulators.systolic.exact.lowering import check
from simulators.systolic.exact.placing import Placing
from simulators.systolic.exact.profiles import Profiles

__all__ = ["closed", "evaluate", "pack", "per_layer"]

Words = NDArray[np.int64]
Figures = dict[str, NDArray[Any]]


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
    sums = np.zeros((len(packed), len(FIGURES)), np.int64)
    loop = loops.closed_parallel if loops.threads(len(packed)) > 1 else loops.closed_serial
    loop(np.ascontiguousarray(table, np.int64), packed, sums)
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
    sums = np.zeros((len(designs), len(FIGURES)), np.int64)
    loop = loops.parallel if loops.threads(len(designs)) > 1 else loops.serial
    with profiles.lock:
        placing = Placing(table, designs)
        for chosen in placing.blocks(profiles):
            found = np.zeros((len(chosen), len(FIGURES)), np.int64)
            loop(table, designs[chosen], *placing.of(chosen), profiles.lines, profiles.counts, found)
            sums[chosen] = found
    return sums
