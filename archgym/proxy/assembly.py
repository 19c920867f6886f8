"""From standardised targets to metrics and back, and the whole ONNX file of a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxy.graphs import Graph
from archgym.proxy.models import Model
from archgym.proxy.session import Session
from archgym.proxy.training import TrainingSet
from archgym.space import DesignSpace

Floats = NDArray[np.float64]

LOG_FROM = 1.5
"""Metrics whose largest value is at least this many times the smallest are learned as logarithms."""


@dataclass(frozen=True)
class Scaling:
    """How M metrics are turned into targets of mean zero and variance one.

    Attributes:
        logs: (M,) bool, whether the logarithm is learned.
        means, deviations: (M,) of what is learned.
    """

    logs: NDArray[np.bool_]
    means: Floats
    deviations: Floats

    @staticmethod
    def of(values: Floats) -> Scaling:
        """The scaling of a training set, (K, M) values."""
        lowest, highest = values.min(axis=0), values.max(axis=0)
        logs = (lowest > 0) & (highest >= LOG_FROM * lowest)
        plain = np.where(logs, np.log(np.where(logs, values, 1.0)), values)
        deviations = plain.std(axis=0)
        return Scaling(logs, plain.mean(axis=0), np.where(deviations > 0, deviations, 1.0))

    def forward(self, values: Floats) -> Floats:
        """(K, M) metrics to targets."""
        plain = np.where(self.logs, np.log(np.where(self.logs, values, 1.0)), values)
        return np.asarray((plain - self.means) / self.deviations)


def assemble(model: Model, space: DesignSpace, scaling: Scaling, factors: Floats | None) -> bytes:
    """The ONNX file: levels to ``values`` and, with factors, ``std``, each (N, M).

    Args:
        model: fitted on the scaling's targets.
        space: of the designs.
        scaling: of the metrics.
        factors: (M,) from a model's spread to the standard deviation of a target; None without a spread.
    """
    graph = Graph()
    targets, spread = model.add_to(graph, space)
    width = len(scaling.logs)
    row = (1, width)

    def constant(name: str, numbers: Any) -> str:
        return graph.constant(name, np.asarray(numbers, np.float32).reshape(row))

    scaled = graph.add("Mul", [targets, constant("out_deviations", scaling.deviations)], "out_scaled")
    linear = graph.add("Add", [scaled, constant("out_means", np.where(scaling.logs, 0, scaling.means))], "out_linear")
    # exp(mean) is a factor, not a summand of the exponent: single precision keeps more digits so.
    centre = constant("out_centres", np.exp(np.where(scaling.logs, scaling.means, 0)))
    power = graph.add("Mul", [graph.add("Exp", [scaled], "out_exp"), centre], "out_power")
    logs = graph.constant("out_logs", scaling.logs.reshape(row))
    graph.add("Where", [logs, power, linear], "values")
    outputs: dict[str, int | None] = {"values": width}
    if spread is not None and factors is not None:
        one = constant("out_one", np.ones(width))
        unit = graph.add("Where", [logs, "values", one], "out_unit")
        shape = graph.constant("out_shape", np.array([0, -1], np.int64))
        sure = graph.add("Mul", [graph.add("Reshape", [spread, shape], "out_spread"), unit], "out_sure")
        graph.add("Mul", [sure, constant("out_factors", factors * scaling.deviations)], "std")
        outputs["std"] = width
    return graph.model(space.dimensions, outputs)


def calibrated(model: Model, scaling: Scaling, held: TrainingSet) -> Floats | None:
    """(M,) factors that make the spread of a model the standard deviation of its errors on held-out designs, or None."""
    graph, space = Graph(), held.simulator.space
    targets, spread = model.add_to(graph, space)
    if spread is None:
        return None
    graph.add("Identity", [targets], "plain")
    width = len(scaling.logs)
    shape = graph.constant("plain_shape", np.array([0, -1], np.int64))
    graph.add("Reshape", [spread, shape], "plain_spread")
    content = graph.model(space.dimensions, {"plain": width, "plain_spread": -1})
    session = Session(content, "the model", space.dimensions, ("plain", "plain_spread"))
    predicted, unsure = session.run(held.designs.astype(np.int64), ["plain", "plain_spread"])
    share = held.weights / held.weights.sum()
    ratio = (predicted - scaling.forward(held.values)) / np.maximum(unsure, 1e-9)
    return np.asarray(np.maximum(np.sqrt(share @ ratio**2), 1e-9))
