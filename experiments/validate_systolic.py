"""Compares the energy and area model of the systolic simulator with published chips, whatever comes out.

    python experiments/validate_systolic.py [--write]

Published figures are in ``simulators/systolic/data/published.toml``.  Traffic between buffers and array is the published one
too, so this tests the constants, not a mapping.  ``--write`` puts the table into the README of the simulator.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import Report, write_block
from numpy.typing import NDArray

from simulators.systolic import energy, sram
from simulators.systolic.technology import DRAMS, INT8, SETTINGS, technology, value

ROOT = Path(__file__).parents[1]
README = ROOT / "simulators" / "systolic" / "README.md"
PUBLISHED = tomllib.loads((ROOT / "simulators" / "systolic" / "data" / "published.toml").read_text())

WORD_BITS = 16  # Eyeriss and the Timeloop design
UNIFIED_BANKS = 12  # of 2 MB
ACCUMULATOR_BANKS = (32, 2)  # enough for 256 sums per cycle, and as few as the table allows

NOTES = (
    "Off is model / published - 1.  *Fitted* names the constant of the calibrated set that was fitted to this very figure: "
    "such a row shows the fit and predicts nothing.  Nothing in the raw set is fitted to any of these.",
    "Eyeriss is rebuilt from the constants and its published buffer traffic: an int16 multiply-accumulate, four scratchpad "
    "accesses of 1 x MAC each, one NoC hop per buffer word, one bank of 108 KB, all taken from 45 to 65 nm.  The published "
    "power excludes DRAM.",
    "With zeros gated, a zero input skips the multiply-accumulate and three of the four accesses; the shares of zeros are "
    "recalled.  The chip gates, so the rows with gating describe it; only conv1 has no zeros.",
    "Energy and pJ/MAC of a layer are off by the same share as its power: time and work are the published ones.",
    "Eyeriss's standing energy is that of cells with large scratchpads and includes leakage.  Its area is computed with the "
    "factor of TPU v1's small cells, which does not carry over.",
    "TPU v1 at peak: every cell works in every cycle, without DRAM.  The published 40 W are of a busy chip, which is not at "
    "peak.  Idle power is taken to stand on under load; as far as it clocks registers, those count twice.  Two banks hold the "
    "accumulators but cannot serve 256 columns per cycle; 32 can.",
    "The die also holds what the model has no area for: host interface, DRAM ports, activation pipeline, pads.",
    "Roofline: 2 x multiply-accumulates per weight x 30 GB/s, at most 92 Top/s.  It knows neither shape nor dependencies, "
    "which limit LSTM1 and CNN1.",
    "Context rows compare with tools, not with chips.  22.6 of ArchGym's 27.1 pJ/MAC are buffer and DRAM traffic of a mapping "
    "that a random search found; the model's figure is that of multiply-accumulate and scratchpads alone.",
)


@dataclass(frozen=True)
class Figure:
    """One figure in one setting.

    Attributes:
        name: what it is, with its unit.
        published: from the literature.
        model: from the model.
        fitted: constant of the calibrated set that was fitted to ``published``, empty for a prediction.
    """

    name: str
    published: float
    model: float
    fitted: str = ""

    @property
    def off(self) -> float:
        """Relative deviation of the model."""
        return self.model / self.published - 1


def main() -> None:
    """Runs the comparison from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write the table into {README.relative_to(ROOT)}")
    options = parser.parse_args()
    text = report().markdown()
    print(text)
    if options.write:
        write_block(README, "validation", text)


def report() -> Report:
    """All figures as a table."""
    lines = []
    for raw, calibrated in zip(*(figures(setting) for setting in SETTINGS), strict=True):
        numbers = [text for found in (raw, calibrated) for text in (f"{found.model:.3g}", f"{round(100 * found.off):+d} %")]
        lines.append((raw.name, f"{raw.published:.3g}", *numbers, raw.fitted))
    heads = ("figure", "published", "raw", "off", "calibrated", "off", "fitted")
    return Report("Energy and area against published figures", README, heads, lines, NOTES)


def figures(setting: str) -> Iterator[Figure]:
    """All figures of one setting, chips first."""
    yield from eyeriss_energy(setting, gated=False)
    yield from eyeriss_energy(setting, gated=True)
    yield from eyeriss_area(setting)
    yield from tpu_power(setting)
    yield from tpu_area(setting)
    yield from tpu_roofline()
    yield from sram_reads(setting)
    yield from accelergy_buffer(setting)
    yield from timeloop_design(setting)


def eyeriss_energy(setting: str, gated: bool) -> Iterator[Figure]:
    """Power of each layer, and energy of all."""
    chip = PUBLISHED["eyeriss"]
    how, fitted = ("zeros gated", "standing, large spads") if gated else ("no gating", "")
    model = eyeriss_millijoules(setting, gated)
    seconds, work = np.array(chip["total_ms"]) * 1e-3, sum(chip["gmac"])
    published = np.array(chip["power_mw"]) * seconds
    for layer, name in enumerate(chip["layer"]):
        yield Figure(f"Eyeriss {name}, mW, {how}", chip["power_mw"][layer], model[layer] / seconds[layer], fitted)
    yield Figure(f"Eyeriss five layers, mJ per image, {how}", chip["image_mj"], model.sum() / chip["images"], fitted)
    yield Figure(f"Eyeriss five layers, pJ/MAC, {how}", published.sum() / work, model.sum() / work, fitted)


def eyeriss_millijoules(setting: str, gated: bool) -> NDArray[np.float64]:
    """Energy of each layer in mJ, ``(5,)``, DRAM excluded."""
    chip, node = PUBLISHED["eyeriss"], value("node.65.energy")
    giga_macs, zeros = np.array(chip["gmac"]), np.array(chip["zeros"]) * gated
    # Multiply-accumulate, filter read, sum read and sum write stop at a zero; reading the input does not.
    events = (1 + 3 * value("spad.access")) * (1 - zeros) + value("spad.access")
    cells = giga_macs * events * value("mac.int16.energy") * node
    bank = sram.banks(chip["buffer_kb"], 64, 45)
    line = (bank[sram.READ_PJ] + bank[sram.WRITE_PJ]) / 2 * value(f"calibration.{setting}.sram_energy")
    word = (line * WORD_BITS / 64 + value("wire.hop") * WORD_BITS) * node
    giga_words = np.array(chip["buffer_mb"]) * 8 / WORD_BITS * 1e-3
    giga_cell_cycles = np.array(chip["total_ms"]) * chip["clock_mhz"] * 1e-6 * chip["cells"]
    standing = value("standing.large_spad.energy") * value(f"calibration.{setting}.standing")
    return np.asarray(cells + giga_words * word + giga_cell_cycles * standing)


def eyeriss_area(setting: str) -> Iterator[Figure]:
    """Area of the core."""
    chip = PUBLISHED["eyeriss"]
    buffer = float(sram.banks(chip["buffer_kb"], 64, 45)[sram.AREA_MM2]) * value(f"calibration.{setting}.sram_area")
    core = (spad_cells_mm2(chip, setting) + buffer) * (1 + value("other.area")) * value("node.65.area")
    yield Figure("Eyeriss core, mm2", chip["core_mm2"], core)


def spad_cells_mm2(chip: dict[str, Any], setting: str) -> float:
    """Area at 45 nm of all cells with an int16 multiplier and three scratchpads."""
    small = (chip["ifmap_spad_bytes"] + chip["psum_spad_bytes"]) * 8 * value("cell.register_area")
    cell = value("mac.int16.area") + small + chip["filter_spad_bytes"] * value("spad.area")
    return float(chip["cells"] * cell * 1e-6 * value(f"calibration.{setting}.cell_area"))


def tpu_prices(setting: str, kilobytes: float, banks: int) -> NDArray[np.float64]:
    """Prices of TPU v1's matrix unit with three buffers of one size."""
    chip, out = PUBLISHED["tpu"], np.empty(energy.NUM_PRICES)
    shape = (chip["rows"], chip["columns"], kilobytes, kilobytes, kilobytes, banks)
    tables = technology(28, setting).tables
    energy.prices(*shape, INT8, float(chip["clock_mhz"]), DRAMS.index("ddr3-1600"), tables, out)
    return out


def tpu_chip(setting: str, accumulator_banks: int) -> NDArray[np.float64]:
    """Prices of the chip: ifmap prices are those of the unified buffer, sum prices those of the accumulators."""
    chip = PUBLISHED["tpu"]
    unified = tpu_prices(setting, chip["unified_kb"], UNIFIED_BANKS)
    accumulators = tpu_prices(setting, chip["accumulator_kb"], accumulator_banks)
    price = unified.copy()
    for figure in (energy.SUM_READS, energy.SUM_WRITES):
        price[figure] = accumulators[figure]
    for figure in (energy.LEAKS, energy.SRAM_MM2):  # each of the two is there three times
        price[figure] = (unified[figure] + accumulators[figure]) / 3
    price[energy.OTHER_MM2] = (price[energy.CELLS_MM2] + price[energy.SRAM_MM2]) * value("other.area")
    return price


def tpu_watts(setting: str, utilisation: float, accumulator_banks: int = ACCUMULATOR_BANKS[0]) -> float:
    """Power without DRAM at a share of the peak rate."""
    chip, counts, terms = PUBLISHED["tpu"], np.zeros(energy.NUM_COUNTS), np.empty(energy.NUM_TERMS)
    cells = chip["rows"] * chip["columns"]
    for event in (energy.MACS, energy.SUM_REGISTERS, energy.OPERAND_LINKS, energy.SUM_LINKS):
        counts[event] = cells
    counts[energy.OPERAND_REGISTERS] = cells * value("cell.operand_words")
    for event in (energy.OPERAND_HOPS, energy.SUM_HOPS, energy.IFMAP_READS, energy.SUM_READS, energy.SUM_WRITES):
        counts[event] = chip["rows"]
    counts *= utilisation
    counts[[energy.CYCLES, energy.LEAKS]] = 1
    return float(energy.energy(counts, tpu_chip(setting, accumulator_banks), terms)) * chip["clock_mhz"] * 1e-6


def tpu_power(setting: str) -> Iterator[Figure]:
    """Idle, on CNN0 and at peak."""
    chip = PUBLISHED["tpu"]
    yield Figure("TPU v1 idle, W", chip["idle_w"], tpu_watts(setting, 0.0), "standing")
    on_cnn0 = tpu_watts(setting, chip["cnn0_useful"])
    yield Figure("TPU v1 busy, W, model: at the rate of CNN0", chip["busy_w"], on_cnn0)
    for banks in ACCUMULATOR_BANKS:
        peak = tpu_watts(setting, 1.0, banks)
        yield Figure(f"TPU v1 busy, W, model: at peak, {banks} accumulator banks", chip["busy_w"], peak)
    published = chip["busy_w"] / (chip["tops"][chip["workload"].index("CNN0")] / 2)
    each = on_cnn0 / (chip["cnn0_useful"] * chip["peak_tops"] / 2)
    yield Figure("TPU v1 on CNN0, pJ/MAC", published, each)


def tpu_area(setting: str) -> Iterator[Figure]:
    """Parts of the die, and their sum."""
    chip = PUBLISHED["tpu"]
    die = chip["die_mm2"]
    unified = tpu_prices(setting, chip["unified_kb"], UNIFIED_BANKS)
    accumulators = tpu_prices(setting, chip["accumulator_kb"], ACCUMULATOR_BANKS[0])
    others = chip["buffers_share"] - chip["unified_share"]
    yield Figure("TPU v1 matrix unit, mm2", die * chip["matrix_share"], unified[energy.CELLS_MM2], "cell area")
    yield Figure("TPU v1 unified buffer, mm2", die * chip["unified_share"], unified[energy.SRAM_MM2] / 3, "SRAM area")
    yield Figure("TPU v1 other buffers, mm2, model: accumulators", die * others, accumulators[energy.SRAM_MM2] / 3)
    yield Figure("TPU v1 die, mm2", die, float(energy.area(tpu_chip(setting, ACCUMULATOR_BANKS[0]))))


def tpu_roofline() -> Iterator[Figure]:
    """Top/s with every weight read once per batch; no constant of the model is in it but the peak."""
    chip = PUBLISHED["tpu"]
    for name, reuse, tops in zip(chip["workload"], chip["macs_per_weight"], chip["tops"], strict=True):
        bound = min(chip["peak_tops"], 2 * reuse * chip["weight_gb_per_s"] * 1e-3)
        yield Figure(f"TPU v1 {name}, Top/s, roofline", tops, bound)


def sram_reads(setting: str) -> Iterator[Figure]:
    """One bank of 64-bit words at 45 nm."""
    table = PUBLISHED["horowitz"]
    for size, published in zip(table["kb"], table["read_pj"], strict=True):
        read = float(sram.banks(size, 64, 45)[sram.READ_PJ]) * value(f"calibration.{setting}.sram_energy")
        yield Figure(f"Context: Horowitz, 64 bit from {size} KB, pJ", published, read, "SRAM energy")


def accelergy_buffer(setting: str) -> Iterator[Figure]:
    """The buffer of ArchGym's Timeloop design, as one bank and as its 32 banks."""
    table = PUBLISHED["accelergy"]
    for banks in (1, table["banks"]):
        bank = sram.banks(table["kb"] / banks, 64, 45)
        access = (bank[sram.READ_PJ] + bank[sram.WRITE_PJ]) / 2 * value(f"calibration.{setting}.sram_energy")
        area = bank[sram.AREA_MM2] * banks * value(f"calibration.{setting}.sram_area")
        name = f"Context: Accelergy, {table['kb']} KB in {banks} bank{'s' * (banks > 1)}"
        yield Figure(f"{name}, pJ per 64 bit", table["access_pj"], float(access))
        yield Figure(f"{name}, mm2", table["area_mm2"], float(area))


def timeloop_design(setting: str) -> Iterator[Figure]:
    """ArchGym's Timeloop default: what the constants make of its cells, and its area."""
    table, buffer = PUBLISHED["timeloop"], PUBLISHED["accelergy"]
    cell = value("mac.int16.energy") * (1 + 4 * value("spad.access"))
    yield Figure("Context: ArchGym Timeloop, cells, pJ/MAC", table["mac_and_spads_pj"], cell)
    yield Figure("Context: ArchGym Timeloop, all, pJ/MAC, model: cells", table["pj_per_mac"], cell)
    bank = sram.banks(buffer["kb"] / buffer["banks"], 64, 45)
    shared = float(bank[sram.AREA_MM2]) * buffer["banks"] * value(f"calibration.{setting}.sram_area")
    yield Figure("Context: ArchGym Timeloop, mm2", table["area_mm2"], spad_cells_mm2(table, setting) + shared)


if __name__ == "__main__":
    main()
