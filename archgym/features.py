"""Designs and results as numbers in [0, 1], for learners that want inputs of fixed size and scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Metric, Metrics, Status
from archgym.simulator import Simulator

WIDE = 1e3
"""Metrics whose bounds are further apart than this are seen on a logarithmic scale."""

OPEN = 1e15
"""Stands in for a bound that a metric does not declare."""


def outcome_names(simulator: Simulator) -> tuple[str, ...]:
    """Names of the columns of ``outcome_features``: the metrics, ``violation``, and one per status (``status_ok``, ...)."""
    return (*simulator.metric_names, "violation", *(f"status_{status.name.lower()}" for status in Status))


def outcome_features(declared: Sequence[Metric], metrics: Metrics) -> NDArray[np.float32]:
    """Results as (N, M + 6) float32 in [0, 1].

    M metrics (``scale``), the violation v as v / (1 + v), and the status as one of five.
    """
    columns = [scale(metric, metrics[metric.name]) for metric in declared]
    columns.append(1 - 1 / (1 + np.maximum(metrics.violation, 0.0)))
    columns += [(metrics.status == status).astype(np.float64) for status in Status]
    return np.stack(columns, axis=1).astype(np.float32)


def scale(metric: Metric, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values of a metric to [0, 1], larger values to larger numbers; no value (NaN) to 0.

    The lower bound maps to 0 and the upper one to 1: linearly where they are at most ``WIDE`` apart, otherwise on the scale
    sign(x) log(1 + |x|).  A bound that is not declared counts as minus or plus ``OPEN``.
    """
    low, high = np.clip(metric.bounds, -OPEN, OPEN)
    if high - low > WIDE:
        low, high, values = _log(low), _log(high), _log(values)
    scaled = (values - low) / (high - low) if high > low else np.zeros_like(values)
    return np.clip(np.nan_to_num(scaled, nan=0.0), 0.0, 1.0)


def _log(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
