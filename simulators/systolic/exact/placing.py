"""Which profiles a batch of designs needs, and in which order they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from simulators.systolic.exact.layout import COLUMNS, DATAFLOW, FILTER_KB, IFMAP_KB, ROWS, USER
from simulators.systolic.exact.loops import needs_profile
from simulators.systolic.exact.profiles import Profiles, Wanted, sizes_of

Words = NDArray[np.int64]

STEP = 1024  # designs that are looked at together
MOST_AT_ONCE = 64  # profiles that are computed before it is seen how much memory they take


class _Operand:
    """Needs of the input or of the filters.

    Attributes:
        numbers: of each design, its combination of dataflow, array, size and bandwidth mode, (N,).
        places: of each combination and layer its ``profiles.Place``, (U, L, 3); zeros where a closed form is enough.
    """

    def __init__(self, table: Words, designs: Words, is_ifmap: bool) -> None:
        columns = designs[:, [DATAFLOW, ROWS, COLUMNS, IFMAP_KB if is_ifmap else FILTER_KB, USER]]
        chosen, self.numbers = _distinct(columns)
        self.places = np.zeros((len(chosen), len(table), 3), np.int64)
        self.is_ifmap = is_ifmap
        self._combinations = [tuple(combination) for combination in columns[chosen].tolist()]
        self._needed = needs_profile(table, columns[chosen], is_ifmap)
        self._sizes = [sizes_of(layer) for layer in table]
        self._is_placed = np.zeros(len(chosen), np.bool_)

    def wanted(self, designs: Words) -> list[tuple[int, int, Wanted]]:
        """Combination, layer and key of all profiles that designs need and that have no place yet."""
        numbers = np.unique(self.numbers[designs])
        return [
            (number, layer, (self._sizes[layer], self.is_ifmap, self._combinations[number]))
            for number in numbers[~self._is_placed[numbers]].tolist()
            for layer in np.flatnonzero(self._needed[number]).tolist()
        ]

    def place(self, designs: Words, wanted: list[tuple[int, int, Wanted]], profiles: Profiles) -> None:
        """Notes where the profiles are."""
        for number, layer, key in wanted:
            self.places[number, layer] = profiles.place(key)
        self._is_placed[self.numbers[designs]] = True

    def forget(self) -> None:
        """Nothing has a place any more."""
        self._is_placed[:] = False


class Placing:
    """Needs of a batch.

    Args:
        table: layers, see ``simulators.systolic.layers.COLUMNS``.
        designs: (N, 10), see ``layout.DESIGN``.
    """

    def __init__(self, table: Words, designs: Words) -> None:
        # Sorted, so that neighbours share most of what they need.
        self._order = np.lexsort(designs[:, [FILTER_KB, IFMAP_KB, COLUMNS, ROWS, DATAFLOW, USER]].T)
        self._operands = tuple(_Operand(table, designs, is_ifmap) for is_ifmap in (True, False))

    def blocks(self, profiles: Profiles) -> Iterator[Words]:
        """Indices of designs, block by block; all profiles that a block needs are there until the next one is asked for."""
        ready = at = 0
        step = STEP
        while at < len(self._order):
            designs = self._order[at : at + step]
            wanted = [operand.wanted(designs) for operand in self._operands]
            missing = profiles.missing(key for part in wanted for _, _, key in part)
            if len(missing) > MOST_AT_ONCE and len(designs) > 1:
                step = len(designs) // 2
                continue
            made = profiles.build(missing)
            if not profiles.has_room(made):
                if at > ready:
                    yield self._order[ready:at]
                    ready = at
                profiles.clear()
                for operand in self._operands:
                    operand.forget()
                wanted = [operand.wanted(designs) for operand in self._operands]
                made |= profiles.build(key for part in wanted for _, _, key in part if key not in made)
            profiles.add(made)
            for operand, part in zip(self._operands, wanted, strict=True):
                operand.place(designs, part, profiles)
            at += len(designs)
            step = min(STEP, 2 * step)
        if at > ready:
            yield self._order[ready:at]

    def of(self, designs: Words) -> tuple[Words, Words, Words, Words]:
        """For the input, then for the filters: the designs' combinations, and the places of all combinations."""
        ifmap, filters = self._operands
        return ifmap.numbers[designs], ifmap.places, filters.numbers[designs], filters.places


def _distinct(rows: Words) -> tuple[Words, Words]:
    """Indices of distinct rows, and the number of each row among them; many times faster than ``np.unique`` along an axis."""
    codes = np.zeros(len(rows), np.int64)
    first = np.zeros(min(1, len(rows)), np.int64)
    for column in rows.T:
        values, codes_here = np.unique(column, return_inverse=True)
        _, first, codes = np.unique(codes * len(values) + codes_here, return_index=True, return_inverse=True)
    return first, codes
