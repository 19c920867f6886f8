"""Constants of energy, area and power: two sets, each a data file in ``constants/``.

``2019`` is the set that NASAIC used, ``2022`` that of the reference tables.  Their energies differ only in what a
multiply-accumulate takes, by a factor of 3,930; what an access takes in multiply-accumulates is the same.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownNameError

FOLDER = Path(__file__).parent / "constants"
CONSTANT_SETS = ("2019", "2022")
DEFAULT_CONSTANTS = "2019"

# Rows and columns of ``ConstantSet.hardware``.
AREA, POWER = range(2)  # um2, mW
HARDWARE = (
    "mac",
    "l1.unit",  # bytes
    "l1",  # per started unit
    "l2.unit",  # bytes
    "l2",  # per started unit
    "bus",  # per element per cycle and lane
    "bus.lanes_per_pe",
    "bus.lanes",
    "arbiter",  # per cell
    "arbiter.least",  # of all cells
    "arbiter.cells_per_pe2",
    "arbiter.cells_per_pe",
    "arbiter.cells",
)
(
    MAC,
    L1_UNIT,
    L1,
    L2_UNIT,
    L2,
    BUS,
    LANES_PER_PE,
    LANES,
    ARBITER,
    ARBITER_LEAST,
    CELLS_PER_PE2,
    CELLS_PER_PE,
    CELLS,
) = range(len(HARDWARE))


@dataclass(frozen=True)
class Constant:
    """One number of the model.

    Attributes:
        value: the number.
        unit: what it is in.
        source: where it is from.
        certainty: A measured through the reference program, B read in its sources or checked against published figures,
            C fitted.
    """

    value: float
    unit: str
    source: str
    certainty: str


@dataclass(frozen=True, eq=False)
class ConstantSet:
    """The constants of a year.

    Attributes:
        name: ``"2019"`` or ``"2022"``.
        mac_nj: energy of a multiply-accumulate, nJ.
        published_l1_bytes: first-level buffer of a processing element that makes published areas agree, bytes.
        hardware: ``(2, 13)`` float64, not writeable: rows ``AREA`` and ``POWER``, columns ``HARDWARE``.
    """

    name: str
    mac_nj: float
    published_l1_bytes: int
    hardware: NDArray[np.float64]


@cache
def constants(name: str) -> Mapping[str, Constant]:
    """Every constant of a set by its dotted name, for example ``mac.energy``.

    Raises:
        UnknownNameError: no such set.
    """
    if name not in CONSTANT_SETS:
        raise UnknownNameError("constant set", name, CONSTANT_SETS, owner="asic")
    return MappingProxyType(dict(_flat(tomllib.loads((FOLDER / f"{name}.toml").read_text()), "")))


def _flat(content: dict[str, Any], prefix: str) -> Iterator[tuple[str, Constant]]:
    for key, inner in content.items():
        if "value" in inner:
            yield f"{prefix}{key}", Constant(**inner)
        else:
            yield from _flat(inner, f"{prefix}{key}.")


@cache
def load_constants(name: str = DEFAULT_CONSTANTS) -> ConstantSet:
    """The constants of a year, ready for the kernels.

    Raises:
        UnknownNameError: no such set.
    """
    known = constants(name)
    hardware = np.array([[_column(known, column, kind) for column in HARDWARE] for kind in ("area", "power")])
    hardware.flags.writeable = False
    return ConstantSet(name, known["mac.energy"].value, int(known["published.l1_bytes"].value), hardware)


def _column(known: Mapping[str, Constant], column: str, kind: str) -> float:
    if column in known:  # counts and sizes, the same for area and power
        return known[column].value
    part, _, least = column.partition(".")
    return known[f"{part}.least_{kind}" if least else f"{part}.{kind}"].value
