"""Scaling of metrics into [0, 1]."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archgym import Metric, Metrics, Status
from archgym.features import outcome_features, outcome_names, scale
from simulators.synthetic import Synthetic


@pytest.mark.parametrize(
    ("bounds", "values", "expected"),
    [
        ((0.0, 1.0), [0.0, 0.25, 1.0], [0.0, 0.25, 1.0]),
        ((-1.0, 3.0), [-1.0, 1.0, 5.0], [0.0, 0.5, 1.0]),
        ((0.0, 1e6 - 1), [0.0, 999.0, 1e6 - 1], [0.0, 0.5, 1.0]),
        ((0.0, math.inf), [0.0, 1e15, 1e30], [0.0, 1.0, 1.0]),
        ((-math.inf, math.inf), [-1e15, 0.0, 1e15], [0.0, 0.5, 1.0]),
        ((2.0, 2.0), [2.0], [0.0]),
        ((0.0, 1.0), [math.nan], [0.0]),
    ],
)
def test_bounds_become_zero_and_one(bounds: tuple[float, float], values: list[float], expected: list[float]) -> None:
    assert scale(Metric("m", bounds=bounds), np.array(values)) == pytest.approx(expected)


@pytest.mark.parametrize("bounds", [(0.0, 1e3), (0.0, 1e9), (1.0, math.inf), (-math.inf, 1e6)])
def test_scaling_keeps_order(bounds: tuple[float, float]) -> None:
    scaled = scale(Metric("m", bounds=bounds), np.linspace(1.0, 1e3, 100))
    assert (np.diff(scaled) > 0).all() and 0 <= scaled.min() and scaled.max() <= 1


def test_violation_and_status_are_features() -> None:
    simulator = Synthetic()
    metrics = Metrics.empty(simulator.metric_names, 3)
    metrics.status[1:] = Status.INVALID
    metrics.violation[1:] = [1.0, math.inf]
    features = outcome_features(simulator.metrics, metrics)
    assert features.shape == (3, len(outcome_names(simulator))) and features.dtype == np.float32
    assert features[:, 2].tolist() == [0.0, 0.5, 1.0]
    assert features[:, 3:].argmax(axis=1).tolist() == [Status.OK, Status.INVALID, Status.INVALID]
