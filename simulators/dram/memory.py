"""Memory devices: organisation, address map, timing and currents, read from ``memories/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulators.dram import layout

FOLDER = Path(__file__).parent / "memories"


@dataclass(frozen=True)
class Memory:
    """One memory system: a rank of equal devices behind one channel.

    Attributes:
        name: file name without ending, for example ``ddr3-1600``.
        source: part number and standard that the numbers come from.
        timing: ``(layout.NUM_TIMINGS,)`` int64, what the kernels read.
        power: currents of one device in mA and voltages in V.
        clock_mhz: unrounded memory clock (the power model uses it; the timing uses ``timing[TCK_PS]``).
        devices: devices on the DIMM.
        fields: address field name -> (first bit, width).
        max_bandwidth_gbps: peak of the data bus in Gb/s, computed from the rounded clock period.
    """

    name: str
    source: str
    timing: NDArray[np.int64]
    power: dict[str, float]
    clock_mhz: float
    devices: int
    fields: dict[str, tuple[int, int]]
    max_bandwidth_gbps: float

    @property
    def address_bits(self) -> int:
        """Number of address bits that the map covers; an address at or above ``2 ** address_bits`` is beyond the memory."""
        return max(first + width for first, width in self.fields.values())

    def bank(self, address: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat bank number of each byte address: bank + bank group * banks per group."""
        bank = self._field(address, "bank")
        if "bank_group" in self.fields:
            bank = bank + self._field(address, "bank_group") * int(self.timing[layout.BANKS_PER_GROUP])
        return bank

    def row(self, address: NDArray[np.int64]) -> NDArray[np.int64]:
        """Row of each byte address."""
        return self._field(address, "row")

    def _field(self, address: NDArray[np.int64], name: str) -> NDArray[np.int64]:
        first, width = self.fields[name]
        return (address >> first) & ((1 << width) - 1)


def memory_names() -> list[str]:
    """Names that ``load_memory`` accepts."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def load_memory(name: str) -> Memory:
    """Reads one memory.

    Raises:
        KeyError: no such memory; the caller turns it into a message with the nearest name.
    """
    path = FOLDER / f"{name}.toml"
    if name not in memory_names():
        raise KeyError(name)
    data = tomllib.loads(path.read_text())
    organisation = data["organisation"]
    timing = _timing(data)
    tck_ps = int(timing[layout.TCK_PS])
    bus_bits = organisation["device_width_bits"] * organisation["devices"]
    return Memory(
        name=name,
        source=data["source"],
        timing=timing,
        power={key: float(value) for key, value in data["power"].items()},
        clock_mhz=float(data["clock_mhz"]),
        devices=organisation["devices"],
        fields={field: (first, last - first + 1) for field, (first, last) in data["address_map"].items()},
        max_bandwidth_gbps=1000 / tck_ps * organisation["data_rate"] * bus_bits,
    )


def _timing(data: dict[str, Any]) -> NDArray[np.int64]:
    organisation, cycles = data["organisation"], data["timing"]
    burst = organisation["burst_length"] // organisation["data_rate"]
    timing = np.zeros(layout.NUM_TIMINGS, np.int64)
    for name in ("RL", "WL", "RCD", "RP", "RAS", "RC", "RTP", "WR", "FAW", "AL", "RFC", "REFI"):
        timing[getattr(layout, name)] = cycles[name]
    for name in ("CCD_S", "CCD_L", "RRD_S", "RRD_L", "WTR_S", "WTR_L"):
        timing[getattr(layout, name)] = cycles[name]
    timing[layout.TCK_PS] = round(1e6 / data["clock_mhz"])
    timing[layout.BANKS] = organisation["banks"]
    timing[layout.BANKS_PER_GROUP] = organisation["banks"] // organisation["bank_groups"]
    timing[layout.BURST] = burst
    timing[layout.READ_TO_WRITE] = cycles["RL"] + burst + cycles["READ_TO_WRITE_GAP"] - cycles["WL"]
    timing[layout.AUTO_PRE_READ] = cycles["AL"] + max(cycles["RTP"], cycles["AUTO_PRECHARGE_MIN_RTP"])
    timing[layout.READ_TAIL] = cycles["RL"] + cycles["DQSCK"] + 1 + burst
    timing[layout.WRITE_TAIL] = cycles["WL"] + burst + cycles["WR"]
    return timing
