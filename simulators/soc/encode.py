"""From platforms to designs of the space ``soc``: how a chip that was described otherwise is written in it."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from archgym.errors import DesignError
from simulators.soc import layout
from simulators.soc.layout import BUSES, MAPPING, MEMORIES, PES, Platforms
from simulators.soc.space import (
    BUS_CLOCK,
    BUS_WIDTH,
    CLOCK,
    DRAM,
    KIND,
    LINK2,
    LINK3,
    MEMORY_BUS,
    MEMORY_CLOCK,
    MEMORY_WIDTH,
    N_BUS,
    N_MEMORY,
    N_PE,
    PE_BUS,
    UNROLL,
    Codec,
)

Links = frozenset[frozenset[int]]


def encode(platform: Platforms, codec: Codec, root: int) -> Platforms:
    """A design that stands for the same chip: the same blocks, wires and mapping, in other slots.

    Blocks that are not connected with the source are left out: they do nothing.  The numbering of slots counts a little in
    the model (the order in which tasks are launched follows it), so that results may differ where tasks compete.

    Args:
        platform: ``(platform_size(T),)``, a valid one.
        codec: of the same graph.
        root: index of the source.

    Returns:
        ``(D,)`` int32 levels.

    Raises:
        DesignError: the buses form a circle of four, or the source is not on an A53.
    """
    tasks = int(codec["tasks"])
    design = np.zeros(max(codec["pe_column"].max(), codec["memory_column"].max()) + 1, np.int32)
    start = int(platform[MAPPING + root])
    if platform[layout.PE_KIND + start] != 0:
        raise DesignError(f"soc: the source must run on an A53, got a processing element of kind {start}")
    order, links = _connected(platform, int(platform[layout.PE_BUS + start]))
    order, design[LINK2], design[LINK3] = _arrange(order, links)
    bus_slot = {bus: slot for slot, bus in enumerate(order)}
    pes = [pe for pe in range(PES) if platform[layout.PE_KIND + pe] >= 0 and platform[layout.PE_BUS + pe] in bus_slot]
    pes = [start, *(pe for pe in pes if pe != start)]
    kept = [
        m for m in range(MEMORIES) if platform[layout.MEMORY_KIND + m] >= 0 and platform[layout.MEMORY_BUS + m] in bus_slot
    ]
    design[[N_PE, N_BUS, N_MEMORY]] = len(pes) - 1, len(order) - 1, len(kept) - 1
    kinds = []
    for slot, pe in enumerate(pes):
        kind, chosen, clock = _processing(int(platform[layout.PE_KIND + pe]), codec)
        kinds.append(kind)
        design[PE_BUS + slot] = bus_slot[int(platform[layout.PE_BUS + pe])]
        if kind > 0:
            unroll = -(-chosen * codec["most_settings"] // codec["settings"][kind])
            design[[KIND + slot - 1, UNROLL + slot - 1, CLOCK + slot - 1]] = kind, unroll, clock
    for slot, bus in enumerate(order):
        design[BUS_WIDTH + slot], design[BUS_CLOCK + slot] = divmod(int(platform[layout.BUS_KIND + bus]), codec["clocks"])
    for slot, memory in enumerate(kept):
        width, design[MEMORY_CLOCK + slot] = divmod(int(platform[layout.MEMORY_KIND + memory]), codec["clocks"])
        design[DRAM + slot], design[MEMORY_WIDTH + slot] = divmod(width, codec["widths"])
        design[MEMORY_BUS + slot] = bus_slot[int(platform[layout.MEMORY_BUS + memory])]
    for task in range(tasks):
        slot = pes.index(int(platform[MAPPING + task]))
        if codec["pe_column"][task] >= 0:
            able = [kind == 0 or codec["only"][kind] == task for kind in kinds]
            design[codec["pe_column"][task]] = sum(able[:slot])
        if codec["memory_column"][task] >= 0:
            design[codec["memory_column"][task]] = kept.index(int(platform[MAPPING + tasks + task]))
    return design


def _processing(row: int, codec: Codec) -> tuple[int, int, int]:
    """Kind, unroll setting and clock of a row of the library's processing elements."""
    if row == 0:
        return 0, 0, 0
    firsts = codec["first"][: int(codec["kinds"])]
    kind = int(np.where(firsts <= row, firsts, -1).argmax())
    return kind, *divmod(row - int(codec["first"][kind]), codec["clocks"])


def _connected(platform: Platforms, start: int) -> tuple[list[int], Links]:
    """Buses that can be reached from one, in the order in which they are found, and the links between them."""
    links = {
        frozenset((bus, int(platform[layout.BUS_LINK + bus])))
        for bus in range(BUSES)
        if platform[layout.BUS_KIND + bus] >= 0 and platform[layout.BUS_LINK + bus] >= 0
    }
    order = [start]
    for bus in order:
        order += [other for other in range(BUSES) if frozenset((bus, other)) in links and other not in order]
    return order, frozenset(link for link in links if link <= set(order))


def _arrange(order: list[int], links: Links) -> tuple[list[int], int, int]:
    """An order of the buses in which the space can link them as they are, and the levels of both links."""
    for trial in permutations(order):
        for second in range(3 if len(order) > 2 else 1):
            for third in range(3 if len(order) > 3 else 1):
                wanted = {(1, 0), *[(2, min(second, 1))] * (len(order) > 2), *[(2, 0)] * (second == 2)}
                wanted |= {(3, third)} if len(order) > 3 else set()
                made = {frozenset((trial[a], trial[b])) for a, b in wanted} if len(order) > 1 else set()
                if made == links:
                    return list(trial), second, third
    raise DesignError(f"soc: buses must form a tree or one triangle, got the links {sorted(map(sorted, links))}")
