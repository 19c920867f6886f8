"""Scaling of metrics into [0, 1]."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archgym import Metric, Metrics, Status
from archgym.features import OutcomeFeatures
from simulators.synthetic import Synthetic


def _scaled(bounds: tuple[float, float], values: list[float]) -> list[float]:
    n = len(values)
    metrics = Metrics({"m": np.array(values)}, np.zeros(n, np.uint8), np.zeros(n))
    return OutcomeFeatures([Metric("m", bounds=bounds)])(metrics)[:, 0].tolist()


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
    assert _scaled(bounds, values) == pytest.approx(expected)


@pytest.mark.parametrize("bounds", [(0.0, 1e3), (0.0, 1e9), (1.0, math.inf), (-math.inf, 1e6)])
def test_scaling_keeps_order(bounds: tuple[float, float]) -> None:
    scaled = _scaled(bounds, np.linspace(1.0, 1e3, 100).tolist())
    assert (np.diff(scaled) > 0).all() and 0 <= min(scaled) and max(scaled) <= 1


def test_violation_and_status_are_features() -> None:
    simulator = Synthetic()
    metrics = Metrics.empty(simulator.metric_names, 3)
    metrics.status[1:] = Status.INVALID
    metrics.violation[1:] = [1.0, math.inf]
    convert = OutcomeFeatures(simulator.metrics)
    features = convert(metrics)
    assert features.shape == (3, len(convert.names)) and features.dtype == np.float32
    assert features[:, 2].tolist() == [0.0, 0.5, 1.0]
    assert features[:, 3:].argmax(axis=1).tolist() == [Status.OK, Status.INVALID, Status.INVALID]
