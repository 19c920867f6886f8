"""Networks from ONNX files; shapes are inferred, weights are not needed and not loaded from external files.

Layers are made of
    Conv, ConvInteger, QLinearConv (one or two axes, groups, dilation, any padding), Gemm, MatMul, MatMulInteger and
    QLinearMatMul (any number of dimensions), and Attention, which is two products.  An operand that follows from constants of
    the file alone is weights.

Skipped
    ``SKIPPED`` lists them: what works element by element, normalises, pools, reduces, compares, or only moves data.
    ``Imported.skipped`` says how many of each there are.  Products of constants alone are skipped, too.

Refused
    Everything else, by name: recurrent layers, transposed and deformable convolutions, Einsum, Fourier transforms, loops
    and branches with layers in them, and operators that are not ONNX's own.

Sizes
    The batch becomes 1: a symbol that stands first in the shape of an input and is unnamed, called ``batch...``, ``N``, ``B``
    or ``bs``, or named by a machine (it ends in a digit).  Every other symbol must be given a size.  If a file has a fixed
    batch, all of it counts as one input.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.imported import Imported, refuse
from simulators.systolic.layers import Layer, Network
from simulators.systolic.onnx_layers import OPERANDS, lower, node_name
from simulators.systolic.onnx_shapes import infer

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

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


def read(path: str | Path, sizes: Mapping[str, int] | None = None, skip: Collection[str] = ()) -> Imported:
    """Reads a network from an ONNX file; the file's name without ``.onnx`` is the network's name.

    Args:
        path: the file.
        sizes: symbol -> size, for inputs whose sizes the file leaves open; a batch that is not named here is 1.
        skip: operators, as a refusal names them, that are known to run elsewhere and are to be skipped.

    Raises:
        WorkloadError: no such file, no ONNX model, an operator that is refused, a size that is left open, shapes that do not
            fit, or no layer.  The message names the file and, where there is one, the node.
        MissingExtraError: ``onnx`` is not installed.
    """
    path = Path(path)
    model = _load(path)
    try:
        return _import(path, model, sizes or {}, skip)
    except WorkloadError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:  # fields that are missing or of the wrong kind
        raise WorkloadError(f"{path}: expected an ONNX model, got a damaged file ({error})") from error


def _import(path: Path, model: ModelProto, sizes: Mapping[str, int], skip: Collection[str]) -> Imported:
    weights = _weights(model.graph)
    refuse(
        str(path),
        _unknown(model.graph, skip),
        "Export it with ONNX's own operators and without fusion, list its layers in a csv file, or name them in skip= if they "
        "run elsewhere.",
    )
    wanted = {name for node in model.graph.node if _operator(node) in OPERANDS for name in node.input if name}
    shapes, trouble = infer(str(path), model, sizes, wanted)
    layers: list[Layer] = []
    skipped: Counter[str] = Counter()
    for index, node in enumerate(model.graph.node):
        operator = _operator(node)
        if operator in skip or operator not in OPERANDS:
            skipped[operator] += 1
            continue
        try:
            made = lower(node, node_name(node, index), shapes, weights)
        except WorkloadError as error:
            raise WorkloadError(f"{path}, node {node_name(node, index)!r} ({operator}): {error}{trouble}") from None
        layers += made
        if not made:
            skipped[f"{operator} of constants"] += 1
    if not layers:
        raise WorkloadError(f"{path}: expected at least one convolution or matrix product, found none")
    return Imported(Network(path.stem, tuple(layers)), dict(skipped))


def _load(path: Path) -> ModelProto:
    try:
        import onnx
        from onnx.inliner import inline_local_functions
    except ImportError:
        raise MissingExtraError("systolic: reading an ONNX file", "onnx", "networks") from None
    try:
        model = onnx.load(path, load_external_data=False)
    except OSError as error:
        raise WorkloadError(f"{path}: the ONNX file cannot be read ({error.strerror})") from None
    except Exception as error:  # whatever the protobuf library raises; it has no interface that onnx promises
        raise WorkloadError(f"{path}: expected an ONNX model, got another or a damaged file ({error})") from None
    if not model.graph.node:
        raise WorkloadError(f"{path}: expected an ONNX model with at least one operator, found none")
    return inline_local_functions(model) if model.functions else model


def _weights(graph: GraphProto) -> set[str]:
    """Names of the tensors that follow from the file alone."""
    known = {tensor.name for tensor in graph.initializer} | {tensor.values.name for tensor in graph.sparse_initializer}
    for node in graph.node:
        if all(name in known for name in node.input if name) and node.op_type not in _BRANCHES:
            known.update(node.output)
    return known


def _unknown(graph: GraphProto, skip: Collection[str]) -> dict[str, list[str]]:
    """Operators that are neither made into layers nor skipped, and the nodes where they are."""
    found: dict[str, list[str]] = defaultdict(list)
    for index, node in enumerate(graph.node):
        name = node_name(node, index)
        inner = {operator for body in _bodies(node) for operator in _operators(body)}
        operator = f"{_operator(node)} with layers inside" if inner - SKIPPED else _operator(node)
        if operator not in skip and operator not in SKIPPED and operator not in OPERANDS:
            found[operator].append(name)
    return found


def _operators(graph: GraphProto) -> Iterator[str]:
    for node in graph.node:
        yield _operator(node)
        for body in _bodies(node):
            yield from _operators(body)


def _operator(node: NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _bodies(node: NodeProto) -> list[GraphProto]:
    return [attribute.g for attribute in node.attribute if attribute.HasField("g")]
