"""Specs: what a sweep runs, as one TOML file that a person writes and one record that a store keeps.

A spec is checked when it is read (``archgym.sweep.parsing``): names exist, values are possible, nothing is misspelt.
"""

from __future__ import annotations

import hashlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archgym.errors import SpecError


@dataclass(frozen=True)
class TaskSpec:
    """Problems that share a simulator; every workload is combined with every objective.

    Attributes:
        simulator: its name.
        workloads: names; empty only where the simulator has none.
        objectives: lines as in ``archgym.objective``, at least one.
        arguments: further arguments of the simulator.
        tabulated: whether the space is enumerated first and runs are answered from the table.
    """

    simulator: str
    workloads: tuple[str, ...]
    objectives: tuple[str, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tabulated: bool = False

    def record(self) -> dict[str, Any]:
        """The table of the spec file."""
        content = {"simulator": self.simulator, "workloads": list(self.workloads), "objectives": list(self.objectives)}
        return {**content, "arguments": dict(self.arguments), "tabulated": self.tabulated}


@dataclass(frozen=True)
class AgentSpec:
    """An agent with its tickets.

    Attributes:
        name: the agent's name.
        label: what reports call it; unique in a spec.
        settings: hyper-parameters that all its runs have (``set`` in the file).
        tickets: ``{"random": n, "seed": s}``, ``{"grid": {...}}``, ``{"list": [...]}``; None for default settings only.
        default: whether the default settings are run too.
        budget: of this agent's runs, where it differs from the spec's.
        seeds: replicates, where they differ from the spec's.
    """

    name: str
    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    tickets: Mapping[str, Any] | None = None
    default: bool = True
    budget: float | None = None
    seeds: tuple[int, ...] | None = None

    def record(self) -> dict[str, Any]:
        """The table of the spec file; what is not given is left out."""
        content = {"name": self.name, "label": self.label, "set": dict(self.settings), "default": self.default}
        given = {
            "tickets": None if self.tickets is None else dict(self.tickets),
            "budget": self.budget,
            "seeds": None if self.seeds is None else list(self.seeds),
        }
        return {**content, **{key: value for key, value in given.items() if value is not None}}


@dataclass(frozen=True)
class Spec:
    """A sweep: tasks x agents x tickets x seeds.

    Attributes:
        name: of the sweep.
        tasks, agents: at least one of each.
        study: part of every run's random stream; empty gives the same runs as ``archgym run``.
        budget: cost units per run.
        seeds: replicate numbers.
        time_limit: seconds per run, or None.
        memory_limit: GB per worker process, or None.
        retries: how often a run is tried again whose worker died.
        protocol: what was decided beforehand (primary metric, margin, ...); kept, and shown by the report.
    """

    name: str
    tasks: tuple[TaskSpec, ...]
    agents: tuple[AgentSpec, ...]
    study: str = ""
    budget: float = 1000
    seeds: tuple[int, ...] = (0,)
    time_limit: float | None = None
    memory_limit: float | None = None
    retries: int = 1
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """JSON-able; ``spec_from_record`` reads it back."""
        content: dict[str, Any] = {"name": self.name, "study": self.study, "budget": self.budget, "seeds": list(self.seeds)}
        limits = {"time_limit": self.time_limit, "memory_limit": self.memory_limit}
        content |= {key: value for key, value in limits.items() if value is not None}
        content |= {"retries": self.retries, "protocol": dict(self.protocol)}
        return {**content, "task": [task.record() for task in self.tasks], "agent": [agent.record() for agent in self.agents]}

    @property
    def digest(self) -> str:
        """SHA-256 of the record."""
        return hashlib.sha256(json.dumps(self.record(), sort_keys=True).encode()).hexdigest()


def load_spec(path: str | os.PathLike[str]) -> Spec:
    """Reads a spec.

    Raises:
        SpecError: the file is not there, not TOML (with the line), or says something that cannot be run.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} cannot be read as a spec of a sweep: {error}") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not TOML: {error}") from error
    return spec_from_record(content, where=str(path))


def spec_from_record(record: Mapping[str, Any], where: str = "spec") -> Spec:
    """Checks a record, the content of a spec file or ``Spec.record``, and completes it.

    Args:
        record: nested tables.
        where: what error messages call it.

    Raises:
        SpecError: something in it cannot be run; says where.
    """
    from archgym.sweep.parsing import parse_spec

    return parse_spec(record, where)
