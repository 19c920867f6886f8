"""The heuristic once more, in the words of its definition: no early ends, every candidate scheduled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mapping = tuple[int, ...]


class PlainHAP:
    """One case: ``(L, k)`` latencies and energies, layers per network, limit."""

    def __init__(self, latency: Ints, energy: Ints, lengths: Sequence[int], limit: int) -> None:
        self.latency, self.energy = latency.tolist(), energy.tolist()
        self.lengths, self.limit = lengths, limit
        self.units = range(latency.shape[1])

    def makespan(self, mapping: Mapping) -> int:
        """Always the layer that can start first; then of the network with more work left; then of the lower number."""
        bounds = [0, *itertools.accumulate(self.lengths)]
        chains = [list(range(begin, end)) for begin, end in itertools.pairwise(bounds)]
        ready, free = [0] * len(chains), [0] * len(self.units)
        while any(chains):
            waiting = [number for number, chain in enumerate(chains) if chain]
            work = {number: sum(self.latency[i][mapping[i]] for i in chains[number]) for number in waiting}
            begin = {number: max(ready[number], free[mapping[chains[number][0]]]) for number in waiting}
            chosen = min(waiting, key=lambda number: (begin[number], -work[number], number))
            layer = chains[chosen].pop(0)
            ready[chosen] = free[mapping[layer]] = begin[chosen] + self.latency[layer][mapping[layer]]
        return max(ready)

    def spent(self, mapping: Mapping) -> int:
        """Total energy."""
        return sum(self.energy[layer][unit] for layer, unit in enumerate(mapping))

    def moves(self, mapping: Mapping) -> Iterator[Mapping]:
        """Every mapping with one layer elsewhere, layers and units ascending."""
        for layer, home in enumerate(mapping):
            for unit in self.units:
                if unit != home:
                    yield (*mapping[:layer], unit, *mapping[layer + 1 :])

    def run(self, mapping: Mapping) -> Mapping:
        """Repair, then polish."""
        while (now := self.makespan(mapping)) > self.limit:
            candidates = [(moved, span) for moved in self.moves(mapping) if (span := self.makespan(moved)) < now]
            if not candidates:
                return mapping
            base = self.spent(mapping)
            scores = [(now - max(span, self.limit)) / max(self.spent(moved) - base, 1) for moved, span in candidates]
            mapping = candidates[scores.index(max(scores))][0]
        while True:
            base = self.spent(mapping)
            cheaper = [moved for moved in self.moves(mapping) if self.spent(moved) < base]
            within = [moved for moved in cheaper if self.makespan(moved) <= self.limit]
            if not within:
                return mapping
            mapping = min(within, key=self.spent)

    def least(self, of: list[list[int]], then: list[list[int]]) -> Mapping:
        """Every layer where ``of`` is least, then where ``then`` is, then on the lower unit."""
        return tuple(
            min(zip(row, tie, self.units, strict=True))[2]  # tuples compare from the left
            for row, tie in zip(of, then, strict=True)
        )

    def solve(self) -> Mapping:
        """From both starts; the better end."""
        starts = self.least(self.energy, self.latency), self.least(self.latency, self.energy)
        ends = [self.run(start) for start in starts]
        within = [end for end in ends if self.makespan(end) <= self.limit]
        if within:
            return min(within, key=lambda end: (self.spent(end), self.makespan(end)))
        return min(ends, key=lambda end: (self.makespan(end), self.spent(end)))
