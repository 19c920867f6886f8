"""Many designs at once: the cost of every layer on every unit, then mapping and schedule, in parallel over designs.

A design is some networks that run at the same time on some units.  The layers of its networks follow one another in one
array and are numbered through.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from archgym.errors import DesignError, WorkloadError
from simulators.asic.cost import HOPS, OFFCHIP, price_all
from simulators.asic.hap import assign
from simulators.asic.hap_kernel import STATE, solve
from simulators.asic.layout import LAYER_SIZE, UNIT_SIZE
from simulators.asic.network_space import NetworkSpace
from simulators.asic.validate import check

Ints = NDArray[np.int64]

# The thread pool that Numba starts does not survive a fork: a child process prices its designs one after the other.
_forked = threading.Event()
os.register_at_fork(after_in_child=_forked.set)

SMALL = 4  # designs that are not worth waking threads for
CHUNK = 4096  # designs whose layers are written out at the same time


@dataclass(frozen=True, eq=False)
class Priced:
    """Results of N designs.

    Attributes:
        latency: ``(N,)`` makespan in cycles.
        energy: ``(N,)`` in hundredths of a multiply-accumulate.
        feasible: ``(N,)`` whether the makespan is within the limit.
        mapping: ``(N, L)`` int8 unit of each layer, -1 beyond the last one.
    """

    latency: Ints
    energy: Ints
    feasible: NDArray[np.bool_]
    mapping: NDArray[np.int8]


def price(
    layers: Ints,
    first: Ints,
    units: Ints,
    limit: int,
    mode: str = "compatible",
    solver: str = "heuristic",
    hops: int = HOPS,
    offchip: int = OFFCHIP,
) -> Priced:
    """Prices designs.

    Args:
        layers: ``(N, L, LAYER_SIZE)`` int64, as ``together`` puts them.
        first: ``(N, m + 1)`` int64: network ``c`` has the layers ``first[c]`` to ``first[c + 1] - 1``.
        units: ``(N, k, UNIT_SIZE)`` int64.
        limit: on the makespan, in cycles.
        mode: of the cost model, ``"compatible"`` or ``"clean"``.
        solver: ``"heuristic"`` or ``"exact"``, as for ``hap.assign``.
        hops: see ``cost.unit_costs``.
        offchip: see ``cost.unit_costs``.

    Raises:
        WorkloadError: layers or networks that make no sense.
        DesignError: units that make no sense, or another number of them than of networks.
        UnknownNameError: no such mode or solver.
        ArgumentError: hops or off-chip bandwidth out of range.
        MissingExtraError: the exact solver without OR-tools.
    """
    code = _check(layers, first, units, mode, hops, offchip)
    if solver == "heuristic":
        return _heuristic(layers, first, units, limit, code, hops, offchip)
    priced = _empty(layers)
    for design in range(len(layers)):
        length = first[design, -1]
        latency, energy = np.empty((2, length, units.shape[1]), np.int64)
        price_all(layers[design, :length], units[design], hops, offchip, code, latency, energy)
        found = assign(latency, energy, np.diff(first[design]).tolist(), limit, solver)
        priced.latency[design], priced.energy[design] = found.makespan, found.energy
        priced.mapping[design, :length] = found.mapping
    return _within(priced, limit)


def price_choices(
    spaces: Sequence[NetworkSpace],
    values: Sequence[Ints],
    units: Ints,
    limit: int,
    mode: str = "compatible",
    solver: str = "heuristic",
) -> Priced:
    """Prices designs whose networks are drawn from spaces.

    Args:
        spaces: one for each network.
        values: for each network ``(N, P)``, rows of its space.
        units: see ``price``, also for the following arguments and for what is raised.
        limit: in cycles.
        mode: of the cost model.
        solver: of the mapping and schedule.
    """
    parts = []
    for begin in range(0, max(len(units), 1), CHUNK):
        part = slice(begin, begin + CHUNK)
        layers, first = together([space.layers(each[part]) for space, each in zip(spaces, values, strict=True)])
        parts.append(price(layers, first, units[part], limit, mode, solver))
    columns = ("latency", "energy", "feasible", "mapping")
    return Priced(*(np.concatenate([getattr(part, column) for part in parts]) for column in columns))


def together(networks: Sequence[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Puts the layers of each design's networks one after the other.

    Args:
        networks: for each its ``(N, L_c, LAYER_SIZE)`` rows and ``(N,)`` lengths, as ``NetworkSpace.layers`` makes them.

    Returns:
        ``(N, sum of L_c, LAYER_SIZE)`` rows, and ``(N, m + 1)`` the first row of each network and the number of rows.
    """
    lengths = np.column_stack([length for _, length in networks])
    first = np.zeros((len(lengths), len(networks) + 1), np.int64)
    np.cumsum(lengths, axis=1, out=first[:, 1:])
    layers = np.zeros((len(lengths), sum(rows.shape[1] for rows, _ in networks), LAYER_SIZE), np.int64)
    for network, (rows, _) in enumerate(networks):
        _insert(rows, first[:, network], first[:, network + 1], layers)
    return layers, first


def _check(layers: Ints, first: Ints, units: Ints, mode: str, hops: int, offchip: int) -> int:
    if layers.ndim != 3 or first.ndim != 2 or len(first) != len(layers) or first.shape[1] < 2:
        raise WorkloadError(
            f"asic: layers must be (N, L, {LAYER_SIZE}) and first (N, networks + 1), got {layers.shape} and {first.shape}"
        )
    if units.ndim != 3 or len(units) != len(layers) or not units.shape[1]:
        raise DesignError(f"asic: units must be ({len(layers)}, units, {UNIT_SIZE}), got {units.shape}")
    if (np.diff(first, axis=1) < 1).any() or first[:, 0].any() or (first[:, -1] > layers.shape[1]).any():
        raise WorkloadError(f"asic: first must rise from 0 to at most {layers.shape[1]} layers in every design")
    used = np.arange(layers.shape[1]) < first[:, -1:]
    return check(layers[used], units.reshape(-1, units.shape[2]), mode, hops, offchip)


def _heuristic(layers: Ints, first: Ints, units: Ints, limit: int, code: int, hops: int, offchip: int) -> Priced:
    priced = _empty(layers)
    batch = _serial if len(layers) <= SMALL or _forked.is_set() else _parallel
    batch(layers, first, units, limit, code, hops, offchip, priced.latency, priced.energy, priced.mapping)
    return _within(priced, limit)


def _empty(layers: Ints) -> Priced:
    count = len(layers)
    mapping = np.full(layers.shape[:2], -1, np.int8)
    return Priced(np.empty(count, np.int64), np.empty(count, np.int64), np.empty(count, np.bool_), mapping)


def _within(priced: Priced, limit: int) -> Priced:
    np.less_equal(priced.latency, limit, out=priced.feasible)
    return priced


@njit(cache=True, nogil=True)
def _insert(rows: Ints, begin: Ints, end: Ints, layers: Ints) -> None:
    for design in range(len(rows)):
        layers[design, begin[design] : end[design]] = rows[design, : end[design] - begin[design]]


@njit(cache=True, nogil=True)
def _one(
    layers: Ints,
    first: Ints,
    units: Ints,
    limit: int,
    mode: int,
    hops: int,
    offchip: int,
    mapping: NDArray[np.int8],
) -> tuple[int, int]:
    """Prices one design; fills its mapping; returns makespan and energy."""
    length, width = first[-1], len(units)
    latency = np.empty((length, width), np.int64)
    energy = np.empty((length, width), np.int64)
    price_all(layers[:length], units, hops, offchip, mode, latency, energy)
    found, other, start = np.empty(length, np.int64), np.empty(length, np.int64), np.empty(length, np.int64)
    state = np.empty((STATE, max(width, len(first) - 1)), np.int64)
    makespan, spent = solve(latency, energy, first, limit, found, other, start, state)
    mapping[:length] = found
    return makespan, spent


@njit(cache=True, nogil=True)
def _serial(
    layers: Ints,
    first: Ints,
    units: Ints,
    limit: int,
    mode: int,
    hops: int,
    offchip: int,
    latency: Ints,
    energy: Ints,
    mapping: NDArray[np.int8],
) -> None:
    for design in range(len(layers)):
        latency[design], energy[design] = _one(
            layers[design], first[design], units[design], limit, mode, hops, offchip, mapping[design]
        )


@njit(cache=True, nogil=True, parallel=True)
def _parallel(
    layers: Ints,
    first: Ints,
    units: Ints,
    limit: int,
    mode: int,
    hops: int,
    offchip: int,
    latency: Ints,
    energy: Ints,
    mapping: NDArray[np.int8],
) -> None:
    for design in prange(len(layers)):
        latency[design], energy[design] = _one(
            layers[design], first[design], units[design], limit, mode, hops, offchip, mapping[design]
        )
