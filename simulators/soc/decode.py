"""From designs of the space ``soc`` to platforms, and to the design that stands for all that are the same platform."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.soc import layout
from simulators.soc.layout import BUSES, MEMORIES, PES, Platforms, platform_size
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

TRIANGLE = 2  # level of LINK2


def decode(designs: Platforms, codec: Codec) -> Platforms:
    """Platforms of designs.

    Args:
        designs: ``(N, D)`` int32 levels.
        codec: of the graph that the space was made for.

    Returns:
        ``(N, platform_size(T))`` int32, none of which breaks a rule.
    """
    platforms = np.full((len(designs), platform_size(int(codec["tasks"]))), -1, np.int32)
    _decode(np.ascontiguousarray(designs, np.int32), codec, platforms)
    return platforms


def canonical(designs: Platforms, codec: Codec) -> Platforms:
    """Gives level 0 to whatever is ignored, and its remainder to whatever is reduced; the platforms stay what they are.

    Args:
        designs: ``(N, D)`` int32 levels.
        codec: of the graph that the space was made for.

    Returns:
        ``(N, D)`` int32; equal platforms that differ in nothing but ignored levels have equal rows.
    """
    result = np.array(designs, np.int32, order="C")
    _reduce(result, codec)
    return result


@njit(cache=True, nogil=True)
def _decode(designs: Platforms, codec: Codec, platforms: Platforms) -> None:
    for row in range(len(designs)):
        set_blocks(designs[row], codec, platforms[row])
        set_links(designs[row], platforms[row])
        set_mapping(designs[row], codec, platforms[row])


@njit(cache=True, nogil=True)
def setting(level: int, kind: int, codec: Codec) -> int:
    """Unroll setting of an accelerator: the levels are spread over the settings that it has."""
    return level * codec.settings[kind] // codec.most_settings


@njit(cache=True, nogil=True)
def set_blocks(design: Platforms, codec: Codec, platform: Platforms) -> None:
    """Puts library rows and buses into the slots in use."""
    buses = design[N_BUS] + 1
    for pe in range(design[N_PE] + 1):
        kind = design[KIND + pe - 1] if pe > 0 else 0
        row = 0
        if kind > 0:
            row = codec.first[kind] + setting(design[UNROLL + pe - 1], kind, codec) * codec.clocks + design[CLOCK + pe - 1]
        platform[layout.PE_KIND + pe] = row
        platform[layout.PE_BUS + pe] = design[PE_BUS + pe] % buses
    for memory in range(design[N_MEMORY] + 1):
        width = design[DRAM + memory] * codec.widths + design[MEMORY_WIDTH + memory]
        platform[layout.MEMORY_KIND + memory] = width * codec.clocks + design[MEMORY_CLOCK + memory]
        platform[layout.MEMORY_BUS + memory] = design[MEMORY_BUS + memory] % buses
    for bus in range(buses):
        platform[layout.BUS_KIND + bus] = design[BUS_WIDTH + bus] * codec.clocks + design[BUS_CLOCK + bus]


@njit(cache=True, nogil=True)
def set_links(design: Platforms, platform: Platforms) -> None:
    """Links the buses in use: 1 to 0, 2 to 0 or 1 or (0 to 2, 2 to 1) both, 3 to any of these."""
    buses = design[N_BUS] + 1
    if buses > 1:
        platform[layout.BUS_LINK + 1] = 0
    if buses > 2:
        platform[layout.BUS_LINK + 2] = min(design[LINK2], 1)
        if design[LINK2] == TRIANGLE:
            platform[layout.BUS_LINK] = 2
    if buses > 3:
        platform[layout.BUS_LINK + 3] = design[LINK3]


@njit(cache=True, nogil=True)
def can_run(kind: int, task: int, codec: Codec) -> bool:
    """Whether a kind of processing element can run a task."""
    return kind == 0 or kind == codec.own[task]


@njit(cache=True, nogil=True)
def count_compatible(design: Platforms, task: int, codec: Codec) -> int:
    """How many processing elements in use can run a task; slot 0 always can."""
    count = 1
    for pe in range(1, design[N_PE] + 1):
        count += can_run(design[KIND + pe - 1], task, codec)
    return count


@njit(cache=True, nogil=True)
def set_mapping(design: Platforms, codec: Codec, platform: Platforms) -> None:
    """Maps tasks to slots; a sink, which writes nothing, to memory 0."""
    tasks = codec.tasks
    for task in range(tasks):
        slot = 0
        if codec.pe_column[task] >= 0:
            left = design[codec.pe_column[task]] % count_compatible(design, task, codec)
            while left > 0:
                slot += 1
                left -= can_run(design[KIND + slot - 1], task, codec)
        platform[layout.MAPPING + task] = slot
        memory = 0
        if codec.memory_column[task] >= 0:
            memory = design[codec.memory_column[task]] % (design[N_MEMORY] + 1)
        platform[layout.MAPPING + tasks + task] = memory


@njit(cache=True, nogil=True)
def _reduce(designs: Platforms, codec: Codec) -> None:
    for row in range(len(designs)):
        design = designs[row]
        for task in range(codec.tasks):
            if codec.pe_column[task] >= 0:
                design[codec.pe_column[task]] %= count_compatible(design, task, codec)
            if codec.memory_column[task] >= 0:
                design[codec.memory_column[task]] %= design[N_MEMORY] + 1
        for pe in range(1, PES):
            if pe > design[N_PE]:
                design[KIND + pe - 1] = 0
            kind = design[KIND + pe - 1]
            if kind == 0:
                design[UNROLL + pe - 1] = 0
                design[CLOCK + pe - 1] = 0
            else:
                # The first level with the same setting.
                chosen, settings = setting(design[UNROLL + pe - 1], kind, codec), codec.settings[kind]
                design[UNROLL + pe - 1] = (chosen * codec.most_settings + settings - 1) // settings
        _reduce_wires(design)


@njit(cache=True, nogil=True)
def _reduce_wires(design: Platforms) -> None:
    buses = design[N_BUS] + 1
    for pe in range(PES):
        design[PE_BUS + pe] = design[PE_BUS + pe] % buses if pe <= design[N_PE] else 0
    for memory in range(MEMORIES):
        design[MEMORY_BUS + memory] %= buses
        if memory > design[N_MEMORY]:
            for column in (DRAM, MEMORY_WIDTH, MEMORY_CLOCK, MEMORY_BUS):
                design[column + memory] = 0
    for bus in range(buses, BUSES):
        design[BUS_WIDTH + bus] = 0
        design[BUS_CLOCK + bus] = 0
    if buses < 3:
        design[LINK2] = 0
    if buses < 4:
        design[LINK3] = 0
