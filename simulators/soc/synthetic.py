"""Task graphs drawn from a seed: chains, forks that join, and mixtures of both (series-parallel graphs)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from archgym.errors import WorkloadError
from simulators.soc.graph import Accelerator, Graph, Task

KINDS = ("chain", "fork-join", "series-parallel")
FEWEST, MOST = 5, 100
PATTERN = re.compile(rf"({'|'.join(KINDS)})-(\d+)-(\d+)")

# Ranges that contain most tasks of the three applications; all are log-uniform.
INSTRUCTIONS = (1e5, 3e7)
BYTES = (1e3, 3e5)
SPEEDUP = (3.0, 100.0)  # cycles of an A53 per cycle of an accelerator that is not unrolled
ENERGY_FJ = (30.0, 3e3)
AREA_UM2 = (2e4, 5e5)
MOST_UNROLLED = 10  # powers of two
ACCELERATED = 0.8  # share of tasks that have an accelerator
MOST_BRANCHES = 8
MOST_SUM_BYTES = 5e7  # of all edges: the tables of memories reach a little further
INSTRUCTIONS_PER_CYCLE = 2

Edges = list[tuple[int, int]]
Ends = list[int]


def generate(kind: str, tasks: int, seed: int) -> Graph:
    """Draws a task graph.

    Args:
        kind: one of ``KINDS``.
        tasks: with work, 5 to 100; a source and a sink are added.
        seed: equal seeds give equal graphs.

    Raises:
        WorkloadError: no such kind, or a number of tasks out of range.
    """
    name = f"{kind}-{tasks}-{seed}"
    if kind not in KINDS or not FEWEST <= tasks <= MOST or seed < 0:
        raise WorkloadError(f"soc: expected KIND-TASKS-SEED with {', '.join(KINDS)}, {FEWEST} to {MOST} tasks, got {name!r}")
    rng = np.random.default_rng([seed, tasks, KINDS.index(kind)])
    edges: Edges = []
    draw = {"chain": _chain, "fork-join": _fork_join, "series-parallel": _series_parallel}[kind]
    first, last = draw(range(1, tasks + 1), edges, rng)
    edges = [*((0, task) for task in first), *sorted(edges), *((task, tasks + 1) for task in last)]
    sizes = _log_uniform(rng, BYTES, len(edges))
    sizes = np.maximum(sizes * min(1.0, MOST_SUM_BYTES / sizes.sum()), 1.0).round()
    names = ["source", *(f"t{index}" for index in range(1, tasks + 1)), "sink"]
    work = _log_uniform(rng, INSTRUCTIONS, tasks).round()
    workers = [Task(names[index + 1], float(amount)) for index, amount in enumerate(work)]
    return Graph(
        name,
        (Task("source", 0.0, "source"), *workers, Task("sink", 0.0, "sink")),
        _accelerators(workers, rng),
        tuple((names[a], names[b], float(size)) for (a, b), size in zip(edges, sizes, strict=True)),
        tuple(names[task] for task in last),
        {},
    )


def _accelerators(workers: Sequence[Task], rng: np.random.Generator) -> tuple[Accelerator, ...]:
    speedup, energy, area = (_log_uniform(rng, span, len(workers)) for span in (SPEEDUP, ENERGY_FJ, AREA_UM2))
    loops = 2 ** rng.integers(0, MOST_UNROLLED + 1, len(workers))
    made = rng.random(len(workers)) < ACCELERATED
    made[0] = True  # the limited encoding needs one
    return tuple(
        Accelerator(
            task.name,
            float(max(round(task.instructions / INSTRUCTIONS_PER_CYCLE / speedup[i]), 1)),
            float(energy[i]),
            float(area[i]),
            int(loops[i]),
        )
        for i, task in enumerate(workers)
        if made[i]
    )


def _chain(tasks: range, edges: Edges, rng: np.random.Generator) -> tuple[Ends, Ends]:
    edges += [(task, task + 1) for task in tasks[:-1]]
    return [tasks[0]], [tasks[-1]]


def _fork_join(tasks: range, edges: Edges, rng: np.random.Generator) -> tuple[Ends, Ends]:
    """One task, some beside each other, one task that waits for them, some beside each other, and so on."""
    head, start = tasks[0], 1
    while len(tasks) - start >= 3:
        width = int(rng.integers(2, min(MOST_BRANCHES, len(tasks) - start - 1) + 1))
        branches, join = tasks[start : start + width], tasks[start + width]
        edges += [edge for task in branches for edge in ((head, task), (task, join))]
        head, start = join, start + width + 1
    rest = [head, *tasks[start:]]
    edges += list(pairwise(rest))
    return [tasks[0]], [tasks[-1]]


def _series_parallel(tasks: range, edges: Edges, rng: np.random.Generator) -> tuple[Ends, Ends]:
    """A task; or two graphs beside each other; or one after the other, with a task between that joins and forks."""
    if len(tasks) == 1:
        return [tasks[0]], [tasks[0]]
    if len(tasks) == 2 or rng.random() < 0.5:
        cut = int(rng.integers(1, len(tasks)))
        first, last = _series_parallel(tasks[:cut], edges, rng)
        other_first, other_last = _series_parallel(tasks[cut:], edges, rng)
        return first + other_first, last + other_last
    cut = int(rng.integers(1, len(tasks) - 1))
    first, joined = _series_parallel(tasks[:cut], edges, rng)
    forked, last = _series_parallel(tasks[cut + 1 :], edges, rng)
    edges += [(task, tasks[cut]) for task in joined] + [(tasks[cut], task) for task in forked]
    return first, last


def _log_uniform(rng: np.random.Generator, span: tuple[float, float], n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(np.exp(rng.uniform(np.log(span[0]), np.log(span[1]), n)))
