"""Decoded designs as rows of numbers, the way the kernels read them (``batch``)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns
from simulators.systolic.space import DATAFLOWS
from simulators.systolic.technology import DRAMS, INT8, INT16

Floats = NDArray[np.float64]


def from_columns(columns: Columns, dram_types: Sequence[str] = DRAMS) -> Floats:
    """(N, 11) float64 of decoded designs, columns as in ``batch``; ``dram_types`` in the order of the tables' rows."""
    dataflow = columns["dataflow"]
    designs = np.empty((len(dataflow), 11))
    designs[:, 0] = columns["rows"]
    designs[:, 1] = columns["columns"]
    designs[:, 2] = codes(dataflow, DATAFLOWS)
    designs[:, 3] = columns["ifmap_kb"]
    designs[:, 4] = columns["filter_kb"]
    designs[:, 5] = columns["ofmap_kb"]
    designs[:, 6] = columns["banks"]
    designs[:, 7] = np.where(columns["precision_bits"] == 8, INT8, INT16)
    designs[:, 8] = columns["clock_mhz"]
    designs[:, 9] = codes(columns["dram_type"], dram_types)
    designs[:, 10] = columns["dram_channels"]
    return designs


def codes(values: ArrayLike, names: Sequence[str]) -> NDArray[np.int64]:
    """Index of each value in ``names``, all of which it must be one of."""
    array = np.asarray(values)
    if array.size == 1:
        return np.array([names.index(str(array.item()))])
    order = np.argsort(names)
    return order[np.searchsorted(np.asarray(names)[order], array)]
