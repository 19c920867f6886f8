"""The measurements behind ``proxy_accuracy.py``: each function is one cell and gives rows of plain numbers."""

from __future__ import annotations

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import archgym
from archgym.optimum import Table, enumerate_space
from archgym.proxy import Guided, Proxy
from archgym.proxy.report import judge
from archgym.simulator import Simulator
from archgym.space import Designs

METRICS = ("latency_ns", "power_mw", "energy_pj")
HELD_OUT = 0.2
TEST_SEED, SAMPLE_SEED = 11, 12
Row = dict[str, Any]


@cache
def problem(workload: str) -> tuple[Simulator, Table]:
    """A workload of dram and the table of its whole grid space."""
    simulator = archgym.make_simulator("dram", workload=workload)
    return simulator, enumerate_space(simulator)


def held_out(table: Table) -> NDArray[np.bool_]:
    """Which classes of the grid no honest proxy is trained on: a fifth, drawn once for all studies."""
    held = np.zeros(len(table), bool)
    held[np.random.default_rng(TEST_SEED).permutation(len(table))[: round(HELD_OUT * len(table))]] = True
    return held


def uniform(workload: str, trials: int, seed: int) -> tuple[Designs, NDArray[np.intp]]:
    """Uniform designs outside the held-out classes, and their rows of the table."""
    simulator, table = problem(workload)
    held = held_out(table)
    designs = simulator.space.sample(round(trials * 1.5) + 200, seed=SAMPLE_SEED + 1000 * seed)
    rows = table.rows(simulator.canonical(designs))
    kept = np.flatnonzero(~held[rows])[:trials]
    return designs[kept], rows[kept]


def trained(workload: str, designs: Designs, rows: NDArray[np.intp], model: str) -> Proxy:
    """A proxy of the three metrics, trained on rows of the table."""
    simulator, table = problem(workload)
    columns = {name: table.metrics[name][rows] for name in METRICS}
    return Proxy(model).fit((simulator, designs, columns), METRICS, held_out=0.1)


def errors(proxy: Proxy, workload: str, test: NDArray[np.intp], counts: bool) -> dict[str, dict[str, Any]]:
    """Errors by metric on rows of the table; weighted by designs per class, they are those of a uniform sample of the grid."""
    simulator, table = problem(workload)
    predicted = proxy.predict(table.designs[test])
    weights = table.counts[test].astype(float) if counts else None
    return {
        name: judge(simulator.metric(name), table.metrics[name][test], predicted[name], weights=weights) for name in METRICS
    }


def size_cell(workload: str, model: str, trials: int, seed: int = 0) -> list[Row]:
    """Error on held-out classes against the number of trials; with 20,000 also on the other test sets."""
    _, table = problem(workload)
    designs, rows = uniform(workload, trials, seed)
    start, cpu = time.perf_counter(), time.process_time()
    proxy = trained(workload, designs, rows, model)
    took = {"fit_seconds": time.perf_counter() - start, "fit_cpu": time.process_time() - cpu}
    test = np.flatnonzero(held_out(table))
    found: list[Row] = []
    sets = {"uniform": errors(proxy, workload, test, True)}
    if trials == 20_000:
        seen = np.zeros(len(table), bool)
        seen[rows] = True
        for name in METRICS:
            values = table.metrics[name]
            limit = np.sort(values)[max(round(0.01 * len(values)), 1) - 1]
            best = np.flatnonzero(~seen & (values <= limit))
            walked = trajectory(workload, name)
            walked = np.unique(walked[~seen[walked]])
            for title, some in (("best", best), ("agent", walked)):
                if len(some) >= 2:
                    sets.setdefault(title, {})[name] = errors(proxy, workload, some, False)[name]
            picked = int(np.argmin(proxy.predict(table.designs)[name]))
            sets["uniform"][name]["pick_regret"] = float(values[picked] / values.min() - 1)
    for title, judged in sets.items():
        found += [
            {"set": title, "metric": name, "classes": len(np.unique(rows)), **took, **values}
            for name, values in judged.items()
        ]
    return found


def leak_cell(workload: str, model: str) -> list[Row]:
    """The split that hides it all: 20,000 uniform trials, a fifth of the rows drawn for the test, whatever their class."""
    simulator, table = problem(workload)
    designs = simulator.space.sample(20_000, seed=SAMPLE_SEED)
    rows = table.rows(simulator.canonical(designs))
    order = np.random.default_rng(123).permutation(len(rows))
    test, train = order[:4000], order[4000:]
    proxy = trained(workload, designs[train], rows[train], model)
    predicted = proxy.predict(designs[test])
    known = float(np.isin(rows[test], rows[train]).mean())
    return [
        {"metric": name, "known": known, **judge(simulator.metric(name), table.metrics[name][rows[test]], predicted[name])}
        for name in METRICS
    ]


@cache
def trajectory(workload: str, objective: str, agent: str = "genetic", budget: int = 2000, seed: int = 0) -> NDArray[np.intp]:
    """Rows of the table that a run proposed, in order."""
    simulator, table = problem(workload)
    with tempfile.TemporaryDirectory() as scratch:
        archgym.search(agent, simulator, objective=objective, budget=budget, seed=seed, log=Path(scratch) / "run")
        designs = archgym.Dataset.open(Path(scratch) / "run").arrays().designs
    return table.rows(simulator.canonical(designs))


SOURCES = ("random_walk", "genetic", "ant_colony", "annealing", "policy_gradient")


def diversity_cell(workload: str, model: str, source: str, equal: str, seed: int) -> list[Row]:
    """Trials of one agent, or of all in equal parts, at equal rows or equal classes; tested on the rest of the grid."""
    _, table = problem(workload)
    budget = 2000
    if source == "mixed":
        share = budget // len(SOURCES)
        rows = np.concatenate([trajectory(workload, METRICS[0], agent, budget, seed)[:share] for agent in SOURCES])
    else:
        rows = trajectory(workload, METRICS[0], source, budget, seed)
    if equal == "classes":
        _, first = np.unique(rows, return_index=True)
        fewest = min(len(np.unique(trajectory(workload, METRICS[0], agent, budget, seed))) for agent in SOURCES)
        rows = rows[np.random.default_rng(seed).permutation(np.sort(first))[: max(fewest, 30)]]
    seen = np.unique(rows)
    if len(seen) < 25:
        return []
    proxy = trained(workload, table.designs[rows], rows, model)
    test = np.setdiff1d(np.arange(len(table)), seen)
    judged = errors(proxy, workload, test, True)[METRICS[0]]
    return [{"metric": METRICS[0], "trials": len(rows), "classes": len(seen), **judged}]


def transfer_cell(workload: str, model: str) -> list[Row]:
    """A proxy of one workload asked about all others, on the whole grid."""
    designs, rows = uniform(workload, 20_000, 0)
    proxy = trained(workload, designs, rows, model)
    found: list[Row] = []
    for other in ("stream", "random", "cloud-1", "cloud-2"):
        if other == workload:
            continue
        _, table = problem(other)
        judged = errors(proxy, other, np.arange(len(table)), True)
        found += [{"other": other, "metric": name, **values} for name, values in judged.items()]
    return found


def search_cell(workload: str, objective: str, way: str, budget: int, seed: int) -> list[Row]:
    """Regret after ``budget`` simulated designs: on the simulator, on a proxy with the best ten confirmed, or guided."""
    simulator, table = problem(workload)
    landscape = table.landscape(archgym.make_objective(objective, simulator))
    start = time.perf_counter()
    if way == "proxy":
        rng = np.random.default_rng(seed)
        designs = simulator.space.sample(budget - 10, rng)
        metrics = simulator.evaluate(designs)
        proxy = Proxy(seed=seed).fit((simulator, designs, metrics), [objective])
        from archgym.proxy import ProxySimulator

        with tempfile.TemporaryDirectory() as scratch:
            archgym.search(
                "genetic", ProxySimulator(proxy), objective=objective, budget=5000, seed=seed, log=Path(scratch) / "r"
            )
            proposed = archgym.Dataset.open(Path(scratch) / "r").arrays().designs
        proposed = np.unique(simulator.canonical(proposed), axis=0)
        best = proposed[np.argsort(proxy.predict(proposed)[objective])[:10]]
        lowest = min(metrics[objective].min(), simulator.evaluate(best)[objective].min())
        regret = float(landscape.regret(np.array([-lowest]))[0])
    else:
        agent: Any = Guided if way == "guided" else way
        settings = {"start": 64, "confirm": 16} if way == "guided" else {}
        found = archgym.search(agent, simulator, objective=objective, budget=budget, seed=seed, hyperparameters=settings)
        regret = float(landscape.regret(np.array([found.best_score]))[0])
    return [{"regret": regret, "seconds": time.perf_counter() - start}]


def speed_cell(workload: str, model: str) -> list[Row]:
    """Microseconds per design of a loaded proxy: one at a time, 4,096 at once, and within a ``ProxySimulator``."""
    from archgym.proxy import load_proxy_simulator

    designs, rows = uniform(workload, 20_000, 0)
    with tempfile.TemporaryDirectory() as scratch:
        trained(workload, designs, rows, model).save(Path(scratch) / "proxy")
        size = sum(path.stat().st_size for path in (Path(scratch) / "proxy").iterdir())
        stand_in = load_proxy_simulator(Path(scratch) / "proxy")
    batch = stand_in.space.sample(4096, seed=1)
    classes = np.unique(stand_in.canonical(stand_in.space.sample(40_000, seed=2)), axis=0)[:4096]
    simulator, _ = problem(workload)
    row: Row = {"megabytes": size / 1e6, "different": len(classes)}
    for name, work, designs_per_call, calls in (
        ("single", lambda: stand_in.proxy.predict(batch[:1]), 1, 300),
        ("batch", lambda: stand_in.proxy.predict(batch), len(batch), 3),
        ("batch_different", lambda: stand_in.proxy.predict(classes), len(classes), 3),
        ("stand_in", lambda: stand_in.evaluate(batch), len(batch), 3),
        ("simulator", lambda: simulator.evaluate(batch[:1000]), 1000, 1),
    ):
        walls, cpus = [], []
        for _ in range(7):
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(calls):
                work()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        row[f"{name}_us"] = 1e6 * min(walls) / calls / designs_per_call
        row[f"{name}_cpu_us"] = 1e6 * min(cpus) / calls / designs_per_call
    return [row]


def dramsys_cell(workload: str, binary: str, designs: int = 50) -> list[Row]:
    """Microseconds per design of DRAMSys: what it prints, and a step as ArchGym does it."""
    from dramsys import DRAMSys

    simulator, _ = problem(workload)
    memory, clock = simulator.memory, round(simulator.memory.clock_mhz)  # type: ignore[attr-defined]
    printed, step = [], []
    with DRAMSys(binary) as program:
        for design in simulator.space.sample(designs, seed=0):
            start = time.perf_counter()
            outcome = program.run(memory.name, clock, simulator.space.describe(design), simulator.trace)  # type: ignore[attr-defined]
            step.append(time.perf_counter() - start)
            printed.append(outcome.sim_wall_s)
    return [{"printed_us": 1e6 * float(np.mean(printed)), "step_us": 1e6 * float(np.mean(step[1:]))}]
