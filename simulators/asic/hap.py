"""Maps the layers of several networks to units and schedules them: one case at a time, by heuristic or exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownNameError, WorkloadError
from simulators.asic.hap_kernel import STATE, solve

SOLVERS = ("heuristic", "exact")

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Assignment:
    """Who runs what and when; layers are numbered through, network after network.

    Attributes:
        mapping: ``(L,)`` unit of each layer.
        start: ``(L,)`` cycle in which it starts.
        end: ``(L,)`` cycle in which it has ended.
        makespan: latest end, in cycles.
        energy: sum over layers, in the unit of the given energies.
        feasible: whether the makespan is within the limit.
    """

    mapping: Ints
    start: Ints
    end: Ints
    makespan: int
    energy: int
    feasible: bool


def assign(latency: Ints, energy: Ints, lengths: Sequence[int], limit: int, solver: str = "heuristic") -> Assignment:
    """Looks for the mapping and schedule of least energy whose makespan is within a limit.

    Args:
        latency: ``(L, k)`` cycles of each layer on each unit.
        energy: ``(L, k)`` integers.
        lengths: layers of each network; they add up to L.
        limit: on the makespan, in cycles.
        solver: ``heuristic`` (``hap_kernel``) or ``exact`` (``hap_exact``, needs OR-tools).

    Returns:
        The mapping found.  Where none meets the limit, the one with the least makespan found, marked as not feasible.

    Raises:
        WorkloadError: arrays that do not fit together.
        UnknownNameError: another solver.
        MissingExtraError: the exact solver without OR-tools.
    """
    latency = np.ascontiguousarray(latency, np.int64)
    energy = np.ascontiguousarray(energy, np.int64)
    if latency.ndim != 2 or latency.shape != energy.shape or 0 in latency.shape:
        raise WorkloadError(
            f"asic: latency and energy must have one shape (layers, units), got {latency.shape} and {energy.shape}"
        )
    if sum(lengths) != len(latency) or min(lengths) < 1:
        raise WorkloadError(
            f"asic: the lengths of the networks must be positive and add up to {len(latency)} layers, got {list(lengths)}"
        )
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if solver == "heuristic":
        return _heuristic(latency, energy, first, limit)
    if solver == "exact":
        from simulators.asic.hap_exact import exact

        mapping, start = exact(latency, energy, first, limit)
        return _assignment(latency, energy, mapping, start, limit)
    raise UnknownNameError("solver", solver, SOLVERS, "asic")


def _heuristic(latency: Ints, energy: Ints, first: Ints, limit: int) -> Assignment:
    layers, units = latency.shape
    mapping, other, start = np.zeros((3, layers), np.int64)
    state = np.zeros((STATE, max(units, len(first) - 1)), np.int64)
    solve(latency, energy, first, limit, mapping, other, start, state)
    return _assignment(latency, energy, mapping, start, limit)


def _assignment(latency: Ints, energy: Ints, mapping: Ints, start: Ints, limit: int) -> Assignment:
    layer = np.arange(len(mapping))
    end = start + latency[layer, mapping]
    makespan = int(end.max())
    return Assignment(mapping, start, end, makespan, int(energy[layer, mapping].sum()), makespan <= limit)
