"""Systolic accelerator: designs per second of both models, and SCALE-Sim on the same layers.

Run as a program with a number of designs it prints the peak memory of a process that evaluates them in one batch.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import scalesim
from measuring import Report
from numpy.typing import NDArray

from archgym.space import Designs
from simulators.systolic import Systolic
from simulators.systolic.exact import batch as exact
from simulators.systolic.exact.profiles import Profiles

BATCH = 65_536
PASSES = 5
NETWORKS = ("resnet18", "resnet50", "mobilenet-v2", "bert-base-128")
ARRAYS = ((32, 32), (128, 128), (16, 64))
KILOBYTES = (16, 64, 256)

Whole = NDArray[np.int64]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--designs", type=int, default=BATCH, help="random designs in one batch")
    parser.add_argument("--stalls", type=int, default=5_000, help="random designs of the exact model with stalls")
    parser.add_argument("--scalesim", type=Path, help="a Python that has scalesim; it runs ResNet-18 on a 128 x 128 array")


def measure(options: argparse.Namespace) -> Report:
    """Measures the physical model, then the exact one, then SCALE-Sim."""
    rows = [_physical(name, options.designs) for name in NETWORKS]
    simulator = Systolic("resnet18", model="scalesim3", bandwidth="user")
    closed = _closed(simulator, options.designs)
    calc, stalls = (_everything(simulator, options.stalls, user) for user in (0, 1))
    rows += [
        _row("exact, closed forms", "resnet18", options.designs, *closed),
        _row("exact, everything in CALC, profiles in place", "resnet18", options.stalls, *calc),
        _row("exact, everything in USER, profiles in place", "resnet18", options.stalls, *stalls),
    ]
    notes = [
        f"{options.designs:,} uniform designs (those that keep the rules, for the physical model; seed 0) in one batch, "
        f"{numba.get_num_threads()} threads, warm, best of {PASSES}. CPU is the processor time of all threads per design: "
        "where the machine does other work too, designs/s is less than the threads could do and CPU tells more.",
        "`evaluate` also screens designs and derives the metrics.",
        f"Exact: random rows and columns of 4 to 256 for closed forms (cycles, utilisation, SRAM and filter traffic); "
        f"{options.stalls:,} designs on {len(ARRAYS)} arrays, three dataflows and {len(KILOBYTES)} buffer sizes, USER "
        "bandwidths of 1 to 64 words a cycle, for everything.",
        f"Profiles of ResNet-18 from nothing, per (array, dataflow, buffer size): {_profiles(simulator):.2f} s of "
        "processor time at most over these.",
        f"One design of the physical model on ResNet-18 takes {_single():.0f} us through `evaluate`.",
        f"A process that evaluates a batch of {BATCH:,} on ResNet-50 peaks at {_peak_mb():,.0f} MB, libraries included.",
    ]
    if options.scalesim:
        physical_s = float(rows[0][3]) * 1e-6
        notes.append(_against(options.scalesim, physical_s, calc[1] / options.stalls, stalls[1] / options.stalls))
    readme = Path(__file__).parents[1] / "simulators/systolic/README.md"
    return Report(
        "Systolic accelerator", readme, ("what", "network", "designs/s", "CPU us", "`evaluate` designs/s"), rows, notes
    )


def _row(what: str, network: str, count: int, wall_s: float, cpu_s: float, evaluate_s: float | None = None) -> tuple[str, ...]:
    evaluated = "" if evaluate_s is None else f"{count / evaluate_s:,.0f}"
    return (what, network, f"{count / wall_s:,.0f}", f"{1e6 * cpu_s / count:.2f}", evaluated)


def _closed(simulator: Systolic, count: int) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    designs = _pack(rng, count, rng.integers(4, 257, count), rng.integers(4, 257, count), user=0)
    table = simulator.networks[0].table
    return best(lambda: exact.closed(table, designs))


def _everything(simulator: Systolic, count: int, user: int) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    rows, columns = np.array(ARRAYS)[rng.integers(len(ARRAYS), size=count)].T
    designs = _pack(rng, count, rows, columns, user)
    table = simulator.networks[0].table
    return best(lambda: exact.evaluate(table, designs, simulator.pricer.profiles))


def _pack(rng: np.random.Generator, count: int, rows: Whole, columns: Whole, user: int) -> Whole:
    sizes = {name: rng.choice(KILOBYTES, count) for name in ("ifmap_kb", "filter_kb", "ofmap_kb")}
    widths = {name: rng.integers(1, 65, count) for name in ("bw_ifmap", "bw_filter", "bw_ofmap")}
    return exact.pack(rows=rows, columns=columns, dataflow=rng.integers(0, 3, count), user=user, **sizes, **widths)


def _profiles(simulator: Systolic) -> float:
    """Longest processor time that one (array, dataflow, buffer size) takes from nothing, s."""
    longest = 0.0
    for rows, columns in ARRAYS:
        for dataflow in range(3):
            for kb in KILOBYTES:
                sizes = dict.fromkeys(("ifmap_kb", "filter_kb", "ofmap_kb"), kb)
                widths = dict.fromkeys(("bw_ifmap", "bw_filter", "bw_ofmap"), 10)
                design = exact.pack(rows=rows, columns=columns, dataflow=dataflow, user=1, **sizes, **widths)
                started = time.process_time()
                exact.evaluate(simulator.networks[0].table, design, Profiles())
                longest = max(longest, time.process_time() - started)
    return longest


def _against(python: Path, physical_s: float, calc_s: float, user_s: float) -> str:
    """SCALE-Sim on every kind of layer of ResNet-18, its processor time counted for each layer of that kind."""
    (network,) = Systolic("resnet18").networks
    kinds = {layer.kind(): layer for layer in reversed(network.layers)}
    times = {kind: sum(layer.kind() == kind for layer in network.layers) for kind in kinds}
    design = {"array_h": 128, "array_w": 128, "dataflow": "os", "bw_mode": "CALC"}
    design |= dict.fromkeys(("ifmap_sram_kb", "filter_sram_kb", "ofmap_sram_kb"), 256)
    design |= dict.fromkeys(("bw_ifmap", "bw_filter", "bw_ofmap"), 10)
    results = scalesim.run(list(kinds.values()), design, python)
    seconds = sum(result["cpu_s"] * times[kind] for kind, result in zip(kinds, results, strict=True))
    ratios = ", ".join(
        f"{seconds / ours:,.0f} times the {what}"
        for what, ours in (("physical model", physical_s), ("exact model in CALC", calc_s), ("exact model in USER", user_s))
    )
    return (
        f"SCALE-Sim 3.0.0 takes {seconds:,.0f} s of processor time for ResNet-18's 21 layers on one design (128 x 128, os, "
        f"256 KB, CALC; equal layers run once and counted as often as they occur). Per design and network that is {ratios}, "
        "in processor time of the same machine in the same run."
    )


def _physical(name: str, count: int) -> tuple[str, ...]:
    simulator = Systolic(name)
    designs = _valid(simulator, count)
    numbers = simulator.pricer.numbers(simulator.space.decode(designs))
    (network,) = simulator.pricer.networks
    wall_s, cpu_s = best(lambda: simulator.pricer.needs(numbers, network))
    evaluate_s, _ = best(lambda: simulator.evaluate(designs))
    return _row("physical", name, count, wall_s, cpu_s, evaluate_s)


def _single() -> float:
    """Microseconds of one design through ``evaluate``."""
    simulator = Systolic("resnet18")
    design = simulator.space.default
    simulator.evaluate(design)
    repeats = 500
    return min(_seconds(lambda: [simulator.evaluate(design) for _ in range(repeats)]) for _ in range(10)) / repeats * 1e6


def _valid(simulator: Systolic, count: int) -> Designs:
    sample = simulator.space.sample(2 * count, seed=0)
    return sample[simulator.space.violation(sample) == 0][:count]


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Shortest wall time and shortest processor time of some passes, s, after one that warms up."""
    work()
    walls, cpus = [], []
    for _ in range(PASSES):
        cpu = time.process_time()
        walls.append(_seconds(work))
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak_mb() -> float:
    printed = subprocess.run([sys.executable, __file__, str(BATCH)], check=True, capture_output=True, text=True).stdout
    return float(printed)


if __name__ == "__main__":
    heavy = Systolic("resnet50")
    heavy.evaluate(heavy.space.sample(int(sys.argv[1]), seed=0))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
