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

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.imported import Imported, refuse
from simulators.systolic.layers import Layer, Network
from simulators.systolic.onnx_layers import OPERANDS, Shapes, lower, node_name

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

_BRANCHES = ("If", "Loop", "Scan")
_SMALL = 1024  # elements; shapes, scales and pads have fewer

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
    except (AttributeError, TypeError, UnicodeError) as error:  # bytes where a name should be, a number where a list should be
        raise WorkloadError(f"{path}: expected an ONNX model, got a damaged file ({error})") from error


def _import(path: Path, model: ModelProto, sizes: Mapping[str, int], skip: Collection[str]) -> Imported:
    weights = _weights(model.graph)
    refuse(
        str(path),
        _unknown(model.graph, skip),
        "Export it with ONNX's own operators and without fusion, list its layers in a csv file, or name them in skip= if they "
        "run elsewhere.",
    )
    trouble = _infer(path, model, sizes)
    shapes = _shapes(model.graph)
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


def _infer(path: Path, model: ModelProto, sizes: Mapping[str, int]) -> str:
    """Fixes the sizes of the inputs and infers all other shapes in place; returns what went wrong on the way, for messages."""
    import onnx

    _fix_inputs(path, model.graph, sizes)
    _forget_weights(model.graph)
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


def _fix_inputs(path: Path, graph: GraphProto, sizes: Mapping[str, int]) -> None:
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
            f"{path}: the sizes of all inputs must be known; {'; '.join(left_open)}. Fix them in the file, or give them: "
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
