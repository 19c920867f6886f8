"""Which unit runs which layer, and when: the heuristic for the heterogeneous assignment problem, compiled.

``m`` networks run at the same time on ``k`` units.  A network is a chain: a layer starts when the one before it has ended.  A
unit runs one layer at a time, without interruption.  Asked is the mapping of layers to units with the least energy among
those that end within a limit.  All times and energies are integers, so that every implementation agrees to the last digit.

Two searches start from the mapping of least energy and from that of the fastest units.  Each first *repairs*: moves one layer
at a time until the limit is met, the one that gains most time for its energy; and then *polishes*: moves one layer at a time
that saves energy within the limit.

Arrays: ``latency`` and ``energy`` ``(L, k)`` of each layer on each unit; ``first`` ``(m + 1,)``, network ``c`` has the layers
``first[c]`` to ``first[c + 1] - 1``; ``mapping`` ``(L,)`` units; ``start`` ``(L,)``; ``state`` ``(STATE, max(m, k))`` scratch.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Of a network: its next layer, the end of its last one, its work left.  Of a unit: when it is free, its work left.
NEXT, READY, REST, FREE, LOAD, STATE = range(6)
NEVER = np.int64(1) << 62

Ints = NDArray[np.int64]


@njit(cache=True, nogil=True)
def schedule(latency: Ints, first: Ints, mapping: Ints, cutoff: int, start: Ints, state: Ints) -> int:
    """Places layers one by one, always the one that can start first; fills ``start``.

    Among several the network with more work left goes first, then the one with the lower number.

    Returns:
        The makespan; or, as soon as it is known to exceed ``cutoff``, something between the two that does.
    """
    networks = len(first) - 1
    state[FREE, :] = 0
    state[LOAD, :] = 0
    for network in range(networks):
        state[NEXT, network] = first[network]
        state[READY, network] = 0
        work = 0
        for layer in range(first[network], first[network + 1]):
            unit = mapping[layer]
            work += latency[layer, unit]
            state[LOAD, unit] += latency[layer, unit]
        state[REST, network] = work
    makespan = 0
    for _ in range(first[networks] - first[0]):
        chosen, begin = -1, NEVER
        for network in range(networks):
            layer = state[NEXT, network]
            if layer == first[network + 1]:
                continue
            earliest = max(state[READY, network], state[FREE, mapping[layer]])
            if earliest < begin or (earliest == begin and state[REST, network] > state[REST, chosen]):
                chosen, begin = network, earliest
        layer = state[NEXT, chosen]
        unit = mapping[layer]
        start[layer] = begin
        bound = begin + max(state[REST, chosen], state[LOAD, unit])  # what is left of the network, and for the unit
        if bound > cutoff:
            return bound
        cycles = latency[layer, unit]
        end = begin + cycles
        state[NEXT, chosen] += 1
        state[READY, chosen] = end
        state[REST, chosen] -= cycles
        state[FREE, unit] = end
        state[LOAD, unit] -= cycles
        makespan = max(makespan, end)
    return makespan


@njit(cache=True, nogil=True)
def total(energy: Ints, mapping: Ints) -> int:
    """Energy of a mapping."""
    result = 0
    for layer in range(len(mapping)):
        result += energy[layer, mapping[layer]]
    return result


@njit(cache=True, nogil=True)
def take_least(of: Ints, then: Ints, mapping: Ints) -> None:
    """Puts every layer on the unit where ``of`` is least; on a tie the one where ``then`` is, then the lower number."""
    for layer in range(len(mapping)):
        best = 0
        for unit in range(1, of.shape[1]):
            less = of[layer, unit] < of[layer, best]
            equal = of[layer, unit] == of[layer, best]
            if less or (equal and then[layer, unit] < then[layer, best]):
                best = unit
        mapping[layer] = best


@njit(cache=True, nogil=True)
def repair_move(
    latency: Ints, energy: Ints, first: Ints, mapping: Ints, limit: int, makespan: int, start: Ints, state: Ints
) -> tuple[int, int]:
    """The move that shortens most, down to the limit, for its extra energy; the first one found on a tie.

    Returns:
        Layer and unit; layer -1 where no single move shortens the schedule.
    """
    chosen, target, best = -1, -1, 0.0
    for layer in range(len(mapping)):
        home = mapping[layer]
        for unit in range(latency.shape[1]):
            if unit == home:
                continue
            extra = max(energy[layer, unit] - energy[layer, home], 1)
            if (makespan - limit) / extra <= best:
                continue  # even a move that meets the limit would not score higher
            mapping[layer] = unit
            moved = schedule(latency, first, mapping, makespan - 1, start, state)
            if moved < makespan:
                score = (makespan - max(moved, limit)) / extra
                if score > best:
                    chosen, target, best = layer, unit, score
        mapping[layer] = home
    return chosen, target


@njit(cache=True, nogil=True)
def polish_move(
    latency: Ints, energy: Ints, first: Ints, mapping: Ints, limit: int, start: Ints, state: Ints
) -> tuple[int, int]:
    """The move that saves most energy within the limit, the first one found on a tie; layer -1 where none saves any."""
    chosen, target, best = -1, -1, 0
    for layer in range(len(mapping)):
        home = mapping[layer]
        for unit in range(latency.shape[1]):
            saving = energy[layer, home] - energy[layer, unit]
            if saving <= best:
                continue
            mapping[layer] = unit
            if schedule(latency, first, mapping, limit, start, state) <= limit:
                chosen, target, best = layer, unit, saving
        mapping[layer] = home
    return chosen, target


@njit(cache=True, nogil=True)
def improve(latency: Ints, energy: Ints, first: Ints, mapping: Ints, limit: int, start: Ints, state: Ints) -> int:
    """Repairs a mapping until it meets the limit or no move helps, then polishes it; in place.

    Returns:
        Its makespan.
    """
    makespan = schedule(latency, first, mapping, NEVER, start, state)
    while makespan > limit:
        layer, unit = repair_move(latency, energy, first, mapping, limit, makespan, start, state)
        if layer < 0:
            return makespan
        mapping[layer] = unit
        makespan = schedule(latency, first, mapping, NEVER, start, state)
    while True:
        layer, unit = polish_move(latency, energy, first, mapping, limit, start, state)
        if layer < 0:
            return makespan
        mapping[layer] = unit
        makespan = schedule(latency, first, mapping, NEVER, start, state)


@njit(cache=True, nogil=True)
def solve(
    latency: Ints, energy: Ints, first: Ints, limit: int, mapping: Ints, other: Ints, start: Ints, state: Ints
) -> tuple[int, int]:
    """The heuristic: both searches, and the better end of the two.

    Better is: within the limit; then, of two within, less energy and next the smaller makespan; of two beyond, the smaller
    makespan and next less energy; the search that starts from least energy where all are equal.

    Args:
        latency: cycles.
        energy: any integer unit.
        first: of each network.
        limit: on the makespan, in cycles.
        mapping: filled with the result.
        other: ``(L,)`` scratch.
        start: ``(L,)`` filled with when each layer starts.
        state: scratch.

    Returns:
        Makespan and energy.
    """
    take_least(energy, latency, mapping)
    makespan = improve(latency, energy, first, mapping, limit, start, state)
    spent = total(energy, mapping)
    take_least(latency, energy, other)
    makespan_b = improve(latency, energy, first, other, limit, start, state)
    spent_b = total(energy, other)
    if makespan <= limit and makespan_b <= limit:
        swap = (spent_b, makespan_b) < (spent, makespan)
    else:  # the one within the limit, if any, has the smaller makespan
        swap = (makespan_b, spent_b) < (makespan, spent)
    if swap:
        mapping[:] = other
        spent = spent_b
    return schedule(latency, first, mapping, NEVER, start, state), spent
