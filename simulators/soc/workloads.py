"""Which task graph a workload's name stands for: an application, several together, a drawn graph, or a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archgym.errors import UnknownNameError, WorkloadError
from simulators.soc import graph, synthetic
from simulators.soc.graph import Graph, Task

SHORT = {"audio": "audio_decoder", "cava": "hpvm_cava", "edge": "edge_detection"}
SOURCE = "source"


def find(workload: str) -> tuple[Graph, ...]:
    """The graphs that a workload names.

    Args:
        workload: "audio_decoder", "edge_detection", "hpvm_cava" (short: "audio", "edge", "cava"); a drawn graph such as
            "series-parallel-30-7" (kind, tasks, seed); the path of a JSON file; or several of these with ``+`` between.

    Raises:
        UnknownNameError: no such workload.
        WorkloadError: a graph that cannot be read or that makes no sense, or one that is named twice.
    """
    if Path(workload).is_file():
        return (graph.read(workload),)
    parts = [_find_one(part.strip()) for part in workload.split("+")]
    names = [part.name for part in parts]
    if len(set(names)) < len(names):
        raise WorkloadError(f"soc: workloads that run together must have different names, got {' + '.join(names)}")
    return tuple(parts)


def together(parts: Sequence[Graph]) -> Graph:
    """One graph of several, which start together and share one source; one graph alone stays what it is.

    Tasks are named ``workload.task``.  The workload ends when all its parts have ended.

    Raises:
        WorkloadError: tasks of a part wait for each other in a circle.
    """
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if part.cycle:
            raise WorkloadError(f"{part.name}: tasks wait for each other: {' -> '.join(part.cycle)}")
    sources = {(part.name, part.root) for part in parts}

    def renamed(part: Graph, task: str) -> str:
        return SOURCE if (part.name, task) in sources else f"{part.name}.{task}"

    tasks = [replace(task, name=renamed(part, task.name)) for part in parts for task in part.tasks if task.name != part.root]
    return Graph(
        "+".join(part.name for part in parts),
        (Task(SOURCE, 0.0, "source"), *tasks),
        tuple(replace(each, task=renamed(part, each.task)) for part in parts for each in part.accelerators),
        tuple((renamed(part, a), renamed(part, b), size) for part in parts for a, b, size in part.edges),
        tuple(renamed(part, task) for part in parts for task in part.last),
        {},
    )


def _find_one(name: str) -> Graph:
    name = SHORT.get(name, name)
    if name in graph.names():
        return graph.load(name)
    drawn = synthetic.PATTERN.fullmatch(name)
    if drawn:
        return synthetic.generate(drawn[1], int(drawn[2]), int(drawn[3]))
    if Path(name).suffix:
        return graph.read(name)
    known = (*graph.names(), *(f"{kind}-TASKS-SEED" for kind in synthetic.KINDS), "a path")
    raise UnknownNameError("workload", name, known, owner="soc")
