"""Designs of the space that cannot differ, on any workload."""

from __future__ import annotations

import numpy as np

from archgym import Designs, DesignSpace
from simulators.systolic.eyeriss.space import SPADS
from simulators.systolic.eyeriss.storage import CLASSES, SRAM_ROWS, has_sram, is_smart

_AS_REGISTERS = np.array([CLASSES.index({"SRAM": "regfile", "smartbuffer_SRAM": "smartbuffer_RF"}.get(c, c)) for c in CLASSES])


def canonical(designs: Designs, space: DesignSpace) -> Designs:
    """Maps each design onto the representative of those that behave and cost alike.

    Args:
        designs: (N, 26) int32 levels.
        space: of ``make_space``.

    Returns:
        (N, 26) int32; representatives map onto themselves.
    """
    result = designs.copy()
    columns = space.decode(designs)
    for name, prefix in SPADS.items():
        classes, attributes = columns[f"{prefix}_CLASS"], f"{prefix}_ATRIBUTES_"
        _small_is_registers(result, space, f"{prefix}_CLASS", columns[f"{attributes}memory_depth"])
        # A smart buffer is filled at leisure.  A plain one is filled a row at a time, with as many words as the port is wide.
        bandwidths = np.array(space[f"{attributes}write_bandwidth"].values)
        block = columns[f"{attributes}block_size"]
        for way in ("read", "write"):
            used = np.minimum(columns[f"{attributes}{way}_bandwidth"], block)
            # A PE reads a word per cycle, which the smallest bandwidth allows; only partial sums are also fetched from it.
            idle = is_smart(classes) | (way == "read" and name != "psum")
            result[:, space.index(f"{attributes}{way}_bandwidth")] = np.where(idle, 0, np.searchsorted(bandwidths, used))
    _small_is_registers(result, space, "DUMMY_BUFFER_CLASS", columns["DUMMY_BUFFER_ATTRIBUTES_depth"])
    return result


def _small_is_registers(result: Designs, space: DesignSpace, name: str, depth: np.ndarray) -> None:
    """Below 256 bytes a storage of SRAM is built of what a register file is built of."""
    column = space.index(name)
    small = has_sram(np.array(CLASSES)[result[:, column]]) & (depth < SRAM_ROWS)
    result[small, column] = _AS_REGISTERS[result[small, column]]
