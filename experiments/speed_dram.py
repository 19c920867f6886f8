"""DRAM memory controller: designs per second in one thread, and DRAMSys on the same designs.

Run as a program it prints the seconds that the first design takes in a fresh process; ``measure`` starts it so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
from dramsys import DRAMSys
from measuring import Report, first_result

from archgym.space import Designs
from simulators.dram import fast, layout, reference
from simulators.dram.simulator import DRAM, PREFIX

FIRST = "from simulators.dram import DRAM; d = DRAM(); d.evaluate(d.space.sample(1, seed=0))"
"""Prices one design."""

WORKLOADS = ("random", "stream", "cloud-1")
PASSES = 3
CHUNK = 10  # designs between two changes of the simulator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--designs", type=int, default=1000, help="random grid designs per trace")
    parser.add_argument("--traces", type=Path, help="measure NAME.stl or NAME.stl.gz of this folder, too")
    parser.add_argument("--dramsys", help="the DRAMSys program inside its tree")
    parser.add_argument("--sample", type=int, default=100, help="designs per trace that DRAMSys runs")


def measure(options: argparse.Namespace) -> Report:
    """Measures every trace, then the first result of a fresh process."""
    numba.set_num_threads(1)
    columns = ["trace", "ms per design", "CPU ms", "designs/s", "`evaluate` designs/s"]
    if options.dramsys:
        columns += ["DRAMSys ms", "step ms", "DRAMSys / ours", "step / ours", "equal"]
    simulators = _simulators(options.traces)
    rows = [_row(name, simulator, options) for name, simulator in simulators]
    ratios = [_prefix_ratio(simulator, options.designs) for _, simulator in simulators]
    cold, cached = first_result(FIRST)
    notes = [
        f"{options.designs:,} random grid designs (seed 0) in one call, one process and one thread, warm, best of {PASSES}.",
        "CPU ms is the processor time of the same passes: what remains of the wall time on a machine without other work.",
        "`evaluate` also screens, merges designs that cannot differ on the trace, and derives the metrics.",
        f"The first {PREFIX:,} requests (fidelity prefix-{PREFIX}) take {min(ratios):.3f} to {max(ratios):.3f} of the "
        f"processor time of the whole trace; the budget is charged {simulators[0][1].fidelities[f'prefix-{PREFIX}']}.",
        f"A fresh process has its first design after {cold:.1f} s when it has to compile, {cached:.1f} s with the cache.",
    ]
    if options.dramsys:
        notes.append(
            f"DRAMSys 4.0 as shipped with ArchGym ran the first {options.sample} designs, in turns of {CHUNK} with the "
            "engine: the time that it prints, and a step as ArchGym does it (write JSON, start the program, parse). The "
            "ratios compare means over these designs; the last column counts equal total times."
        )
    readme = Path(__file__).parents[1] / "simulators/dram/README.md"
    return Report("DRAM memory controller, DDR3-1600", readme, columns, rows, notes)


def _simulators(folder: Path | None) -> list[tuple[str, DRAM]]:
    found = [(name, DRAM(name)) for name in WORKLOADS]
    for name in WORKLOADS if folder else ():
        files = [path for path in sorted(folder.glob(f"{name}.stl*")) if path.name in (f"{name}.stl", f"{name}.stl.gz")]
        found += [(f"{name} (file)", DRAM(str(path))) for path in files[:1]]
    return found


def _row(name: str, simulator: DRAM, options: argparse.Namespace) -> tuple[str, ...]:
    designs = simulator.space.sample(options.designs, seed=0)
    engine_s, engine_cpu_s = _best(lambda: _engine(simulator, designs))
    evaluate_s, _ = _best(lambda: simulator.evaluate(designs))
    milliseconds = [f"{1e3 * seconds / options.designs:.3f}" for seconds in (engine_s, engine_cpu_s)]
    row = (name, *milliseconds, *(f"{options.designs / seconds:,.0f}" for seconds in (engine_s, evaluate_s)))
    if not options.dramsys:
        return row
    with DRAMSys(options.dramsys) as program:
        return row + _against(program, simulator, designs[: options.sample])


def _prefix_ratio(simulator: DRAM, count: int) -> float:
    designs = simulator.space.sample(count, seed=0)
    _, whole_s = _best(lambda: simulator.evaluate(designs))
    _, prefix_s = _best(lambda: simulator.evaluate(designs, f"prefix-{PREFIX}"))
    return prefix_s / whole_s


def _engine(simulator: DRAM, designs: Designs) -> np.ndarray:
    controllers = simulator.controllers(simulator.space.decode(designs))
    return reference.run(fast.simulate, controllers, simulator.memory, simulator.trace, simulator.memory.clock_mhz)


def _best(work: Callable[[], object]) -> tuple[float, float]:
    """Shortest wall time and shortest processor time of some passes, s, after one that warms up."""
    work()
    walls, cpus = [], []
    for _ in range(PASSES):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def _against(program: DRAMSys, simulator: DRAM, designs: Designs) -> tuple[str, ...]:
    """The engine and the program in turns on the same designs."""
    memory, clock_mhz = simulator.memory.name, round(simulator.memory.clock_mhz)
    ours_s = printed_s = step_s = 0.0
    equal = 0
    program.run(memory, clock_mhz, _design(simulator, designs, 0), simulator.trace)  # writes the trace
    for start in range(0, len(designs), CHUNK):
        chunk = designs[start : start + CHUNK]
        started = time.perf_counter()
        times_ps = _engine(simulator, chunk)[:, layout.TOTAL_PS]
        ours_s += time.perf_counter() - started
        for index, time_ps in enumerate(times_ps):
            design = _design(simulator, chunk, index)
            started = time.perf_counter()
            outcome = program.run(memory, clock_mhz, design, simulator.trace)
            step_s += time.perf_counter() - started
            printed_s += outcome.sim_wall_s
            equal += int(outcome.total_time_ps == time_ps)
    means = [f"{1e3 * total / len(designs):.1f}" for total in (printed_s, step_s)]
    ratios = [f"{total / ours_s:.1f}" for total in (printed_s, step_s)]
    return (*means, *ratios, f"{equal}/{len(designs)}")


def _design(simulator: DRAM, designs: Designs, index: int) -> dict[str, str | int]:
    columns = simulator.space.decode(designs[index : index + 1])
    return {name: values[0].item() if isinstance(values[0], np.generic) else values[0] for name, values in columns.items()}
