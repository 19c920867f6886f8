"""Pieces of ONNX graphs: levels in, numbers out.

Every graph reads ``levels``, (N, D) int64 canonical level indices, so that a saved proxy needs no code of this project but
the mapping onto canonical designs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import MissingExtraError
from archgym.space import DesignSpace

OPSETS = {"": 17, "ai.onnx.ml": 3}
IR_VERSION = 8
LEVELS = "levels"


def onnx_library() -> Any:
    """The ``onnx`` package.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import onnx
        import onnx.helper
        import onnx.numpy_helper
    except ImportError:
        raise MissingExtraError("a proxy", "onnx", "proxy") from None
    return onnx


@dataclass
class Graph:
    """An ONNX graph under construction.

    Attributes:
        nodes: ONNX nodes in order.
        initializers: ONNX constants.
    """

    nodes: list[Any] = field(default_factory=list)
    initializers: list[Any] = field(default_factory=list)

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Adds a constant; returns its name."""
        self.initializers.append(onnx_library().numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds a node with one output; returns the output's name."""
        self.nodes.append(onnx_library().helper.make_node(operator, inputs, [output], **attributes))
        return output

    def model(self, dimensions: int, outputs: dict[str, int | None]) -> bytes:
        """The finished file.

        Args:
            dimensions: D, columns of the input.
            outputs: name -> columns; None for a vector, -1 for any number.
        """
        onnx = onnx_library()
        kind = onnx.TensorProto
        given = onnx.helper.make_tensor_value_info(LEVELS, kind.INT64, ["n", dimensions])
        shown = [
            onnx.helper.make_tensor_value_info(
                name, kind.FLOAT, ["n"] if width is None else ["n", width if width > 0 else "m"]
            )
            for name, width in outputs.items()
        ]
        graph = onnx.helper.make_graph(self.nodes, "proxy", [given], shown, self.initializers)
        imports = [onnx.helper.make_opsetid(domain, number) for domain, number in OPSETS.items()]
        model = onnx.helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION, producer_name="archgym")
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())


def features(space: DesignSpace) -> NDArray[np.float32]:
    """What learners see of each level, (sum of nvec, F) float32: a design's features are the sum of its levels' rows.

    One column per level (one-hot), and per ordered parameter one more that rises from 0 to 1.
    """
    ordered = [i for i, parameter in enumerate(space.parameters) if parameter.ordered and len(parameter.values) > 1]
    total = int(space.nvec.sum())
    table = np.zeros((total, total + len(ordered)), np.float32)
    np.fill_diagonal(table, 1.0)
    offsets = np.concatenate([[0], np.cumsum(space.nvec)])
    for column, i in enumerate(ordered):
        levels = int(space.nvec[i])
        table[offsets[i] : offsets[i + 1], total + column] = np.arange(levels) / (levels - 1)
    return table


def encode(space: DesignSpace, table: NDArray[np.float32], designs: NDArray[np.int32]) -> NDArray[np.float32]:
    """Features of designs, (N, F) float32: the same sum as ``add_features`` makes."""
    offsets = np.concatenate([[0], np.cumsum(space.nvec)[:-1]])
    result = np.zeros((len(designs), table.shape[1]), np.float32)
    for i, offset in enumerate(offsets):
        result += table[designs[:, i] + offset]
    return result


def add_features(graph: Graph, space: DesignSpace) -> str:
    """Adds the encoding of designs as ``features``; returns that name."""
    offsets = np.concatenate([[0], np.cumsum(space.nvec)[:-1]]).astype(np.int64)
    rows = graph.add("Add", [LEVELS, graph.constant("offsets", offsets[None])], "feature_rows")
    table = graph.constant("feature_table", features(space))
    parts = graph.add("Gather", [table, rows], "feature_parts", axis=0)
    axis = graph.constant("feature_axis", np.array([1], np.int64))
    return graph.add("ReduceSum", [parts, axis], "features", keepdims=0)


def groups(space: DesignSpace, most: int = 128) -> list[list[int]]:
    """Neighbouring parameters put together as long as they have at most ``most`` combinations of levels."""
    found: list[list[int]] = []
    product = most + 1
    for i, levels in enumerate(space.nvec.tolist()):
        if product * levels > most:
            found.append([])
            product = 1
        found[-1].append(i)
        product *= levels
    return found


def group_rows(space: DesignSpace) -> int:
    """Rows of all tables that ``add_lookup`` makes for this space."""
    return sum(int(np.prod(space.nvec[group])) for group in groups(space))


def add_lookup(graph: Graph, space: DesignSpace, tables: list[NDArray[np.float32]], combine: str, prefix: str) -> str:
    """Adds a function of (design, centre) that is a sum or product of one function per parameter.

    Args:
        graph: where to.
        space: of the designs.
        tables: per parameter (levels, C): its part for each level and centre.
        combine: "Add" or "Mul".
        prefix: of the names.

    Returns:
        Name of the (N, C) result.
    """
    result = ""
    for number, group in enumerate(groups(space)):
        name = f"{prefix}_{number}"
        joint = np.stack([tables[group[0]]])[0]
        for i in group[1:]:
            left, right = joint[:, None, :], tables[i][None, :, :]
            joint = (left + right if combine == "Add" else left * right).reshape(-1, joint.shape[1])
        strides = np.zeros((space.dimensions, 1), np.int64)
        strides[group, 0] = np.concatenate([np.cumprod(space.nvec[group][::-1])[::-1][1:], [1]])
        index = graph.add("MatMul", [LEVELS, graph.constant(f"{name}_strides", strides[:, 0])], f"{name}_index")
        part = graph.add("Gather", [graph.constant(f"{name}_table", joint), index], f"{name}_part", axis=0)
        result = graph.add(combine, [result, part], f"{name}_all") if result else part
    return result
