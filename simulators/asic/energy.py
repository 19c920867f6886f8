"""Energy of a layer as a whole number: hundredths of a multiply-accumulate.

Both constant sets price an access in multiply-accumulates alike (18.61 for the second-level buffer, 1.68 for the first); they
differ in what a multiply-accumulate takes.  There is no term for the network, DRAM or leakage.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic.constants import DEFAULT_CONSTANTS, load_constants
from simulators.asic.counts import (
    FILTER_L1_READ,
    FILTER_L1_WRITE,
    FILTER_L2_READ,
    FILTER_L2_WRITE,
    INPUT_L1_READ,
    INPUT_L1_WRITE,
    INPUT_L2_READ,
    INPUT_L2_WRITE,
    MACS,
    OUTPUT_L1_READ,
    OUTPUT_L1_WRITE,
    OUTPUT_L2_READ,
    OUTPUT_L2_WRITE,
)

L2_ACCESS, L1_ACCESS, MAC = 1861, 168, 100  # hundredths of a multiply-accumulate


@njit(cache=True, nogil=True)
def energy_of(figures: NDArray[np.int64]) -> int:
    """Energy of a layer on a unit, int64 in hundredths of a multiply-accumulate.

    Args:
        figures: ``(FIGURES_SIZE,)`` int64, as ``cost.layer_cost`` writes it.
    """
    l2 = figures[INPUT_L2_READ] + figures[INPUT_L2_WRITE] + figures[FILTER_L2_READ] + figures[FILTER_L2_WRITE]
    l2 += figures[OUTPUT_L2_READ] + figures[OUTPUT_L2_WRITE]
    l1 = figures[INPUT_L1_READ] + figures[INPUT_L1_WRITE] + figures[FILTER_L1_READ] + figures[FILTER_L1_WRITE]
    l1 += figures[OUTPUT_L1_READ] + figures[OUTPUT_L1_WRITE]
    return L2_ACCESS * l2 + L1_ACCESS * l1 + MAC * figures[MACS]


def nanojoules(energy: NDArray[np.int64], constants: str = DEFAULT_CONSTANTS) -> NDArray[np.float64]:
    """Turns hundredths of a multiply-accumulate into nJ.

    Args:
        energy: any shape, int64.
        constants: ``"2019"`` or ``"2022"``.

    Raises:
        UnknownNameError: no such constant set.
    """
    return np.asarray(energy, np.float64) * (load_constants(constants).mac_nj / MAC)
