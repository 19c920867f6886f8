"""Checks the tables of a spec and turns them into ``Spec``; every complaint says where and what would do."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from archgym.checked_table import CheckedTable
from archgym.errors import ArchGymError, SpecError
from archgym.registry import agent_class, simulator_class
from archgym.sweep.describing import describe_problem
from archgym.sweep.spec import AgentSpec, Spec, TaskSpec
from archgym.sweep.tickets import check_tickets

SPEC_KEYS = (
    *("name", "study", "budget", "seeds", "objectives", "time_limit", "memory_limit", "retries", "protocol"),
    *("task", "agent"),
)
TASK_KEYS = ("simulator", "workloads", "objectives", "arguments", "tabulated")
AGENT_KEYS = ("name", "label", "set", "tickets", "default", "budget", "seeds")
LARGEST_SEED = 2**63


class _Table(CheckedTable):
    """One table of the spec of a sweep."""

    def record(self, key: str) -> dict[str, Any]:
        """A table that JSON can hold; empty if it is not there."""
        value = dict(self.table(key))
        try:
            json.dumps(value)
        except (TypeError, ValueError) as error:
            raise self.error(f"{key} may hold texts, numbers, lists and tables only: {error}") from None
        return value

    def positive(self, key: str) -> float | None:
        """A positive number, whole ones as integers; None if the key is not there."""
        if key not in self.content:
            return None
        value = self.content[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            raise self.wrong(key, "a positive number")
        return int(value) if float(value).is_integer() else float(value)

    def count(self, key: str, default: int) -> int:
        value = self.content.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.wrong(key, "a whole number, zero or more")
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of different texts, not empty; None if the key is not there."""
        if key not in self.content:
            return None
        value = self.content[key]
        if not isinstance(value, list) or not value or not all(isinstance(text, str) and text for text in value):
            raise self.wrong(key, "a list of texts, at least one")
        if twice := _twice(value):
            raise SpecError(f"{self.where}: {key} names {twice[0]!r} twice")
        return tuple(value)

    def seeds(self) -> tuple[int, ...] | None:
        if "seeds" not in self.content:
            return None
        value = self.content["seeds"]
        found: list[Any] = value if isinstance(value, list) else []
        if isinstance(value, Mapping):
            part = _Table(value, ("first", "count"), f"{self.where}: seeds")
            for key in ("first", "count"):
                if key not in part:
                    raise SpecError(f"{part.where}: {key} is missing; write seeds = {{first = 1000, count = 4}}")
            first, count = part.count("first", 0), part.count("count", 0)
            found = list(range(first, first + count))
        elif isinstance(value, int) and not isinstance(value, bool):
            found = list(range(value))
        if not found or not all(isinstance(seed, int) and not isinstance(seed, bool) for seed in found):
            raise self.wrong("seeds", "a number of seeds, a list of whole numbers or {first = 1000, count = 4}, at least one")
        if not all(0 <= seed < LARGEST_SEED for seed in found):
            raise self.wrong("seeds", "whole numbers from 0 to 2**63 - 1")
        if twice := _twice(found):
            raise SpecError(f"{self.where}: seeds holds {twice[0]} twice")
        return tuple(found)


def parse_spec(record: Mapping[str, Any], where: str) -> Spec:
    """Errors as ``archgym.sweep.spec.spec_from_record``, which is the way in."""
    table = _Table(record, SPEC_KEYS, where)
    objectives = table.texts("objectives")
    tasks = [_task(entry, objectives, f"{where}: {place}") for place, entry in _entries(table, "task")]
    for number, task in enumerate(tasks):
        if task in tasks[:number]:
            raise SpecError(f"{where}: [[task]] {number + 1} is [[task]] {tasks.index(task) + 1} again")
    agents = [_agent(entry, f"{where}: {place}") for place, entry in _entries(table, "agent")]
    if twice := _twice([agent.label for agent in agents]):
        raise SpecError(f"{where}: two agents are called {twice[0]!r}; give one of them another label")
    return Spec(
        name=table.text("name"),
        tasks=tuple(tasks),
        agents=tuple(agents),
        study=table.text("study", ""),
        budget=table.positive("budget") or 1000,
        seeds=table.seeds() or (0,),
        time_limit=table.positive("time_limit"),
        memory_limit=table.positive("memory_limit"),
        retries=table.count("retries", 1),
        protocol=table.record("protocol"),
    )


def _entries(table: _Table, key: str) -> Iterator[tuple[str, Any]]:
    value = table.content.get(key)
    if not isinstance(value, list) or not value:
        raise SpecError(f"{table.where}: at least one table [[{key}]] is needed, got {value!r}")
    for number, entry in enumerate(value, start=1):
        yield f"[[{key}]] {number}", entry


def _task(entry: Any, objectives: tuple[str, ...] | None, where: str) -> TaskSpec:
    table = _Table(entry, TASK_KEYS, where)
    name, arguments = table.text("simulator"), table.record("arguments")
    if "workload" in arguments:
        raise SpecError(f"{where}: a workload is no argument here; write workloads = [{arguments['workload']!r}]")
    with _as_spec_error(where):
        known = simulator_class(name).workloads()
    if table.content.get("workloads") == []:  # what the record of a simulator without workloads says
        workloads = known[:1]
    else:
        workloads = table.texts("workloads") or known[:1]
    wanted = table.texts("objectives") or objectives or ("",)
    with _as_spec_error(where):
        found = [describe_problem(name, arguments, workload, text) for workload in workloads or ("",) for text in wanted]
    # Two lines may mean one objective; the text of the objective itself is what names it.
    texts = tuple(dict.fromkeys(task["objective"] for task in found))
    return TaskSpec(name, tuple(workloads), texts, arguments, table.flag("tabulated", False))


def _agent(entry: Any, where: str) -> AgentSpec:
    table = _Table(entry, AGENT_KEYS, where)
    name = table.text("name")
    with _as_spec_error(where):
        found = agent_class(name)
    settings = table.record("set")
    tickets = table.record("tickets") if "tickets" in table else None
    default = table.flag("default", True)
    if tickets is None and not default:
        raise SpecError(f"{where}: neither tickets nor default settings: there is nothing to run")
    settings, tickets = check_tickets(found, settings, tickets, where)
    label = table.text("label", name) or name
    return AgentSpec(name, label, settings, tickets, default, table.positive("budget"), table.seeds())


@contextmanager
def _as_spec_error(where: str) -> Iterator[None]:
    try:
        yield
    except SpecError:
        raise
    except ArchGymError as error:
        raise SpecError(f"{where}: {error}") from error


def _twice(values: list[Any]) -> list[Any]:
    return [value for position, value in enumerate(values) if value in values[:position]]
