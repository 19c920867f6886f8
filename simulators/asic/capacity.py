"""Whether the buffers that layers need are there: enforced in ``mode="clean"`` only, MAESTRO never does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.asic.constants import load_constants
from simulators.asic.cost import unit_figures
from simulators.asic.counts import L1_REQUIRED, L2_REQUIRED

L2_BYTES = 1 << 20
"""Second-level buffer of a unit; the paper does not say.  The largest networks need up to a few hundred KB."""


def excess(
    layers: NDArray[np.int64], mapping: NDArray[np.int8], units: NDArray[np.int64], mode: str, constants: str
) -> tuple[float, str]:
    """By how much the buffers of a design are exceeded.

    Args:
        layers: (L, LAYER_SIZE) of all networks.
        mapping: (L,) unit of each layer.
        units: (k, UNIT_SIZE).
        mode: of the cost model.
        constants: the set that says how large a first-level buffer is.

    Returns:
        The largest share above a capacity, zero or less if all fits; and which layer needs it, in words.
    """
    needs = unit_figures(layers, units, mode)[np.arange(len(layers)), mapping]
    capacities = {"L1": (L1_REQUIRED, load_constants(constants).published_l1_bytes), "L2": (L2_REQUIRED, L2_BYTES)}
    worst, words = 0.0, ""
    for level, (column, capacity) in capacities.items():
        layer = int(needs[:, column].argmax())
        amount = needs[layer, column] / capacity - 1.0
        if amount > worst:
            unit = int(mapping[layer]) + 1
            worst = float(amount)
            words = f"layer {layer} needs {needs[layer, column]} bytes of {level} on unit {unit}, which has {capacity}"
    return worst, words
