"""Tasks: simulator + workload + space + objective + budget, as a small record that fits in a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archgym.errors import ContractError, UnknownNameError
from archgym.evaluator import check_budget
from archgym.manifest import describe_task, task_digest
from archgym.objective import Objective, make_objective
from archgym.registry import make_simulator
from archgym.simulator import Simulator

FIELDS = ("simulator", "objective", "budget")


@dataclass(frozen=True)
class Task:
    """A problem that agents are compared on.

    Attributes:
        simulator: its name.
        arguments: what the simulator takes: workload, space, and so on.
        objective: a line as in ``archgym.objective``; empty for the simulator's first metric.
        budget: cost units.
    """

    simulator: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    objective: str = ""
    budget: float = 1000

    def __post_init__(self) -> None:
        check_budget(self.budget)

    def make(self) -> tuple[Simulator, Objective]:
        """Builds simulator and objective; errors as in ``make_simulator`` and ``make_objective``."""
        simulator = make_simulator(self.simulator, **self.arguments)
        return simulator, make_objective(self.objective or simulator.metric_names[0], simulator)

    @property
    def digest(self) -> str:
        """SHA-256 over what decides scores: simulator and version, workload, space, objective, budget."""
        return task_digest(describe_task(*self.make(), self.budget))

    def record(self) -> dict[str, Any]:
        """A TOML table: the fields, with the simulator's arguments beside them."""
        return {"simulator": self.simulator, **self.arguments, "objective": self.objective, "budget": self.budget}

    @staticmethod
    def from_record(record: Mapping[str, Any]) -> Task:
        """Inverse of ``record``.

        Raises:
            ContractError: no simulator is named.
        """
        if "simulator" not in record:
            raise ContractError(f"a task needs a 'simulator', got {dict(record)}")
        arguments = {key: value for key, value in record.items() if key not in FIELDS}
        return Task(record["simulator"], arguments, record.get("objective", ""), record.get("budget", 1000))


def load_suite(path: str | Path) -> dict[str, Task]:
    """Reads a suite: a TOML file with one table per task under ``[task.NAME]``.

    Raises:
        ContractError: not TOML, or no tasks in it.
        UnknownNameError: a table that is not ``task``.
    """
    try:
        content = tomllib.loads(Path(path).read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ContractError(f"{path} cannot be read as a suite of tasks: {error}") from error
    for table in content:
        if table != "task":
            raise UnknownNameError("table", table, ["task"], owner=str(path))
    if not content.get("task") or not isinstance(content["task"], dict):
        raise ContractError(f"{path} holds no task; it needs tables named [task.NAME]")
    for name, record in content["task"].items():
        if not isinstance(record, dict):
            raise ContractError(f"{path}: task.{name} must be a table, got {record!r}")
    return {name: Task.from_record(record) for name, record in content["task"].items()}
