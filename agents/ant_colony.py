"""Ant colony: ants build designs level by level along pheromone trails, and good designs strengthen the trails they took."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("ants", (2, 4, 8, 16, 32, 64), default=16, doc="designs per generation; the levels that ArchGym swept"),
        Parameter(
            "evaporation", (0.1, 0.25, 0.5, 0.75, 1.0), default=0.5, doc="share of trail replaced per generation; as ArchGym"
        ),
        Parameter(
            "greediness", (0.0, 0.25, 0.5, 0.75, 1.0), default=0.25, doc="chance to take the strongest trail; as ArchGym"
        ),
        Parameter(
            "depth", (2, 4, 8, 16), default=16, doc="generations a colony digs on without a find; ArchGym: generations in all"
        ),
    ),
    name="ant_colony",
)

ELITE = 0.25
"""Share of a generation that lays pheromone."""

MEMORY_SHARE = 0.5
"""Share of the pheromone that the best design of the colony lays; the elite of the generation lays the rest."""

STRAY = 0.5
"""Parameters per design, on average, that are drawn without regard to trails: the lower trail limit of MMAS."""

DETOURS = 3
"""How often an ant that arrived at a known design changes one more parameter before it gives up."""

KNOWN = 1_000_000
"""Designs that are remembered as known; when there are more, memory starts anew."""


class AntColony(Agent):
    """Ant colony optimisation (Dorigo, Maniezzo and Colorni 1996) with one trail per (parameter, level).

    An ant picks each level with a probability in proportion to its trail or, with probability ``greediness``, the level with
    the strongest one (the pseudo-random proportional rule of Dorigo and Gambardella 1997).  After each generation of ``ants``
    designs, trails evaporate and the elite and the colony's best design lay pheromone.  Only the order of scores counts and
    the trails of a parameter always sum to one, as in the hyper-cube framework (Blum and Dorigo 2004), so the unit of the
    score does not matter.

    No trail fades completely, and a colony that found nothing better for ``depth`` generations gives way to a new one with
    even trails: limits and re-initialisation of the MAX-MIN ant system (Stützle and Hoos 2000).  In ArchGym ``ants x depth``
    was the number of simulations; here the budget decides how many colonies there are.

    Every simulation costs budget, so an ant that arrives at a design already told takes up to ``DETOURS`` detours.
    """

    name = "ant_colony"
    hyperparameters = HYPERPARAMETERS
    learns_from_past = True

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["ants"]
        self._elite = max(1, round(ELITE * self.batch))
        self._first = np.cumsum(space.nvec) - space.nvec  # where the trails of each parameter begin
        self._even = np.repeat(1.0 / space.nvec, space.nvec)
        self._known: set[bytes] = set()
        self._born: list[tuple[Designs, Scores]] = []
        self._best_score = -math.inf
        self._found_colony()

    def ask(self, n: int) -> Designs:
        """Sends ``n`` ants, (n, D) int32."""
        shape = (n, self.space.dimensions)
        walked = np.searchsorted(self._edges, np.arange(shape[1]) + self.rng.random(shape), side="right")
        designs = np.clip(walked - self._first, 0, self.space.nvec - 1)
        if self._strongest is not None:
            designs = np.where(self.rng.random(shape) < self.settings["greediness"], self._strongest, designs)
        return self._detour(designs.astype(np.int32))

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Collects ants; a full generation lays its pheromone."""
        if len(self._known) > KNOWN:
            self._known.clear()
        self._known.update(row.tobytes() for row in designs)
        self._born.append((designs.copy(), scores.copy()))
        if sum(len(scores) for _, scores in self._born) < self.settings["ants"]:
            return
        generation = np.concatenate([designs for designs, _ in self._born])
        worth = np.concatenate([scores for _, scores in self._born])
        self._born = []
        elite = np.argsort(-worth, kind="stable")[: self._elite]
        if worth[elite[0]] > self._best_score:
            self._best, self._best_score = generation[elite[0]], float(worth[elite[0]])
            self._idle = 0
        else:
            self._idle += 1
        if self._idle >= self.settings["depth"]:
            self._found_colony()
        else:
            self._lay(generation[elite])

    def _found_colony(self) -> None:
        """Even trails, and nothing found yet."""
        self._trails = self._even
        self._edges = np.cumsum(self._even)
        self._strongest: NDArray[np.intp] | None = None
        self._best = np.zeros(self.space.dimensions, np.int32)
        self._best_score = -math.inf
        self._idle = 0

    def _lay(self, elite: Designs) -> None:
        """Evaporation and new pheromone; prepares what ``ask`` reads."""
        visits = np.bincount((elite + self._first).ravel(), minlength=len(self._trails))
        laid = (1 - MEMORY_SHARE) / len(elite) * visits
        laid[self._best + self._first] += MEMORY_SHARE
        self._trails = self._trails + self.settings["evaporation"] * (laid - self._trails)
        peaks = np.maximum.reduceat(self._trails, self._first)
        at_peak = np.flatnonzero(self._trails == np.repeat(peaks, self.space.nvec))
        self._strongest = at_peak[np.searchsorted(at_peak, self._first)] - self._first
        stray = min(STRAY / self.space.dimensions, 1.0)
        self._edges = np.cumsum(self._trails + stray * (self._even - self._trails))

    def _detour(self, designs: Designs) -> Designs:
        for _ in range(DETOURS):
            met: set[bytes] = set()
            known = []
            for row, key in enumerate(map(np.ndarray.tobytes, designs)):
                if key in self._known or key in met:
                    known.append(row)
                met.add(key)
            if not known:
                break
            column = self.rng.integers(0, self.space.dimensions, len(known))
            designs[known, column] = self.rng.integers(0, self.space.nvec[column])
        return designs
