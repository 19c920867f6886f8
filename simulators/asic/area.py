"""Area and power of a unit, by part.

The arbiter grows with the square of the processing elements and dominates from a few hundred on.  Buffers are charged either
for the bytes that a mapping requires, as MAESTRO does, or for the fixed 704 bytes per processing element that make the areas
published by NASAIC come out.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.constants import (
    ARBITER,
    ARBITER_LEAST,
    AREA,
    BUS,
    CELLS,
    CELLS_PER_PE,
    CELLS_PER_PE2,
    DEFAULT_CONSTANTS,
    L1,
    L1_UNIT,
    L2,
    L2_UNIT,
    LANES,
    LANES_PER_PE,
    MAC,
    POWER,
    load_constants,
)
from simulators.asic.layout import BANDWIDTH, PES
from simulators.asic.validate import check_units

Words = NDArray[np.int64]
Floats = NDArray[np.float64]

PARTS = ("pe", "l1", "l2", "noc")


@njit(cache=True, nogil=True)
def parts_of(pes: int, bandwidth: int, l1_bytes: int, l2_bytes: int, hardware: Floats) -> tuple[float, float, float, float]:
    """Area or power of the parts of a unit.

    Args:
        pes: processing elements.
        bandwidth: of the network on chip, elements per cycle.
        l1_bytes: first-level buffer of each processing element; 0 for none.
        l2_bytes: second-level buffer of the unit; 0 for none.
        hardware: ``(13,)`` float64, a row of ``ConstantSet.hardware``.

    Returns:
        Multiply-accumulators, first-level buffers, second-level buffer, network on chip: um2 or mW.
    """
    l1 = pes * hardware[L1] * math.ceil(l1_bytes / hardware[L1_UNIT])
    l2 = hardware[L2] * math.ceil(l2_bytes / hardware[L2_UNIT])
    bus = hardware[BUS] * (hardware[LANES_PER_PE] * pes + hardware[LANES]) * bandwidth
    cells = hardware[CELLS_PER_PE2] * pes * pes + hardware[CELLS_PER_PE] * pes + hardware[CELLS]
    return pes * hardware[MAC], l1, l2, bus + max(hardware[ARBITER_LEAST], hardware[ARBITER] * cells)


@njit(cache=True, nogil=True)
def _fill(units: Words, l1_bytes: Words, l2_bytes: Words, hardware: Floats, parts: Floats) -> None:
    for i in range(len(units)):
        parts[i] = parts_of(units[i, PES], units[i, BANDWIDTH], l1_bytes[i], l2_bytes[i], hardware)


def unit_areas(units: Words, constants: str = DEFAULT_CONSTANTS) -> Floats:
    """Areas of units as NASAIC counts them: 704 bytes of first-level buffer per processing element, no second level.

    Args:
        units: ``(U, UNIT_SIZE)`` int64.
        constants: ``"2019"`` or ``"2022"``.

    Returns:
        ``(U,)`` um2; they do not depend on the layers that run.

    Raises:
        DesignError: units of wrong shape or type, an unknown template, no processing elements or no bandwidth.
        UnknownNameError: no such constant set.
    """
    return _published(units, AREA, constants)


def unit_powers(units: Words, constants: str = DEFAULT_CONSTANTS) -> Floats:
    """Powers of units, mW, with the buffers of ``unit_areas``; arguments and errors are its own."""
    return _published(units, POWER, constants)


def _published(units: Words, kind: int, constants: str) -> Floats:
    l1_bytes = np.full(len(units), load_constants(constants).published_l1_bytes)
    return required(units, l1_bytes, np.zeros(len(units), np.int64), kind, constants).sum(axis=1)


def required(units: Words, l1_bytes: Words, l2_bytes: Words, kind: int = AREA, constants: str = DEFAULT_CONSTANTS) -> Floats:
    """Area or power of units with given buffers, by part.

    MAESTRO's own figure takes what a mapping requires: ``max(1, L1_REQUIRED)`` and ``max(1, L2_REQUIRED)`` bytes.

    Args:
        units: ``(U, UNIT_SIZE)`` int64.
        l1_bytes: ``(U,)`` int64, first-level buffer of each processing element.
        l2_bytes: ``(U,)`` int64, second-level buffer of the unit.
        kind: ``AREA`` (um2) or ``POWER`` (mW).
        constants: ``"2019"`` or ``"2022"``.

    Returns:
        ``(U, 4)``, columns ``PARTS``.

    Raises:
        DesignError: units of wrong shape or type, an unknown template, no processing elements or no bandwidth.
        UnknownNameError: no such constant set.
    """
    check_units(units)
    parts = np.empty((len(units), len(PARTS)))
    _fill(units, l1_bytes, l2_bytes, load_constants(constants).hardware[kind], parts)
    return parts
