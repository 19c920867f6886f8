"""Layers from the nodes of an ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from archgym.errors import WorkloadError
from simulators.systolic.imported import Shape, attention, convolution, product
from simulators.systolic.layers import Layer
from simulators.systolic.onnx_operators import CONVOLUTIONS, OPERANDS
from simulators.systolic.onnx_shapes import Shapes, is_known

if TYPE_CHECKING:
    from onnx import AttributeProto, NodeProto

    Attributes = Mapping[str, AttributeProto]


def _operands(node: NodeProto) -> tuple[str, str]:
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
    names = _operands(node)
    attributes = {each.name: each for each in node.attribute}
    if weights.issuperset(names):
        return []
    if node.op_type == "Attention":
        return _attention(name, node, attributes, shapes)
    left, right = (_known(operand, shapes) for operand in names)
    if node.op_type in CONVOLUTIONS:
        return [_convolution(name, left, right, attributes, names[1] in weights)]
    if _number(attributes, "transA"):
        left = left[::-1]
    if _number(attributes, "transB"):
        right = right[::-1]
    return [product(name, left, right, (names[0] in weights, names[1] in weights))]


def _known(tensor: str, shapes: Shapes) -> Shape:
    shape = shapes.get(tensor)
    if shape is None:
        raise WorkloadError(f"the shape of its input {tensor!r} cannot be inferred")
    if not is_known(shape):
        raise WorkloadError(f"its input {tensor!r} has the shape ({', '.join(map(str, shape))}), which is not known in full")
    return tuple(int(size) for size in shape)


def _attention(name: str, node: NodeProto, attributes: Attributes, shapes: Shapes) -> list[Layer]:
    own, shared = _number(attributes, "q_num_heads"), _number(attributes, "kv_num_heads")
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


def _convolution(name: str, ifmap: Shape, filters: Shape, attributes: Attributes, weights: bool) -> Layer:
    axes = len(ifmap) - 2
    stride = _numbers(attributes, "strides", [1] * axes)
    dilation = _numbers(attributes, "dilations", [1] * axes)
    pads = _numbers(attributes, "pads", [0] * 2 * axes)
    pad = [before + after for before, after in zip(pads[:axes], pads[axes:], strict=False)]
    automatic = attributes["auto_pad"].s if "auto_pad" in attributes else b"NOTSET"
    if automatic not in (b"NOTSET", b"VALID", b"SAME_UPPER", b"SAME_LOWER"):
        raise WorkloadError(f"auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {automatic!r}")
    if automatic.startswith(b"SAME"):
        pad = _same(ifmap[2:], filters[2:], stride, dilation)
    return convolution(name, ifmap, filters, stride, pad, dilation, _number(attributes, "group", 1), weights)


def _same(sizes: Shape, taps: Shape, stride: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """Zeros for one output per step of the input; on which side they are makes no difference here."""
    extents = [(each - 1) * gap + 1 for each, gap in zip(taps, dilation, strict=False)]
    pairs = zip(sizes, stride, extents, strict=False)
    return [max((-(-size // max(step, 1)) - 1) * step + extent - size, 0) for size, step, extent in pairs]


def _number(attributes: Attributes, name: str, default: int = 0) -> int:
    return attributes[name].i if name in attributes else default


def _numbers(attributes: Attributes, name: str, default: list[int]) -> list[int]:
    return list(attributes[name].ints) if name in attributes else default
