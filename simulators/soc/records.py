"""The records that the kernels work on: one for the task graph, one to note down everything about one platform.

A record is a single pointer to Numba, with fields of fixed size: nothing is counted, and kernels take few arguments.  T and E
below stand for the tasks and edges of a graph, F for its phases; rows beyond them are not used.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulators.soc.layout import BLOCKS, BUSES, MEMORIES, PES

Record = Any  # np.void of one of the types below; Numba reads and writes its fields as attributes

MOST_TASKS, MOST_EDGES = 256, 1024
MOST_PHASES = MOST_TASKS + 2  # each but the first ends a task, and the last one runs none

GRAPH = np.dtype(
    [
        ("tasks", "i8"),
        ("root", "i8"),  # the only task without incoming edges
        ("work", "f8", MOST_TASKS),  # [T] instructions
        ("role", "i8", MOST_TASKS),  # [T] WORKER, SOURCE, SINK or MARKER
        ("parent_start", "i8", MOST_TASKS + 1),  # [T + 1] where each task's incoming edges start below, in the file's order
        ("parent", "i8", MOST_EDGES),  # [E] the task at the other end
        ("read_bytes", "f8", MOST_EDGES),  # [E]
        ("read_units", "f8", MOST_EDGES),  # [E] burst unit of the edge, as its reader sees it
        ("child_start", "i8", MOST_TASKS + 1),  # [T + 1] where each task's outgoing edges start below, in the file's order
        ("child", "i8", MOST_EDGES),  # [E] the task at the other end
        ("write_bytes", "f8", MOST_TASKS),  # [T] of all outgoing edges
        ("write_units", "f8", MOST_TASKS),  # [T] burst units of all outgoing edges, as their writer sees them
        ("footprint", "f8", MOST_TASKS),  # [T] bytes that a task allocates when it is launched
        ("visits", "i8"),  # steps of the walk that orders the tasks on a bus
        ("visit_task", "i8", MOST_EDGES + MOST_TASKS),  # [visits] who passes over buses
        ("visit_owner", "i8", MOST_EDGES + MOST_TASKS),  # [visits] the task to whose memory it goes
        ("ends", "i8"),  # tasks with whose end the workload ends
        ("end", "i8", MOST_TASKS),  # [ends]
        ("limits", "f8", 3),  # of latency (s), power (W) and area (m2)
    ]
)

WORK = np.dtype(
    [
        # The platform: its mapping, and the blocks in its slots.
        ("pe", "i8", MOST_TASKS),  # [T] processing element that each task is mapped to
        ("memory", "i8", MOST_TASKS),  # [T] memory that each task writes to
        ("pe_rate", "f8", PES),  # instructions/s
        ("pe_energy", "f8", PES),  # instructions/J
        ("pe_area", "f8", PES),  # m2
        ("pe_only", "i8", PES),  # the only task that it can run, -1 for any, -2 for none
        ("memory_kind", "i8", MEMORIES),  # 1 for DRAM, 0 for SRAM
        ("peak", "f8", BLOCKS),  # bytes/s of buses, then memories
        ("link", "i8", BUSES),  # the bus that each bus is linked to, -1 for none
        ("is_bus", "i8", BUSES),  # 1 where the slot holds a bus
        # Topology, as it is after each step of building.
        ("pe_bus", "i8", PES),  # -1 for none
        ("memory_bus", "i8", MEMORIES),  # -1 for none
        ("near", "i8", (BUSES, BUSES)),  # neighbouring buses of each bus, in order of connection
        ("degree", "i8", BUSES),  # how many there are
        ("before", "i8", (BUSES, BUSES)),  # on the path from the first bus to the second the last but one; -1 without a path
        ("across", "i8", (BUSES, BUSES)),  # set of all buses on that path, as bits
        ("order", "i8", BUSES),  # buses depth-first from processing element 0
        ("together", "i8", BUSES),  # set of buses that share a task with each bus
        # The order of launching.
        ("crossed", "i8", MOST_TASKS),  # [T] set of buses that a task's data passes
        ("listed", "i8", (BUSES, MOST_TASKS)),  # [, count] tasks of each bus, in the order in which they are put on its list
        ("count", "i8", BUSES),
        ("rank", "i8", MOST_TASKS),  # [T]
        # Traffic of each task.
        ("home", "i8", MOST_TASKS),  # [T] bus of its processing element
        ("bytes", "f8", (MOST_TASKS, 2, BLOCKS)),  # [T] through each block, read and written
        ("units", "f8", (MOST_TASKS, 2, BLOCKS)),  # [T] burst units of the same
        ("leaves", "i8", (MOST_TASKS, 2, BUSES)),  # [T] where its data leaves a bus to: set of blocks
        ("touched", "i8", (MOST_TASKS, 2)),  # [T] set of blocks that its data passes
        ("solo", "f8", MOST_TASKS),  # [T] instructions/s of a task that runs alone
        ("solo_limit", "i8", MOST_TASKS),  # [T] what limits it
        # The run.
        ("left", "f8", MOST_TASKS),  # [T] instructions not done yet
        ("missing", "i8", MOST_TASKS),  # [T] incoming edges without a token
        ("launch", "f8", MOST_TASKS),  # [T] s
        ("finish", "f8", MOST_TASKS),  # [T] s
        ("rate", "f8", MOST_TASKS),  # [T] instructions/s in this phase
        ("limit", "i8", MOST_TASKS),  # [T] what limits it
        ("running", "i8", MOST_TASKS),
        ("waiting", "i8", MOST_TASKS),  # for their processing elements
        ("fresh", "i8", MOST_TASKS),  # launched in this phase
        ("retired", "i8", MOST_TASKS),  # [T] 1 between a task's end and the release of an input of its
        ("held", "f8", MEMORIES),  # bytes allocated now
        ("most", "f8", MEMORIES),  # bytes allocated at a time, -1 for a memory that nobody writes to
        # What it came to.
        ("phases", "i8"),
        ("length", "f8", MOST_PHASES),  # [F] s
        ("first", "i8", MOST_PHASES + 1),  # [F + 1] where each phase's entries start in the log
        ("log_task", "i8", MOST_PHASES * PES),
        ("log_work", "f8", MOST_PHASES * PES),  # instructions
        ("log_limit", "i8", MOST_PHASES * PES),
        ("cost", "f8", MOST_TASKS),  # [T] J of an instruction
        ("energy", "f8", MOST_PHASES),  # [F] J
        ("heat", "f8", MOST_TASKS),  # [T] what each task weighs in whatever is farthest from its limit
        ("longest", "f8", MOST_TASKS),  # [T] s, its longest phase
        ("slowed", "i8", MOST_TASKS),  # [T] what limits it then
        # What is wrong with it.
        ("place", "i8"),  # bus, task or memory
        ("violation", "f8"),
    ]
)


def make_work(count: int) -> Any:
    """Empty records, ``(count,)``: one for each thread, used again for every platform."""
    return np.zeros(count, WORK)
