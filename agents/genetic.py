"""Genetic algorithm on level indices: tournament selection, uniform crossover, mutation that respects order, elitism."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("population", (2, 4, 8, 16, 32, 64), default=32, doc="designs per generation; ArchGym swept 2 to 64"),
        Parameter(
            "mutation", (0.001, 0.01, 0.05, 0.1, 0.2), default=0.1, doc="chance of each gene to change; ArchGym: .001 to .05"
        ),
        Parameter("crossover", (0.0, 0.5, 0.7, 0.9, 1.0), default=0.9, doc="chance that a child has two parents"),
        Parameter("tournament", (1, 2, 3, 4, 8), default=2, doc="designs that compete to become a parent"),
        Parameter("elite", (0.0, 0.05, 0.1, 0.25, 0.5), default=0.1, doc="share of the best that survive a generation"),
    ),
    name="genetic",
)

NEIGHBOUR = 0.75
"""Share of mutations of an ordered parameter that go one level up or down; the rest draw any level."""


class Genetic(Agent):
    """A generational genetic algorithm (Holland 1975; tournament selection as in Goldberg and Deb 1991).

    The first generation is random.  Afterwards each asked design is a child of parents that won tournaments among the
    survivors.  Survivors of a generation are its children and the elite of the previous one.  A generation is complete with
    the first ``population`` children to finish; a slow one joins a later generation.
    """

    name = "genetic"
    asynchronous = True
    learns_from_past = True
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["population"]
        self._ordered = np.array([parameter.ordered for parameter in space.parameters], bool)
        self._designs: Designs = np.zeros((0, space.dimensions), np.int32)
        self._scores: Scores = np.zeros(0)
        self._born: list[tuple[Designs, Scores]] = []

    def ask(self, n: int) -> Designs:
        """Proposes ``n`` children, (n, D) int32, or random designs while there is no generation yet."""
        if not len(self._designs):
            return self.space.sample(n, self.rng)
        first, second = self._designs[self._parents(2 * n)].reshape(2, n, -1)
        mixed = self.rng.random((n, self.space.dimensions)) < 0.5
        mixed &= self.rng.random((n, 1)) < self.settings["crossover"]
        return self._mutate(np.where(mixed, second, first))

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Collects children; a full generation replaces the previous one, whose elite stays."""
        self._born.append((designs.copy(), scores.copy()))
        if sum(len(scores) for _, scores in self._born) < self.settings["population"]:
            return
        share = self.settings["elite"]
        elite = max(1, round(share * self.settings["population"])) if share > 0 else 0
        best = np.argsort(-self._scores, kind="stable")[:elite]
        self._designs = np.concatenate([self._designs[best], *(designs for designs, _ in self._born)])
        self._scores = np.concatenate([self._scores[best], *(scores for _, scores in self._born)])
        self._born = []
        if len(self._scores) > 2 * self.settings["population"]:  # past trials: the best of them are the first generation
            best = np.argsort(-self._scores, kind="stable")[: self.settings["population"]]
            self._designs, self._scores = self._designs[best], self._scores[best]

    def _parents(self, n: int) -> NDArray[np.intp]:
        rivals = self.rng.integers(0, len(self._designs), (n, self.settings["tournament"]))
        return np.asarray(rivals[np.arange(n), np.argmax(self._scores[rivals], axis=1)])

    def _mutate(self, children: Designs) -> Designs:
        rows, columns = np.nonzero(self.rng.random(children.shape) < self.settings["mutation"])
        levels = self.space.nvec[columns]
        anywhere = self.rng.integers(0, levels)
        step = 2 * self.rng.integers(0, 2, len(rows)) - 1
        neighbour = np.minimum(np.maximum(children[rows, columns] + step, 0), levels - 1)
        near = self._ordered[columns] & (self.rng.random(len(rows)) < NEIGHBOUR)
        children[rows, columns] = np.where(near, neighbour, anywhere)
        return children
