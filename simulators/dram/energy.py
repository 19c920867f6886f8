"""Power model: what a run of the controller costs in energy, and the figures printed from it.

The kernels count commands and background cycles (``literal/power.py`` says how); ``derive`` turns the counts into the
published figures.  Energy per command follows the datasheet currents: what a command draws above the background, for as
long as it lasts (Chandrasekar et al., "Towards Variation-Aware System-Level Power Estimation of DRAMs", DAC 2013).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulators.dram import layout
from simulators.dram.memory import Memory


def derive(outcomes: NDArray[np.int64], memory: Memory) -> dict[str, NDArray[np.float64]]:
    """Turns the counters of finished runs into time, energy, power and bandwidth.

    Args:
        outcomes: ``(N, layout.NUM_OUTCOMES)`` int64, one row per run.
        memory: the memory that was simulated.

    Returns:
        Columns of shape ``(N,)``, not rounded: ``total_time_ns``, ``total_energy_pJ`` (all devices), ``avg_power_mW``
        (over the power model's own window, which ends a little after the last command), ``avg_bw_gbps`` and
        ``avg_bw_idle_gbps`` (the same without the time in which the controller was empty), both in Gb/s.
    """
    total_ps = outcomes[:, layout.TOTAL_PS].astype(np.float64)
    busy_ps = total_ps - outcomes[:, layout.IDLE_PS]
    transfer_ps = outcomes[:, layout.SERVED] * float(memory.timing[layout.BURST] * memory.timing[layout.TCK_PS])
    energy_pj = _energy_of_one_device(outcomes, memory)
    window_cycles = outcomes[:, layout.ACTIVE_CYCLES] + outcomes[:, layout.PRECHARGED_CYCLES]
    window_ns = window_cycles * (1000.0 / memory.clock_mhz)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "total_time_ns": total_ps * 1e-3,
            "total_energy_pJ": energy_pj * memory.devices,
            "avg_power_mW": energy_pj / window_ns * memory.devices,
            "avg_bw_gbps": transfer_ps / total_ps * memory.max_bandwidth_gbps,
            "avg_bw_idle_gbps": transfer_ps / busy_ps * memory.max_bandwidth_gbps,
        }


def _energy_of_one_device(outcomes: NDArray[np.int64], memory: Memory) -> NDArray[np.float64]:
    """Energy in pJ, shape ``(N,)``: cycles x clock period (ns) x current (mA) x voltage (V)."""
    power, timing = memory.power, memory.timing
    row_open, row_closed = float(timing[layout.RAS]), float(timing[layout.RC] - timing[layout.RAS])
    acts, pres = outcomes[:, layout.NUM_ACT], outcomes[:, layout.NUM_PRE]
    period_ns = 1000.0 / memory.clock_mhz
    core = (
        acts * (row_open * (power["idd0"] - power["idd3n"]))
        + pres * (row_closed * (power["idd0"] - power["idd2n"]))
        + outcomes[:, layout.NUM_RD] * (float(timing[layout.BURST]) * (power["idd4r"] - power["idd3n"]))
        + outcomes[:, layout.NUM_WR] * (float(timing[layout.BURST]) * (power["idd4w"] - power["idd3n"]))
        + outcomes[:, layout.NUM_REF] * (float(timing[layout.RFC]) * (power["idd5"] - power["idd3n"]))
        + outcomes[:, layout.ACTIVE_CYCLES] * power["idd3n"]
        + outcomes[:, layout.PRECHARGED_CYCLES] * power["idd2n"]
    )
    energy = period_ns * power["vdd"] * core
    if "vdd2" in power:  # DDR4: a second supply feeds the word lines; only activation and precharge draw from it
        word_lines = (acts * row_open + pres * row_closed) * power["idd02"]
        energy = energy + period_ns * power["vdd2"] * word_lines
    return np.asarray(energy, dtype=np.float64)


def parts(outcome: NDArray[np.int64], memory: Memory) -> list[tuple[str, float, str]]:
    """Energy of one run by cause.

    Args:
        outcome: ``(layout.NUM_OUTCOMES,)`` int64.
        memory: the memory that was simulated.

    Returns:
        (name, pJ of all devices, what it is) for row commands, reads, writes, refreshes and background.
    """
    causes = {
        "rows": ((layout.NUM_ACT, layout.NUM_PRE), "opening and closing rows"),
        "reads": ((layout.NUM_RD,), "read bursts"),
        "writes": ((layout.NUM_WR,), "write bursts"),
        "refresh": ((layout.NUM_REF,), "all-bank refreshes"),
        "active background": ((layout.ACTIVE_CYCLES,), "standing current while a row is open"),
        "idle background": ((layout.PRECHARGED_CYCLES,), "standing current while all rows are closed"),
    }
    found = []
    for name, (columns, meaning) in causes.items():
        alone = np.zeros((1, layout.NUM_OUTCOMES), np.int64)
        alone[0, list(columns)] = outcome[list(columns)]
        found.append((name, float(_energy_of_one_device(alone, memory)[0]) * memory.devices, meaning))
    return found
