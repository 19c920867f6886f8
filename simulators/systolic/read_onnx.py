"""Networks from ONNX files; shapes are inferred, weights are not needed and not loaded from external files.

Layers are made of
    Conv, ConvInteger, QLinearConv (one or two axes, groups, dilation, any padding), Gemm, MatMul, MatMulInteger and
    QLinearMatMul (any number of dimensions).  An operand that follows from constants of the file alone is weights.

Skipped
    ``SKIPPED`` lists them: what works element by element, normalises, pools, reduces, compares, or only moves data.
    ``Imported.skipped`` says how many of each there are.  Products of constants alone are skipped, too.

Refused
    Everything else, by name: recurrent layers, transposed and deformable convolutions, Einsum, Attention, Fourier transforms,
    loops and branches with layers in them, and operators that are not ONNX's own.

Sizes
    The batch becomes 1: a symbol that stands first in the shape of an input and is unnamed, called ``batch...``, ``N``, ``B``
    or ``bs``, or named by a machine (it ends in a digit).  Every other symbol must be given a size.  If a file has a fixed
    batch, all of it counts as one input.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.imported import Imported, Shape, convolution, product, refuse
from simulators.systolic.layers import Layer, Network

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

# Operator -> which of its inputs are the two that are multiplied.
_CONVOLUTIONS = {"Conv": (0, 1), "ConvInteger": (0, 1), "QLinearConv": (0, 3)}
_PRODUCTS = {"Gemm": (0, 1), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3)}
_OPERANDS = _CONVOLUTIONS | _PRODUCTS
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
    weights = _weights(model.graph)
    refuse(
        str(path),
        _unknown(model.graph, skip),
        "Export it with ONNX's own operators and without fusion, list its layers in a csv file, or name them in skip= if they "
        "run elsewhere.",
    )
    trouble = _infer(path, model, sizes or {})
    shapes = _shapes(model.graph)
    layers: list[Layer] = []
    skipped: Counter[str] = Counter()
    for index, node in enumerate(model.graph.node):
        if _operator(node) in skip or _operator(node) not in _OPERANDS:
            skipped[_operator(node)] += 1
        elif set(_operands(node)) <= weights:
            skipped[f"{node.op_type} of constants"] += 1
        else:
            where = f"{path}, node {_name(node, index)!r} ({node.op_type})"
            try:
                layers.append(_layer(node, index, shapes, weights))
            except WorkloadError as error:
                raise WorkloadError(f"{where}: {error}{trouble}") from None
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
        name = _name(node, index)
        inner = {operator for body in _bodies(node) for operator in _operators(body)}
        operator = f"{_operator(node)} with layers inside" if inner - SKIPPED else _operator(node)
        if operator not in skip and operator not in SKIPPED and operator not in _OPERANDS:
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


def _name(node: NodeProto, index: int) -> str:
    return node.name or f"{node.op_type}_{index}"


def _operands(node: NodeProto) -> tuple[str, str]:
    first, second = _OPERANDS[node.op_type]
    return node.input[first], node.input[second]


def _infer(path: Path, model: ModelProto, sizes: Mapping[str, int]) -> str:
    """Fixes the sizes of the inputs and infers all other shapes in place; returns what went wrong on the way, for messages."""
    import onnx

    _fix_inputs(path, model.graph, sizes)
    _forget_weights(model.graph)
    trouble = ""
    for strict in (True, False):
        try:
            inferred = onnx.shape_inference.infer_shapes(model, strict_mode=strict, data_propagation=True)
        except onnx.shape_inference.InferenceError as error:
            trouble = f" (shape inference says: {' '.join(str(error).split())})"
        else:
            model.CopyFrom(inferred)
            break
    return trouble


def _fix_inputs(path: Path, graph: GraphProto, sizes: Mapping[str, int]) -> None:
    stored = {tensor.name for tensor in graph.initializer}
    fixed, left_open = dict(sizes), []
    for value in graph.input:
        if value.name in stored or not value.type.HasField("tensor_type"):
            continue
        if not value.type.tensor_type.HasField("shape"):
            left_open.append(f"{value.name!r} has no shape")
        for place, dimension in enumerate(value.type.tensor_type.shape.dim):
            symbol = dimension.dim_param
            if dimension.dim_value > 0:
                continue
            if symbol not in fixed and place == 0 and _is_batch(symbol):
                fixed[symbol] = 1
            if symbol in fixed and (symbol or place == 0):
                dimension.dim_value = fixed[symbol]
            else:
                left_open.append(f"{value.name!r} leaves dimension {place} open ({symbol or 'no name'})")
    if left_open:
        raise WorkloadError(
            f"{path}: the sizes of all inputs must be known; {'; '.join(left_open)}. Fix them in the file, or give them: "
            "read_onnx.read(path, sizes={'symbol': size})"
        )
    for value in (*graph.value_info, *graph.output):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param in fixed and dimension.dim_param:
                dimension.dim_value = fixed[dimension.dim_param]


def _is_batch(symbol: str) -> bool:
    return bool(re.fullmatch(r"|n|b|bs|.*batch.*|.*[0-9]", symbol.lower()))


def _forget_weights(graph: GraphProto) -> None:
    """Turns weights into inputs of their shape, so that shape inference carries no data; small whole numbers may be sizes."""
    import onnx

    inputs = {value.name for value in graph.input}
    kept = []
    for tensor in graph.initializer:
        whole = tensor.data_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        if whole and tensor.data_location != onnx.TensorProto.EXTERNAL:
            kept.append(tensor)
        elif tensor.name not in inputs:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _shapes(graph: GraphProto) -> dict[str, tuple[int | str, ...]]:
    """Shapes of all tensors that are known to have one; open sizes as their symbols or ``?``."""
    shapes: dict[str, tuple[int | str, ...]] = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if value.type.tensor_type.HasField("shape"):
            shapes[value.name] = _sizes(value)
    return shapes


def _sizes(value: ValueInfoProto) -> tuple[int | str, ...]:
    dimensions = value.type.tensor_type.shape.dim
    return tuple(each.dim_value if each.HasField("dim_value") else each.dim_param or "?" for each in dimensions)


def _layer(node: NodeProto, index: int, shapes: Mapping[str, tuple[int | str, ...]], weights: set[str]) -> Layer:
    import onnx

    name = _name(node, index)
    attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    names = _operands(node)
    left, right = (_known(operand, shapes) for operand in names)
    if node.op_type in _CONVOLUTIONS:
        return _convolution(name, left, right, attributes, names[1] in weights)
    if attributes.get("transA"):
        left = left[::-1]
    if attributes.get("transB"):
        right = right[::-1]
    return product(name, left, right, (names[0] in weights, names[1] in weights))


def _known(tensor: str, shapes: Mapping[str, tuple[int | str, ...]]) -> Shape:
    shape = shapes.get(tensor)
    if shape is None:
        raise WorkloadError(f"the shape of its input {tensor!r} cannot be inferred")
    if not all(isinstance(size, int) for size in shape):
        raise WorkloadError(f"its input {tensor!r} has the shape ({', '.join(map(str, shape))}), which is not known in full")
    return tuple(int(size) for size in shape)


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
    return [max((-(-size // step) - 1) * step + extent - size, 0) for size, step, extent in pairs]
