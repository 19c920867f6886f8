"""Objectives: one score for every agent, larger is better, finite for every status.

An objective is written as one line of text, the same in Python, on the command line, in specs and in manifests::

    latency_ns                                     one metric, by name
    weighted:latency_ns=1,power_mw=20              sum of weight x metric
    target:latency_ns=80000,power_mw=1500          how far each metric is from its target, zero when met
    constrained:latency_ns|power_mw<=1500          minimise one metric subject to limits on others
    edp                                            energy-delay product
    archgym-power, archgym-latency, archgym-both   ArchGym's own rewards (``archgym.rewards``)
    archgym-timeloop-energy, -area, -latency, -joint
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ObjectiveError, UnknownNameError
from archgym.metrics import Metric, Metrics, Status

if TYPE_CHECKING:
    from archgym.simulator import Simulator

Scores = NDArray[np.float64]

UNBOUNDED = 1e30
"""Stands in for the worst cost of a metric that declares no bound."""

LARGEST = 1e300
"""No score is further from zero, so that sums and products of huge metrics stay finite."""


class Objective(ABC):
    """Turns metrics into a score.

    Attributes:
        text: the line that ``make_objective`` reads back.
        used: metrics that ``costs`` returns, in column order.
    """

    text: str
    used: tuple[Metric, ...]

    @abstractmethod
    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        """The number to minimise, (N,) float64; rows that are not OK may hold anything."""

    @abstractmethod
    def _worst_cost(self) -> float:
        """An upper bound of ``_cost`` over designs that are OK, from the metrics' declared bounds."""

    def score(self, metrics: Metrics) -> Scores:
        """Scores, (N,) float64, larger is better, finite for every status.

        An OK design scores minus its cost.  An INVALID one scores below every OK one, the lower the more it violates;
        FAILED, TIMEOUT and SUSPECT ones score lowest of all.
        """
        ok = metrics.ok
        cost = np.empty(len(metrics))
        if ok.all():
            cost[:] = self._cost(metrics)
        else:
            worst = self._worst_cost()
            span = max(abs(worst), 1.0)
            cost[ok] = self._cost(metrics.take(ok))[:]
            excess = metrics.violation / (1 + metrics.violation)
            cost[~ok] = worst + span * np.where(metrics.status == Status.INVALID, 1 + excess, 2.0)[~ok]
        return np.clip(-cost, -LARGEST, LARGEST)

    def costs(self, metrics: Metrics) -> NDArray[np.float64]:
        """Every metric of ``used`` as a cost to minimise, (N, K) float64; infinite where the status is not OK."""
        columns = [_as_cost(metric, metrics) for metric in self.used]
        costs = np.stack(columns, axis=1) if columns else np.zeros((len(metrics), 0))
        costs[~metrics.ok] = np.inf
        return costs

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.text!r})"


class Single(Objective):
    """One metric, minimised or maximised as its declaration says ("info" metrics are minimised)."""

    def __init__(self, metric: Metric) -> None:
        self.text, self.used = metric.name, (metric,)

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        return _as_cost(self.used[0], metrics)

    def _worst_cost(self) -> float:
        return _worst(self.used[0])


class Weighted(Objective):
    """Sum of weight x metric; metrics with goal "max" count negatively.  Weights carry 1 / unit and are positive."""

    def __init__(self, metrics: Sequence[Metric], weights: Sequence[float]) -> None:
        self.used, self.weights = tuple(metrics), tuple(map(float, weights))
        _positive("weighted", dict(zip((m.name for m in metrics), weights, strict=True)))
        self.text = "weighted:" + ",".join(f"{m.name}={w!r}" for m, w in zip(self.used, self.weights, strict=True))

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        total = np.zeros(len(metrics))
        for metric, weight in zip(self.used, self.weights, strict=True):
            total += weight * _as_cost(metric, metrics)
        return total

    def _worst_cost(self) -> float:
        return sum(weight * _worst(metric) for metric, weight in zip(self.used, self.weights, strict=True))


class Target(Objective):
    """Sum over metrics of the relative distance to a target, each part zero once its target is met."""

    def __init__(self, metrics: Sequence[Metric], targets: Sequence[float]) -> None:
        self.used, self.targets = tuple(metrics), tuple(map(float, targets))
        _positive("target", dict(zip((m.name for m in metrics), targets, strict=True)))
        self.text = "target:" + ",".join(f"{m.name}={t!r}" for m, t in zip(self.used, self.targets, strict=True))

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        total = np.zeros(len(metrics))
        for metric, target in zip(self.used, self.targets, strict=True):
            total += np.maximum(_miss(metric, metrics[metric.name], target), 0.0)
        return total

    def _worst_cost(self) -> float:
        pairs = zip(self.used, self.targets, strict=True)
        return sum(max(float(_miss(m, np.array(_bounded(m.worst)), t)), 0.0) for m, t in pairs)


class Constrained(Objective):
    """Minimise (maximise) one metric subject to limits on others.

    Designs that break limits rank below every design that meets them, by the sum of relative violations.
    """

    def __init__(self, metric: Metric, limits: Sequence[tuple[Metric, str, float]]) -> None:
        self.used, self.limits = (metric, *(limit for limit, _, _ in limits)), tuple(limits)
        _positive("constrained", {limit.name: value for limit, _, value in limits})
        for limit, relation, value in limits:
            if relation not in ("<=", ">="):
                raise ObjectiveError(f"constrained: limit on {limit.name} must be '<=' or '>=', got {relation!r} {value:g}")
        self.text = f"constrained:{metric.name}|" + ",".join(f"{m.name}{r}{v!r}" for m, r, v in limits)

    def violation(self, metrics: Metrics) -> NDArray[np.float64]:
        """Sum over limits of the relative amount by which each is broken, (N,) float64."""
        total = np.zeros(len(metrics))
        for limit, relation, value in self.limits:
            sign = 1.0 if relation == "<=" else -1.0
            total += np.maximum(sign * (metrics[limit.name] - value) / value, 0.0)
        return total

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        violation = self.violation(metrics)
        worst = _worst(self.used[0])
        broken = worst + max(abs(worst), 1.0) * violation / (1 + violation)
        return np.where(violation > 0, broken, _as_cost(self.used[0], metrics))

    def _worst_cost(self) -> float:
        worst = _worst(self.used[0])
        return worst + max(abs(worst), 1.0)


class Product(Objective):
    """Product of metrics to minimise, for example energy x delay."""

    def __init__(self, metrics: Sequence[Metric], text: str) -> None:
        self.used, self.text = tuple(metrics), text

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        return np.asarray(np.prod([metrics[metric.name] for metric in self.used], axis=0))

    def _worst_cost(self) -> float:
        return math.prod(_bounded(metric.worst) for metric in self.used)


def objective_forms() -> dict[str, str]:
    """Form -> what it means, for messages and ``archgym list``."""
    from archgym.rewards import REWARDS

    return {
        "METRIC": "one metric by name",
        "weighted:METRIC=WEIGHT,...": "sum of weight x metric",
        "target:METRIC=VALUE,...": "relative distance to targets, zero when met",
        "constrained:METRIC|METRIC<=VALUE,...": "one metric subject to limits",
        "edp": "energy-delay product",
        **REWARDS,
    }


def make_objective(text: str | Objective, simulator: Simulator) -> Objective:
    """Reads an objective for a simulator; see the module's docstring for the forms.

    Raises:
        UnknownNameError: a metric that the simulator does not have.
        ObjectiveError: a line that cannot be read, with the form that was expected.
    """
    if isinstance(text, Objective):
        return text
    form, _, rest = text.strip().partition(":")
    if form in ("weighted", "target", "constrained"):
        return {"weighted": _weighted, "target": _target, "constrained": _constrained}[form](rest, simulator)
    if form == "edp":
        return Product((_first(simulator, "energy"), _first(simulator, "latency", "cycles")), "edp")
    if form.startswith("archgym-"):
        from archgym.rewards import make_reward

        return make_reward(text.strip(), simulator)
    if form in simulator.metric_names and not rest:
        return Single(simulator.metric(form))
    names = [metric.name for metric in simulator.metrics if metric.goal != "info"]
    raise UnknownNameError("objective", text, [*names, *list(objective_forms())[1:]], owner=simulator.name)


def _weighted(rest: str, simulator: Simulator) -> Objective:
    pairs = _pairs("weighted", rest, simulator)
    return Weighted([metric for metric, _ in pairs], [weight for _, weight in pairs])


def _target(rest: str, simulator: Simulator) -> Objective:
    pairs = _pairs("target", rest, simulator)
    return Target([metric for metric, _ in pairs], [target for _, target in pairs])


def _constrained(rest: str, simulator: Simulator) -> Objective:
    name, _, limits = rest.partition("|")
    read = []
    for limit in filter(None, (part.strip() for part in limits.split(","))):
        relation = "<=" if "<=" in limit else ">="
        metric, found, value = limit.partition(relation)
        if not found:
            raise ObjectiveError(f"objective 'constrained': a limit reads METRIC<=VALUE or METRIC>=VALUE, got {limit!r}")
        read.append((simulator.metric(metric.strip()), relation, _number("constrained", metric, value)))
    if not read:
        raise ObjectiveError(f"objective 'constrained' reads constrained:METRIC|METRIC<=VALUE,..., got no limit in {rest!r}")
    return Constrained(simulator.metric(name.strip()), read)


def _pairs(form: str, rest: str, simulator: Simulator) -> list[tuple[Metric, float]]:
    pairs = []
    for part in filter(None, (part.strip() for part in rest.split(","))):
        name, found, value = part.partition("=")
        if not found:
            raise ObjectiveError(f"objective {form!r} reads {form}:METRIC=VALUE,..., got {part!r}")
        pairs.append((simulator.metric(name.strip()), _number(form, name, value)))
    if not pairs:
        raise ObjectiveError(f"objective {form!r} reads {form}:METRIC=VALUE,..., got no pair")
    return pairs


def _number(form: str, name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ObjectiveError(f"objective {form!r}: {name.strip()} needs a number, got {value.strip()!r}") from None


def _positive(form: str, values: dict[str, float]) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ObjectiveError(f"objective {form!r}: the value for {name} must be positive and finite, got {value}")


def _first(simulator: Simulator, *stems: str) -> Metric:
    for stem in stems:
        for metric in simulator.metrics:
            if metric.name.split("_")[0] == stem and metric.goal == "min":
                return metric
    raise ObjectiveError(f"{simulator.name}: 'edp' needs an energy and a latency metric, got {simulator.metric_names}")


def _as_cost(metric: Metric, metrics: Metrics) -> NDArray[np.float64]:
    values = metrics[metric.name]
    return -values if metric.goal == "max" else values.copy()


def _bounded(value: float) -> float:
    return math.copysign(UNBOUNDED, value) if math.isinf(value) else value


def _worst(metric: Metric) -> float:
    return _bounded(-metric.worst if metric.goal == "max" else metric.worst)


def _miss(metric: Metric, values: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    sign = -1.0 if metric.goal == "max" else 1.0
    return np.asarray(sign * (values - target) / target)
