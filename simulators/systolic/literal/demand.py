"""What a layer asks for: its two operands as matrices, and the lines of words that each fold of the array requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.int64]

NULL = -1  # a place that asks for nothing


@dataclass(frozen=True, eq=False)
class Part:
    """The part of an operand that a fold uses.

    Attributes:
        matrix: words, (time, lanes) if it streams through the array, (array rows, array columns) if it stays in it.
        streams: whether it streams; lane i is then one line later than lane i - 1.
        first: line of the fold at which it starts to stream, or at which all of it is in place.
        lanes: width of the array where the operand enters.
        identity: folds with equal identity use the same part.
    """

    matrix: Matrix
    streams: bool
    first: int
    lanes: int
    identity: tuple[int, ...]

    def words(self, line: int) -> list[int]:
        """The words asked for at a line of the fold, in the order in which they are taken."""
        height, width = self.matrix.shape
        if self.streams:
            times = [(line - self.first - lane, lane) for lane in range(width)]
            found = [self.matrix[time, lane] for time, lane in times if 0 <= time < height]
        else:
            row = self.first - 1 - line  # the last array row goes in first
            found = list(self.matrix[row]) if 0 <= row < height else []
        return [int(word) for word in found if word != NULL]


@dataclass(frozen=True, eq=False)
class Fold:
    """One use of the array.

    Attributes:
        ifmap, filter: the parts of the operands.
        outputs: number of ofmap words that leave at each line, (lines,).
        used: processing elements with work.
    """

    ifmap: Part
    filter: Part
    outputs: NDArray[np.int64]
    used: int


def operands(row: Mapping[str, Any]) -> tuple[Matrix, Matrix]:
    """Addresses of the words of A, (M, K), and of B, (K, N), in the product A B that the layer is."""
    height, width, channels, stride = (int(row[name]) for name in ("ifmap_h", "ifmap_w", "channels", "stride"))
    taps_h, taps_w, filters = (int(row[name]) for name in ("filter_h", "filter_w", "num_filters"))
    out_h, out_w = ceil((height - taps_h + stride) / stride), ceil((width - taps_w + stride) / stride)
    depth = taps_h * taps_w * channels
    ifmap = np.full((out_h * out_w, depth), NULL, np.int64)
    for m in range(out_h * out_w):
        for k in range(depth):
            tap, channel = divmod(k, channels)
            y = m // out_w * stride + tap // taps_w
            x = m % out_w * stride + tap % taps_w
            if y < height and x < width:
                ifmap[m, k] = (y * width + x) * channels + channel
    return ifmap, np.arange(depth * filters, dtype=np.int64).reshape(depth, filters)


def folds(row: Mapping[str, Any]) -> list[Fold]:
    """All folds in order: column folds outside, row folds inside."""
    ifmap, filters = operands(row)
    rows, columns, dataflow = int(row["array_h"]), int(row["array_w"]), row["dataflow"]
    pixels, depth, outputs = len(ifmap), len(filters), filters.shape[1]
    down, across = {"os": (pixels, outputs), "ws": (depth, outputs), "is": (depth, pixels)}[dataflow]
    found = []
    for c in range(ceil(across / columns)):
        for r in range(ceil(down / rows)):
            i = slice(r * rows, min((r + 1) * rows, down))
            j = slice(c * columns, min((c + 1) * columns, across))
            used = (i.stop - i.start, j.stop - j.start)
            if dataflow == "os":
                one = Part(ifmap[i].T, True, 0, rows, (r,))
                two = Part(filters[:, j], True, 0, columns, (c,))
                leaves = _leaves(used, first=depth - 1 + rows - used[0], lines=rows + columns + depth - 2)
            else:
                moving, staying = (ifmap[:, i], filters[i, j]) if dataflow == "ws" else (filters[i].T, ifmap[j, i].T)
                stream = Part(moving, True, rows, rows, (r,))
                still = Part(staying, False, rows, columns, (c, r))
                one, two = (stream, still) if dataflow == "ws" else (still, stream)
                time = len(moving)
                leaves = _leaves((time, used[1]), first=2 * rows - 1, lines=2 * rows + columns + time - 2)
            found.append(Fold(one, two, leaves, used[0] * used[1]))
    return found


def _leaves(shape: tuple[int, int], first: int, lines: int) -> NDArray[np.int64]:
    """Number of words per line when a grid of words leaves along its anti-diagonals, the first one at line ``first``."""
    counts = np.zeros(lines, np.int64)
    for i in range(shape[0]):
        for j in range(shape[1]):
            counts[first + i + j] += 1
    return counts


def contents(parts: list[Part]) -> tuple[list[int], int]:
    """The order in which a buffer fetches the words of an operand.

    Args:
        parts: what the folds use, in order; equal ones are fetched once.

    Returns:
        The words without nulls, and the length of the list with nulls.
    """
    distinct = list({part.identity: part for part in parts}.values())
    width = distinct[0].lanes
    stack = np.full((sum(len(part.matrix) for part in distinct), width), NULL, np.int64)
    start = 0
    for part in distinct:
        height, used = part.matrix.shape
        stack[start : start + height, :used] = part.matrix
        start += height
    if distinct[0].streams:
        places = [
            (diagonal - column, column)
            for diagonal in range(len(stack) + width - 1)
            for column in range(width)
            if 0 <= diagonal - column < len(stack)
        ]
        order = [stack[place] for place in places]
    else:
        order = list(stack.ravel())
    return [int(word) for word in order if word != NULL], stack.size
