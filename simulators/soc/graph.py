"""Task graphs: what runs on the chip.  Those that come with the simulator, and a user's own as JSON.

A graph is an object with these keys::

    name          of the workload
    source        where the numbers come from (optional)
    tasks         list of {"name", "instructions"} or, without work, {"name", "role"}: "source", "sink" or "marker"
    accelerators  list of {"task", "cycles", "energy_fj", "area_um2", "loop_iterations"}: of each task that can have one
    edges         list of [producer, consumer, bytes]
    last          the task with whose end the workload ends, or a list of such tasks
    budget        {"latency_s", "power_w", "area_m2"} (optional)
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archgym.errors import UnknownNameError, WorkloadError

FOLDER = Path(__file__).parent / "graphs"
ROLES = ("source", "sink", "marker")
MOST_BYTES = 2**50
MOST_INSTRUCTIONS = 2**60
BUDGETED = ("latency_s", "power_w", "area_m2")


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: unique in its graph.
        instructions: its work; 0 for all but workers.
        role: "worker", "source", "sink" or "marker".
    """

    name: str
    instructions: float
    role: str = "worker"


@dataclass(frozen=True)
class Accelerator:
    """A processing element made for one task, not unrolled; energy and area before technology scaling.

    Attributes:
        task: name of the task.
        cycles: that it takes, at the library's base clock.
        energy_fj: per run of the task.
        area_um2: of the block.
        loop_iterations: how often it could be unrolled.
    """

    task: str
    cycles: float
    energy_fj: float
    area_um2: float
    loop_iterations: int


@dataclass(frozen=True)
class Graph:
    """A task graph.

    Attributes:
        name: of the workload.
        tasks: in the order of the file, which counts.
        accelerators: in library order, which counts too (the limited encoding offers the first one only).
        edges: (producer, consumer, bytes), in the order of the file.
        last: the tasks with whose end the workload ends.
        budget: metric -> limit; empty if there is none.
    """

    name: str
    tasks: tuple[Task, ...]
    accelerators: tuple[Accelerator, ...]
    edges: tuple[tuple[str, str, float], ...]
    last: tuple[str, ...]
    budget: Mapping[str, float]

    @property
    def root(self) -> str:
        """The only task that waits for no other; the first one where all wait for each other in circles."""
        consumers = {target for _, target, _ in self.edges}
        return next((task.name for task in self.tasks if task.name not in consumers), self.tasks[0].name)

    @cached_property
    def cycle(self) -> tuple[str, ...]:
        """Tasks that wait for each other in a circle, the first one repeated at the end; empty if there is no such circle."""
        waits = {task.name: [source for source, target, _ in self.edges if target == task.name] for task in self.tasks}
        done: set[str] = set()
        for task in self.tasks:
            trail = [task.name]
            while trail:
                blocking = [name for name in waits[trail[-1]] if name not in done]
                if not blocking:
                    done.add(trail.pop())
                elif blocking[0] in trail:
                    circle = [blocking[0], *reversed(trail[trail.index(blocking[0]) :])]
                    return tuple(circle)
                else:
                    trail.append(blocking[0])
        return ()

    @property
    def digest(self) -> str:
        """SHA-256 over everything that can change a result."""
        content = [[asdict(task) for task in self.tasks], [asdict(each) for each in self.accelerators], self.edges, self.last]
        return hashlib.sha256(json.dumps([self.name, content, dict(self.budget)], sort_keys=True).encode()).hexdigest()


def names() -> tuple[str, ...]:
    """Names of the graphs that come with the simulator."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def load(name: str) -> Graph:
    """A graph that comes with the simulator.

    Raises:
        UnknownNameError: no such graph.
    """
    if name not in names():
        raise UnknownNameError("workload", name, names(), owner="soc")
    return read(FOLDER / f"{name}.json")


def read(path: str | Path) -> Graph:
    """Reads a graph from a JSON file.

    Raises:
        WorkloadError: the file cannot be read, or its content makes no sense; the message names the task.
    """
    try:
        content = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise WorkloadError(f"{path}: expected a task graph as JSON, cannot read it: {error}") from error
    return from_content(content, str(path))


def from_content(content: Any, where: str) -> Graph:
    """Makes a graph of what a JSON file holds; ``where`` names it in messages.

    Raises:
        WorkloadError: it makes no sense; the message names the task.
    """
    _expect(isinstance(content, dict), where, "an object with the keys name, tasks, edges and last", content)
    for key in ("name", "tasks", "edges", "last"):
        _expect(key in content, where, f"the key {key!r}", sorted(content))
    unknown = sorted(set(content) - {"name", "source", "tasks", "accelerators", "edges", "last", "budget"})
    _expect(not unknown, where, "no other keys than those of a graph", unknown)
    tasks = tuple(_task(entry, where) for entry in _list(content, "tasks", where))
    known = {task.name: task for task in tasks}
    _expect(len(known) == len(tasks), where, "tasks with different names", [task.name for task in tasks])
    accelerators = tuple(_accelerator(entry, known, where) for entry in _list(content, "accelerators", where))
    made = [each.task for each in accelerators]
    _expect(len(set(made)) == len(made), where, "at most one accelerator per task", made)
    edges = tuple(_edge(entry, known, where) for entry in _list(content, "edges", where))
    pairs = [edge[:2] for edge in edges]
    doubled = sorted({pair for pair in pairs if pairs.count(pair) > 1})
    _expect(not doubled, where, "at most one edge from a task to another", doubled)
    last = tuple(content["last"]) if isinstance(content["last"], list) else (content["last"],)
    for name in last:
        _expect(name in known, where, "last to name a task", name)
    _check_roots(known, edges, where)
    budget = _budget(content.get("budget", {}), where)
    return Graph(str(content["name"]), tasks, accelerators, edges, last, budget)


def _check_roots(known: Mapping[str, Task], edges: Sequence[tuple[str, str, float]], where: str) -> None:
    consumers, producers = {target for _, target, _ in edges}, {source for source, _, _ in edges}
    roots = [name for name in known if name not in consumers]
    _expect(len(roots) <= 1, where, "exactly one task that waits for no other (add a source before several)", roots)
    for name, task in known.items():
        ends = task.role == "sink" and name in producers
        _expect(not ends, where, f"no edge from the sink {name}", [edge for edge in edges if edge[0] == name])
        idle = task.role == "worker" and name not in consumers
        _expect(not idle, where, f"the first task, {name}, to have no work (role 'source')", task.instructions)


def _task(entry: Any, where: str) -> Task:
    _expect(isinstance(entry, dict) and isinstance(entry.get("name"), str), where, "each task to have a name", entry)
    name, role = entry["name"], entry.get("role", "worker")
    _expect(not set(entry) - {"name", "role", "instructions"}, where, f"task {name}: name, role or instructions only", entry)
    if role == "worker":
        return Task(name, _number(entry.get("instructions"), 1, MOST_INSTRUCTIONS, where, f"task {name}: instructions"))
    _expect(role in ROLES, where, f"task {name}: role to be one of {', '.join(ROLES)}", role)
    _expect("instructions" not in entry, where, f"task {name}: no instructions, because it is a {role}", entry)
    return Task(name, 0.0, role)


def _accelerator(entry: Any, known: Mapping[str, Task], where: str) -> Accelerator:
    named = isinstance(entry, dict) and isinstance(entry.get("task"), str)
    _expect(named, where, "each accelerator to name its task", entry)
    name = entry["task"]
    _expect(name in known, where, f"accelerator for {name}: a task of the graph", sorted(known))
    _expect(known[name].role == "worker", where, f"accelerator for {name}: a task with work", known[name].role)
    numbers = ("cycles", "energy_fj", "area_um2", "loop_iterations")
    _expect(set(entry) == {"task", *numbers}, where, f"accelerator for {name}: task, {', '.join(numbers)}", sorted(entry))
    lows = (1, 1e-9, 1e-9, 1)
    found = [
        _number(entry[key], low, 2**60, where, f"accelerator for {name}: {key}")
        for key, low in zip(numbers, lows, strict=True)
    ]
    _expect(found[3] == int(found[3]), where, f"accelerator for {name}: a whole number of loop_iterations", found[3])
    return Accelerator(name, found[0], found[1], found[2], int(found[3]))


def _edge(entry: Any, known: Mapping[str, Task], where: str) -> tuple[str, str, float]:
    _expect(isinstance(entry, list) and len(entry) == 3, where, "each edge as [producer, consumer, bytes]", entry)
    source, target, size = entry
    for name in (source, target):
        _expect(isinstance(name, str) and name in known, where, f"edge {source} -> {target}: two tasks of the graph", name)
    found = _number(size, 1, MOST_BYTES, where, f"edge {source} -> {target}: bytes")
    _expect(found == int(found), where, f"edge {source} -> {target}: a whole number of bytes", size)
    return source, target, found


def _budget(entry: Any, where: str) -> dict[str, float]:
    _expect(
        isinstance(entry, dict) and set(entry) in (set(), set(BUDGETED)), where, f"a budget of {', '.join(BUDGETED)}", entry
    )
    return {name: _number(value, 1e-30, 1e30, where, f"budget: {name}") for name, value in entry.items()}


def _list(content: Mapping[str, Any], key: str, where: str) -> list[Any]:
    found = content.get(key, [])
    _expect(isinstance(found, list) and (bool(found) or key == "accelerators"), where, f"{key} to be a list", found)
    return list(found)


def _number(value: Any, low: float, high: float, where: str, what: str) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and low <= value <= high
    _expect(right, where, f"{what}: a number from {low:g} to {high:g}", value)
    return float(value)


def _expect(holds: bool, where: str, expected: str, got: Any) -> None:
    if not holds:
        raise WorkloadError(f"{where}: expected {expected}, got {got!r}")
