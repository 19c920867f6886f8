"""ONNX's operators: which make layers, which are skipped, and which a graph has that are neither."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

CONVOLUTIONS = {"Conv": (0, 1), "ConvInteger": (0, 1), "QLinearConv": (0, 3)}
_PRODUCTS = {"Gemm": (0, 1), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3), "Attention": (0, 1)}
OPERANDS = CONVOLUTIONS | _PRODUCTS
"""Operators that make layers, and which of their inputs are multiplied with each other."""

_BRANCHES = ("If", "Loop", "Scan")

SKIPPED = frozenset(
    # element by element
    "Abs Acos Acosh Add And Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast CastLike Ceil "
    "Celu Clip Cos Cosh Div Dropout Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish Identity IsInf "
    "IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu RotaryEmbedding "
    "Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where Xor "
    # quantisation
    "DequantizeLinear DynamicQuantizeLinear QuantizeLinear "
    # normalisation
    "BatchNormalization GroupNormalization Hardmax InstanceNormalization LRN LayerNormalization LogSoftmax LpNormalization "
    "MeanVarianceNormalization RMSNormalization Softmax "
    # pooling, reductions, sorting
    "ArgMax ArgMin AveragePool CumSum GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool MaxRoiPool MaxUnpool "
    "NonMaxSuppression ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
    "ReduceSumSquare RoiAlign TopK Unique "
    # moving and making data
    "CenterCropPad Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather "
    "GatherElements GatherND GridSample NonZero OneHot Pad RandomNormal RandomNormalLike RandomUniform RandomUniformLike "
    "Range Reshape Resize ReverseSequence Scatter ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty "
    "SequenceInsert SequenceLength Shape Size Slice SpaceToDepth Split SplitToSequence Squeeze TensorScatter Tile Transpose "
    "Trilu Unsqueeze Upsample "
    # branches and loops; those with layers in them are refused before this list is asked
    "If Loop Scan".split()
)
"""ONNX's own operators that make no layer."""


def node_name(node: NodeProto, index: int) -> str:
    """The name of a node, made up from its place in the graph if it has none."""
    return node.name or f"{node.op_type}_{index}"


def weights_of(graph: GraphProto) -> set[str]:
    """Names of the tensors that follow from the file alone."""
    known = {tensor.name for tensor in graph.initializer} | {tensor.values.name for tensor in graph.sparse_initializer}
    for node in graph.node:
        if all(name in known for name in node.input if name) and node.op_type not in _BRANCHES:
            known.update(node.output)
    return known


def unknown(graph: GraphProto, skip: Collection[str]) -> dict[str, list[str]]:
    """Operators that are neither made into layers nor skipped, and the nodes where they are."""
    found: dict[str, list[str]] = defaultdict(list)
    for index, node in enumerate(graph.node):
        name = node_name(node, index)
        inner = {operator for body in _bodies(node) for operator in _operators(body)}
        operator = f"{operator_of(node)} with layers inside" if inner - SKIPPED else operator_of(node)
        if operator not in skip and operator not in SKIPPED and operator not in OPERANDS:
            found[operator].append(name)
    return found


def _operators(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield operator_of(node)
        for body in _bodies(node):
            yield from _operators(body)


def operator_of(node: NodeProto) -> str:
    """The operator of a node, with its domain if that is not ONNX's own."""
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _bodies(node: NodeProto) -> list[GraphProto]:
    return [attribute.g for attribute in node.attribute if attribute.HasField("g")]
