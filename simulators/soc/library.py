"""The blocks that a platform is made of: ``blocks.toml`` and ``memories.csv``."""

from __future__ import annotations

import csv
import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from simulators.soc.layout import Floats

FOLDER = Path(__file__).parent
MEMORY_KINDS = ("sram", "dram")


@dataclass(frozen=True)
class Library:
    """What all task graphs share.

    Attributes:
        processor_rate: instructions/s of an A53.
        processor_energy: instructions/J.
        processor_area: m2.
        base_clock_hz: clock of the cycles that are given for accelerators.
        energy_scale: technology scaling of an accelerator's energy.
        area_scale: of its area.
        most_powers_of_two: unroll settings of an accelerator, but for the last one.
        clocks: multiples of ``base_clock_hz`` that memories, buses and accelerators can have.
        widths: bytes that memories and buses can be wide.
        memories: ``(2, 3, S)`` of SRAM and DRAM: J/byte read, J/byte written, m2, per multiple of ``size_step``.
        size_step: bytes.
    """

    processor_rate: float
    processor_energy: float
    processor_area: float
    base_clock_hz: float
    energy_scale: float
    area_scale: float
    most_powers_of_two: int
    clocks: tuple[int, ...]
    widths: tuple[int, ...]
    memories: Floats
    size_step: int

    def unrolls(self, iterations: int) -> tuple[int, ...]:
        """How often a loop can be unrolled: powers of two, then completely."""
        powers = [2**power for power in range(math.floor(math.log2(iterations)) + 1)]
        if len(powers) > self.most_powers_of_two + 1:
            powers = powers[: self.most_powers_of_two]
        return tuple(powers) if iterations in powers else (*powers, iterations)


@cache
def load_library() -> Library:
    """Reads both files, once."""
    content = tomllib.loads((FOLDER / "blocks.toml").read_text())
    processor, accelerator, memory, choices = (content[key] for key in ("processor", "accelerator", "memory", "choices"))
    return Library(
        processor_rate=processor["instructions_per_s"],
        processor_energy=float(processor["instructions_per_j"]),
        processor_area=processor["area_m2"],
        base_clock_hz=accelerator["base_clock_hz"],
        energy_scale=accelerator["energy_scale"],
        area_scale=accelerator["area_scale"],
        most_powers_of_two=accelerator["most_powers_of_two"],
        clocks=tuple(choices["clocks_100mhz"]),
        widths=tuple(choices["widths_bytes"]),
        memories=_tables(FOLDER / "memories.csv", memory),
        size_step=memory["size_step_bytes"],
    )


def _tables(path: Path, memory: dict[str, Any]) -> Floats:
    """Tables without gaps: CACTI was not run for every size, and between two sizes the line through them counts."""
    step = memory["size_step_bytes"]
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    largest = min(max(int(row["size_bytes"]) for row in rows if row["kind"] == kind) for kind in MEMORY_KINDS)
    sizes = np.arange(step, largest + 1, step)
    tables = np.empty((len(MEMORY_KINDS), 3, len(sizes)))
    energy = 1e-9 / memory["line_bytes"] * memory["energy_scale"]
    for index, kind in enumerate(MEMORY_KINDS):
        chosen = [row for row in rows if row["kind"] == kind]
        known = [float(row["size_bytes"]) for row in chosen]
        for column, (name, scale) in enumerate(
            (("read_nj", energy), ("write_nj", energy), ("area_mm2", 1e-6 * memory["area_scale"]))
        ):
            tables[index, column] = np.interp(sizes, known, [float(row[name]) * scale for row in chosen])
    return tables
