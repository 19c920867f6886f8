"""What read buffers miss, computed once for each layer, array, dataflow and size, and kept for the next call.

The memory is bounded: where an addition would go beyond the limit, everything is dropped, so that never more is held than the
limit and what was computed at once (``placing.MOST_AT_ONCE`` profiles, or those of one design).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from simulators.systolic import layers
from simulators.systolic.exact import fills
from simulators.systolic.exact.lowering import folds, shape
from simulators.systolic.exact.misses import misses

Words = NDArray[np.int64]
Combination = tuple[int, ...]  # dataflow, rows, columns, KB, USER
Wanted = tuple[tuple[int, ...], bool, Combination]  # sizes of a layer, input or filters, on what
Profile = tuple[Words, Words, int]  # lines with misses, their numbers, and the sum; in CALC no lines, and the DRAM reads
Place = tuple[int, int, int]  # offset and length in the lists, and the sum

DEFAULT_LIMIT_BYTES = 1 << 29
BYTES_PER_LINE = 16  # a line and a count
BYTES_PER_PROFILE = 300  # of the dictionary, roughly
FIRST_ROOM = 1 << 16


class Profiles:
    """Lists of misses, safe to share between calls and threads; a pickled copy is empty.

    Args:
        limit_bytes: of the memory held.

    Attributes:
        lock: whoever uses the lists holds it.
        lines, counts: all lists, one after the other.
        built: how many profiles were computed so far.
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

    @property
    def held_bytes(self) -> int:
        """Memory in use."""
        return self._used * BYTES_PER_LINE + len(self._places) * BYTES_PER_PROFILE

    def clear(self) -> None:
        """Forgets everything."""
        self._places: dict[Wanted, Place] = {}
        self._used = 0
        self.lines = np.empty(FIRST_ROOM, np.int64)
        self.counts = np.empty(FIRST_ROOM, np.int64)

    def missing(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        """Those that are not there, each once."""
        return [key for key in dict.fromkeys(wanted) if key not in self._places]

    def build(self, wanted: Iterable[Wanted]) -> dict[Wanted, Profile]:
        """Computes profiles on all threads that Numba uses, without keeping them."""
        keys = list(wanted)
        self.built += len(keys)
        if len(keys) < 2:
            return {key: profile(key) for key in keys}
        with ThreadPoolExecutor(get_num_threads()) as pool:
            return dict(zip(keys, pool.map(profile, keys), strict=True))

    def has_room(self, made: Mapping[Wanted, Profile]) -> bool:
        """Whether profiles can be added within the limit, or nothing is there that could make way."""
        more = sum(len(lines) * BYTES_PER_LINE + BYTES_PER_PROFILE for lines, _, _ in made.values())
        return not self._places or self.held_bytes + more <= self.limit_bytes

    def add(self, made: Mapping[Wanted, Profile]) -> None:
        """Keeps profiles."""
        end = self._used + sum(len(lines) for lines, _, _ in made.values())
        if end > len(self.lines):
            room = max(end, min(2 * end, self.limit_bytes // BYTES_PER_LINE))
            self.lines, self.counts = (_longer(array, self._used, room) for array in (self.lines, self.counts))
        for key, (lines, counts, total) in made.items():
            end = self._used + len(lines)
            self.lines[self._used : end], self.counts[self._used : end] = lines, counts
            self._places[key] = (self._used, len(lines), total)
            self._used = end

    def place(self, key: Wanted) -> Place:
        """Where a profile is; until everything is dropped."""
        return self._places[key]


def profile(wanted: Wanted) -> Profile:
    """Computes the profile of a layer's input or filters."""
    sizes, is_ifmap, (dataflow, rows, columns, kb, user) = wanted
    layer = np.ones(len(layers.COLUMNS), np.int64)
    layer[: len(sizes)] = sizes
    of = shape(layer)
    cut = folds(of, dataflow, rows, columns)
    if not user:
        reads, _ = fills.ifmap(of, cut, kb)
        return np.empty(0, np.int64), np.empty(0, np.int64), int(reads)
    lines, counts = misses(of, cut, is_ifmap, kb)
    return lines, counts, int(counts.sum())


def sizes_of(layer: Words) -> tuple[int, ...]:
    """What of a row of ``Network.table`` decides about misses."""
    return tuple(layer[: layers.REPEATS].tolist())


def _longer(array: Words, used: int, room: int) -> Words:
    made = np.empty(room, np.int64)
    made[:used] = array[:used]
    return made
