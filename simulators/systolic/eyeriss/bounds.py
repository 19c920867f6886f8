"""Metrics of the row-stationary model, with limits that no design can leave.

Every count of ``mapping`` is at most a few times the multiply-accumulates of the workload (no word is moved without being used
at least once by each PE that takes it), and every price is at most that of the most expensive storage of the space.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from archgym import Metric
from simulators.systolic.eyeriss import pricing, shapes, space, storage
from simulators.systolic.eyeriss.shapes import Layer

_MOST_CYCLES = 10.0
"""Cycles per multiply-accumulate if one PE works at a time and waits for everything."""
_MOST_MOVES = 4.0
"""Words sent, taken, fetched or written per multiply-accumulate, at most."""


def make_metrics(layers: Layer) -> tuple[Metric, ...]:
    """Declares the metrics of a workload."""
    macs = shapes.macs(layers)
    fewest, most = macs / max(space.PES), np.ceil(macs * _MOST_CYCLES)
    low_area, high_area = _area_range_mm2()
    low_pj, high_pj = _energy_range_pj(layers, fewest, most)
    low_words = float((_compulsory_words(layers) * layers.repeats[:, 0]).sum())
    to_ns = pricing.PERIOD_NS
    energy = (0.0, high_pj)
    return (
        Metric("latency_ns", "min", (fewest * to_ns, most * to_ns), "time for one input at 200 MHz"),
        Metric("energy_pj", "min", (low_pj, high_pj), "energy for one input, DRAM and standing power included"),
        Metric("power_mw", "min", (low_pj / (most * to_ns), high_pj / (fewest * to_ns)), "energy over time"),
        Metric("area_mm2", "min", (low_area, high_area), "PEs, dummy buffers and global buffer"),
        Metric("utilization", "max", (0.0, 1.0), "multiply-accumulates done over those the array could have done"),
        Metric("dram_bytes", "min", (2 * low_words, 2 * _MOST_MOVES * macs), "moved from and to DRAM"),
        Metric("cycles", "min", (fewest, most), "of the array's clock, all layers one after the other"),
        Metric("compute_cycles", "info", (fewest, most), "cycles in which the PEs compute"),
        Metric("spad_energy_pj", "info", energy, "part of the energy: scratchpads"),
        Metric("glb_energy_pj", "info", energy, "part of the energy: global buffer"),
        Metric("dram_energy_pj", "info", energy, "part of the energy: DRAM"),
        Metric("standing_energy_pj", "info", energy, "part of the energy: clock, control and leakage"),
    )


def _compulsory_words(layers: Layer) -> NDArray[np.float64]:
    """Weights and outputs, once, of each layer, (L,)."""
    filters, channels, taps_h, taps_w, out_h, out_w = layers.shape[:, :6].T
    return np.asarray(filters * (channels * taps_h * taps_w + out_h * out_w))


def _all_scratchpads() -> storage.Storage:
    """Every scratchpad of the space that is in the tables."""
    classes, depth, block = map(np.array, zip(*itertools.product(storage.CLASSES, space.DEPTHS, space.BLOCKS), strict=True))
    inside = storage.scratchpad_outside(classes, depth) == 0
    return storage.scratchpad(classes[inside], depth[inside], block[inside])


def _all_global_buffers() -> storage.Storage:
    """Every global buffer of the space that is in the tables."""
    every = itertools.product(storage.CLASSES, space.GLB_DEPTHS, space.BANKS, space.BLOCKS)
    classes, depth, banks, block = map(np.array, zip(*every, strict=True))
    inside = storage.global_buffer_outside(classes, depth, banks) == 0
    return storage.global_buffer(classes[inside], depth[inside], banks[inside], block[inside])


def _area_range_mm2() -> tuple[float, float]:
    spads, glb, mac = _all_scratchpads().area_um2, _all_global_buffers().area_um2, storage.constant("mac.area")
    least = min(space.PES) * (mac + 3 * spads.min()) + pricing.DUMMY_BUFFERS * spads.min() + glb.min()
    most = max(space.PES) * (mac + 3 * spads.max()) + pricing.DUMMY_BUFFERS * spads.max() + glb.max()
    slack = 1e-9
    return float(least * 1e-6 * (1 - slack)), float(most * 1e-6 * (1 + slack))


def _energy_range_pj(layers: Layer, fewest: float, most: float) -> tuple[float, float]:
    macs, mac, dram = shapes.macs(layers), storage.constant("mac.energy"), pricing.dram_pj_per_word()
    spads, glb = _all_scratchpads(), _all_global_buffers()
    row = max(spads.read_pj.max(), spads.write_pj.max())
    pitch_mm = np.sqrt(storage.constant("mac.area") + 3 * spads.area_um2.max()) * 1e-3
    hops = _MOST_MOVES * max(space.PES)
    moved = dram + max(glb.read_pj.max(), glb.write_pj.max()) + 2 * row
    leak_mw = max(space.PES) * 3 * spads.leak_mw.max() + pricing.DUMMY_BUFFERS * spads.leak_mw.max() + glb.leak_mw.max()
    per_cycle = max(space.PES) * pricing.standing_pj() + leak_mw * pricing.PERIOD_NS
    high = macs * (mac + 4 * row + _MOST_MOVES * moved + hops * pricing.hop_pj(pitch_mm)) + most * per_cycle
    words = float((_compulsory_words(layers) * layers.repeats[:, 0]).sum())
    low = macs * (mac + 4 * spads.read_pj.min() / max(space.BLOCKS)) + words * dram + fewest * pricing.standing_pj()
    return float(low), float(high)
