"""What read buffers miss, computed once for each layer, array, dataflow and size, and kept for the next call.

The memory is bounded: when an addition would go beyond the limit, everything is dropped and what the call needs is built anew,
so that at most the limit, or what one block of designs needs, is held.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.exact import fills
from simulators.systolic.exact.lowering import Shape, folds, shape
from simulators.systolic.exact.misses import misses

Words = NDArray[np.int64]
Combination = tuple[int, int, int, int, int]  # dataflow, rows, columns, KB, USER
Place = tuple[int, int, int]  # offset and length in the lists, and the sum of the misses (in CALC: the DRAM reads)
Wanted = tuple[tuple[int, ...], bool, Combination]  # sizes of a layer, input or filters, on what

DEFAULT_LIMIT_BYTES = 1 << 29
BYTES_PER_MISS_LINE = 16  # a line and a count
BYTES_PER_ENTRY = 200  # of the dictionary, roughly
FIRST_ROOM = 1 << 16


class Profiles:
    """Lists of misses, safe to share between calls and threads; a pickled copy is empty.

    Args:
        limit_bytes: of the memory held between calls; one block of designs may need more for a while.

    Attributes:
        lock: is held while a call uses the lists.
        lines, counts: the lists, one after the other.
        built: how many were computed so far.
    """

    def __init__(self, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.lock = threading.RLock()
        self.built = 0
        self.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit_bytes,)

    def __len__(self) -> int:
        return len(self._places)

    def clear(self) -> None:
        """Forgets everything."""
        self._places: dict[Wanted, Place] = {}
        self._used = 0
        self.lines = np.empty(FIRST_ROOM, np.int64)
        self.counts = np.empty(FIRST_ROOM, np.int64)

    @property
    def held_bytes(self) -> int:
        """Memory in use."""
        return self._used * BYTES_PER_MISS_LINE + len(self._places) * BYTES_PER_ENTRY

    def require(self, wanted: Iterable[Wanted]) -> list[Place]:
        """Places of lists, which are computed if they are not there.

        The places hold until the next call; the caller holds ``lock`` for as long.
        """
        wanted = list(wanted)
        missing = [key for key in dict.fromkeys(wanted) if key not in self._places]
        if missing:
            made = dict(zip(missing, self._build(missing), strict=True))
            new = sum(len(lines) * BYTES_PER_MISS_LINE + BYTES_PER_ENTRY for lines, _, _ in made.values())
            if self.held_bytes + new > self.limit_bytes and self._places:
                self.clear()
                dropped = [key for key in dict.fromkeys(wanted) if key not in made]
                made.update(zip(dropped, self._build(dropped), strict=True))
            for key, found in made.items():
                self._append(key, *found)
        return [self._places[key] for key in wanted]

    def _build(self, wanted: list[Wanted]) -> list[tuple[Words, Words, int]]:
        """Computes lists, on all threads that Numba uses."""
        self.built += len(wanted)
        if len(wanted) < 2:
            return [build(key) for key in wanted]
        with ThreadPoolExecutor(get_num_threads()) as pool:
            return list(pool.map(build, wanted))

    def _append(self, key: Wanted, lines: Words, counts: Words, amount: int) -> None:
        end = self._used + len(lines)
        if end > len(self.lines):
            self.lines, self.counts = (np.resize(array, max(end, 2 * len(array))) for array in (self.lines, self.counts))
        self.lines[self._used : end], self.counts[self._used : end] = lines, counts
        self._places[key] = (self._used, len(lines), amount)
        self._used = end


def build(wanted: Wanted) -> tuple[Words, Words, int]:
    """Lines with misses, their numbers, and the sum; in CALC no lines, and the DRAM reads of the input."""
    sizes, is_ifmap, (dataflow, rows, columns, kb, user) = wanted
    layer = np.ones(len(layers.COLUMNS), np.int64)
    layer[: len(sizes)] = sizes
    of: Shape = shape(layer)
    cut = folds(of, dataflow, rows, columns)
    if not user:
        reads, _ = fills.ifmap(of, cut, kb)
        return np.empty(0, np.int64), np.empty(0, np.int64), int(reads)
    lines, counts = misses(of, cut, is_ifmap, kb)
    return lines, counts, int(counts.sum())


def sizes_of(layer: Words) -> tuple[int, ...]:
    """What of a row of ``Network.table`` decides about misses."""
    return tuple(layer[: layers.REPEATS].tolist())
