"""The design space of ArchGym's TimeloopGym: 26 parameters of an Eyeriss-like accelerator.

Names are ArchGym's own, flattened, with ``_`` for ``.`` and ``-`` (the misspelt ATRIBUTES is theirs).  Values and their order
are those of its ``parameters.ini``; levels are in natural order (ArchGym's decoder rotates every list by one).  The number of
PEs is a plain number instead of ``PE[0..167]``.

Every mesh width divides every number of PEs here, so that needs no rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Constraint, DesignSpace, Parameter
from simulators.systolic.eyeriss import storage
from simulators.systolic.eyeriss.storage import CLASSES, Storage

PES = tuple(range(14, 337, 14))
MESH_X = (2, 7, 14)
DEPTHS = tuple(2**power for power in range(1, 17))
GLB_DEPTHS = DEPTHS[9:]
BANKS = (16, 32, 64, 128)
BLOCKS = (1, 2, 4)
BANDWIDTHS = (2, 4, 8, 16)

SPADS = {"ifmap": "IFMAP_SPAD", "psum": "PSUM_SPAD", "weights": "WEIGHTS_SPAD"}
_SPAD_DEPTHS = {"ifmap": 16, "psum": 16, "weights": 256}  # 12, 16 and 192 in ArchGym's template; two are off its own grid
_HELD = {"ifmap": "inputs", "psum": "partial sums", "weights": "weights"}


def make_space() -> DesignSpace:
    """26 parameters in six groups, 2,154,550,209,231,716,352 designs; the default is the point next to ArchGym's template."""
    array = (
        Parameter("NUM_PEs", PES, unit="PEs", group="array", default=168, doc="processing elements"),
        Parameter(
            "MAC_MESH_X", MESH_X, unit="PEs", group="array", default=14, doc="PEs side by side; the others are above them"
        ),
    )
    spads = [parameter for name in SPADS for parameter in _spad(name)]
    return DesignSpace((*array, *spads, *_dummy_buffer(), *_global_buffer()), _RULES, name="eyeriss")


def _spad(name: str) -> list[Parameter]:
    group, prefix, held = f"{name}_spad", SPADS[name], _HELD[name]
    attributes = f"{prefix}_ATRIBUTES_"
    return [
        _class(
            f"{prefix}_CLASS", group, "smartbuffer_SRAM", f"cells of each PE's store of {held}, with own addresses or without"
        ),
        Parameter(f"{attributes}memory_depth", DEPTHS, unit="rows", group=group, default=_SPAD_DEPTHS[name], doc="rows"),
        Parameter(f"{attributes}block_size", BLOCKS, unit="words", group=group, default=1, doc="words of 16 bits in a row"),
        Parameter(f"{attributes}read_bandwidth", BANDWIDTHS, unit="words/cycle", group=group, default=2, doc="words read"),
        Parameter(f"{attributes}write_bandwidth", BANDWIDTHS, unit="words/cycle", group=group, default=2, doc="words written"),
    ]


def _dummy_buffer() -> list[Parameter]:
    group, attributes = "dummy_buffer", "DUMMY_BUFFER_ATTRIBUTES_"
    return [
        _class(
            "DUMMY_BUFFER_CLASS", group, "SRAM", "cells of the 14 buffers between global buffer and PEs, which hold nothing"
        ),
        Parameter(f"{attributes}depth", DEPTHS, unit="rows", group=group, default=16, doc="rows"),
        Parameter(f"{attributes}block_size", BLOCKS, unit="words", group=group, default=1, doc="words of 16 bits in a row"),
    ]


def _global_buffer() -> list[Parameter]:
    group, attributes = "global_buffer", "SHARED_GLB_ATTRIBUTES_"
    return [
        _class("SHARED_GLB_CLASS", group, "smartbuffer_SRAM", "cells of the buffer of inputs and partial sums"),
        Parameter(f"{attributes}memory_depth", GLB_DEPTHS, unit="rows", group=group, default=16384, doc="rows of 64 bits"),
        Parameter(f"{attributes}n_banks", BANKS, unit="banks", group=group, default=32, doc="equal banks with a port each"),
        Parameter(
            f"{attributes}block_size", BLOCKS, unit="words", group=group, default=4, doc="words of 16 bits used of a row"
        ),
        Parameter(
            f"{attributes}read_bandwidth", BANDWIDTHS, unit="words/cycle", group=group, default=16, doc="words to the PEs"
        ),
        Parameter(
            f"{attributes}write_bandwidth", BANDWIDTHS, unit="words/cycle", group=group, default=16, doc="words from them"
        ),
    ]


def _class(name: str, group: str, default: str, doc: str) -> Parameter:
    return Parameter(name, CLASSES, ordered=False, group=group, default=default, doc=doc)


def spad(columns: Columns, name: str) -> Storage:
    """Prices the scratchpads "ifmap", "psum" or "weights" of decoded designs."""
    prefix = SPADS[name]
    attributes = f"{prefix}_ATRIBUTES_"
    return storage.scratchpad(
        columns[f"{prefix}_CLASS"], columns[f"{attributes}memory_depth"], columns[f"{attributes}block_size"]
    )


def dummy_buffer(columns: Columns) -> Storage:
    """Prices one dummy buffer of decoded designs."""
    attributes = "DUMMY_BUFFER_ATTRIBUTES_"
    return storage.scratchpad(columns["DUMMY_BUFFER_CLASS"], columns[f"{attributes}depth"], columns[f"{attributes}block_size"])


def global_buffer(columns: Columns) -> Storage:
    """Prices the global buffer of decoded designs."""
    attributes = "SHARED_GLB_ATTRIBUTES_"
    return storage.global_buffer(
        columns["SHARED_GLB_CLASS"],
        columns[f"{attributes}memory_depth"],
        columns[f"{attributes}n_banks"],
        columns[f"{attributes}block_size"],
    )


def _ifmap_in_table(columns: Columns) -> NDArray[np.float64]:
    return _outside(columns, "ifmap")


def _psum_in_table(columns: Columns) -> NDArray[np.float64]:
    return _outside(columns, "psum")


def _weights_in_table(columns: Columns) -> NDArray[np.float64]:
    return _outside(columns, "weights")


def _outside(columns: Columns, name: str) -> NDArray[np.float64]:
    prefix = SPADS[name]
    return storage.scratchpad_outside(columns[f"{prefix}_CLASS"], columns[f"{prefix}_ATRIBUTES_memory_depth"])


def _dummy_in_table(columns: Columns) -> NDArray[np.float64]:
    return storage.scratchpad_outside(columns["DUMMY_BUFFER_CLASS"], columns["DUMMY_BUFFER_ATTRIBUTES_depth"])


def _banks_in_table(columns: Columns) -> NDArray[np.float64]:
    depth, banks = columns["SHARED_GLB_ATTRIBUTES_memory_depth"], columns["SHARED_GLB_ATTRIBUTES_n_banks"]
    return storage.global_buffer_outside(columns["SHARED_GLB_CLASS"], depth, banks)


def _spads_below_glb(columns: Columns) -> NDArray[np.float64]:
    words = [columns[f"{spad}_ATRIBUTES_memory_depth"] * columns[f"{spad}_ATRIBUTES_block_size"] for spad in SPADS.values()]
    glb = columns["SHARED_GLB_ATTRIBUTES_memory_depth"] * columns["SHARED_GLB_ATTRIBUTES_block_size"]
    return np.asarray(np.maximum(np.log2(np.max(words, axis=0) / glb), 0.0))


_SPAD_TABLE = (
    "nothing smaller than 12 rows and no register file of more than 512 has been measured, and nothing is extrapolated"
)

_RULES = (
    Constraint("ifmap_spad_in_table", _ifmap_in_table, _SPAD_TABLE),
    Constraint("psum_spad_in_table", _psum_in_table, _SPAD_TABLE),
    Constraint("weights_spad_in_table", _weights_in_table, _SPAD_TABLE),
    Constraint("dummy_buffer_in_table", _dummy_in_table, _SPAD_TABLE),
    Constraint(
        "glb_banks_in_table",
        _banks_in_table,
        "a bank has 32 rows or more of SRAM, 12 to 512 of registers: nothing else has been measured",
    ),
    Constraint(
        "spads_below_glb",
        _spads_below_glb,
        "a scratchpad larger than the buffer that serves all PEs could never be filled",
    ),
)
