"""Many designs at once: the physical model over all layers of a network, in parallel over designs."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from simulators.systolic.physical import QUANTITIES, layer_needs


@numba.njit(cache=True, nogil=True)
def _one_design(
    design: NDArray[np.float64],
    shapes: NDArray[np.float64],
    blocks: NDArray[np.float64],
    switches: NDArray[np.bool_],
    totals: NDArray[np.float64],
) -> None:
    needs = np.empty(QUANTITIES)
    totals[:] = 0.0
    for layer in range(len(shapes)):
        layer_needs(design, shapes[layer], blocks[layer], switches, needs)
        for quantity in range(QUANTITIES):
            totals[quantity] += needs[quantity]


@numba.njit(cache=True, nogil=True)
def _serial(
    designs: NDArray[np.float64],
    shapes: NDArray[np.float64],
    blocks: NDArray[np.float64],
    switches: NDArray[np.bool_],
    totals: NDArray[np.float64],
) -> None:
    for index in range(len(designs)):
        _one_design(designs[index], shapes, blocks, switches, totals[index])


@numba.njit(cache=True, nogil=True, parallel=True)
def _parallel(
    designs: NDArray[np.float64],
    shapes: NDArray[np.float64],
    blocks: NDArray[np.float64],
    switches: NDArray[np.bool_],
    totals: NDArray[np.float64],
) -> None:
    for index in numba.prange(len(designs)):
        _one_design(designs[index], shapes, blocks, switches, totals[index])


SMALL = 64
"""Batches up to this size are not worth waking threads for."""


def network_needs(
    designs: NDArray[np.float64],
    shapes: NDArray[np.float64],
    blocks: NDArray[np.float64],
    switches: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """What each design needs for the whole network.

    Args:
        designs: (N, 9), see ``physical``.
        shapes: (L, 7), of ``Prepared``.
        blocks: (L, B, 4), of ``Prepared``.
        switches: (5,), in the order of ``Switches``.

    Returns:
        (N, QUANTITIES), summed over layers; infinite where a layer's smallest tile does not fit.
    """
    totals = np.empty((len(designs), QUANTITIES))
    kernel = _serial if len(designs) <= SMALL else _parallel
    kernel(designs, shapes, blocks, switches, totals)
    return totals


def layers_needs(
    design: NDArray[np.float64],
    shapes: NDArray[np.float64],
    blocks: NDArray[np.float64],
    switches: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """What one design (9,) needs for each distinct layer: (L, QUANTITIES)."""
    needs = np.empty((len(shapes), QUANTITIES))
    for layer in range(len(shapes)):
        layer_needs(design, shapes[layer], blocks[layer], switches, needs[layer])
    return needs
