"""What the importers of ONNX files and torch modules share: operators to layers, and what becomes of the other operators."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archgym.errors import WorkloadError
from simulators.systolic.layers import Layer, Network

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Imported:
    """A network and what was left out of it.

    Attributes:
        network: its layers, in the order in which they run.
        skipped: operator -> how many there are.  None of them runs on an array: element-wise operators, normalisation,
            pooling, and what only moves data.
    """

    network: Network
    skipped: Mapping[str, int]


def product(name: str, left: Shape, right: Shape, weights: tuple[bool, bool] = (False, False)) -> Layer:
    """The product of two stacks of matrices, (..., M, K) by (..., K, N), broadcast as NumPy's ``matmul`` does.

    A stack that meets one matrix is one product of more rows (or columns).  Stacks of several that meet in pairs are as many
    products, ``count``.  Weights come second: if only the left operand is weights, the transposed product is taken.

    Args:
        name: of the layer.
        left: shape of the left operand, one dimension or more; a vector is a row.
        right: shape of the right operand, one dimension or more; a vector is a column.
        weights: which operands are weights.

    Raises:
        WorkloadError: shapes that do not fit, or an empty operand.
    """
    if not (left and right):
        raise WorkloadError(f"layer {name!r}: the shapes {left} and {right} cannot be multiplied as matrices")
    a = (1, *left) if len(left) == 1 else left
    b = (*right, 1) if len(right) == 1 else right
    if weights == (True, False):
        a, b = (*b[:-2], b[-1], b[-2]), (*a[:-2], a[-1], a[-2])
    deepest = max(len(a), len(b))
    pairs = list(zip(_padded(a[:-2], deepest - 2), _padded(b[:-2], deepest - 2), strict=True))
    if a[-1] != b[-2] or any(x != y and 1 not in (x, y) for x, y in pairs):
        raise WorkloadError(f"layer {name!r}: the shapes {left} and {right} cannot be multiplied")
    rows = math.prod(x for x, y in pairs if y == 1)
    columns = math.prod(y for x, y in pairs if x == 1)
    count = math.prod(x for x, y in pairs if 1 not in (x, y))
    return Layer.gemm(name, rows * a[-2], columns * b[-1], a[-1], count, activations=not any(weights))


def attention(name: str, query: Shape, key: Shape, value: Shape) -> list[Layer]:
    """The two products of scaled dot-product attention: scores, then context; all scores even if most are masked.

    Args:
        name: of the layers, which end in ``.scores`` and ``.context``.
        query: (..., heads, tokens, width).
        key: (..., heads, context, width); fewer heads than those of the queries are shared among them.
        value: (..., heads, context, width of the values).

    Raises:
        WorkloadError: shapes that do not fit, or that are empty.
    """
    heads = query[:-2]
    scores = product(f"{name}.scores", query, (*heads, key[-1], key[-2]))
    return [scores, product(f"{name}.context", (*heads, query[-2], key[-2]), (*heads, *value[-2:]))]


def convolution(
    name: str,
    ifmap: Shape,
    filters: Shape,
    stride: Sequence[int],
    pad: Sequence[int],
    dilation: Sequence[int],
    groups: int,
    weights: bool = True,
) -> Layer:
    """A convolution over one or two axes; one over a single axis becomes an input of one row.

    Inputs of a batch are as many runs, ``count``.

    Args:
        name: of the layer.
        ifmap: shape of the input, (batch, channels, length) or (batch, channels, height, width).
        filters: shape of the filters, (filters, channels of a group, taps ...).
        stride: step along each axis.
        pad: zeros along each axis, both sides together.
        dilation: distance of taps along each axis.
        groups: of channels.
        weights: whether the filters are weights.

    Raises:
        WorkloadError: three axes or more, shapes that do not fit, or sizes that make no sense.
    """
    axes = len(ifmap) - 2
    if axes not in (1, 2) or len(filters) != len(ifmap):
        raise WorkloadError(f"layer {name!r}: only convolutions over one or two axes are modelled, got an input of {ifmap}")
    if filters[1] * groups != ifmap[1]:
        raise WorkloadError(f"layer {name!r}: filters {filters} of {groups} groups do not fit an input of {ifmap}")
    if not len(stride) == len(pad) == len(dilation) == axes:
        raise WorkloadError(f"layer {name!r}: stride {stride}, pad {pad} and dilation {dilation} must have {axes} values each")
    sizes, taps = _padded(ifmap[2:], 2), _padded(filters[2:], 2)
    steps, gaps = _padded(stride, 2), _padded(dilation, 2)
    pad_h, pad_w = (0, *pad) if axes == 1 else pad
    return Layer(
        name,
        *sizes,
        *taps,
        channels=ifmap[1],
        num_filters=filters[0],
        stride_h=steps[0],
        stride_w=steps[1],
        pad_h=pad_h,
        pad_w=pad_w,
        dilation_h=gaps[0],
        dilation_w=gaps[1],
        groups=groups,
        count=ifmap[0],
        activations=not weights,
    )


def refuse(source: str, found: Mapping[str, Sequence[str]], advice: str) -> None:
    """Refuses a model with operators that are not known to be harmless.

    Args:
        source: file or module, for the message.
        found: operator -> where it was found.
        advice: last sentence of the message.

    Raises:
        WorkloadError: ``found`` is not empty; says operator, number and the first places.
    """
    if not found:
        return
    listed = "; ".join(f"{operator} ({len(places)}: {_some(places)})" for operator, places in sorted(found.items()))
    raise WorkloadError(
        f"{source}: no layer is known for these operators, and leaving them out could be wrong: {listed}. {advice}"
    )


def _some(places: Sequence[str], most: int = 3) -> str:
    return ", ".join(places[:most]) + (", ..." if len(places) > most else "")


def _padded(values: Sequence[int], length: int) -> tuple[int, ...]:
    """The values with ones in front."""
    return (1,) * (length - len(values)) + tuple(values)
