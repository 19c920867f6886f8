"""SoC model: designs per second in one thread, against the processor time of FARSI."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from measuring import Report, first_result
from numba import set_num_threads

from simulators.soc import SoC, graph, model, reference
from simulators.soc.layout import Platforms
from simulators.soc.library import load_library
from simulators.soc.problem import Problem, make_problem

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "experiments" / "reference" / "farsi_dev.parquet"
README = ROOT / "simulators" / "soc" / "README.md"
FIRST = "from simulators.soc import SoC; s = SoC(space='limited'); s.evaluate(s.space.default)"
"""Prices one design."""
FARSI_MS = {"audio_decoder": 73.0, "hpvm_cava": 37.0, "edge_detection": 32.0}  # median, processor time, memory sizes known
BATCH = 4096
RUNS = 100
WANTED = 100_000  # valid designs of the random search


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--runs", type=int, default=RUNS, help=f"runs of {BATCH:,} designs per line; the best one counts")


def measure(options: argparse.Namespace) -> Report:
    """Measures the model on the valid rows of the table, and ``evaluate`` on uniform samples."""
    set_num_threads(1)
    lines = []
    for workload, farsi_ms in FARSI_MS.items():
        problem = make_problem(graph.load(workload), load_library())
        for space in ("limited", "wide"):
            platforms = rows(workload, space, problem)
            wall_s, cpu_s = best(lambda: model.simulate(platforms, problem, parallel=False), options.runs)  # noqa: B023
            lines.append(_line(f"{workload}, rows of the table, {space}", wall_s, cpu_s, farsi_ms))
    searches = []
    for workload in FARSI_MS:
        simulator = SoC(workload, space="limited")
        designs = simulator.space.sample(BATCH, 0)
        wall_s, cpu_s = best(lambda: simulator.evaluate(designs), options.runs)  # noqa: B023
        lines.append(_line(f"{workload}, `evaluate` of uniform samples, limited", wall_s, cpu_s))
        searches.append(f"{workload} {random_search(simulator):.0f}")
    cold, cached = first_result(FIRST)
    notes = [
        f"One thread, warm, batches of {BATCH:,}, best of {options.runs} runs.  CPU is the processor time per design of the "
        "run that took least of it.",
        "Rows of the table are valid; the model alone, without decoding.  Of uniform samples of the limited encoding 0.3 to "
        "0.4 % are valid, and a design that breaks a rule is cheap; decoding and reasons are included.",
        f"Processor seconds that a random search of the limited encoding takes to {WANTED:,} valid designs, drawing "
        f"included: {', '.join(searches)}.",
        "FARSI takes a median of 37 ms (CAVA), 32 ms (edge detection) and 73 ms (audio decoder) of processor time per design "
        "with all memory sizes known (measured when the table was, on a 2-core machine of this class; not repeated here).",
        f"A fresh process has its first design after {cold:.0f} s when it has to compile, {cached:.1f} s with the cache.",
    ]
    return Report("SoC model", README, ("what", "designs/s", "CPU ns", "times FARSI's"), lines, notes)


def _line(name: str, wall_s: float, cpu_s: float, farsi_ms: float | None = None) -> tuple[str, ...]:
    """A report row; without a ratio where most designs are invalid, which costs FARSI less too."""
    ratio = "" if farsi_ms is None else f"{farsi_ms / 1e3 / cpu_s:,.0f}"
    return name, f"{1 / wall_s:,.0f}", f"{1e9 * cpu_s:,.0f}", ratio


def rows(workload: str, space: str, problem: Problem) -> Platforms:
    """Platforms of the table's valid rows, over and over up to a batch, in random order."""
    table = pq.read_table(TABLE, columns=[*reference.INPUTS, "space", "valid", "precheck"])
    columns = {name: table[name].to_numpy() for name in table.column_names}
    chosen = columns["valid"] & (columns["precheck"] == "ok") & (columns["workload"] == workload) & (columns["space"] == space)
    picked = np.resize(np.flatnonzero(chosen), BATCH)
    platforms = reference.platforms({name: column[picked] for name, column in columns.items()}, problem)
    return np.random.default_rng(0).permutation(platforms)


def best(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Shortest wall time and shortest processor time per design, s."""
    work()
    walls, cpus = [], []
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.thread_time()
        work()
        cpus.append(time.thread_time() - cpu)
        walls.append(time.perf_counter() - wall)
    return min(walls) / BATCH, min(cpus) / BATCH


def random_search(simulator: SoC) -> float:
    """Processor time to so many valid designs, s, from a part of them."""
    started, found, seed = time.process_time(), 0, 0
    while found < WANTED // 50:
        found += int(simulator.evaluate(simulator.space.sample(BATCH, seed)).ok.sum())
        seed += 1
    return (time.process_time() - started) * WANTED / found
