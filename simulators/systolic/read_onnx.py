"""Networks from ONNX files; shapes are inferred, weights are not needed and not loaded from external files.

Layers are made of
    Conv, ConvInteger, QLinearConv (one or two axes, groups, dilation, any padding), Gemm, MatMul, MatMulInteger and
    QLinearMatMul (any number of dimensions), and Attention, which is two products.  An operand that follows from constants of
    the file alone is weights.

Skipped
    What works element by element, normalises, pools, reduces, compares, or only moves data: ``onnx_operators.SKIPPED``.
    ``Imported.skipped`` says how many of each there are.  Products of constants alone are skipped, too.

Refused
    Everything else, by name: recurrent layers, transposed and deformable convolutions, Einsum, Fourier transforms, loops
    and branches with layers in them, and operators that are not ONNX's own.

Sizes
    The batch becomes 1: a symbol that stands first in the shape of an input and is unnamed, called ``batch...``, ``N``, ``B``
    or ``bs``, or named by a machine (it ends in a digit).  Every other symbol must be given a size.  If a file has a fixed
    batch, all of it counts as one input.  ONNX's own inference finds most other shapes.  What it leaves open is sizes that the
    graph computes from other sizes, as many exporters write them (``Shape``, ``Gather``, ``Div``, ``Concat``, ``Reshape``).
    These are constants here: ONNX's reference implementation computes them, and shapes are inferred again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import MissingExtraError, WorkloadError
from simulators.systolic.imported import Imported, refuse
from simulators.systolic.layers import Layer, Network
from simulators.systolic.onnx_layers import lower
from simulators.systolic.onnx_operators import OPERANDS, node_name, operator_of, unknown, weights_of
from simulators.systolic.onnx_shapes import Shapes, fix_inputs, is_known, measured, shapes_of

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

Array = NDArray[Any]

_SMALL = 1024  # elements; shapes, scales and pads have fewer
_COMPUTED = frozenset(  # operators that sizes are computed with
    "Shape Size Constant ConstantOfShape Gather Concat Slice Squeeze Unsqueeze Reshape Transpose Identity Cast "
    "Where Add Sub Mul Div Mod Neg Abs Min Max Floor Ceil Sqrt Pow Equal Less Greater Not And Or ReduceProd "
    "ReduceMax ReduceMin".split()
)


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
    weights = weights_of(model.graph)
    refuse(
        str(path),
        unknown(model.graph, skip),
        "Export it with ONNX's own operators and without fusion, list its layers in a csv file, or name them in skip= if they "
        "run elsewhere.",
    )
    wanted = {name for node in model.graph.node if operator_of(node) in OPERANDS for name in node.input if name}
    shapes, trouble = _infer(str(path), model, sizes, wanted)
    layers: list[Layer] = []
    skipped: Counter[str] = Counter()
    for index, node in enumerate(model.graph.node):
        operator = operator_of(node)
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


def _infer(source: str, model: ModelProto, sizes: Mapping[str, int], wanted: Collection[str]) -> tuple[Shapes, str]:
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

    fix_inputs(source, model.graph, sizes)
    _forget_weights(model.graph)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in copy.graph.initializer}
    while True:
        trouble = _infer_once(copy)
        shapes = shapes_of(copy.graph)
        known = all(tensor in shapes and is_known(shapes[tensor]) for tensor in wanted)
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
        return measured(node, shapes.get(node.input[0], ("?",)))
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
