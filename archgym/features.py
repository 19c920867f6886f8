"""Designs and results as numbers in [0, 1], for learners that want inputs of fixed size and scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Metric, Metrics, Status

WIDE = 1e3
"""Metrics whose bounds are further apart than this are seen on a logarithmic scale."""

OPEN = 1e15
"""Stands in for a bound that a metric does not declare."""


_ONE_OF_FIVE = np.eye(len(Status))


class OutcomeFeatures:
    """Turns results into (N, M + 6) float32 in [0, 1].

    First M metrics, larger values to larger numbers, no value (NaN) to 0.  A metric's lower bound maps to 0 and its upper one
    to 1: linearly where they are at most ``WIDE`` apart, otherwise on the scale sign(x) log(1 + |x|).  A bound that is not
    declared counts as minus or plus ``OPEN``; what lies beyond is clipped.  Then the violation v as v / (1 + v), and the
    status as five numbers of which one is 1.

    Attributes:
        names: the metrics, ``violation``, ``status_ok``, ``status_invalid`` and so on.
    """

    def __init__(self, declared: Sequence[Metric]) -> None:
        self.names = (*(m.name for m in declared), "violation", *(f"status_{status.name.lower()}" for status in Status))
        self._metrics = tuple(metric.name for metric in declared)
        bounds = np.clip([metric.bounds for metric in declared], -OPEN, OPEN).reshape(-1, 2)
        self._wide = np.flatnonzero(bounds[:, 1] - bounds[:, 0] > WIDE)
        bounds[self._wide] = _log(bounds[self._wide])
        span = bounds[:, 1] - bounds[:, 0]
        self._low, self._per_span = bounds[:, 0], np.divide(1.0, span, out=np.zeros_like(span), where=span > 0)

    def __call__(self, metrics: Metrics) -> NDArray[np.float32]:
        """Features of N results."""
        count = len(self._metrics)
        features = np.empty((len(metrics), len(self.names)))
        for column, name in enumerate(self._metrics):
            features[:, column] = metrics.columns[name]
        features[:, self._wide] = _log(features[:, self._wide])
        scaled = (features[:, :count] - self._low) * self._per_span
        features[:, :count] = np.where(np.isnan(scaled), 0.0, np.clip(scaled, 0.0, 1.0))
        features[:, count] = 1 - 1 / (1 + np.maximum(metrics.violation, 0.0))
        features[:, count + 1 :] = _ONE_OF_FIVE[metrics.status]
        return features.astype(np.float32)


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
