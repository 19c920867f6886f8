"""Policy gradient: one independent head per parameter, one step, and no critic but the mean of the batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("batch", (4, 8, 16, 32, 64), default=16, doc="designs per update"),
        Parameter("learning_rate", (0.05, 0.1, 0.25, 0.5, 1.0), default=0.5, doc="step along the natural gradient"),
        Parameter("entropy", (0.0, 0.003, 0.01, 0.03, 0.1), default=0.01, doc="weight of the entropy bonus per update"),
    ),
    name="policy_gradient",
)

LONG = 16
"""Ordered parameters of more levels than this have an ordinal head, all others a categorical one."""

LEAST = 0.005
"""No level is less likely than this share of even odds."""

Reals = NDArray[np.float64]


class PolicyGradient(Agent):
    """REINFORCE (Williams 1992) on the one-step problem "propose a design, get its score", along the natural gradient.

    The policy draws every parameter on its own, like the decentralised agents of multi-agent design, but without networks:
    there is nothing to observe, so each head is its own parameters.  The baseline is the mean of the batch, so no critic
    is learned.  Advantages are taken over ranks within the batch and scaled to unit variance: neither the unit of the score
    nor the size of a penalty matters.  The natural gradient (Kakade 2001) does not depend on how a head is written down, and
    for these heads it has a closed form (information-geometric optimisation, Ollivier et al. 2017).

    Independent heads cannot express that two parameters must change together, so the policy settles early where parameters
    interact; the entropy bonus delays that.
    """

    name = "policy_gradient"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["batch"]
        ordered = np.array([parameter.ordered for parameter in space.parameters], bool)
        ordinal = ordered & (space.nvec > LONG)
        kinds = ((np.flatnonzero(~ordinal), Categorical), (np.flatnonzero(ordinal), Ordinal))
        self._heads = [(columns, kind(space.nvec[columns])) for columns, kind in kinds if len(columns)]
        self._told: list[tuple[Designs, Scores]] = []

    def ask(self, n: int) -> Designs:
        """Draws ``n`` designs from the policy, (n, D) int32."""
        designs = np.zeros((n, self.space.dimensions), np.int32)
        for columns, head in self._heads:
            designs[:, columns] = head.draw(self.rng.random((n, len(columns))))
        return designs

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Collects designs; a full batch makes one update."""
        self._told.append((designs.copy(), scores.copy()))
        if sum(len(scores) for _, scores in self._told) < self.settings["batch"]:
            return
        levels = np.concatenate([designs for designs, _ in self._told])
        advantages = _advantages(np.concatenate([scores for _, scores in self._told]))
        self._told = []
        for columns, head in self._heads:
            head.update(levels[:, columns], advantages, self.settings["learning_rate"], self.settings["entropy"])


class Categorical:
    """Softmax heads of K parameters, kept as probabilities in one flat array."""

    def __init__(self, nvec: NDArray[np.int64]) -> None:
        self.nvec = nvec
        self.first = np.cumsum(nvec) - nvec
        self.even = np.repeat(1.0 / nvec, nvec)
        self.chances = self.even

    def draw(self, uniform: Reals) -> NDArray[np.int64]:
        """Levels, (n, K), from (n, K) uniform numbers."""
        place = np.searchsorted(np.cumsum(self.chances), np.arange(len(self.nvec)) + uniform, side="right")
        return np.asarray(np.clip(place - self.first, 0, self.nvec - 1))

    def update(self, levels: Designs, advantages: Reals, rate: float, entropy: float) -> None:
        """One step; in probabilities the natural gradient of the log-likelihood of a level is (1 there, else 0) - chances."""
        weights = np.repeat(advantages / len(advantages), levels.shape[1])
        pushed = np.bincount((levels + self.first).ravel(), weights, minlength=len(self.chances))
        surprise = -np.log(self.chances)
        excess = surprise - self._per_level(np.add.reduceat(self.chances * surprise, self.first))
        chances = np.maximum(self.chances + rate * pushed + entropy * self.chances * excess, 0.0)
        chances /= self._per_level(np.add.reduceat(chances, self.first))
        self.chances = chances + LEAST * (self.even - chances)

    def _per_level(self, per_parameter: Reals) -> Reals:
        return np.repeat(per_parameter, self.nvec)


class Ordinal:
    """Discretised logistic heads of K ordered parameters: a centre and a width on [0, 1], cut into equal cells.

    The logistic distribution has the shape of a Gaussian and a distribution function in closed form; the outermost levels get
    the tails, as in Salimans et al. 2017 (PixelCNN++).
    """

    def __init__(self, nvec: NDArray[np.int64]) -> None:
        self.nvec = nvec
        self.centre = np.full(len(nvec), 0.5)
        self.width = np.full(len(nvec), 0.25)

    def draw(self, uniform: Reals) -> NDArray[np.int64]:
        """Levels, (n, K), from (n, K) uniform numbers."""
        inside = np.clip(uniform, 1e-12, 1 - 1e-12)
        points = self.centre + self.width * np.log(inside / (1 - inside))
        return np.asarray(np.clip(np.floor(points * self.nvec), 0, self.nvec - 1), np.int64)

    def update(self, levels: Designs, advantages: Reals, rate: float, entropy: float) -> None:
        """One step; the Fisher information of a logistic is 1/(3 width²) in its centre, (3 + pi²)/9 in its log width."""
        below = (levels / self.nvec - self.centre) / self.width
        above = ((levels + 1) / self.nvec - self.centre) / self.width
        less = np.where(levels > 0, _logistic(below), 0.0)
        upto = np.where(levels < self.nvec - 1, _logistic(above), 1.0)
        by_centre = less + upto - 1
        by_width = (below * less * (1 - less) - above * upto * (1 - upto)) / np.maximum(upto - less, 1e-12)
        mean = advantages / len(advantages)
        centre = self.centre + rate * 3 * self.width * (mean @ by_centre)
        width = self.width * np.exp(rate * 9 / (3 + math.pi**2) * (mean @ by_width) + entropy)
        self.centre = np.clip(centre, 0.0, 1.0)
        self.width = np.clip(width, 0.3 / self.nvec, 1.0)


def _advantages(scores: Scores) -> Reals:
    """Ranks, ties sharing theirs, less their mean and divided by their deviation; zeros if all scores are equal."""
    ordered = np.sort(scores)
    ranks = np.searchsorted(ordered, scores, side="left") + np.searchsorted(ordered, scores, side="right")
    centred = ranks - ranks.mean()
    return np.asarray(centred / (centred.std() or 1.0))


def _logistic(x: Reals) -> Reals:
    return 0.5 * (1 + np.tanh(0.5 * x))
