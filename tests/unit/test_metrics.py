"""Metrics: declaration, rows, joining, and what makes a design suspect or failed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archgym import Metric, Metrics, Status
from archgym.errors import ContractError, UnknownNameError
from archgym.metrics import mark_suspects

LATENCY = Metric("latency_ns", "min", (0.0, 100.0))
SPEED = Metric("speed", "max")
DECLARED = {"latency_ns": LATENCY, "speed": SPEED}


def make(latency: list[float], speed: list[float]) -> Metrics:
    metrics = Metrics.empty(["latency_ns", "speed"], len(latency))
    metrics.columns["latency_ns"][:] = latency
    metrics.columns["speed"][:] = speed
    return metrics


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("a b",), "identifier"), (("a", "up"), "'min', 'max' or 'info'"), (("a", "min", (2.0, 1.0)), r"\(low, high\)")],
)
def test_a_metric_that_is_none_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        Metric(*arguments)


def test_the_worst_value_is_the_bound_on_the_bad_side() -> None:
    assert LATENCY.worst == 100.0 and SPEED.worst == -math.inf
    assert LATENCY.record() == {"name": "latency_ns", "goal": "min", "bounds": [0.0, 100.0], "doc": ""}
    assert SPEED.record()["bounds"] == [None, None]


def test_empty_metrics_know_nothing() -> None:
    metrics = Metrics.empty(["latency_ns"], 3)
    assert len(metrics) == 3 and metrics.ok.all() and np.isnan(metrics["latency_ns"]).all()
    assert len(Metrics.empty(["latency_ns"])) == 0
    with pytest.raises(UnknownNameError, match=r"no metric named 'latency'\. Did you mean 'latency_ns'"):
        metrics["latency"]


def test_take_picks_orders_and_repeats_rows_with_their_reasons() -> None:
    metrics = make([1, 2, 3], [4, 5, 6])
    metrics.status[1], metrics.violation[1], metrics.reasons[1] = Status.INVALID, 2.5, "too big"
    taken = metrics.take([1, 0, 1])
    assert taken["latency_ns"].tolist() == [2, 1, 2] and taken.violation.tolist() == [2.5, 0, 2.5]
    assert taken.reasons == {0: "too big", 2: "too big"}
    assert metrics.take(metrics.ok)["speed"].tolist() == [4, 6] and metrics.take(metrics.ok).reasons == {}
    taken.columns["speed"][:] = 0
    assert metrics["speed"].tolist() == [4, 5, 6]


def test_concatenate_moves_reasons_along() -> None:
    first, second = make([1, 2], [1, 2]), make([3], [3])
    first.reasons[1], second.reasons[0] = "a", "b"
    joined = Metrics.concatenate([first, second, first])
    assert joined["latency_ns"].tolist() == [1, 2, 3, 1, 2]
    assert joined.reasons == {1: "a", 2: "b", 4: "a"}
    assert Metrics.concatenate([first]) is first


def test_a_row_is_plain_floats() -> None:
    row = make([1, 2], [3, 4]).row(1)
    assert row == {"latency_ns": 2.0, "speed": 4.0} and all(type(value) is float for value in row.values())


def test_values_outside_bounds_are_suspect_and_keep_their_numbers() -> None:
    metrics = make([0, 100, 101, -1], [1, 1, 1, 1])
    mark_suspects(metrics, DECLARED)
    assert metrics.status.tolist() == [Status.OK, Status.OK, Status.SUSPECT, Status.SUSPECT]
    assert metrics["latency_ns"].tolist() == [0, 100, 101, -1]
    assert metrics.reasons == {
        2: "latency_ns = 101 is outside its physical bounds [0, 100]",
        3: "latency_ns = -1 is outside its physical bounds [0, 100]",
    }


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_fail_the_design(bad: float) -> None:
    metrics = make([1, 1], [bad, 2])
    mark_suspects(metrics, DECLARED)
    assert metrics.status.tolist() == [Status.FAILED, Status.OK]
    assert np.isnan(metrics.columns["latency_ns"][0]) and np.isnan(metrics.columns["speed"][0])
    assert metrics.reasons == {0: f"speed is not finite: {bad}"}


def test_not_finite_outranks_suspect() -> None:
    metrics = make([500], [math.nan])
    mark_suspects(metrics, DECLARED)
    assert metrics.status.tolist() == [Status.FAILED] and metrics.reasons == {0: "speed is not finite: nan"}


def test_rows_with_a_status_keep_it_and_lose_their_numbers() -> None:
    metrics = make([500, math.nan, 7], [1, 1, 1])
    metrics.status[:] = [Status.TIMEOUT, Status.INVALID, Status.SUSPECT]
    metrics.reasons = {0: "slow"}
    mark_suspects(metrics, DECLARED)
    assert metrics.status.tolist() == [Status.TIMEOUT, Status.INVALID, Status.SUSPECT] and metrics.reasons == {0: "slow"}
    assert np.isnan(metrics["latency_ns"][:2]).all() and metrics["latency_ns"][2] == 7
