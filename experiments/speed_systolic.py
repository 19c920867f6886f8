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

from archgym.space import Designs
from simulators.systolic import Systolic

BATCH = 65_536
PASSES = 5
NETWORKS = ("resnet18", "resnet50", "mobilenet-v2", "bert-base-128")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--designs", type=int, default=BATCH, help="random designs in one batch of the physical model")
    parser.add_argument("--exact", type=int, default=2_000, help="random designs for the exact model with stalls")
    parser.add_argument("--scalesim", type=Path, help="a Python that has scalesim; it runs ResNet-18 on a 128 x 128 array")


def measure(options: argparse.Namespace) -> Report:
    """Measures the physical model, then the exact one, then SCALE-Sim."""
    rows = [_physical(name, options.designs) for name in NETWORKS]
    rows += list(_exact(options.exact))
    notes = [
        f"Physical: {options.designs:,} uniform designs that keep the rules (seed 0), one batch, {numba.get_num_threads()} "
        f"threads, warm, best of {PASSES}. `evaluate` also screens and derives the metrics. CPU is the processor time of "
        "all threads per design.",
        f"One design of the physical model on ResNet-18 takes {_single():.0f} us through `evaluate`.",
        f"A process that evaluates a batch of {BATCH:,} on ResNet-50 peaks at {_peak_mb():,.0f} MB, libraries included.",
    ]
    if options.scalesim:
        notes.append(_against(options.scalesim))
    readme = Path(__file__).parents[1] / "simulators/systolic/README.md"
    return Report("Systolic accelerator", readme, ("what", "network", "designs/s", "CPU us", "`evaluate` designs/s"), rows, notes)


def _physical(name: str, count: int) -> tuple[str, ...]:
    simulator = Systolic(name)
    designs = _valid(simulator, count)
    numbers = simulator.pricer.numbers(simulator.space.decode(designs))
    (network,) = simulator.pricer.networks
    wall_s, cpu_s = best(lambda: simulator.pricer.needs(numbers, network))
    evaluate_s, _ = best(lambda: simulator.evaluate(designs))
    return ("physical", name, f"{count / wall_s:,.0f}", f"{1e6 * cpu_s / count:.2f}", f"{count / evaluate_s:,.0f}")


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
