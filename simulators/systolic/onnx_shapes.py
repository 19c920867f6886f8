"""Sizes in an ONNX graph: those of its inputs are fixed, those of its other tensors are looked up once they are inferred."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import WorkloadError

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto, ValueInfoProto

Shapes = dict[str, tuple[int | str, ...]]
"""Tensor -> its shape; a size that is not known is a symbol or ``?``."""


def fix_inputs(source: str, graph: GraphProto, sizes: Mapping[str, int]) -> None:
    """Gives every open size of an input its number, and forgets what the file says of sizes computed from them.

    Args:
        source: where the graph is from, for messages.
        graph: it is changed.
        sizes: symbol -> size; a batch that is not named here is 1.

    Raises:
        WorkloadError: an input with a size that is open, or without a shape.
    """
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


def shapes_of(graph: GraphProto) -> Shapes:
    """Shapes of all tensors that are known to have one; open sizes as their symbols or ``?``."""
    shapes: Shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = _sizes(value)
    return shapes


def _sizes(value: ValueInfoProto) -> tuple[int | str, ...]:
    dimensions = value.type.tensor_type.shape.dim
    return tuple(each.dim_value if each.HasField("dim_value") else each.dim_param or "?" for each in dimensions)


def is_known(shape: tuple[int | str, ...]) -> bool:
    """Whether every size is a number."""
    return all(isinstance(size, int) for size in shape)


def measured(node: NodeProto, shape: tuple[int | str, ...]) -> NDArray[np.int64] | None:
    """What a ``Shape`` or ``Size`` node gives for a shape; None if that is not known."""
    if not is_known(shape):
        return None
    if node.op_type == "Size":
        return np.array(math.prod(map(int, shape)), np.int64)
    limits = {each.name: each.i for each in node.attribute}
    return np.array(shape[limits.get("start", 0) : limits.get("end")], np.int64)
