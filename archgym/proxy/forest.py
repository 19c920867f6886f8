"""A forest of regression trees as one ONNX node; groups of trees that differ show how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.proxy.graphs import Graph, add_features
from archgym.space import DesignSpace

GROUPS = 5
TREES = 100
LEAVES = 350_000
"""Leaves of all trees: what keeps a saved forest of three metrics below 50 MB."""


def forest_size(rows: int) -> tuple[int, int]:
    """Trees, and leaves per tree, for a training set of ``rows`` designs."""
    return TREES, max(min(rows, LEAVES // TREES), 2)


@dataclass(frozen=True)
class Forest:
    """A fitted forest of scikit-learn.

    Attributes:
        estimator: random forest or extra trees with M outputs.
        outputs: M.
    """

    estimator: Any
    outputs: int

    def add_to(self, graph: Graph, space: DesignSpace) -> tuple[str, str]:
        """Adds prediction and spread; names of (N, M) standardised targets and of (N, M) standard deviations."""
        given = add_features(graph, space)
        trees = self.estimator.estimators_
        graph.add(
            "TreeEnsembleRegressor",
            [given],
            "forest_sums",
            domain="ai.onnx.ml",
            n_targets=GROUPS * self.outputs,
            **_attributes(trees, self.outputs),
        )
        shape = graph.constant("forest_shape", np.array([-1, GROUPS, self.outputs], np.int64))
        votes = graph.add("Reshape", ["forest_sums", shape], "forest_votes")
        mean = graph.add("ReduceMean", [votes], "forest_mean", axes=[1], keepdims=1)
        off = graph.add("Sub", [votes, mean], "forest_off")
        variance = graph.add(
            "ReduceMean", [graph.add("Mul", [off, off], "forest_square")], "forest_variance", axes=[1], keepdims=0
        )
        flat = graph.constant("forest_flat", np.array([-1, self.outputs], np.int64))
        # Where all trees agree the spread is not zero: a floor keeps the calibration finite.
        floor = graph.constant("forest_floor", np.array(1e-8, np.float32))
        spread = graph.add("Sqrt", [graph.add("Add", [variance, floor], "forest_floored")], "spread")
        return graph.add("Reshape", [mean, flat], "targets"), spread


def _attributes(trees: list[Any], outputs: int) -> dict[str, Any]:
    sizes = [sum(1 for tree in range(len(trees)) if tree % GROUPS == group) for group in range(GROUPS)]
    parts: dict[str, list[NDArray[Any]]] = {}
    modes: list[bytes] = []
    for number, estimator in enumerate(trees):
        tree = estimator.tree_
        nodes = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        modes += np.where(leaf, b"LEAF", b"BRANCH_LEQ").tolist()
        group = number % GROUPS
        leaves = np.flatnonzero(leaf)
        values = tree.value[leaves, :, 0] / sizes[group]
        entries = {
            "nodes_treeids": np.full(len(nodes), number),
            "nodes_nodeids": nodes,
            "nodes_featureids": np.where(leaf, 0, tree.feature),
            "nodes_values": np.where(leaf, 0, tree.threshold),
            "nodes_truenodeids": np.where(leaf, 0, tree.children_left),
            "nodes_falsenodeids": np.where(leaf, 0, tree.children_right),
            "target_treeids": np.full(values.size, number),
            "target_nodeids": np.repeat(leaves, outputs),
            "target_ids": np.tile(group * outputs + np.arange(outputs), len(leaves)),
            "target_weights": values.reshape(-1),
        }
        for name, column in entries.items():
            parts.setdefault(name, []).append(column)
    joined = {name: np.concatenate(columns) for name, columns in parts.items()}
    return {**{name: column.tolist() for name, column in joined.items()}, "nodes_modes": modes}
