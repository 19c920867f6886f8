"""Layers from the nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from archgym.errors import WorkloadError
from simulators.systolic.imported import Shape, attention, convolution, product
from simulators.systolic.layers import Layer

if TYPE_CHECKING:
    from onnx import NodeProto

Shapes = dict[str, tuple[int | str, ...]]
"""Tensor -> its shape; a size that is not known is a symbol or ``?``."""

_CONVOLUTIONS = {"Conv": (0, 1), "ConvInteger": (0, 1), "QLinearConv": (0, 3)}
_PRODUCTS = {"Gemm": (0, 1), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3)}
OPERANDS = _CONVOLUTIONS | _PRODUCTS | {"Attention": (0, 1)}
"""Operators that make layers, and which of their inputs are multiplied with each other."""


def node_name(node: NodeProto, index: int) -> str:
    """The name of a node, made up from its place in the graph if it has none."""
    return node.name or f"{node.op_type}_{index}"


def operands(node: NodeProto) -> tuple[str, str]:
    """The two tensors that a node with an operator of ``OPERANDS`` multiplies.

    Raises:
        WorkloadError: it has too few inputs.
    """
    first, second = OPERANDS[node.op_type]
    if len(node.input) <= second:
        raise WorkloadError(f"expected at least {second + 1} inputs, got {len(node.input)}")
    return node.input[first], node.input[second]


def lower(node: NodeProto, name: str, shapes: Shapes, weights: set[str]) -> list[Layer]:
    """The layers of one node with an operator of ``OPERANDS``; none if all that it multiplies is weights.

    Args:
        node: of the graph.
        name: of the layer.
        shapes: of all tensors whose shape is known.
        weights: names of the tensors that are weights.

    Raises:
        WorkloadError: an input that is missing or whose shape is not known, shapes that do not fit, a layer that cannot be.
    """
    import onnx

    names = operands(node)
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    if weights.issuperset(names):
        return []
    if node.op_type == "Attention":
        return _attention(name, node, attributes, shapes)
    left, right = (_known(operand, shapes) for operand in names)
    if node.op_type in _CONVOLUTIONS:
        return [_convolution(name, left, right, attributes, names[1] in weights)]
    if attributes.get("transA"):
        left = left[::-1]
    if attributes.get("transB"):
        right = right[::-1]
    return [product(name, left, right, (names[0] in weights, names[1] in weights))]


def _known(tensor: str, shapes: Shapes) -> Shape:
    shape = shapes.get(tensor)
    if shape is None:
        raise WorkloadError(f"the shape of its input {tensor!r} cannot be inferred")
    if not all(isinstance(size, int) for size in shape):
        raise WorkloadError(f"its input {tensor!r} has the shape ({', '.join(map(str, shape))}), which is not known in full")
    return tuple(int(size) for size in shape)


def _attention(name: str, node: NodeProto, attributes: Mapping[str, Any], shapes: Shapes) -> list[Layer]:
    own, shared = attributes.get("q_num_heads", 0), attributes.get("kv_num_heads", 0)
    if len(node.input) < 3:
        raise WorkloadError(f"expected at least 3 inputs, got {len(node.input)}")
    pairs = zip(node.input[:3], (own, shared, shared), strict=True)
    query, key, value = (_heads(_known(operand, shapes), heads) for operand, heads in pairs)
    if len(node.input) > 4 and node.input[4]:  # keys and values of earlier tokens come first
        context = key[2] + _known(node.input[4], shapes)[2]
        key, value = (*key[:2], context, key[3]), (*value[:2], context, value[3])
    return attention(name, query, key, value)


def _heads(shape: Shape, heads: int) -> Shape:
    """(batch, heads, tokens, width) where the heads lie side by side: (batch, tokens, heads x width)."""
    if len(shape) == 3 and heads > 0 and shape[2] % heads == 0:
        return shape[0], heads, shape[1], shape[2] // heads
    if len(shape) != 4:
        raise WorkloadError(f"{heads or 'an unknown number of'} heads cannot be found in a shape of {shape}")
    return shape


def _convolution(name: str, ifmap: Shape, filters: Shape, attributes: Mapping[str, Any], weights: bool) -> Layer:
    axes = len(ifmap) - 2
    stride = attributes.get("strides", [1] * axes)
    dilation = attributes.get("dilations", [1] * axes)
    pads = attributes.get("pads", [0] * 2 * axes)
    pad = [before + after for before, after in zip(pads[:axes], pads[axes:], strict=False)]
    automatic = attributes.get("auto_pad", b"NOTSET").decode()
    if automatic.startswith("SAME"):
        pad = _same(ifmap[2:], filters[2:], stride, dilation)
    return convolution(name, ifmap, filters, stride, pad, dilation, attributes.get("group", 1), weights)


def _same(sizes: Shape, taps: Shape, stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """Zeros for one output per step of the input; on which side they are makes no difference here."""
    extents = [(each - 1) * gap + 1 for each, gap in zip(taps, dilation, strict=False)]
    pairs = zip(sizes, stride, extents, strict=False)
    return [max((-(-size // max(step, 1)) - 1) * step + extent - size, 0) for size, step, extent in pairs]
