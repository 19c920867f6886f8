"""How far a design is from everything that a proxy was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym.proxy.graphs import Graph, add_lookup, group_rows
from archgym.proxy.kernel import TABLE_ELEMENTS, binary_features
from archgym.space import Designs, DesignSpace

MOST = 4500
"""Training designs that are remembered, at most; of more, a random part."""
QUANTILE = 0.99


def coverage(space: DesignSpace, designs: Designs, seed: int) -> tuple[bytes, float]:
    """An ONNX file that tells distances to the training designs, and the distance that is still near.

    The distance of two designs is the sum over parameters: one for another level of an unordered parameter, the share of the
    way from the first to the last level for an ordered one.  Near is what 99 % of the training designs are to their nearest
    neighbour among the others.

    Args:
        space: of the designs.
        designs: (K, D) int32 distinct training designs, K at least 2.
        seed: of the part that is remembered.
    """
    most = min(MOST, TABLE_ELEMENTS // group_rows(space))
    kept = designs[np.sort(np.random.default_rng(seed).permutation(len(designs))[:most])]
    graph = Graph()
    tables = [_distances(space, i, kept) for i in range(space.dimensions)]
    total = add_lookup(graph, space, tables, "Add", "distance")
    graph.add("ReduceMin", [total], "distance", axes=[1], keepdims=0)
    return graph.model(space.dimensions, {"distance": None}), near_limit(space, kept)


def near_limit(space: DesignSpace, designs: Designs) -> float:
    """Distance to the nearest other design that 99 % of the designs keep."""
    features, lengths = binary_features(space, designs), _lengths(space)
    weighted = features * lengths
    sums = weighted.sum(axis=1)
    nearest = np.empty(len(designs))
    for start in range(0, len(designs), 1024):
        rows = slice(start, min(start + 1024, len(designs)))
        distance = sums[rows, None] + sums - 2 * weighted[rows] @ features.T
        distance[np.arange(len(distance)), np.arange(start, start + len(distance))] = np.inf
        nearest[rows] = distance.min(axis=1)
    return float(np.quantile(nearest, QUANTILE))


def _distances(space: DesignSpace, i: int, designs: Designs) -> NDArray[np.float32]:
    parameter = space.parameters[i]
    levels = np.arange(len(parameter.values))[:, None]
    if parameter.ordered:
        return np.asarray(np.abs(levels - designs[:, i]) / max(len(levels) - 1, 1), np.float32)
    return np.asarray(levels != designs[:, i], np.float32)


def _lengths(space: DesignSpace) -> NDArray[np.float64]:
    parts = []
    for parameter in space.parameters:
        levels = len(parameter.values)
        parts.append(np.full(levels - 1, 1 / max(levels - 1, 1)) if parameter.ordered else np.full(levels, 0.5))
    return np.concatenate(parts)
