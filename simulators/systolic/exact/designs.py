"""Designs as rows of numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import DesignError
from simulators.systolic.exact.layout import DATAFLOW, DESIGN, USER
from simulators.systolic.exact.lowering import DATAFLOWS

Words = NDArray[np.int64]


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
