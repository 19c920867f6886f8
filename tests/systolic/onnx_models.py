"""ONNX models that the tests write themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym.errors import WorkloadError
from simulators.systolic.imported import Imported
from simulators.systolic.layers import Layer
from simulators.systolic.read_onnx import read

onnx = pytest.importorskip("onnx")
helper, FLOAT, INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64

Shapes = dict[str, Sequence[Any]]


def node(operator: str, inputs: str, outputs: str = "y", **attributes: Any) -> Any:
    return helper.make_node(operator, inputs.split(), outputs.split(), name=f"the_{outputs.split()[0]}", **attributes)


def model(
    nodes: Sequence[Any], inputs: Shapes, weights: Shapes | None = None, constants: Sequence[Any] = (), **more: Any
) -> Any:
    """A model whose weights are zeros; the last output of the last node is the model's."""
    stored = [
        helper.make_tensor(name, FLOAT, shape, np.zeros(shape, np.float32).tobytes(), raw=True)
        for name, shape in (weights or {}).items()
    ]
    values = [helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()]
    result = helper.make_tensor_value_info(nodes[-1].output[-1], FLOAT, None)
    graph = helper.make_graph(list(nodes), "g", values, [result], [*stored, *constants])
    return helper.make_model(graph, **{"opset_imports": [helper.make_opsetid("", 21)], "ir_version": 10} | more)


def imported(tmp_path: Path, made: Any, **arguments: Any) -> Imported:
    onnx.save(made, tmp_path / "net.onnx")
    return read(tmp_path / "net.onnx", **arguments)


def layers(
    tmp_path: Path, nodes: Sequence[Any], inputs: Shapes, weights: Shapes | None = None, **more: Any
) -> tuple[Layer, ...]:
    return imported(tmp_path, model(nodes, inputs, weights, **more)).network.layers


def refuses(tmp_path: Path, made: Any, *parts: str) -> None:
    with pytest.raises(WorkloadError) as error:
        imported(tmp_path, made)
    message = str(error.value)
    assert message.startswith(str(tmp_path / "net.onnx")) and "\n" not in message
    for part in parts:
        assert part in message, message


def inferred_shape(made: Any, tensor: str) -> tuple[int, ...]:
    graph = onnx.shape_inference.infer_shapes(made).graph
    (value,) = [value for value in (*graph.value_info, *graph.output) if value.name == tensor]
    return tuple(each.dim_value for each in value.type.tensor_type.shape.dim)


def attention(batch: Any, tokens: Any, heads: int = 4, width: int = 32) -> Any:
    """Self-attention as exporters write it, sizes of the reshapes given by Shape, and a layer norm and a softmax between."""
    nodes = [node("LayerNormalization", "x scale", "n")]
    nodes += [node("MatMul", f"n w{each}", f"m{each}") for each in "qkv"]
    nodes += [node("Shape", "x", "s", end=2), node("Concat", "s split", "r", axis=0), node("Concat", "s joint", "t", axis=0)]
    nodes += [node("Reshape", f"m{each} r", f"h{each}") for each in "qkv"]
    nodes += [node("Transpose", f"h{each}", each, perm=[0, 2, 3, 1] if each == "k" else [0, 2, 1, 3]) for each in "qkv"]
    nodes += [node("MatMul", "q k", "scores"), node("Softmax", "scores", "p"), node("MatMul", "p v", "context")]
    nodes += [node("Transpose", "context", "c", perm=[0, 2, 1, 3]), node("Reshape", "c t", "j"), node("MatMul", "j wo", "y")]
    constants = [
        helper.make_tensor("split", INT64, (2,), [heads, width // heads]),
        helper.make_tensor("joint", INT64, (1,), [width]),
    ]
    weights: Shapes = {"scale": (width,)} | {f"w{each}": (width, width) for each in "qkvo"}
    return model(nodes, {"x": (batch, tokens, width)}, weights, constants)
