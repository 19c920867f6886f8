"""Checks what callers hand to the cost model; the kernels check nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArgumentError, DesignError, UnknownNameError, WorkloadError
from simulators.asic.layout import (
    BANDWIDTH,
    DSCONV,
    KIND,
    LAYER_SIZE,
    MODES,
    PES,
    TEMPLATE,
    TEMPLATES,
    UNIT_SIZE,
    C,
    K,
    R,
    S,
    X,
    Y,
)

Words = NDArray[np.int64]

# So much that neither cycles nor energy of a layer reach ``counts.IMPOSSIBLE``.
MOST_WORK = 1 << 40  # K C R S Y X
MOST_HARDWARE = 1 << 24  # processing elements, elements per cycle
MOST_HOPS = 1000


def check_layers(layers: Words) -> None:
    """Refuses what is no table of layers.

    Raises:
        WorkloadError: not ``(L, LAYER_SIZE)`` int64, an unknown kind, a size below 1, a depthwise layer with more than one
            filter per channel, a filter larger than its input, or K C R S Y X above 2**40.
    """
    if layers.dtype != np.int64 or layers.ndim != 2 or layers.shape[1] != LAYER_SIZE:
        raise WorkloadError(f"asic: layers must be (L, {LAYER_SIZE}) int64, got {layers.shape} {layers.dtype}")
    kinds, sizes = layers[:, KIND], layers[:, K:]
    _refuse((kinds < 0) | (kinds > DSCONV), layers, "kind must be 0 (CONV) or 1 (DSCONV)")
    _refuse((sizes < 1).any(axis=1), layers, "sizes and stride must be at least 1")
    _refuse((kinds == DSCONV) & (layers[:, K] != 1), layers, "a depthwise layer has K = 1 filter per channel")
    too_large = (layers[:, R] > layers[:, Y]) | (layers[:, S] > layers[:, X])
    _refuse(too_large, layers, "the filter is larger than the input; Y and X are those of the padded input")
    work = np.prod(layers[:, [K, C, R, S, Y, X]].astype(np.float64), axis=1)
    _refuse(work > MOST_WORK, layers, f"K C R S Y X is {work.max(initial=0):.3g}, at most {MOST_WORK} can be counted")


def check_units(units: Words) -> None:
    """Refuses what is no table of units.

    Raises:
        DesignError: not ``(U, UNIT_SIZE)`` int64, an unknown template, or processing elements or elements per cycle outside 1
            to 2**24.
    """
    if units.dtype != np.int64 or units.ndim != 2 or units.shape[1] != UNIT_SIZE:
        raise DesignError(f"asic: units must be (U, {UNIT_SIZE}) int64, got {units.shape} {units.dtype}")
    templates = units[:, TEMPLATE]
    amounts = units[:, [PES, BANDWIDTH]]
    wrong = (templates < 0) | (templates >= len(TEMPLATES)) | ((amounts < 1) | (amounts > MOST_HARDWARE)).any(axis=1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        known = ", ".join(f"{code} ({name})" for code, name in enumerate(TEMPLATES))
        raise DesignError(
            f"asic: unit {row} is {units[row].tolist()}: expected a template {known}, and 1 to {MOST_HARDWARE} processing "
            "elements and elements per cycle"
        )


def check(layers: Words, units: Words, mode: str, hops: int, offchip: int) -> int:
    """Refuses what the cost model cannot price.

    Returns:
        The mode as the kernels take it.

    Raises:
        WorkloadError: see ``check_layers``.
        DesignError: see ``check_units``.
        UnknownNameError: no such mode.
        ArgumentError: hops outside 0 to 1000, or no off-chip bandwidth.
    """
    if mode not in MODES:
        raise UnknownNameError("mode", mode, MODES, owner="asic")
    if not 0 <= hops <= MOST_HOPS or offchip < 1:
        raise ArgumentError(f"asic: hops must be 0 to {MOST_HOPS} and off-chip bandwidth at least 1, got {hops} and {offchip}")
    check_layers(layers)
    check_units(units)
    return MODES.index(mode)


def _refuse(wrong: NDArray[np.bool_], layers: Words, rule: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise WorkloadError(f"asic: layer {row} is {layers[row].tolist()} (kind, K, C, R, S, Y, X, stride): {rule}")
