"""ASIC cost model: layers on units per second in one thread, against one MAESTRO process per layer.

The layers and units are those of the measured table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from measuring import Report, first_result
from numba import njit, set_num_threads
from numpy.typing import NDArray

from simulators.asic import ASIC, closed, cost, general, reference
from simulators.asic.layout import BANDWIDTH, COMPATIBLE, PES, STRIDE, TEMPLATE
from simulators.asic.shape import shape

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "experiments" / "reference" / "maestro_dev.parquet"
README = ROOT / "simulators" / "asic" / "README.md"
FIRST = (
    "import numpy as np; from simulators.asic import cost; "
    "cost.unit_costs(np.array([[0, 8, 8, 3, 3, 9, 9, 2]]), np.array([[1, 64, 8]]))"
)
"""Prices one layer on one unit."""
MAESTRO_MS = 9.0  # median of single-layer runs, one process each, on a 2-core machine of this class
RUNS = 200
CHUNK = 1000  # rows of a run
DESIGNS = 1000  # whole designs of a run
WHOLE_RUNS = 20

Words = NDArray[np.int64]
Work = Callable[[Words, Words, int], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs of {CHUNK:,} layers per line; the best one counts")


def measure(options: argparse.Namespace) -> Report:
    """Measures the closed forms, the general path, and the price that uses whichever fits."""
    layers, units = rows()
    dense = layers[:, STRIDE] == 1
    cases: list[tuple[str, Work, NDArray[np.bool_]]] = [
        ("closed form, stride 1", _closed, dense),
        ("general path, stride 1", _general, dense),
        ("general path, stride 2", _general, ~dense),
        ("general path, all strides", _general, dense | ~dense),
        ("latency and energy, stride 1", _price, dense),
        ("latency and energy, all strides", _price, dense | ~dense),
    ]
    lines = []
    for name, work, chosen in cases:
        wall_s, cpu_s = best(work, layers[chosen], units[chosen], options.runs)
        ratio = MAESTRO_MS / 1e3 / wall_s
        lines.append((name, f"{1 / wall_s:,.0f}", f"{1e9 * cpu_s:,.0f}", f"{ratio:,.0f}"))
    for workload in ("W1", "W2", "W3"):
        wall_s, cpu_s, prices = whole_designs(workload)
        name = f"whole designs of {workload}, accuracy by formula"
        lines.append((name, f"{1 / wall_s:,.0f}", f"{1e9 * cpu_s:,.0f}", f"{prices * MAESTRO_MS / 1e3 / wall_s:,.0f}"))
    cold, cached = first_result(FIRST)
    notes = [
        f"One layer on one unit, one thread, warm, compatible mode: best of {options.runs} runs of {CHUNK:,} rows drawn from "
        "the measured table.  CPU is the processor time per evaluation of the run that took least of it.",
        "A whole design is both networks, every layer priced on both units, mapped and scheduled, through `evaluate`: "
        f"random designs that keep the limits, batches of {DESIGNS:,}, best of {WHOLE_RUNS}; MAESTRO would be "
        "started for every layer on both units.",
        f"MAESTRO takes {MAESTRO_MS:g} ms per layer when a process is started for each (median of single-layer runs on a "
        "2-core machine of this class, measured when the table was; not repeated here).",
        f"A fresh process has its first price after {cold:.0f} s when it has to compile, {cached:.1f} s with the cache.",
    ]
    return Report("ASIC cost model", README, ("what", "evaluations/s", "CPU ns", "times MAESTRO's"), lines, notes)


def whole_designs(workload: str) -> tuple[float, float, float]:
    """Wall time and processor time of a design, s, and prices of layers on units that it takes."""
    simulator = ASIC(workload=workload, accuracy="surrogate")
    drawn = simulator.space.sample(DESIGNS * 40, 0)
    designs = drawn[simulator.space.violation(drawn) == 0][:DESIGNS]
    set_num_threads(1)
    simulator.evaluate(designs)
    walls, cpus = [], []
    for _ in range(WHOLE_RUNS):
        wall, cpu = time.perf_counter(), time.process_time()
        simulator.evaluate(designs)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    layers = (simulator.price(simulator.space.decode(designs))[0].mapping >= 0).sum(axis=1)
    return min(walls) / len(designs), min(cpus) / len(designs), simulator.units * float(layers.mean())


def rows() -> tuple[Words, Words]:
    """Layers and units of the table, in random order."""
    table = pq.read_table(TABLE, columns=[*reference.INPUTS, "degenerate"])
    columns = {name: table[name].to_numpy() for name in table.column_names}
    layers, units, _ = reference.encode(columns)
    order = np.random.default_rng(0).permutation(np.flatnonzero(~columns["degenerate"]))
    return layers[order], units[order]


def best(work: Work, layers: Words, units: Words, runs: int) -> tuple[float, float]:
    """Shortest wall time and shortest processor time per evaluation, s."""
    work(layers[:1], units[:1], cost.HOPS)
    repeats = max(1, 20_000 // CHUNK) if work is not _general else 1  # runs long enough for the clock
    walls, cpus = [], []
    random = np.random.default_rng(0)
    for _ in range(runs):
        chosen = random.integers(0, len(layers), CHUNK)
        some, on = layers[chosen], units[chosen]
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(repeats):
            work(some, on, cost.HOPS)
        cpus.append(time.thread_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return min(walls) / (repeats * CHUNK), min(cpus) / (repeats * CHUNK)


@njit
def _closed(layers: Words, units: Words, hops: int) -> int:
    total = 0
    for i in range(len(layers)):
        of = shape(layers[i], COMPATIBLE)
        flow = closed.flow(of, units[i, TEMPLATE], units[i, PES], units[i, BANDWIDTH], hops, cost.OFFCHIP, COMPATIBLE)
        total += flow.cycles + flow.macs + flow.sums + flow.inputs + flow.filters + flow.outputs
    return total


@njit
def _general(layers: Words, units: Words, hops: int) -> int:
    total = 0
    for i in range(len(layers)):
        of = shape(layers[i], COMPATIBLE)
        flow = general.flow(of, units[i, TEMPLATE], units[i, PES], units[i, BANDWIDTH], hops, cost.OFFCHIP, COMPATIBLE)
        total += flow.cycles + flow.macs + flow.sums + flow.inputs + flow.filters + flow.outputs
    return total


@njit
def _price(layers: Words, units: Words, hops: int) -> int:
    total = 0
    for i in range(len(layers)):
        latency, energy = cost.price(layers[i], units[i], hops, cost.OFFCHIP, COMPATIBLE)
        total += latency + energy
    return total
