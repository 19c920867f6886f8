"""Looks at what holds the best design back, and changes that: the idea of FARSI, for any simulator that tells."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("tries", (1, 2, 4, 8, 16), default=4, doc="neighbours of the current design in one batch"),
        Parameter("focus", (0.0, 0.25, 0.5, 0.75, 0.9), default=0.5, doc="share of changes made at the bottleneck"),
        Parameter("changes", (1.0, 1.5, 2.0, 3.0, 4.0), default=2.0, doc="mean number of parameters that differ"),
        Parameter("patience", (10, 20, 40, 80, 160), default=80, doc="batches without a better design before it moves on"),
    ),
    name="bottleneck",
)

SHARE, SLOT = "bottleneck_", "hot_"
"""Prefixes of the metrics that tell."""

NEIGHBOUR = 0.5
"""Share of changes of an ordered parameter that go one level up or down; the rest draw any level."""


class Bottleneck(Agent):
    """Hill climbing at the bottleneck, after FARSI (Boroujerdian et al., ACM TECS 2023).

    It keeps one design.  Of each batch of neighbours it takes the best, if that is no worse.  Where parameters are changed
    is what the simulator tells of the design, in metrics of two kinds:

    * ``bottleneck_GROUP``: how much a group of parameters has to do with what is wrong, for example
      ``bottleneck_memory`` = 0.7.  Groups are drawn in proportion.
    * ``hot_STEM``: the number of the part that matters most, for example ``hot_pe`` = 3.  In a group that has parameters
      named ``pe3_...``, these are changed; in one that has none, any.

    A share of changes is made anywhere, since the bottleneck may be the wrong place; so are all of them where a simulator
    tells nothing, which makes this local search.  Without a better design for long it starts from a random one.

    The difference from FARSI: the size and the direction of a change are left to chance and to the score, because the agent
    knows no simulator; and changes of the mapping come with those of the blocks.
    """

    name = "bottleneck"
    hyperparameters = HYPERPARAMETERS
    learns_from_past = True

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["tries"]
        self._free = space.nvec > 1
        self._ordered = np.array([parameter.ordered for parameter in space.parameters], bool)
        self._parts = [re.match(r"([a-z_]*[a-z])(\d+)_", name) for name in space.names]
        self._groups = {group: np.array([space.index(name) for name in names]) for group, names in space.groups.items()}
        self._design: Designs = space.sample(1, self.rng)[0]
        self._score = -np.inf
        self._weights = np.where(self._free, 1.0, 0.0)
        self._idle = 0

    def ask(self, n: int) -> Designs:
        """Neighbours of the current design, (n, D) int32; random designs before there is one."""
        if np.isneginf(self._score):
            return self.space.sample(n, self.rng)
        return np.stack([self._neighbour() for _ in range(n)]) if n else np.zeros((0, self.space.dimensions), np.int32)

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Moves to the best design told, if it is no worse than the current one, and looks at its bottleneck."""
        if not len(scores):
            return
        best = int(np.argmax(scores))
        self._idle = 0 if scores[best] > self._score else self._idle + 1
        if scores[best] >= self._score:
            self._design, self._score = designs[best].copy(), float(scores[best])
            self._weights = self._look({name: float(values[best]) for name, values in metrics.columns.items()})
        if self._idle > self.settings["patience"]:
            self._score, self._idle = -np.inf, 0

    def _look(self, metrics: dict[str, float]) -> NDArray[np.float64]:
        """Chance of each parameter to be changed, (D,), not normalised."""
        anywhere = np.where(self._free, 1.0, 0.0) / max(int(self._free.sum()), 1)
        there = np.zeros(len(anywhere))
        hot = {name.removeprefix(SLOT): int(value) for name, value in metrics.items() if name.startswith(SLOT) and value >= 0}
        named = np.array([part is not None and hot.get(part[1]) == int(part[2]) for part in self._parts], bool) & self._free
        for group, columns in self._groups.items():
            # A group that nothing is told of counts if one of its parts is named, as the mapping of the hottest task is.
            share = metrics.get(SHARE + group, 1.0 if named[columns].any() else 0.0)
            chosen = columns[named[columns]] if named[columns].any() else columns[self._free[columns]]
            if share > 0.0 and len(chosen):
                there[chosen] += share / len(chosen)
        if there.sum() == 0.0:
            return anywhere
        focus = self.settings["focus"]
        return np.asarray(focus * there / there.sum() + (1.0 - focus) * anywhere)

    def _neighbour(self) -> Designs:
        """The current design with one parameter changed, or a few."""
        design = self._design.copy()
        possible = int((self._weights > 0).sum())
        if not possible:
            return design
        count = min(int(self.rng.geometric(1.0 / self.settings["changes"])), possible)
        columns = self.rng.choice(len(design), count, replace=False, p=self._weights / self._weights.sum())
        for column in columns:
            levels, level = int(self.space.nvec[column]), int(design[column])
            step = int(2 * self.rng.integers(2) - 1)
            if self._ordered[column] and self.rng.random() < NEIGHBOUR and 0 <= level + step < levels:
                design[column] = level + step
            else:
                design[column] = (level + self.rng.integers(1, levels)) % levels
        return design
