"""Primitive costs: what the network on chip and the off-chip link take for a number of elements."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def delay(elements: int, bandwidth: int, hops: int) -> int:
    """Cycles that elements take over the network on chip.

    Args:
        elements: at least 0; none takes ``hops - 1`` cycles, as in MAESTRO.
        bandwidth: elements per cycle.
        hops: hops times the latency of one, cycles.
    """
    return hops + (elements + bandwidth - 1) // bandwidth - 1


@njit(cache=True, nogil=True)
def offchip_floor(inputs: int, filters: int, outputs: int, offchip: int) -> int:
    """Cycles that every iteration takes at least, from what the first iteration moves, double-buffered.

    Args:
        inputs: input elements of the first iteration.
        filters: filter elements of the first iteration.
        outputs: output elements of the first iteration.
        offchip: elements per cycle of the off-chip link.
    """
    return max(2 * outputs // offchip // 2, 2 * (inputs + filters) // offchip // 2)


@njit(cache=True, nogil=True)
def iteration(least: int, elements: int, bandwidth: int, hops: int) -> int:
    """Cycles of a double-buffered iteration: what it computes and what it moves overlap.

    Args:
        least: cycles of the computation, or of the off-chip link if that is slower.
        elements: elements of the larger of the two directions.
        bandwidth: elements per cycle.
        hops: hops times the latency of one, cycles.
    """
    return max(least, delay(elements, bandwidth, hops))
