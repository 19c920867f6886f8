"""A batch of decoded designs as the mapper reads them: what the hardware can do, what each event costs, and the area.

Energy: a multiply-accumulate, a row of a scratchpad or of the global buffer read or written, a word passed over a PE (16 wires
as long as a PE is wide, and a register), a word from or to DRAM, and a cycle (clock and control of every PE, and all leakage).
Standing power is that of the Eyeriss chip per PE; it is what makes idle PEs cost something.

Area: PEs with their scratchpads, 14 dummy buffers, which hold nothing and are paid for, and the global buffer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym import Columns
from simulators.systolic import technology
from simulators.systolic.eyeriss import slots as at
from simulators.systolic.eyeriss import space
from simulators.systolic.eyeriss.storage import WORD_BITS, Storage, constant

Floats = NDArray[np.float64]

DUMMY_BUFFERS = 14
CLOCK_MHZ = constant("clock.frequency")
PERIOD_NS = 1e3 / CLOCK_MHZ
DRAM = "lpddr4-3200"


class Priced(NamedTuple):
    """N designs.

    Attributes:
        hardware: (N, 21) ``slots.HARDWARE``.
        prices: (N, 12) pJ per event, in the order of ``slots.COUNTS``.
        areas_um2: (N, 6) by ``AREAS``.
        leakage_mw: (N,) of all storages.
    """

    hardware: Floats
    prices: Floats
    areas_um2: Floats
    leakage_mw: Floats

    @property
    def area_mm2(self) -> Floats:
        """Area of the chip, (N,)."""
        return np.asarray(self.areas_um2.sum(axis=1) * 1e-6)


TERMS = {
    "MACs": (at.MACS,),
    "ifmap spads": (at.IFMAP_READS, at.IFMAP_WRITES),
    "psum spads": (at.PSUM_READS, at.PSUM_WRITES),
    "weights spads": (at.WEIGHTS_READS, at.WEIGHTS_WRITES),
    "network": (at.HOPS,),
    "global buffer": (at.GLB_READS, at.GLB_WRITES),
    "DRAM": (at.DRAM_WORDS,),
    "standing": (at.CYCLES,),
}
"""Where energy goes, and the priced counts that belong to each."""

AREAS = ("MACs", "ifmap spads", "psum spads", "weights spads", "dummy buffers", "global buffer")


def price(columns: Columns) -> Priced:
    """Prices decoded designs; what is outside the tables is NaN."""
    pes, mesh_x = columns["NUM_PEs"].astype(np.float64), columns["MAC_MESH_X"].astype(np.float64)
    spads = {name: space.spad(columns, name) for name in space.SPADS}
    dummy, glb = space.dummy_buffer(columns), space.global_buffer(columns)

    per_pe = [np.full_like(pes, constant("mac.area")), *(spads[name].area_um2 for name in space.SPADS)]
    areas = np.stack([*(pes * area for area in per_pe), DUMMY_BUFFERS * dummy.area_um2, glb.area_um2], axis=1)
    leakage = pes * sum(spads[name].leak_mw for name in space.SPADS) + DUMMY_BUFFERS * dummy.leak_mw + glb.leak_mw
    pitch_mm = np.sqrt(sum(per_pe)) * 1e-3

    prices = np.empty((len(pes), at.NUM_PRICES))
    prices[:, at.MACS] = constant("mac.energy")
    for name, (reads, writes) in _SPAD_EVENTS.items():
        prices[:, reads], prices[:, writes] = spads[name].read_pj, spads[name].write_pj
    prices[:, at.HOPS] = hop_pj(pitch_mm)
    prices[:, at.GLB_READS], prices[:, at.GLB_WRITES] = glb.read_pj, glb.write_pj
    prices[:, at.DRAM_WORDS] = dram_pj_per_word()
    prices[:, at.CYCLES] = pes * standing_pj() + leakage * PERIOD_NS
    return Priced(_hardware(columns, pes, mesh_x, spads, glb), prices, areas, leakage)


_SPAD_EVENTS = {
    "ifmap": (at.IFMAP_READS, at.IFMAP_WRITES),
    "psum": (at.PSUM_READS, at.PSUM_WRITES),
    "weights": (at.WEIGHTS_READS, at.WEIGHTS_WRITES),
}


def standing_pj() -> float:
    """Clock and control of a PE per cycle, at 45 nm."""
    return technology.value("standing.large_spad.energy") / technology.value("node.65.energy")


def hop_pj(pitch_mm: Floats) -> Floats:
    """A word passed over a PE of some width: 16 wires and a register."""
    return WORD_BITS * (technology.value("wire.link") * pitch_mm + technology.value("cell.register_energy"))


def dram_pj_per_word() -> float:
    """A word from or to DRAM."""
    return WORD_BITS * technology.value(f"dram.{DRAM}.energy")


def dram_words_per_cycle() -> float:
    """Words that DRAM moves per clock of the array."""
    gigabytes = technology.value(f"dram.{DRAM}.bandwidth") * constant("dram.channels")
    return gigabytes * 1e3 / (WORD_BITS / 8) / CLOCK_MHZ


def _hardware(columns: Columns, pes: Floats, mesh_x: Floats, spads: dict[str, Storage], glb: Storage) -> Floats:
    hardware = np.empty((len(pes), len(at.HARDWARE)))

    def put(name: str, values: Floats | NDArray[np.bool_] | float) -> None:
        hardware[:, at.HARDWARE.index(name)] = values

    put("mesh_x", mesh_x)
    put("mesh_y", pes // mesh_x)
    for name, storage in spads.items():
        attributes = f"{space.SPADS[name]}_ATRIBUTES_"
        block = columns[f"{attributes}block_size"]
        # A row at a time passes the port, and of it as many words as the port is wide.
        reading = np.minimum(columns[f"{attributes}read_bandwidth"], block)
        writing = np.minimum(columns[f"{attributes}write_bandwidth"], block)
        cycles = 1 / writing + (1 / reading if name == "psum" else 0.0)
        put(f"{name}_words", storage.words)
        put(f"{name}_block", block)
        put(f"{name}_wait", np.where(storage.smart, 0.0, cycles))
        # Inputs and weights share the port with what fills it only if that goes on meanwhile.
        put(f"{name}_shared", storage.single_port & (storage.smart | (name == "psum")))
    attributes = "SHARED_GLB_ATTRIBUTES_"
    banks = columns[f"{attributes}n_banks"]
    put("glb_words", glb.words)
    put("glb_block", columns[f"{attributes}block_size"])
    put("glb_read_rate", columns[f"{attributes}read_bandwidth"])
    put("glb_write_rate", columns[f"{attributes}write_bandwidth"])
    put("glb_row_rate", np.where(glb.single_port, banks, 2 * banks))
    put("glb_plain", ~glb.smart)
    put("dram_rate", dram_words_per_cycle())
    return hardware


def energy_terms(counts: Floats, prices: Floats) -> dict[str, Floats]:
    """Energy by where it goes.

    Args:
        counts: (..., 20) ``slots.COUNTS``.
        prices: (..., 12), of the same leading shape.

    Returns:
        A key of ``TERMS`` -> pJ, the leading shape.
    """
    each = counts[..., : at.NUM_PRICES] * prices
    return {name: each[..., list(events)].sum(axis=-1) for name, events in TERMS.items()}
