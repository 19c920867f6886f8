"""Constants of the energy and area model, read from ``data/technology.toml``, and the tables that the kernels take.

``constants`` has every number with its unit, source and certainty.  ``technology`` puts those of one node together, raw or
calibrated: raw is what the published tables add up to, calibrated meets the chips that the factors were fitted to
(``calibration`` in the file says to which).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownNameError
from simulators.systolic import sram

Floats = NDArray[np.float64]

FILE = Path(__file__).parent / "data" / "technology.toml"
NODES = sram.NODES
SETTINGS = ("raw", "calibrated")

FORMATS = ("int4", "int8", "int16", "int32", "fp16", "bf16", "fp32")
INT4, INT8, INT16, INT32, FP16, BF16, FP32 = range(len(FORMATS))
DRAMS = ("ddr3-1600", "ddr4-3200", "lpddr4-3200", "gddr5-7000", "hbm2")

# Columns of ``Tables.formats``, of ``Tables.drams`` and entries of ``Tables.scalars``.
BITS, MAC_PJ, CELL_UM2, STANDING_PJ = range(4)
DRAM_PJ_PER_BIT, DRAM_GB_PER_S = range(2)
REGISTER_PJ_PER_BIT, LINK_PJ_PER_BIT_MM, HOP_PJ_PER_BIT, SUM_BITS, OTHER_AREA_SHARE, SRAM_ENERGY, SRAM_AREA = range(7)


@dataclass(frozen=True)
class Constant:
    """One number of the model.

    Attributes:
        value: the number.
        unit: what it is in.
        source: where it is from.
        certainty: A read or computed, B published and checked against others, C recalled.
    """

    value: float
    unit: str
    source: str
    certainty: str


class Tables(NamedTuple):
    """What the kernels read: figures of one node, calibration included except where ``scalars`` holds a factor.

    Attributes:
        scalars: ``(7,)``, indices ``REGISTER_PJ_PER_BIT`` to ``SRAM_AREA``.
        formats: ``(7, 4)``, a row per number format, columns ``BITS`` to ``STANDING_PJ``: bits of an operand, pJ per
            multiply-accumulate, um2 per cell, standing pJ per cell and cycle.
        drams: ``(5, 2)``, a row per ``DRAMS``, columns ``DRAM_PJ_PER_BIT`` and ``DRAM_GB_PER_S``.
        sram: ``(3, 6, 14)`` as ``sram.table``, not calibrated (the two factors are in ``scalars``).
    """

    scalars: Floats
    formats: Floats
    drams: Floats
    sram: Floats


@dataclass(frozen=True, eq=False)
class Technology:
    """The constants of one node.

    Attributes:
        node_nm: 45, 32, 28 or 22.
        setting: ``"raw"`` or ``"calibrated"``.
        tables: what the kernels read.
    """

    node_nm: int
    setting: str
    tables: Tables


@cache
def constants() -> Mapping[str, Constant]:
    """Every constant by its dotted name, for example ``mac.int8.energy``."""
    return MappingProxyType(dict(_flat(tomllib.loads(FILE.read_text()), "")))


def _flat(content: dict[str, Any], prefix: str) -> Iterator[tuple[str, Constant]]:
    for key, inner in content.items():
        if isinstance(inner, dict) and "value" in inner:
            yield f"{prefix}{key}", Constant(**inner)
        elif isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{key}.")
        else:  # bits of a number format: exact by definition
            yield f"{prefix}{key}", Constant(inner, "bit", "by definition", "A")


def value(name: str) -> float:
    """The value of one constant.

    Raises:
        UnknownNameError: no such constant.
    """
    known = constants()
    if name not in known:
        raise UnknownNameError("constant", name, known, "systolic")
    return float(known[name].value)


@cache
def technology(node_nm: int = 28, setting: str = "calibrated") -> Technology:
    """Puts the constants of a node together.

    Raises:
        UnknownNameError: a node without an SRAM table, or a setting other than raw and calibrated.
    """
    if node_nm not in NODES:
        raise UnknownNameError("node", node_nm, NODES, "systolic")
    if setting not in SETTINGS:
        raise UnknownNameError("setting", setting, SETTINGS, "systolic")
    tables = Tables(
        scalars=_scalars(node_nm, setting),
        formats=np.array([_format(name, node_nm, setting) for name in FORMATS]),
        drams=np.array([[value(f"dram.{name}.{kind}") for kind in ("energy", "bandwidth")] for name in DRAMS]),
        sram=_sram(node_nm, setting),
    )
    for part in tables:
        part.flags.writeable = False
    return Technology(node_nm, setting, tables)


def _scalars(node_nm: int, setting: str) -> Floats:
    energy = value(f"node.{node_nm}.energy")
    scalars = np.empty(7)
    scalars[REGISTER_PJ_PER_BIT] = value("cell.register_energy") * energy
    scalars[LINK_PJ_PER_BIT_MM] = value("wire.link") * energy
    scalars[HOP_PJ_PER_BIT] = value("wire.hop") * energy
    scalars[SUM_BITS] = value("cell.sum_bits")
    scalars[OTHER_AREA_SHARE] = value("other.area")
    scalars[SRAM_ENERGY] = value(f"calibration.{setting}.sram_energy")
    scalars[SRAM_AREA] = value(f"calibration.{setting}.sram_area")
    return scalars


def _format(name: str, node_nm: int, setting: str) -> Floats:
    """A row of ``Tables.formats``; standing energy goes with the register bits of the cell and with the node's energy."""
    energy, area = value(f"node.{node_nm}.energy"), value(f"node.{node_nm}.area")
    register_bits = cell_bits(name)
    fitted_at = value("node.28.energy") * cell_bits("int8")
    row = np.empty(4)
    row[BITS] = value(f"mac.{name}.bits")
    row[MAC_PJ] = value(f"mac.{name}.energy") * energy
    row[CELL_UM2] = value(f"mac.{name}.area") + register_bits * value("cell.register_area")
    row[CELL_UM2] *= area * value(f"calibration.{setting}.cell_area")
    row[STANDING_PJ] = value("standing.systolic.energy") * register_bits * energy / fitted_at
    row[STANDING_PJ] *= value(f"calibration.{setting}.standing")
    return row


def cell_bits(number_format: str) -> float:
    """Register bits of a cell: weights, operand and sum."""
    return value("cell.operand_words") * value(f"mac.{number_format}.bits") + value("cell.sum_bits")


def _sram(node_nm: int, setting: str) -> Floats:
    figures = sram.table(node_nm).copy()
    leakage_node = int(value(f"calibration.{setting}.leakage_node"))
    if leakage_node:
        figures[:, sram.LEAK_MW] = sram.table(leakage_node)[:, sram.LEAK_MW]
    return figures
