"""Chooses a model's settings by cross-validation over classes of equivalent designs."""

from __future__ import annotations

from typing import Any

import numpy as np

from archgym.proxy.assembly import Scaling
from archgym.proxy.graphs import encode, features
from archgym.proxy.models import SEARCHED, make_estimator, train_estimator
from archgym.proxy.training import TrainingSet

FOLDS = 3


def tuned(model: str | Any, part: TrainingSet, scaling: Scaling, seed: int, held: dict[str, Any]) -> dict[str, Any]:
    """The settings with the least mean squared error over folds; those of models that tune themselves stay empty.

    Args:
        model: as in ``Proxy``.
        part: what may be learned from.
        scaling: of its metrics.
        seed: of folds and models.
        held: settings that are given and not to be changed.
    """
    candidates = SEARCHED.get(model, []) if isinstance(model, str) else []
    if not candidates:
        return {}
    errors = [_error(model, part, scaling, seed, {**candidate, **held}) for candidate in candidates]
    return candidates[int(np.argmin(errors))]


def _error(model: str, part: TrainingSet, scaling: Scaling, seed: int, settings: dict[str, Any]) -> float:
    space = part.simulator.space
    given, targets = encode(space, features(space), part.designs), scaling.forward(part.values)
    fold = np.random.default_rng(seed).permutation(len(part)) % FOLDS
    total = 0.0
    for number in range(FOLDS):
        train, test = fold != number, fold == number
        estimator = make_estimator(model, int(train.sum()), targets.shape[1], seed, settings)
        predicted = (
            train_estimator(estimator, model, given[train], targets[train]).predict(given[test]).reshape(-1, targets.shape[1])
        )
        total += float((part.weights[test] @ (predicted - targets[test]) ** 2).sum())
    return total
