"""Objectives: what they score, how they read, and that every score is finite and in order."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archgym import Columns, DesignSpace, Metric, Metrics, Parameter, Simulator, Status, make_objective
from archgym.errors import ObjectiveError, UnknownNameError
from archgym.objective import Constrained, Objective, Single, objective_forms


class Meter(Simulator):
    """Declares metrics; its numbers come from the tests."""

    name, version = "meter", "1"
    space = DesignSpace((Parameter("x", (0, 1)),))
    metrics = (
        Metric("latency_ns", "min", (0.0, 1e6)),
        Metric("energy_pj", "min", (0.0, 1e9)),
        Metric("bandwidth_gbps", "max", (0.0, 200.0)),
        Metric("unbounded", "min"),
        Metric("commands", "info", (0.0, math.inf)),
    )

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        raise NotImplementedError


METER = Meter()
TEXTS = [
    "latency_ns",
    "bandwidth_gbps",
    "unbounded",
    "commands",
    "weighted:latency_ns=1.0,bandwidth_gbps=20.0",
    "target:latency_ns=500.0,bandwidth_gbps=100.0",
    "constrained:latency_ns|energy_pj<=1000.0,bandwidth_gbps>=50.0",
    "edp",
]


def measured(**columns: list[float]) -> Metrics:
    n = len(next(iter(columns.values())))
    metrics = Metrics.empty(METER.metric_names, n)
    for name in METER.metric_names:
        metrics.columns[name][:] = columns.get(name, [1.0] * n)
    return metrics


def score(text: str, **columns: list[float]) -> list[float]:
    return make_objective(text, METER).score(measured(**columns)).tolist()


def test_a_single_metric_follows_its_goal() -> None:
    assert score("latency_ns", latency_ns=[3, 5]) == [-3, -5]
    assert score("bandwidth_gbps", bandwidth_gbps=[3, 5]) == [3, 5]
    assert score("commands", commands=[3, 5]) == [-3, -5]
    assert isinstance(make_objective(" latency_ns ", METER), Single)


def test_weighted_adds_costs() -> None:
    assert score("weighted:latency_ns=2, bandwidth_gbps=10", latency_ns=[3, 5], bandwidth_gbps=[1, 2]) == [4, 10]


def test_target_is_zero_once_met_and_relative_before() -> None:
    text = "target:latency_ns=100,bandwidth_gbps=50"
    assert score(text, latency_ns=[100, 10, 150, 200], bandwidth_gbps=[50, 60, 60, 25]) == [0, 0, -0.5, -1.5]


def test_constrained_ranks_broken_limits_below_everything_by_how_much() -> None:
    text = "constrained:latency_ns|energy_pj<=100,bandwidth_gbps>=10"
    scores = score(text, latency_ns=[5, 1e6, 1, 1], energy_pj=[100, 50, 150, 100], bandwidth_gbps=[10, 20, 10, 5])
    assert scores[:2] == [-5, -1e6] and max(scores[2:]) < -1e6
    assert scores[2] == scores[3]  # both miss a limit by half of it
    worse = score(text, energy_pj=[150, 300], bandwidth_gbps=[10, 10])
    assert worse[0] > worse[1]


def test_constrained_says_by_how_much() -> None:
    objective = make_objective("constrained:latency_ns|energy_pj<=100,bandwidth_gbps>=10", METER)
    assert isinstance(objective, Constrained)
    assert objective.violation(measured(energy_pj=[50, 150, 200], bandwidth_gbps=[20, 5, 10])).tolist() == [0, 1, 1]


def test_energy_delay_product() -> None:
    assert score("edp", energy_pj=[2, 3], latency_ns=[10, 20]) == [-20, -60]


@pytest.mark.parametrize("text", TEXTS)
def test_the_text_reads_back_to_the_same_objective(text: str) -> None:
    objective = make_objective(text, METER)
    again = make_objective(objective.text, METER)
    assert objective.text == again.text == text and type(again) is type(objective)
    assert text in repr(objective) and make_objective(objective, METER) is objective
    metrics = measured(latency_ns=[1, 900], energy_pj=[1, 2e3], bandwidth_gbps=[70, 3])
    assert np.array_equal(objective.score(metrics), again.score(metrics))


@pytest.mark.parametrize("text", TEXTS)
def test_statuses_rank_ok_then_invalid_by_violation_then_the_rest(text: str) -> None:
    metrics = measured(latency_ns=[0, 1e6] + [np.nan] * 5, energy_pj=[0, 1e9] + [np.nan] * 5, bandwidth_gbps=[200] + [0] * 6)
    metrics.status[2:] = [Status.INVALID, Status.INVALID, Status.FAILED, Status.TIMEOUT, Status.SUSPECT]
    metrics.violation[2:4] = [0.1, 1e9]
    scores = make_objective(text, METER).score(metrics)
    assert np.isfinite(scores).all()
    assert scores[0] >= scores[1] > scores[2] > scores[3] >= scores[4] == scores[5] == scores[6]


@settings(deadline=None)
@given(
    st.sampled_from(TEXTS),
    st.lists(st.tuples(st.sampled_from(list(Status)), st.floats(0, 1e300), st.floats(0, 1e300)), min_size=1, max_size=6),
)
def test_scores_are_finite_whatever_was_measured(text: str, rows: list[tuple[Status, float, float]]) -> None:
    values = [value for _, value, _ in rows]
    metrics = measured(**dict.fromkeys(METER.metric_names, values))
    metrics.status[:] = [status for status, _, _ in rows]
    metrics.violation[:] = [violation for _, _, violation in rows]
    for column in metrics.columns.values():
        column[~metrics.ok] = np.nan
    before = {name: column.copy() for name, column in metrics.columns.items()}
    with np.errstate(over="ignore"):
        scores = make_objective(text, METER).score(metrics)
    assert scores.shape == (len(rows),) and np.isfinite(scores).all()
    assert all(np.array_equal(before[name], column, equal_nan=True) for name, column in metrics.columns.items())


def test_a_score_does_not_depend_on_the_rest_of_the_batch() -> None:
    metrics = measured(latency_ns=[1, 2, 3])
    metrics.status[1] = Status.FAILED
    for text in TEXTS:
        objective = make_objective(text, METER)
        singles = [objective.score(metrics.take([row]))[0] for row in range(3)]
        assert objective.score(metrics).tolist() == singles


def test_no_rows_give_no_scores() -> None:
    for text in TEXTS:
        objective = make_objective(text, METER)
        assert objective.score(measured(latency_ns=[])).shape == (0,)
        assert objective.costs(measured(latency_ns=[])).shape == (0, len(objective.used))


def test_costs_are_to_minimise_and_infinite_where_not_ok() -> None:
    metrics = measured(latency_ns=[1, 2], bandwidth_gbps=[3, 4])
    metrics.status[1] = Status.SUSPECT
    objective = make_objective("weighted:latency_ns=1,bandwidth_gbps=1", METER)
    assert objective.costs(metrics).tolist() == [[1, -3], [np.inf, np.inf]]
    assert metrics["bandwidth_gbps"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("latencyns", UnknownNameError, "meter: no objective named 'latencyns'. Did you mean 'latency_ns'"),
        ("latency_ns:fast", UnknownNameError, "no objective named 'latency_ns:fast'"),
        ("", UnknownNameError, "no objective named ''"),
        ("weighted:", ObjectiveError, "reads weighted:METRIC=VALUE,..., got no pair"),
        ("weighted:latency_ns", ObjectiveError, "reads weighted:METRIC=VALUE,..., got 'latency_ns'"),
        ("weighted:latency=1", UnknownNameError, "no metric named 'latency'. Did you mean 'latency_ns'"),
        ("weighted:latency_ns=fast", ObjectiveError, "latency_ns needs a number, got 'fast'"),
        ("weighted:latency_ns=0", ObjectiveError, "value for latency_ns must be positive and finite, got 0.0"),
        ("target:latency_ns=-1", ObjectiveError, "must be positive"),
        ("target:latency_ns=inf", ObjectiveError, "finite"),
        ("constrained:latency_ns", ObjectiveError, "got no limit in 'latency_ns'"),
        ("constrained:latency_ns|energy_pj=3", ObjectiveError, "METRIC<=VALUE or METRIC>=VALUE, got 'energy_pj=3'"),
        ("constrained:latency_ns|energy_pj<=much", ObjectiveError, "energy_pj needs a number, got 'much'"),
        ("constrained:speed|energy_pj<=1", UnknownNameError, "no metric named 'speed'"),
        ("archgym-speed", UnknownNameError, "no objective named 'archgym-speed'"),
    ],
)
def test_lines_that_cannot_be_read_say_what_was_expected(text: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        make_objective(text, METER)
    assert message in str(caught.value)


class Frugal(Meter):
    """Has no latency."""

    metrics = (Metric("energy_pj", "min"),)


def test_edp_needs_energy_and_latency() -> None:
    with pytest.raises(ObjectiveError, match="'edp' needs an energy and a latency metric"):
        make_objective("edp", Frugal())


def test_a_limit_has_a_known_relation() -> None:
    with pytest.raises(ObjectiveError, match="must be '<=' or '>='"):
        Constrained(METER.metrics[0], [(METER.metrics[1], "<", 3.0)])


def test_every_form_is_described() -> None:
    forms = objective_forms()
    assert {"METRIC", "edp", "archgym-both"} <= set(forms) and all(forms.values())


class Odd(Objective):
    """An objective of a third party that compares no metric."""

    text, used = "odd", ()

    def _cost(self, metrics: Metrics) -> np.ndarray:
        return np.zeros(len(metrics))

    def _worst_cost(self) -> float:
        return 0.0


def test_an_objective_without_metrics_has_no_costs() -> None:
    assert Odd().costs(measured(latency_ns=[1, 2])).shape == (2, 0)
    assert Odd().score(measured(latency_ns=[1, 2])).tolist() == [0, 0]
