"""Shapes of the tensors of an ONNX model, every size a number.

ONNX's own shape inference does most of it.  What it leaves open is sizes that the graph computes from other sizes, as many
exporters write them (``Shape``, ``Gather``, ``Div``, ``Concat``, then ``Reshape``).  As all inputs have fixed sizes, these are
constants: they are computed with ONNX's reference implementation, put in their place, and shapes are inferred again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import WorkloadError
from simulators.systolic.onnx_layers import Shapes

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

Array = NDArray[Any]

_SMALL = 1024  # elements; shapes, scales and pads have fewer
_COMPUTED = frozenset(  # operators that sizes are computed with
    "Shape Size Constant ConstantOfShape Gather Concat Slice Squeeze Unsqueeze Reshape Transpose Identity Cast "
    "Where Add Sub Mul Div Mod Neg Abs Min Max Floor Ceil Sqrt Pow Equal Less Greater Not And Or ReduceProd "
    "ReduceMax ReduceMin".split()
)


def infer(source: str, model: ModelProto, sizes: Mapping[str, int], wanted: Collection[str]) -> tuple[Shapes, str]:
    """Infers the shapes of tensors.

    Args:
        source: where the model is from, for messages.
        model: it is changed: sizes of inputs become numbers, large weights become inputs.
        sizes: symbol -> size; a batch that is not named here is 1.
        wanted: tensors whose shapes are needed.

    Returns:
        The shapes that could be found, and what inference complained about, for messages.

    Raises:
        WorkloadError: an input with a size that is open.
    """
    import onnx

    _fix_inputs(source, model.graph, sizes)
    _forget_weights(model.graph)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in copy.graph.initializer}
    while True:
        trouble = _infer_once(copy)
        shapes = _shapes(copy.graph)
        known = all(tensor in shapes and _is_known(shapes[tensor]) for tensor in wanted)
        if known or not _compute(copy, shapes, values):
            return shapes, trouble


def _infer_once(model: ModelProto) -> str:
    """Infers shapes in place; returns what went wrong on the way."""
    import onnx

    trouble = ""
    for strict in (True, False):
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True)
        except onnx.shape_inference.InferenceError as error:
            trouble = f" (shape inference says: {' '.join(str(error).split())})"
        else:
            model.CopyFrom(inferred)
            break
    return trouble


def _compute(model: ModelProto, shapes: Shapes, values: dict[str, Array]) -> bool:
    """Puts constants in the place of nodes that compute sizes; returns whether there were any.

    Args:
        model: whose graph is changed.
        shapes: of all tensors whose shape is known.
        values: of the small tensors that are known so far; what is found is added.
    """
    import onnx

    found = False
    for node in model.graph.node:
        value = _value(model, node, shapes, values)
        if value is not None:
            values[node.output[0]] = value
            tensor = onnx.numpy_helper.from_array(value)
            node.CopyFrom(onnx.helper.make_node("Constant", [], [node.output[0]], node.name, value=tensor))
            found = True
    return found


def _value(model: ModelProto, node: NodeProto, shapes: Shapes, values: Mapping[str, Array]) -> Array | None:
    """What a node computes, if that is a small tensor that follows from known ones and is not known yet."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    if node.op_type not in _COMPUTED or node.domain not in ("", "ai.onnx") or node.output[0] in values:
        return None
    if node.op_type in ("Shape", "Size"):
        return _measured(node, shapes.get(node.input[0], ("?",)))
    large = any(math.prod(each.t.dims) > _SMALL for each in node.attribute)
    if large or not all(name in values for name in node.input if name):
        return None
    if node.op_type == "ConstantOfShape" and math.prod(values[node.input[0]].tolist()) > _SMALL:
        return None
    kinds = {name: onnx.helper.np_dtype_to_tensor_dtype(values[name].dtype) for name in node.input if name}
    inputs = [onnx.helper.make_tensor_value_info(name, kind, values[name].shape) for name, kind in kinds.items()]
    output = onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.UNDEFINED, None)
    graph = onnx.helper.make_graph([node], "size", inputs, [output])
    try:
        evaluator = ReferenceEvaluator(onnx.helper.make_model(graph, opset_imports=model.opset_import))
        value = np.asarray(evaluator.run(None, {name: values[name] for name in kinds})[0])
    except Exception:  # a node that makes no sense, or one that the reference cannot run: its shape stays unknown
        return None
    return value if value.size <= _SMALL else None


def _measured(node: NodeProto, shape: tuple[int | str, ...]) -> Array | None:
    """What ``Shape`` or ``Size`` gives for a shape."""
    if not _is_known(shape):
        return None
    if node.op_type == "Size":
        return np.array(math.prod(map(int, shape)), np.int64)
    limits = {each.name: each.i for each in node.attribute}
    return np.array(shape[limits.get("start", 0) : limits.get("end")], np.int64)


def _is_known(shape: tuple[int | str, ...]) -> bool:
    return all(isinstance(size, int) for size in shape)


def _fix_inputs(source: str, graph: GraphProto, sizes: Mapping[str, int]) -> None:
    """Gives every open size of an input its number, and forgets what the file says of sizes computed from them."""
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in stored and value.type.HasField("tensor_type")]
    shapes = {value.name: value.type.tensor_type.shape.dim for value in inputs}
    first = {dimensions[0].dim_param for dimensions in shapes.values() if dimensions and dimensions[0].dim_value <= 0}
    fixed = {symbol: 1 for symbol in first if _is_batch(symbol)} | dict(sizes)
    left_open = [f"{value.name!r} has no shape" for value in inputs if not value.type.tensor_type.HasField("shape")]
    for name, dimensions in shapes.items():
        for place, dimension in enumerate(dimensions):
            symbol = dimension.dim_param
            if dimension.dim_value > 0:
                continue
            if symbol in fixed and (symbol or place == 0):
                dimension.dim_value = fixed[symbol]
            else:
                left_open.append(f"{name!r} leaves dimension {place} open ({symbol or 'no name'})")
    if left_open:
        raise WorkloadError(
            f"{source}: the sizes of all inputs must be known; {'; '.join(left_open)}. Fix them in the file, or give them: "
            "read_onnx.read(path, sizes={'symbol': size})"
        )
    for value in (*graph.value_info, *graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param in fixed and dimension.dim_param:
                dimension.dim_value = fixed[dimension.dim_param]
            elif dimension.dim_param:
                dimension.Clear()  # computed from other sizes; inference finds the number


def _is_batch(symbol: str) -> bool:
    return bool(re.fullmatch(r"|n|b|bs|.*batch.*|.*[0-9]", symbol.lower()))


def _forget_weights(graph: GraphProto) -> None:
    """Turns weights into inputs of their shape, so that shape inference carries no data; small tensors may be sizes."""
    import onnx

    inputs = {value.name for value in graph.input}
    kept = []
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= _SMALL and tensor.data_location != onnx.TensorProto.EXTERNAL:
            kept.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _shapes(graph: GraphProto) -> Shapes:
    """Shapes of all tensors that are known to have one; open sizes as their symbols or ``?``."""
    shapes: Shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = _sizes(value)
    return shapes


def _sizes(value: ValueInfoProto) -> tuple[int | str, ...]:
    dimensions = value.type.tensor_type.shape.dim
    return tuple(each.dim_value if each.HasField("dim_value") else each.dim_param or "?" for each in dimensions)
