"""Graphs and platforms drawn at random, for the tests of the model."""

from __future__ import annotations

import numpy as np

from simulators.soc import graph
from simulators.soc.layout import (
    BUS_KIND,
    BUS_LINK,
    BUSES,
    MAPPING,
    MEMORIES,
    MEMORY_BUS,
    MEMORY_KIND,
    PE_BUS,
    PE_KIND,
    PES,
    Platforms,
    platform_size,
)
from simulators.soc.library import load_library
from simulators.soc.problem import Problem, make_problem

LIBRARY = load_library()


def problem(name: str) -> Problem:
    return make_problem(graph.load(name), LIBRARY)


def content(rng: np.random.Generator, workers: int, extra: int, back: int = 0) -> dict[str, object]:
    """A graph as JSON has it: a tree of workers with some edges more, and some that lead back to earlier tasks."""
    tasks: list[dict[str, object]] = [{"name": "start", "role": "source"}]
    tasks += [{"name": f"t{i}", "instructions": int(rng.integers(1, 10**8))} for i in range(workers)]
    accelerated = [f"t{i}" for i in range(workers) if rng.random() < 0.7]
    accelerators = [
        {
            "task": name,
            "cycles": int(rng.integers(1, 10**6)),
            "energy_fj": float(rng.uniform(1, 1e5)),
            "area_um2": float(rng.uniform(1, 1e5)),
            "loop_iterations": int(rng.integers(1, 2000)),
        }
        for name in accelerated
    ]
    names = [str(task["name"]) for task in tasks]
    pairs = {(int(rng.integers(0, i)), i) for i in range(1, len(names))}
    pairs |= {tuple(sorted(rng.choice(len(names), 2, replace=False).tolist())) for _ in range(extra)}
    pairs |= {
        (b, a) for a, b in (sorted(rng.choice(np.arange(1, len(names)), 2, replace=False).tolist()) for _ in range(back))
    }
    edges: list[list[object]] = [[names[a], names[b], int(rng.integers(1, 10**6))] for a, b in sorted(pairs)]
    leaf = next(name for name in reversed(names) if all(edge[0] != name for edge in edges) or back)
    edges.append([leaf, "stop", 1])
    tasks.append({"name": "stop", "role": "sink"})
    return {"name": "drawn", "tasks": tasks, "accelerators": accelerators, "edges": edges, "last": leaf}


def working(rng: np.random.Generator, of: Problem, n: int) -> Platforms:
    """Platforms that work, ``(n, platform_size(T))``: a tree of buses, tasks where they can run, an A53 in slot 0."""
    rows = np.full((n, platform_size(of.tasks)), -1, np.int32)
    only = of.pes[:, 3].astype(int)
    for row in rows:
        pes, memories, buses = (
            int(rng.integers(1, PES + 1)),
            int(rng.integers(1, MEMORIES + 1)),
            int(rng.integers(1, BUSES + 1)),
        )
        row[PE_KIND : PE_KIND + pes] = [0, *rng.integers(0, len(of.pes), pes - 1)]
        row[MEMORY_KIND : MEMORY_KIND + memories] = rng.integers(0, len(of.memories), memories)
        row[BUS_KIND : BUS_KIND + buses] = rng.integers(0, len(of.buses), buses)
        row[PE_BUS : PE_BUS + pes] = rng.integers(0, buses, pes)
        row[MEMORY_BUS : MEMORY_BUS + memories] = rng.integers(0, buses, memories)
        row[BUS_LINK + 1 : BUS_LINK + buses] = [rng.integers(0, bus) for bus in range(1, buses)]
        for task in range(of.tasks):
            able = [pe for pe in range(pes) if only[row[PE_KIND + pe]] in (-1, task)]
            row[MAPPING + task] = rng.choice(able)
        row[MAPPING] = 0  # the source: then slot 0 is never cut off
        row[MAPPING + of.tasks :] = rng.integers(0, memories, of.tasks)
    return rows


def wild(rng: np.random.Generator, of: Problem, n: int) -> Platforms:
    """Platforms with nothing kept in mind but the range of each column; slot 0 of processing elements is taken."""
    rows = np.empty((n, platform_size(of.tasks)), np.int32)
    rows[:, PE_KIND : PE_KIND + PES] = rng.integers(-1, 3, (n, PES))
    rows[:, PE_KIND] = np.maximum(rows[:, PE_KIND], 0)
    rows[:, MEMORY_KIND : MEMORY_KIND + MEMORIES] = rng.integers(-1, len(of.memories), (n, MEMORIES))
    rows[:, BUS_KIND : BUS_KIND + BUSES] = rng.integers(0, len(of.buses), (n, BUSES))
    rows[:, PE_BUS : PE_BUS + PES] = rng.integers(0, BUSES, (n, PES))
    rows[:, MEMORY_BUS : MEMORY_BUS + MEMORIES] = rng.integers(-2, BUSES, (n, MEMORIES))
    rows[:, BUS_LINK : BUS_LINK + BUSES] = rng.integers(-1, BUSES, (n, BUSES))
    rows[:, MAPPING : MAPPING + of.tasks] = rng.integers(0, PES, (n, of.tasks))
    rows[:, MAPPING + of.tasks :] = rng.integers(0, MEMORIES, (n, of.tasks))
    return rows


def widened(rows: Platforms, rng: np.random.Generator) -> Platforms:
    """The same platforms with some buses and memories as fast as or faster than they were; the library has 24 of each make."""
    faster = rows.copy()
    for first, slots in ((BUS_KIND, BUSES), (MEMORY_KIND, MEMORIES)):
        kinds = rows[:, first : first + slots]
        clock, width = kinds % 4, kinds // 4 % 6
        clock, width = rng.integers(clock, 4), rng.integers(width, 6)
        faster[:, first : first + slots] = np.where(kinds < 0, kinds, kinds // 24 * 24 + width * 4 + clock)
    return faster
