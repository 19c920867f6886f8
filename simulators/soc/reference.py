"""Predicts what the reference simulator (FARSI, as ArchGym ran it) gives for rows of its tables."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import DesignError
from simulators.soc import graph, model
from simulators.soc.layout import (
    AREA,
    AREA_DRAM,
    AREA_REST,
    BUS_KIND,
    BUS_LINK,
    BUSES,
    ENERGY,
    LATENCY,
    MAPPING,
    MEMORIES,
    MEMORY_BUS,
    MEMORY_KIND,
    OK,
    PE_BUS,
    PE_KIND,
    PES,
    PHASES,
    POWER,
    SERIAL_LATENCY,
    Platforms,
    platform_size,
)
from simulators.soc.library import load_library
from simulators.soc.problem import Problem, make_problem

INPUTS = ("workload", "pe", "mem", "bus", "pe_bus", "bus_bus", "bus_mem", "mem_bus", "t_pe", "t_mem")
NUMBERS = {
    "latency": LATENCY,
    "power": POWER,
    "area": AREA,
    "energy": ENERGY,
    "area_dram": AREA_DRAM,
    "area_non_dram": AREA_REST,
    "serial_latency": SERIAL_LATENCY,
    "n_phases": PHASES,
}
LISTS = ("kernels", "phases", "phase_energy")
OUTPUTS = ("valid", *NUMBERS, "reward_dist", *LISTS)
WITHIN_BUDGET, NO_DISTANCE = 1e-9, 1e-5  # what FARSI writes instead of zero

Columns = dict[str, NDArray[Any]]


def predict(rows: Mapping[str, Any]) -> Columns:
    """Predicts the output columns of a reference table from its input columns.

    Args:
        rows: the columns ``INPUTS``, arrays of one length (N,); other columns are ignored.  All but the workload are lists of
            whole numbers, or their JSON.  ``mem_bus`` says where each memory hangs; where it is missing ``bus_mem`` does.

    Returns:
        The columns ``OUTPUTS``, each (N,): ``valid`` is bool, ``LISTS`` are JSON, the others float64 in SI units, NaN (for
        lists None) where a design is invalid.

    Raises:
        UnknownNameError: an unknown workload.
        DesignError: a cell that is no list of whole numbers or that does not fit the workload.
        ValueError: a missing column, or columns of different length.
    """
    columns = _columns(rows)
    n = len(columns["workload"])
    results: Columns = {name: np.full(n, np.nan) for name in (*NUMBERS, "reward_dist")}
    results["valid"] = np.zeros(n, bool)
    results |= {name: np.full(n, None, object) for name in LISTS}
    for name in sorted(set(columns["workload"].tolist())):
        chosen = np.flatnonzero(columns["workload"] == name)
        workload = graph.load(name)
        problem = make_problem(workload, load_library())
        found = platforms({column: values[chosen] for column, values in columns.items()}, problem)
        outcomes, fates, _, _ = model.simulate(found, problem)
        results["valid"][chosen] = fates == OK
        for column, outcome in NUMBERS.items():
            results[column][chosen] = outcomes[:, outcome]
        results["reward_dist"][chosen] = distance(outcomes, workload.budget)
        for row, platform in zip(chosen[fates == OK], found[fates == OK], strict=True):
            for column, text in zip(LISTS, _lists(platform, problem, workload), strict=True):
                results[column][row] = text
    return {name: results[name] for name in OUTPUTS}


def platforms(columns: Mapping[str, Any], problem: Problem) -> Platforms:
    """Platforms of rows of one workload, ``(N, platform_size(T))`` int32, from their columns ``INPUTS``.

    Raises:
        DesignError: a cell that is no list of whole numbers or that does not fit the workload.
    """
    return np.stack([_platform(columns, row, problem) for row in range(len(columns["workload"]))])


def distance(outcomes: NDArray[np.float64], budget: Mapping[str, float]) -> NDArray[np.float64]:
    """Distance to the budget as FARSI defines it (smaller is better): the sum of what four figures exceed it by, relatively.

    Args:
        outcomes: (N, OUTCOMES).
        budget: limits ``latency_s``, ``power_w``, ``area_m2``; area counts twice, for DRAM and for the rest.
    """
    terms = ((LATENCY, "latency_s"), (POWER, "power_w"), (AREA_REST, "area_m2"), (AREA_DRAM, "area_m2"))
    ratios = np.stack([outcomes[:, outcome] / budget[limit] for outcome, limit in terms])
    total = np.where(ratios <= 1.0, WITHIN_BUDGET, np.abs(ratios - 1.0)).sum(axis=0)
    total[np.isnan(ratios).any(axis=0)] = np.nan
    return np.where(total == 0.0, NO_DISTANCE, total)


def _lists(platform: Platforms, problem: Problem, workload: graph.Graph) -> tuple[str, str, str]:
    _, _, work = model.trace(platform, problem)
    tasks, phases = problem.tasks, int(work["phases"])
    order = np.argsort(work["rank"][:tasks])
    kernels = [[workload.tasks[i].name, float(work["launch"][i]), float(work["finish"][i])] for i in order]
    lengths, energies = (work[name][:phases].tolist() for name in ("length", "energy"))
    return json.dumps(kernels), json.dumps(lengths), json.dumps(energies)


def _columns(rows: Mapping[str, Any]) -> Columns:
    missing = [name for name in INPUTS if name not in rows]
    if missing:
        raise ValueError(f"soc: a reference table needs the columns {', '.join(INPUTS)}; missing: {', '.join(missing)}")
    lengths = {name: len(rows[name]) for name in INPUTS}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"soc: the columns of a reference table must be of one length, got {lengths}")
    columns = {}
    for name in INPUTS:
        columns[name] = np.empty(lengths[name], object)
        columns[name][:] = list(rows[name])
    return columns


def _platform(columns: Mapping[str, Any], row: int, problem: Problem) -> Platforms:
    """The platform of one row."""
    tasks = problem.tasks
    platform = np.full(platform_size(tasks), -1, np.int32)
    pes = _numbers(columns, "pe", row, (1, PES), (0, len(problem.pes)))
    memories = _numbers(columns, "mem", row, (1, MEMORIES), (0, len(problem.memories)))
    buses = _numbers(columns, "bus", row, (1, BUSES), (0, len(problem.buses)))
    same = {"pe": (len(pes),) * 2, "mem": (len(memories),) * 2, "bus": (len(buses),) * 2, "task": (tasks, tasks)}
    slot = {"pe": (0, len(pes)), "mem": (0, len(memories)), "bus": (0, len(buses))}
    hung = _optional(columns["mem_bus"][row])
    if hung is None:
        on_bus = _numbers(columns, "bus_mem", row, same["bus"], (-1, len(memories)))
        where = [[bus for bus, memory in enumerate(on_bus) if memory == m] for m in range(len(memories))]
        hung_on = [found[0] if len(found) == 1 else -max(len(found), 1) for found in where]
    else:
        hung_on = _numbers(columns, "mem_bus", row, same["mem"], (-1, len(buses)))
    for first, numbers in (
        (PE_KIND, pes),
        (MEMORY_KIND, memories),
        (BUS_KIND, buses),
        (PE_BUS, _numbers(columns, "pe_bus", row, same["pe"], slot["bus"])),
        (MEMORY_BUS, hung_on),
        (BUS_LINK, _numbers(columns, "bus_bus", row, same["bus"], (-1, len(buses)))),
        (MAPPING, _numbers(columns, "t_pe", row, same["task"], slot["pe"])),
        (MAPPING + tasks, _numbers(columns, "t_mem", row, same["task"], slot["mem"])),
    ):
        platform[first : first + len(numbers)] = numbers
    return platform


def _numbers(columns: Mapping[str, Any], name: str, row: int, lengths: tuple[int, int], values: tuple[int, int]) -> list[int]:
    """A cell as a list, from ``lengths[0]`` to ``lengths[1]`` numbers, each in ``range(*values)``."""
    cell = _optional(columns[name][row])
    try:
        given = json.loads(cell) if isinstance(cell, str) else list(cell)
        numbers = [operator.index(value) for value in given]
    except (TypeError, ValueError) as error:
        raise DesignError(f"soc: row {row}, {name}: expected a list of whole numbers, got {cell!r}") from error
    if not lengths[0] <= len(numbers) <= lengths[1] or not all(values[0] <= number < values[1] for number in numbers):
        raise DesignError(
            f"soc: row {row}, {name}: expected {lengths[0]} to {lengths[1]} numbers "
            f"from {values[0]} to {values[1] - 1}, got {cell!r}"
        )
    return numbers


def _optional(cell: Any) -> Any:
    """None for what tables write where there is nothing."""
    return None if cell is None or (isinstance(cell, float) and np.isnan(cell)) else cell
