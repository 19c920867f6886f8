"""How designs, task graphs, block libraries and results are laid out in the arrays that the kernels read and write.

The way of a design: levels of an encoding -> a *platform* (a row of int32, this file) -> the model (``model.simulate``).
Every encoding ends in platforms, and the model knows nothing else of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.int64]
Floats = NDArray[np.float64]
Platforms = NDArray[np.int32]

# Slots of a platform.  A slot without a block has the kind -1.
PES, MEMORIES, BUSES = 8, 6, 4

# A platform is a row of int32.  Kinds are rows of the library's tables (``problem.Problem``).
PE_KIND = 0  # (PES,) rows of the processing elements
MEMORY_KIND = PE_KIND + PES  # (MEMORIES,) rows of the memories
BUS_KIND = MEMORY_KIND + MEMORIES  # (BUSES,) rows of the buses
PE_BUS = BUS_KIND + BUSES  # (PES,) bus slot of each processing element
MEMORY_BUS = PE_BUS + PES  # (MEMORIES,) bus slot of each memory, -1 for none; -n for n > 1 buses, which breaks a rule
BUS_LINK = MEMORY_BUS + MEMORIES  # (BUSES,) the bus slot that each bus is linked to, -1 for none; links are made in slot order
MAPPING = BUS_LINK + BUSES  # then (T,) processing element slot of each task, then (T,) memory slot of each task

# What can become of a platform.  Of several broken rules the first one here is named.
OK = 0
BUS_SELF = 1  # a bus is linked to itself
MEMORY_BUSES = 2  # a memory hangs on more than one bus
TASK_PE = 3  # a task is mapped to a processing element that cannot run it, or to an empty slot
MEMORY_UNREACHABLE = 4  # a task is mapped to a memory that is absent or not connected with processing element 0
PE_UNREACHABLE = 5  # a task is mapped to a processing element that is not connected with processing element 0
CUT_OFF = 6  # processing element 0 runs nothing, and no task uses both sides of a link between it and the rest
CYCLE = 7  # tasks wait for each other
TABLE = 8  # a memory is larger than the tables of memories reach
ENDLESS = 9  # more phases than there can be: time no longer advances (some task is too short for the clock's precision)

# What the model yields, a row of float64.
LATENCY, POWER, AREA, ENERGY = range(4)  # s, W, m2, J
AREA_DRAM, AREA_REST = range(4, 6)  # m2
SERIAL_LATENCY, PHASES = range(6, 8)  # s, if all tasks ran one after the other; number
BOTTLENECK_PE, BOTTLENECK_MEMORY, BOTTLENECK_BUS = range(8, 11)  # shares in what is farthest from its limit
HOT_TASK, HOT_PE, HOT_MEMORY, HOT_BUS, OUTCOMES = range(11, 16)  # task and slots that weigh most in it

# Roles of tasks.  All but the first have no work.
WORKER, SOURCE, SINK, MARKER = range(4)  # a source's output is never released, a marker's not counted, a sink has none

# Blocks as limits of a task's rate: buses, then memories (each per direction), then the processing element.
BLOCKS = BUSES + MEMORIES
READ, WRITE = range(2)
LIMIT_PE = 2 * BLOCKS  # a limit is direction * BLOCKS + block, or this

# Columns of the library's tables.
RATE, ENERGY_RATE, PE_AREA, ONLY_TASK, PE_COLUMNS = range(5)  # instructions/s, instructions/J, m2, the only task or -1
IS_DRAM, MEMORY_COLUMNS = 1, 2  # after RATE, bytes/s
ENERGY_READ, ENERGY_WRITTEN, SIZE_AREA, SIZE_COLUMNS = range(4)  # J/byte, J/byte, m2


def platform_size(tasks: int) -> int:
    """Columns of a platform for a graph of so many tasks."""
    return MAPPING + 2 * tasks
