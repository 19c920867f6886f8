"""Tree-structured Parzen estimator from Optuna: a density of the good designs over one of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores
from archgym.errors import MissingExtraError

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("startup", (5, 10, 20, 40, 80), default=20, doc="random designs before the first model"),
        Parameter("candidates", (8, 16, 24, 48, 96), default=24, doc="draws from the good density per proposal"),
        Parameter("multivariate", (False, True), ordered=False, default=True, doc="one joint density, or one per parameter"),
        Parameter(
            "constant_liar", (False, True), ordered=False, default=True, doc="take designs being evaluated for bad ones"
        ),
        Parameter("batch", (1, 2, 4, 8, 16, 32), default=4, doc="designs per turn"),
    ),
    name="bayes_tpe",
)

REDRAWS = 4
"""How often a design that is known already is drawn anew before a neighbour of it is taken instead."""

POOL = 512
"""Designs among which that neighbour is looked for; all, in a smaller space."""


class BayesTPE(Agent):
    """Tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kegl 2011; Watanabe 2023) over level indices.

    Ordered parameters are integers and the others categories.  TPE uses only the order of the scores, so every status is
    told as it is scored: INVALID designs below all OK ones, by their violation, and FAILED ones last.  A constraint function
    would sort them the same way.

    A design that is known already is not proposed again: it is drawn anew, then replaced by a neighbour, and repeated only
    when a space offers nothing else.
    """

    name = "bayes_tpe"
    asynchronous = True
    learns_from_past = True
    library = "optuna"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        optuna = _optuna()
        self.batch = self.settings["batch"]
        self._levels = {
            parameter.name: (
                optuna.distributions.IntDistribution(0, len(parameter.values) - 1)
                if parameter.ordered
                else optuna.distributions.CategoricalDistribution(range(len(parameter.values)))
            )
            for parameter in space.parameters
        }
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.settings["startup"],
            n_ei_candidates=self.settings["candidates"],
            multivariate=self.settings["multivariate"],
            constant_liar=self.settings["constant_liar"],
            seed=int(self.rng.integers(2**32)),
        )
        self._study = _quiet_study(sampler)
        self._states = optuna.trial.TrialState
        self._new_trial = optuna.trial.create_trial
        self._seen: set[bytes] = set()
        self._asked: dict[bytes, int] = {}

    def ask(self, n: int) -> Designs:
        """Proposes ``n`` designs, (n, D) int32, known ones only if a space seems to offer no other."""
        return np.concatenate([self.space.default[:0], *(self._propose() for _ in range(n))])

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Tells the study; a design that it did not propose becomes a trial as well."""
        for row, score in zip(designs.astype(np.int32), scores.tolist(), strict=True):
            self._seen.add(row.tobytes())
            number = self._asked.pop(row.tobytes(), None)
            if number is not None:
                self._study.tell(number, -score)
                continue
            params = dict(zip(self._levels, row.tolist(), strict=True))
            self._study.add_trial(self._new_trial(params=params, distributions=self._levels, value=-score))

    def _propose(self) -> Designs:
        for _ in range(1 + REDRAWS):
            trial = self._study.ask(self._levels)
            design = np.array([[trial.params[name] for name in self._levels]], np.int32)
            if design.tobytes() not in self._seen:
                self._asked[design.tobytes()] = trial.number
                break
            self._study.tell(trial, state=self._states.FAIL)
        else:
            design = self._neighbour(design)
        self._seen.add(design.tobytes())
        return design

    def _neighbour(self, design: Designs) -> Designs:
        """An unknown design that differs in as few parameters as can be found, or ``design`` if there is none."""
        if self.space.size <= POOL:
            pool = next(self.space.enumerate(POOL))
        else:
            changes = np.arange(POOL) * self.space.dimensions // POOL  # from one parameter up to all
            changed = self.rng.permuted(np.tile(np.arange(self.space.dimensions), (POOL, 1)), axis=1) <= changes[:, None]
            pool = np.where(changed, self.space.sample(POOL, self.rng), design)
        fresh = np.array([row.tobytes() not in self._seen for row in pool])
        if not fresh.any():
            return design
        nearest = np.argmin((pool[fresh] != design).sum(axis=1))
        return np.asarray(pool[fresh][nearest : nearest + 1], np.int32)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("agent bayes_tpe", "optuna", "bayes") from None
    return optuna


def _quiet_study(sampler: Any) -> Any:
    """A study in memory; Optuna's line about its creation is left out."""
    optuna = _optuna()
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(level)
