"""Simulated annealing: several chains of small changes that accept a loss now and then, less often as they cool."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("chains", (1, 2, 4, 8, 16), default=4, doc="designs that are changed side by side"),
        Parameter("tries", (1, 2, 4, 8, 16), default=4, doc="neighbours of each chain in one batch"),
        Parameter("temperature", (0.03, 0.1, 0.3, 1.0, 3.0), default=0.3, doc="at the start and after each reheating"),
        Parameter("half_life", (4, 8, 16, 32, 64, 128), default=16, unit="designs", doc="in which the temperature halves"),
        Parameter("patience", (2, 5, 10, 20, 40), default=20, doc="designs per parameter without a find before reheating"),
    ),
    name="annealing",
)

SECOND_CHANGE = 0.4
"""Share of neighbours that differ from their chain by two changes."""

LOSSES = 256
"""Recent losses that a new one is compared with."""


class Annealing(Agent):
    """Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983) with parallel chains and reheating.

    A neighbour differs in one parameter, sometimes in two.  An ordered parameter moves by a number of levels that is
    log-uniform from one to the whole range, so that long and short ranges need no step size; a category takes any other one.

    Metropolis' rule needs an energy scale, and scores have none in common.  Here a loss is measured by its rank among recent
    losses, from nought (the least) to one, and a worse neighbour is accepted with probability ``exp(-rank / temperature)``.
    So neither the unit of the score nor huge penalties of invalid designs matter.

    The agent does not know how long the run will be.  The temperature halves every ``half_life`` designs and starts anew
    when there was no new best design for a while.  After each batch the worst chain goes on from where the best one is, as in
    the resampling of population annealing (Hukushima and Iba 2003).

    The designs asked for belong to the chains in turn, and so do those told.
    """

    name = "annealing"
    hyperparameters = HYPERPARAMETERS
    learns_from_past = True

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        chains = self.settings["chains"]
        self.batch = chains * self.settings["tries"]
        self._free = np.flatnonzero(space.nvec > 1)
        self._ordered = np.array([parameter.ordered for parameter in space.parameters], bool)
        self._cooling = 0.5 ** (1 / self.settings["half_life"])
        self._temperature = self.settings["temperature"]
        self._designs = np.zeros((chains, space.dimensions), np.int32)
        self._scores = [-math.inf] * chains
        self._asked = self._told = self._idle = 0
        self._best_score = -math.inf
        self._losses: deque[float] = deque(maxlen=LOSSES)

    def ask(self, n: int) -> Designs:
        """Neighbours of the chains in turn, (n, D) int32; random designs for chains that have not started."""
        chain = (self._asked + np.arange(n)) % len(self._scores)
        self._asked += n
        designs = self._designs[chain]
        waiting = np.isneginf(self._scores)[chain]
        if waiting.any():
            designs[waiting] = self.space.sample(int(waiting.sum()), self.rng)
        self._change(designs, np.arange(n))
        self._change(designs, np.flatnonzero(self.rng.random(n) < SECOND_CHANGE))
        return designs

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Moves the chains to the designs that they accept, cools, and reheats if nothing was found for long."""
        ladder = sorted(self._losses)
        chances = self.rng.random(len(scores)).tolist()
        for design, score, chance in zip(designs, scores.tolist(), chances, strict=True):
            chain = self._told % len(self._scores)
            self._told += 1
            if self._accepts(self._scores[chain] - score, ladder, chance):
                self._designs[chain], self._scores[chain] = design, score
            self._cool(score)
            if self._told % self.batch == 0:
                self._replace_worst()

    def _change(self, designs: Designs, rows: NDArray[np.intp]) -> None:
        """Gives one parameter of each row another level, in place."""
        if not len(self._free):
            return
        which, length, side, other = self.rng.random((4, len(rows)))
        column = self._free[(which * len(self._free)).astype(np.intp)]
        levels, level = self.space.nvec[column], designs[rows, column]
        step = np.where(side < 0.5, -1, 1) * (levels**length).astype(np.int64)
        outside = (level + step < 0) | (level + step >= levels)
        stepped = np.clip(np.where(outside, level - step, level + step), 0, levels - 1)
        switched = (level + 1 + (other * (levels - 1)).astype(np.int64)) % levels
        designs[rows, column] = np.where(self._ordered[column], stepped, switched)

    def _accepts(self, loss: float, ladder: list[float], chance: float) -> bool:
        if loss <= 0:
            return True
        self._losses.append(loss)
        rank = (bisect_left(ladder, loss) + 1) / (len(ladder) + 1)
        return chance < math.exp(-rank / self._temperature)

    def _cool(self, score: float) -> None:
        self._temperature = max(self._temperature * self._cooling, 1e-6)
        self._idle += 1
        if score > self._best_score:
            self._best_score, self._idle = score, 0
        elif self._idle >= self.settings["patience"] * len(self._free):
            self._temperature, self._idle = self.settings["temperature"], 0

    def _replace_worst(self) -> None:
        worst, best = int(np.argmin(self._scores)), int(np.argmax(self._scores))
        self._designs[worst], self._scores[worst] = self._designs[best], self._scores[best]
