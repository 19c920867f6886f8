"""Many designs at once: the mapper over all layers, in parallel over designs."""

from __future__ import annotations

import os
import threading

import numpy as np
from numba import get_num_threads, njit, prange
from numpy.typing import NDArray

from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss.row_stationary import NUM_COLUMNS, find, shortage
from simulators.systolic.eyeriss.shapes import Layer

Floats = NDArray[np.float64]

SMALL = 16
"""Batches up to this size are not worth waking threads for."""

# The thread pool that Numba starts does not survive a fork: a child process maps its designs one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)


def map_designs(hardware: Floats, prices: Floats, layers: Layer) -> tuple[Floats, Floats]:
    """Finds the best mapping of every layer on every design.

    Args:
        hardware: (N, 21).
        prices: (N, 12).
        layers: of a workload, leading axis (L,).

    Returns:
        (N, L, 20) counts, all groups and repeats of a layer together, NaN for a design on which some layer does not fit; and
        (N, L) by how many doublings each layer does not fit, 0 where it does.
    """
    counts = np.empty((len(hardware), len(layers.shape), at.NUM_COUNTS))
    short = np.empty((len(hardware), len(layers.shape)))
    parallel = len(hardware) > SMALL and get_num_threads() > 1 and not _forked.is_set()
    (_parallel if parallel else _serial)(hardware, prices, layers, layers.choices, counts, short)
    return counts, short


def map_design(hardware: Floats, prices: Floats, layers: Layer) -> Floats:
    """The mapping of every layer on one design on which all fit: (L, 9) ``slots.FACTORS``."""
    factors, counts = np.empty((len(layers.shape), len(at.FACTORS))), np.empty(at.NUM_COUNTS)
    choices = np.empty((layers.choices, NUM_COLUMNS))
    for index in range(len(layers.shape)):
        layer = Layer(*(table[index] for table in layers))
        find(hardware, prices, layer, choices, factors[index], counts)
    return factors


@njit(cache=True, nogil=True, error_model="numpy")
def _one(hardware, prices, layers, room, counts, short):
    fits = True
    for index in range(len(layers.shape)):
        short[index] = shortage(hardware, layers.shape[index])
        fits &= short[index] == 0.0
    if not fits:
        counts[:] = np.nan
        return
    choices, factors = np.empty((room, NUM_COLUMNS)), np.empty(len(at.FACTORS))
    for index in range(len(layers.shape)):
        layer = Layer(
            layers.shape[index],
            layers.repeats[index],
            layers.filter_rows[index],
            layers.out_rows[index],
            layers.channels[index],
            layers.filter_sets[index],
            layers.sent[index],
        )
        find(hardware, prices, layer, choices, factors, counts[index])
        counts[index] *= layers.repeats[index, 0]


@njit(cache=True, nogil=True, error_model="numpy")
def _serial(hardware, prices, layers, room, counts, short):
    for design in range(len(hardware)):
        _one(hardware[design], prices[design], layers, room, counts[design], short[design])


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _parallel(hardware, prices, layers, room, counts, short):
    for design in prange(len(hardware)):
        _one(hardware[design], prices[design], layers, room, counts[design], short[design])
