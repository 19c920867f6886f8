"""Closed forms against counting one by one: grids of words, sizes of layers, reads of a buffer that is emptied when full."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from exact_rows import Row, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archgym.errors import WorkloadError
from simulators.systolic.exact import closed, drain, fills, grid, lowering, ofmap
from simulators.systolic.exact.clock import refills
from simulators.systolic.exact.demand import requests, walk
from simulators.systolic.exact.entries import tables
from simulators.systolic.layers import COLUMNS, Layer, Network
from simulators.systolic.literal.buffers import Drain
from simulators.systolic.literal.demand import folds as literal_folds
from simulators.systolic.literal.demand import operands

RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=120)


def lowered(row: Row) -> tuple[lowering.Shape, lowering.Folds]:
    layer = np.array([row.get("stride" if name.startswith("stride") else name, 1) for name in COLUMNS], np.int64)
    shape = lowering.shape(layer)
    return shape, lowering.folds(shape, lowering.DATAFLOWS.index(row["dataflow"]), row["array_h"], row["array_w"])


def demanded(row: Row, operand: str) -> list[tuple[int, int]]:
    """Every request as (line, word), in order."""
    found, start = [], 0
    for fold in literal_folds(row):
        part = getattr(fold, operand)
        for line in range(len(fold.outputs)):
            found += [(start + line, word) for word in part.words(line)]
        start += len(fold.outputs)
    return found


def misses(words: list[int], fits: int) -> tuple[int, int]:
    """Misses of a set that is emptied when full, and the request that filled it last."""
    held: set[int] = set()
    count, last = 0, -1
    for request, word in enumerate(words):
        if word not in held:
            held.add(word)
            count += 1
        if len(held) == fits:
            held.clear()
            last = request
    return count, last


@given(st.integers(1, 9), st.integers(1, 9))
@RELAXED
def test_words_on_the_diagonals_of_a_grid(x: int, y: int) -> None:
    diagonals = sorted(i + j for i, j in product(range(x), range(y)))
    assert [grid.line_of(x, y, word) for word in range(x * y)] == diagonals
    assert [grid.before(x, y, line) for line in range(-1, x + y + 1)] == [
        sum(diagonal < line for diagonal in diagonals) for line in range(-1, x + y + 1)
    ]


def test_a_large_grid() -> None:
    x, y = 3_000_000, 7_000
    for word in (0, 1, 10**6, x * y // 2, x * y - 2, x * y - 1):
        line = grid.line_of(x, y, word)
        assert grid.before(x, y, line) <= word < grid.before(x, y, line + 1)


@given(rows())
@RELAXED
def test_sizes_and_counts(row: Row) -> None:
    shape, cut = lowered(row)
    ifmap, filters = operands(row)
    assert ((shape.m, shape.k), (shape.k, shape.n)) == (ifmap.shape, filters.shape)
    words = ifmap[ifmap >= 0]
    assert lowering.asked_words(shape) == len(words)
    assert lowering.distinct_words(shape) == len(np.unique(words))
    if not lowering.windows_overlap(shape):
        assert len(words) == len(np.unique(words))
    parts = literal_folds(row)
    assert len(parts) == cut.row_folds * cut.column_folds and {len(fold.outputs) for fold in parts} == {cut.fold_lines}
    assert closed.sram_ifmap_reads(shape, cut) == sum(fold.ifmap.matrix.size for fold in parts)
    assert closed.sram_filter_reads(shape, cut) == sum(fold.filter.matrix.size for fold in parts)
    assert closed.ofmap_words(shape, cut) == sum(fold.outputs.sum() for fold in parts)


@given(rows())
@RELAXED
def test_the_order_of_requests(row: Row) -> None:
    shape, cut = lowered(row)
    expected = demanded(row, "ifmap")
    one_pass = requests(shape, cut, tables(shape)).tolist()
    passes = 1 if row["dataflow"] == "is" else cut.column_folds
    assert one_pass * passes == [word for _, word in expected]
    for request in np.linspace(0, len(expected) - 1, 7).astype(int).tolist():
        assert fills.ifmap_line(shape, cut, request) == expected[request][0]
    asked = demanded(row, "filter")
    for request in np.linspace(0, len(asked) - 1, 7).astype(int).tolist():
        assert fills.filter_line(shape, cut, request) == asked[request][0]
    nothing = np.empty(0, np.int32)
    assert walk(shape, cut, tables(shape), nothing, -1) == len(one_pass)
    assert fills.first_lines(cut) == (expected[0][0], asked[0][0])


@given(rows(), st.integers(1, 3))
@RELAXED
def test_reads_of_a_set_that_is_emptied_when_full(row: Row, kb: int) -> None:
    shape, cut = lowered(row)
    for operand, reads in (("ifmap", fills.ifmap), ("filter", fills.filters)):
        words = [word for _, word in demanded(row, operand)]
        assert tuple(reads(shape, cut, kb)) == misses(words, closed.capacity(kb)), operand


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(1, 9), st.data())
@RELAXED
def test_the_replay_of_a_repeated_stream(words: list[int], passes: int, data: st.DataObject) -> None:
    fits = data.draw(st.integers(1, len(set(words))))
    assert tuple(fills.replay(np.array(words, np.int32), 13, passes, fits)) == misses(words * passes, fits)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.integers(1, 400))
@RELAXED
def test_filter_blocks_that_are_read_several_times(rows_: int, columns: int, m: int, n: int, fits: int) -> None:
    layer = np.array(Layer.gemm("g", m, n, 7).row(), np.int64)
    shape = lowering.shape(layer)
    cut = lowering.folds(shape, lowering.OS, rows_, columns)
    words = [
        k * n + j
        for c in range(0, n, columns)
        for _ in range(cut.row_folds)
        for k in range(7)
        for j in range(c, min(n, c + columns))
    ]
    expected = misses(words, fits)
    if 7 * n >= fits:
        assert tuple(closed.os_filter_fills(shape, cut, fits)) == expected


@given(st.integers(0, 500), st.integers(-1, 600), st.integers(1, 30), st.integers(1, 60))
@RELAXED
def test_refills_at_one_line(clock: int, last: int, count: int, refill: int) -> None:
    off, end = 1, last
    for _ in range(count):
        end += refill + 1
        late = end - (clock + off)
        off += late
        if late > 0:
            off += late
    assert refills(clock, last, count, refill + 1) == (end, off - 1)


@given(st.integers(1, 3000), st.integers(1, 700), st.integers(1, 2))
@RELAXED
def test_drains_that_do_not_wait(words: int, bandwidth: int, kb: int) -> None:
    """One line of ``bandwidth`` words at a time, as slowly as the buffer likes."""
    buffer, starts = Drain(kb, bandwidth), []
    for word in range(words):
        before = buffer.writes
        buffer.store(1, 10_000 * word)
        starts += [word] if buffer.writes > before else []
    found = drain.regular(words, 512 * kb, bandwidth)
    assert (found.first, found.last) == ((starts[0], starts[-1]) if starts else (-1, -1))
    assert (found.writes, found.loose) == (buffer.writes, buffer.loose)
    waiting = [bandwidth] * found.full + [found.short] * (found.short > 0)
    assert waiting == buffer.lines
    queue = drain.queue_of(found.full, found.short)
    lines, written = drain.flush(queue, 0, len(waiting), found.loose, bandwidth, 512 * kb)
    buffer.flush(10**9)
    assert found.writes + written == buffer.writes and lines == buffer.stop - 10**9 + 1


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40), st.integers(1, 40))
@RELAXED
def test_lines_that_leave_and_wait(loose: list[int], bandwidth: int) -> None:
    """A ring that has to grow against a plain list."""
    buffer, most = Drain(1, bandwidth), 3
    queue, head, size = drain.queue_of(0, 0), 0, 0
    for words in loose:
        full, rest = divmod(words, bandwidth)
        buffer.lines += [bandwidth] * full + [rest] * (rest > 0)
        if size == len(queue):
            queue, head = drain.longer(queue, head), 0
        head, size, left, credit = drain.leave(queue, head, size, words, bandwidth, most)
        leaving, buffer.lines = buffer.lines[:most], buffer.lines[most:]
        assert (left, credit) == (len(leaving), (len(leaving) - 1) * bandwidth + leaving[-1])
    lines, _ = drain.flush(queue, head, size, 0, bandwidth, 512)
    assert lines == len(buffer.lines)


@given(rows())
@RELAXED
def test_when_words_leave(row: Row) -> None:
    _, cut = lowered(row)
    per_line = np.concatenate([fold.outputs for fold in literal_folds(row)])
    ends = np.cumsum(per_line)
    assert ofmap.most_per_line(cut) == per_line.max()
    at = ofmap.leaving(cut, 0, 0)
    for word in np.linspace(0, ends[-1] - 1, 9).astype(int).tolist():
        at = ofmap.holding(cut, at, word)
        line = ofmap.line_of(at, word)
        assert line == np.searchsorted(ends, word, side="right")
        assert ofmap.left_before(at, line) == ends[line] - per_line[line]
    carrying = np.flatnonzero(per_line)
    for line in np.linspace(0, len(per_line) - 1, 9).astype(int).tolist():
        later = carrying[carrying >= line]
        following = max(line, ofmap.fold_from(cut, line).first)
        assert following == (later[0] if len(later) else ofmap.NEVER)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (Layer("a", 9, 9, 3, 3, 4, 4, stride_h=2, stride_w=1), r"one stride for both axes; layer 0 has \(2, 1\)"),
        (Layer("b", 9, 9, 3, 3, 4, 4, dilation_h=2, dilation_w=2), r"no dilation; layer 0 has \(2, 2\)"),
    ],
)
def test_layers_that_the_program_does_not_know(layer: Layer, message: str) -> None:
    with pytest.raises(WorkloadError, match=message):
        lowering.check(Network("n", (layer,)).table)


def test_tables_of_another_shape_are_refused() -> None:
    with pytest.raises(WorkloadError, match="must have shape"):
        lowering.check(np.ones((2, 5), np.int64))
