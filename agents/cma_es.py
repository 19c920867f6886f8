"""Covariance matrix adaptation for sizes and policies at once: CatCMA with margin, from the package cmaes."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores
from archgym.errors import MissingExtraError

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("population", (6, 8, 12, 16, 24, 32, 48, 64), default=16, doc="designs per generation"),
        Parameter("sigma", (0.3, 0.5, 1.0, 2.0, 4.0), default=1.0, doc="first step size, in tenths of each range"),
        Parameter("growth", (1.0, 1.5, 2.0, 3.0), default=2.0, doc="factor on the population at each restart"),
        Parameter("patience", (1, 2, 5, 10, 20), default=5, doc="generations without a new design before a restart"),
    ),
    name="cma_es",
)

RESTARTS = 3
"""Restarts in a row without a new design, after which a repeated one is proposed."""

LARGEST = 256
"""Population that restarts grow to at most."""


class CMAES(Agent):
    """CatCMA with margin (Hamano et al. 2025), restarted with growing populations (Auger and Hansen 2005).

    Ordered parameters of three levels or more are integers under one normal distribution, the others categories under a
    categorical distribution each; the margin keeps every level possible.

    A design that is known already is not proposed again: its score is remembered and joins the generation at no cost.  When
    ``patience`` generations bring nothing new, the distribution starts afresh around a random design.  Scores enter by rank,
    so penalties need no care.  Designs that it did not propose are remembered too; told before the first generation (a warm
    start), the best of them is where the distribution starts.
    """

    name = "cma_es"
    learns_from_past = True
    library = "cmaes"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self._optimizer_class = _catcma()
        self.batch = self._population = self.settings["population"]
        wide = np.array([parameter.ordered for parameter in space.parameters]) & (space.nvec > 2)
        self._integers = np.flatnonzero(wide)
        self._categories = np.flatnonzero(~wide & (space.nvec > 1))
        self._costs: dict[bytes, float] = {}
        self._centre: np.ndarray[Any, np.dtype[np.int32]] | None = None
        self._waiting: dict[bytes, list[Any]] = {}
        self._generation: list[tuple[Any, float]] = []
        self._optimizer: Any = None

    def ask(self, n: int) -> Designs:
        """Draws ``n`` designs from the distribution, (n, D) int32; known ones only if a space seems to offer no other."""
        return np.concatenate([self.space.default[:0], *(self._propose() for _ in range(n))])

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Adds designs to their generation; a full one moves the distribution."""
        for row, cost in zip(designs.astype(np.int32), (-scores).tolist(), strict=True):
            key = row.tobytes()
            if self._optimizer is None and cost < min(self._costs.values(), default=np.inf):
                self._centre = row
            self._costs[key] = cost
            for solution in self._waiting.pop(key, ()):
                self._add(solution, cost)

    def _propose(self) -> Designs:
        """A design neither known nor waiting for its score; after ``RESTARTS`` restarts in vain any design."""
        free = len(self._integers) + len(self._categories)
        exhausted = len(self._costs) + len(self._waiting) >= self.space.size
        for _ in range(RESTARTS if free and not exhausted else 0):
            if self._optimizer is None:
                self._start()
            for _ in range(self.settings["patience"] * self._optimizer.population_size):
                solution = self._optimizer.ask()
                design = self._design(solution)
                key = design.tobytes()
                if key in self._costs:
                    self._add(solution, self._costs[key])
                elif key in self._waiting:
                    self._waiting[key].append(solution)
                else:
                    self._waiting[key] = [solution]
                    return design
            self._restart()
        return self.space.sample(1, self.rng)

    def _start(self) -> None:
        """A fresh distribution around the best design told before, or around the middle of the space."""
        sizes, kinds = self.space.nvec[self._integers], self.space.nvec[self._categories]
        mean, odds = (sizes - 1) / 2, _even(kinds)
        if self._centre is not None:
            mean = np.clip(self._centre[self._integers], 0.5, sizes - 1.5)
            odds[np.arange(len(kinds)), self._centre[self._categories]] += 1.0
            odds /= 2.0
        self._generation = []
        self._optimizer = self._optimizer_class(
            z_space=[range(n) for n in sizes] or None,
            c_space=kinds.tolist() or None,
            population_size=round(self._population),
            mean=mean,
            sigma=self.settings["sigma"],
            cov=np.diag(((sizes - 1) / 10) ** 2),
            cat_param=odds if len(kinds) else None,
            seed=int(self.rng.integers(2**32)),
        )

    def _restart(self) -> None:
        self._population = min(self._population * self.settings["growth"], LARGEST)
        self._waiting = {key: [] for key in self._waiting}
        self._centre = self.space.sample(1, self.rng)[0]
        self._start()

    def _add(self, solution: Any, cost: float) -> None:
        self._generation.append((solution, cost))
        if len(self._generation) == self._optimizer.population_size:
            self._optimizer.tell(self._generation)
            self._generation = []

    def _design(self, solution: Any) -> Designs:
        design = np.zeros((1, self.space.dimensions), np.int32)
        if len(self._integers):
            design[0, self._integers] = solution.z
        if len(self._categories):
            design[0, self._categories] = np.argmax(solution.c, axis=1)
        return design


def _even(kinds: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Equal odds of the levels of each category, padded with zeros: (categories, most levels)."""
    odds = np.zeros((len(kinds), kinds.max(initial=0)))
    for row, levels in zip(odds, kinds, strict=True):
        row[:levels] = 1.0 / levels
    return odds


def _catcma() -> Any:
    try:
        from cmaes import CatCMAwM
    except ImportError:
        raise MissingExtraError("agent cma_es", "cmaes", "bayes") from None
    return CatCMAwM
