"""What a storage of any class and shape costs: energy per row, area, leakage; and by how much it is outside the tables.

Two kinds of array of 16-bit words:

* small ones with a read and a write port, from Accelergy's table of 12 to 512 words (``storage.toml``);
* banks of SRAM with one port, from CACTI's table of 256 bytes to 2 MB (``simulators.systolic.sram``), calibrated.

A scratchpad of block size b is b such arrays side by side, ``depth`` rows deep, and a latch for a row where b > 1.  Classes
``regfile`` and ``smartbuffer_RF`` use the small arrays at every depth; ``SRAM`` and ``smartbuffer_SRAM`` use them below 256
bytes, where no SRAM is built, as Accelergy does.  The global buffer has rows of 64 bits in equal banks: of SRAM, or of four
small arrays each.  Between two sizes of a table every figure is a power law; outside nothing is extrapolated: figures are NaN.

A smart buffer has address generators of its own, a plain array has none (what that means for time: ``mapping``).
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulators.systolic import sram, technology

Floats = NDArray[np.float64]
Values = NDArray[Any]

FILE = Path(__file__).parent / "storage.toml"
NODE_NM = 45
CLASSES = ("regfile", "smartbuffer_SRAM", "smartbuffer_RF", "SRAM")
WORD_BITS = 16
ROW_BITS = 64
"""Width of the global buffer."""
SRAM_ROWS = 128
"""256 bytes in rows of one word: the smallest SRAM of a scratchpad."""
SMALLEST_BANK = 32
"""256 bytes in rows of 64 bits: the smallest SRAM bank of a global buffer."""


class Storage(NamedTuple):
    """Storages of N designs; every field is ``(N,)``.

    Attributes:
        words: what it holds: rows times block size.
        read_pj: energy of reading a row.
        write_pj: energy of writing a row.
        area_um2: area.
        leak_mw: leakage.
        single_port: whether a row is either read or written in a cycle, not both.
        smart: whether it is filled and drained while it is used.
    """

    words: Floats
    read_pj: Floats
    write_pj: Floats
    area_um2: Floats
    leak_mw: Floats
    single_port: NDArray[np.bool_]
    smart: NDArray[np.bool_]


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text())


def constant(name: str) -> float:
    """A constant of ``storage.toml`` by its dotted name, for example ``mac.energy``."""
    table, _, key = name.partition(".")
    return float(_data()[table][key]["value"])


def scratchpad(classes: Values, depth: Values, block: Values) -> Storage:
    """Prices scratchpads (or dummy buffers).

    Args:
        classes: (N,) of ``CLASSES``.
        depth: (N,) rows.
        block: (N,) words per row.
    """
    rows, lanes = depth.astype(np.float64), block.astype(np.float64)
    banked = has_sram(classes) & (rows >= SRAM_ROWS)
    figures = np.where(banked, _sram(rows * WORD_BITS / 8 / 1024, WORD_BITS), _small(rows)) * lanes
    latch = np.where(lanes > 1, lanes * WORD_BITS, 0.0)
    latch_pj, latch_um2 = latch * technology.value("cell.register_energy"), latch * technology.value("cell.register_area")
    return _with_generators(classes, rows, figures, rows * lanes, banked, latch_pj, latch_um2)


def global_buffer(classes: Values, depth: Values, banks: Values, block: Values) -> Storage:
    """Prices global buffers of 64-bit rows, wires from the banks to the port included.

    A row holds ``block`` words; bits that no word uses are paid for all the same.

    Args:
        classes: (N,) of ``CLASSES``.
        depth: (N,) rows, all banks together.
        banks: (N,) equal banks.
        block: (N,) words per row.
    """
    rows, parts = depth.astype(np.float64), banks.astype(np.float64)
    banked = has_sram(classes)
    per_bank = rows / parts
    figures = np.where(banked, _sram(per_bank * ROW_BITS / 8 / 1024, ROW_BITS), _small(per_bank) * (ROW_BITS / WORD_BITS))
    figures[2:] *= parts  # area and leakage of all banks; one of them is read at a time
    wire_pj = ROW_BITS * technology.value("wire.link") * np.sqrt(figures[2] * 1e-6)
    return _with_generators(classes, rows, figures, rows * block, banked, wire_pj, np.zeros_like(rows))


def scratchpad_outside(classes: Values, depth: Values) -> Floats:
    """Doublings by which scratchpads are outside the tables, (N,); 0 inside."""
    smallest, largest = _small_range()
    above = np.where(has_sram(classes), 0.0, np.log2(depth / largest))
    return np.maximum(np.maximum(np.log2(smallest / depth), above), 0.0)


def global_buffer_outside(classes: Values, depth: Values, banks: Values) -> Floats:
    """Doublings by which the banks of global buffers are outside the tables, (N,); 0 inside."""
    smallest, largest = _small_range()
    per_bank = depth / banks
    registers = np.maximum(np.log2(smallest / per_bank), np.log2(per_bank / largest))
    return np.maximum(np.where(has_sram(classes), np.log2(SMALLEST_BANK / per_bank), registers), 0.0)


def has_sram(classes: Values) -> NDArray[np.bool_]:
    """Whether a class is one of the two with SRAM, (N,)."""
    return np.asarray((classes == "SRAM") | (classes == "smartbuffer_SRAM"))


def is_smart(classes: Values) -> NDArray[np.bool_]:
    """Whether a class is one of the two smart buffers, (N,)."""
    return np.asarray((classes == "smartbuffer_RF") | (classes == "smartbuffer_SRAM"))


def _with_generators(
    classes: Values,
    rows: Floats,
    figures: Floats,
    words: Floats,
    single_port: NDArray[np.bool_],
    more_pj: Floats,
    more_um2: Floats,
) -> Storage:
    read, write, area, leak = figures
    smart = is_smart(classes)
    address_bits = np.where(smart, np.ceil(np.log2(rows)), 0.0)
    more_pj = more_pj + address_bits * constant("generator.energy")
    more_um2 = more_um2 + 2 * address_bits * constant("generator.area")
    return Storage(words, read + more_pj, write + more_pj, area + more_um2, leak, single_port, smart)


def _small_range() -> tuple[float, float]:
    """Words of the smallest and of the largest small array."""
    words = _data()["array"]["words"]
    return float(words[0]), float(words[-1])


def _small(words: Floats) -> Floats:
    """Read pJ, write pJ, um2 and mW of small arrays: (4, N), NaN outside their table.

    Accelergy has no leakage; they are taken to leak as CACTI's smallest SRAM does, per word.
    """
    table = _data()["array"]
    x, known = np.log(words), np.log(table["words"])
    energy = np.exp(np.interp(x, known, np.log(table["energy_pj"]), np.nan, np.nan))
    area = np.exp(np.interp(x, known, np.log(table["area_um2"]), np.nan, np.nan))
    leak = words / SRAM_ROWS * float(sram.banks(sram.SMALLEST_KB, WORD_BITS, NODE_NM)[sram.LEAK_MW])
    return np.stack([energy, energy, area, leak])


def _sram(kb: Floats, width_bits: int) -> Floats:
    """Read pJ, write pJ, um2 and mW of SRAM banks with the calibration of energy and area: (4, N), NaN outside the table."""
    figures = sram.banks(kb, width_bits, NODE_NM)
    energy = technology.value("calibration.calibrated.sram_energy")
    read, write = figures[..., sram.READ_PJ] * energy, figures[..., sram.WRITE_PJ] * energy
    area = figures[..., sram.AREA_MM2] * 1e6 * constant("sram.area")
    return np.stack([read, write, area, figures[..., sram.LEAK_MW]])
