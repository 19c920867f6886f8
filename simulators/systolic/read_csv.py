"""Networks as csv files: the project's own columns, and the two kinds of file that SCALE-Sim 2 and 3 read.

The kind is recognised by the headings, which every file must have.

Own columns
    The fields of ``simulators.systolic.layers.Layer``, in any order; those with a default may be left out.  ``pad_h`` and
    ``pad_w`` are the rows and columns of zeros of both sides together, ``activations`` is 0 or 1::

        name,ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters,stride_h,stride_w,pad_h,pad_w,groups
        conv1,224,224,7,7,3,64,2,2,6,6,1

SCALE-Sim, convolutions
    The input has its padding in it, the stride is that of both axes, and there is one group::

        Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,
        Conv1, 230, 230, 7, 7, 3, 64, 2,

    As in SCALE-Sim, a name with ``DP`` in it stands for a depthwise layer: each of the channels is run alone with
    ``Num Filter`` filters.  It becomes one layer of as many groups as channels.  Version 3 adds a column ``Sparsity``, with
    or without a heading: ``N:M``, of which only dense ones (``1:1``, ``4:4``) can be read.

SCALE-Sim, matrix products
    An (M, K) input and a (K, N) matrix of weights, with or without ``Sparsity``::

        Layer, M, N, K,
        ffn1, 128, 3072, 768,

In all of them white space around a value, empty lines, empty values at the end of a line, a byte order mark and any kind of
line end are allowed; a value that starts with ``#`` begins a comment.  The comma at the end of each line, which
SCALE-Sim itself needs, may be left out.

A ``Layer`` has one output row for each whole step that fits; SCALE-Sim has one more where the steps do not end at the last
row, and the file may be written with that in mind.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, astuple, fields
from itertools import takewhile
from pathlib import Path

from archgym.errors import WorkloadError
from simulators.systolic.layers import Layer, Network

FIELDS = tuple(field.name for field in fields(Layer))
"""The own columns, in the order in which ``write`` writes them."""

_REQUIRED = tuple(field.name for field in fields(Layer) if field.default is MISSING)
_NAME = "layer(name)?|name|l"
# Headings of SCALE-Sim in small letters without spaces; some of its own files say "IFMAP Width" twice.
_CONVOLUTION = tuple(f"{_NAME} ifmap(height|width) ifmapwidth filterheight filterwidth channels? numfilters? strides?".split())
_PRODUCT = (_NAME, "m", "n", "k")
_FORMATS = (
    "'" + ",".join(FIELDS) + "' (the last ones may be left out), "
    "'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides[, Sparsity]' "
    "or 'Layer, M, N, K[, Sparsity]'"
)
_LARGEST = 2**31 - 1  # a typing error rather than a layer beyond this; sums over layers stay within 64 bits

_Cells = Sequence[str]
_Maker = Callable[[_Cells], Layer]


def read(path: str | Path) -> Network:
    """Reads a network from a csv file of any of the three kinds; the file's name without ``.csv`` is the network's name.

    Raises:
        WorkloadError: no such file, no text, headings that fit none of the kinds, a line with too few or too many values, a
            value that is no whole number or out of range, a layer that makes no sense, a sparse layer, or no layer at all.
            The message names file and line, and says what was expected and what was got.
    """
    path = Path(path)
    rows = _rows(path)
    number, headings = next(rows, (1, []))
    make = _maker(f"{path}, line {number}", headings)
    layers = []
    for number, cells in rows:
        try:
            layers.append(make(cells))
        except WorkloadError as error:
            raise WorkloadError(f"{path}, line {number}: {error}") from None
    if not layers:
        raise WorkloadError(f"{path}: expected at least one layer below the headings, found none")
    return Network(path.stem, tuple(layers))


def write(network: Network, path: str | Path) -> None:
    """Writes a network with all own columns; ``read`` gives the same network back if the file has its name.

    Raises:
        WorkloadError: a layer whose name a line of the file cannot hold.
    """
    for layer in network.layers:
        if not layer.name or layer.name != layer.name.strip() or not layer.name.isprintable() or layer.name[0] == "#":
            raise WorkloadError(
                f"network {network.name!r}: a csv file needs layer names of printable characters, with no space at either end "
                f"and no # in front; got {layer.name!r}"
            )
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows([*astuple(layer)[:-1], int(layer.activations)] for layer in network.layers)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Lines that hold something, as stripped values without empty ones at the end, with their numbers from 1."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise WorkloadError(f"{path}: the csv file cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise WorkloadError(f"{path}: expected a csv file of UTF-8 text, got the byte {_byte(error)}") from None
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise WorkloadError(
                f"{path}, line {reader.line_num}: expected values with commas between them ({error})"
            ) from None
        if row is None:
            return
        cells = list(takewhile(lambda cell: not cell.startswith("#"), (cell.strip() for cell in row)))
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield reader.line_num, cells


def _byte(error: UnicodeDecodeError) -> str:
    """The byte that is not UTF-8, and where it is."""
    return f"0x{error.object[error.start]:02x} at offset {error.start}"


def _maker(where: str, headings: _Cells) -> _Maker:
    """What makes a layer of a line below these headings."""
    if "ifmap_h" in headings:
        _check_own(where, headings)
        return lambda cells: _own(headings, cells)
    plain = [re.sub("[ _]", "", heading.lower()) for heading in headings]
    for patterns, make in ((_CONVOLUTION, _convolution), (_PRODUCT, _product)):
        extra = plain[len(patterns) :]
        if len(plain) >= len(patterns) and extra in ([], ["sparsity"]):
            if all(re.fullmatch(pattern, heading) for pattern, heading in zip(patterns, plain, strict=False)):
                return make
    raise WorkloadError(f"{where}: expected the headings {_FORMATS}; got {', '.join(headings)[:200]!r}")


def _check_own(where: str, headings: _Cells) -> None:
    wrong = {
        "missing": [name for name in _REQUIRED if name not in headings],
        "unknown": [name for name in headings if name not in FIELDS],
        "twice": sorted({name for name in headings if headings.count(name) > 1}),
    }
    if any(wrong.values()):
        told = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in wrong.items() if names)
        raise WorkloadError(f"{where}: expected the headings {','.join(FIELDS)}; {told}")


def _own(headings: _Cells, cells: _Cells) -> Layer:
    _check_length(cells, (len(headings),))
    values = dict(zip(headings, cells, strict=True))
    name = values.pop("name")
    activations = values.pop("activations", "0")
    if activations not in ("0", "1"):
        raise WorkloadError(f"layer {name!r}: activations must be 0 or 1, got {activations!r}")
    numbers = {field: _number(name, field, value, 0 if field in ("pad_h", "pad_w") else 1) for field, value in values.items()}
    return Layer(name, **numbers, activations=activations == "1")


def _convolution(cells: _Cells) -> Layer:
    _check_length(cells, (8, 9))
    name, *sizes = cells[:8]
    columns = ("IFMAP Height", "IFMAP Width", "Filter Height", "Filter Width", "Channels", "Num Filter", "Strides")
    numbers = [_number(name, column, size) for column, size in zip(columns, sizes, strict=True)]
    _check_dense(name, cells[8:])
    ifmap_h, ifmap_w, filter_h, filter_w, channels, num_filters, stride = numbers
    groups = channels if "DP" in name else 1
    return Layer(name, ifmap_h, ifmap_w, filter_h, filter_w, channels, num_filters * groups, stride, stride, groups=groups)


def _product(cells: _Cells) -> Layer:
    _check_length(cells, (4, 5))
    name = cells[0]
    m, n, k = (_number(name, column, size) for column, size in zip("MNK", cells[1:4], strict=True))
    _check_dense(name, cells[4:])
    return Layer.gemm(name, m, n, k)


def _check_length(cells: _Cells, expected: tuple[int, ...]) -> None:
    if len(cells) not in expected:
        raise WorkloadError(f"expected {' or '.join(map(str, expected))} values, got {len(cells)}: {', '.join(cells)[:80]!r}")


def _number(name: str, column: str, text: str, least: int = 1) -> int:
    if not re.fullmatch("[0-9]{1,12}", text) or not least <= int(text) <= _LARGEST:
        raise WorkloadError(f"layer {name!r}: {column} must be a whole number of {least} to {_LARGEST}, got {text!r}")
    return int(text)


def _check_dense(name: str, cells: _Cells) -> None:
    for text in cells:
        ratio = re.fullmatch("([0-9]+) *: *([0-9]+)", text)
        if not ratio:
            raise WorkloadError(f"layer {name!r}: Sparsity must be N:M, got {text!r}")
        if int(ratio[1]) != int(ratio[2]):
            raise WorkloadError(
                f"layer {name!r}: sparsity {text} is not modelled; only dense layers are. Write 1:1, or leave it out"
            )
