"""Broken rules in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from archgym import Status
from simulators.soc.graph import Graph
from simulators.soc.layout import (
    BUS_SELF,
    CUT_OFF,
    CYCLE,
    ENDLESS,
    MAPPING,
    MEMORY_BUSES,
    MEMORY_UNREACHABLE,
    OK,
    PE_UNREACHABLE,
    TASK_PE,
    Platforms,
    Words,
)

NAMES = {
    BUS_SELF: "bus_self",
    MEMORY_BUSES: "memory_buses",
    TASK_PE: "task_pe",
    MEMORY_UNREACHABLE: "memory_unreachable",
    PE_UNREACHABLE: "pe_unreachable",
    CUT_OFF: "cut_off",
}
AMOUNT = "(violation: links, memories and tasks that break a rule)"


def statuses(fates: NDArray[np.int8]) -> NDArray[np.uint8]:
    """``Status`` of each platform, (N,)."""
    invalid = np.where(fates == ENDLESS, Status.FAILED, Status.INVALID)
    return np.where(fates == OK, Status.OK, invalid).astype(np.uint8)


def reasons(fates: NDArray[np.int8], places: Words, platforms: Platforms, graph: Graph) -> dict[int, str]:
    """Why platforms are not OK.

    Args:
        fates: (N,) what became of each.
        places: (N,) where.
        platforms: (N, columns).
        graph: the workload.

    Returns:
        Row -> the first rule that is broken, and by which block or task.
    """
    rows = np.flatnonzero(fates != OK)
    if not len(rows):
        return {}
    tasks = len(graph.tasks)
    codes, places = fates[rows].astype(np.int64), places[rows]
    slots = np.zeros(len(rows), np.int64)
    for fate, first in ((TASK_PE, MAPPING), (PE_UNREACHABLE, MAPPING), (MEMORY_UNREACHABLE, MAPPING + tasks)):
        chosen = codes == fate
        slots[chosen] = platforms[rows[chosen], first + places[chosen]]
    # Most designs of a random search are invalid, in few ways: each sentence is made once.
    radix = max(tasks, 16) + 1
    found, which = np.unique((codes * radix + places + 1) * 16 + slots, return_inverse=True)
    sentences = [_reason(key // 16 // radix, key // 16 % radix - 1, key % 16, graph) for key in found.tolist()]
    return {row: sentences[index] for row, index in zip(rows.tolist(), which.tolist(), strict=True)}


def _reason(fate: int, place: int, slot: int, graph: Graph) -> str:
    if fate == CYCLE:
        return f"cycle: tasks wait for each other: {' -> '.join(graph.cycle)} (violation: tasks that never start)"
    if fate == ENDLESS:
        return "time no longer advances: some task is too short beside the others"
    if fate not in NAMES:
        return f"memory_size: memory {place} holds more than the tables of memories reach (violation: relative)"
    task = graph.tasks[place].name if fate in (TASK_PE, MEMORY_UNREACHABLE, PE_UNREACHABLE) else ""
    words = {
        BUS_SELF: f"bus {place} is linked to itself",
        MEMORY_BUSES: f"memory {place} hangs on more than one bus",
        TASK_PE: f"processing element {slot} cannot run {task}",
        MEMORY_UNREACHABLE: f"memory {slot}, to which {task} is mapped, has no connection with processing element 0",
        PE_UNREACHABLE: f"processing element {slot}, which runs {task}, has no connection with processing element 0",
        CUT_OFF: f"processing element 0 runs no task, and no data links its bus {place} with the rest",
    }
    return f"{NAMES[fate]}: {words[fate]} {AMOUNT}"
