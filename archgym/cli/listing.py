"""``archgym list``: what is installed, as tables."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from archgym.agent import Agent
from archgym.cli import UsageError
from archgym.cli.show import line, stdout
from archgym.errors import ArchGymError
from archgym.objective import objective_forms
from archgym.registry import (
    agent_class,
    environment_ids,
    list_agents,
    list_simulators,
    list_workloads,
    make_simulator,
    simulator_class,
)
from archgym.space import Parameter


def show_listing(what: str | None, simulator: str | None = None) -> None:
    """Prints one listing, or all that need no simulator.

    Raises:
        UnknownNameError: no such simulator.
        UsageError: a simulator where none is expected.
    """
    if simulator is not None and what != "workloads":
        raise UsageError(f"only `archgym list workloads` takes a simulator, got {simulator!r}")
    console = stdout()
    if what == "workloads":
        console.print(_workloads([simulator] if simulator else list_simulators(), console))
        return
    tables: dict[str, Callable[[Console], Table]] = {
        "simulators": _simulators,
        "agents": _agents,
        "envs": _environments,
        "objectives": _objectives,
    }
    for name in [what] if what else list(tables):
        console.print(tables[name](console))


def _simulators(console: Console) -> Table:
    table = _table("simulators", "simulator", "version", "parameters", "designs", "workloads", "metrics to optimise")
    for name in list_simulators():
        try:
            if needed := _needed(name):
                table.add_row(name, *(4 * [""]), f"what its {' and '.join(needed)} says")
                continue
            simulator = make_simulator(name)
        except (ArchGymError, TypeError) as error:
            line(console, f"{name}: {error}")
            continue
        space = simulator.space
        goals = ", ".join(metric.name for metric in simulator.metrics if metric.goal != "info")
        count = str(len(simulator.workloads()))
        table.add_row(name, simulator.version, str(space.dimensions), f"{space.size:,}", count, goals)
    return table


def _needed(simulator: str) -> list[str]:
    """Arguments without which a simulator cannot be built."""
    parameters = inspect.signature(simulator_class(simulator)).parameters.values()
    return [each.name for each in parameters if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD]


def _agents(console: Console) -> Table:
    table = _table("agents", "agent", "library", "hyper-parameter", "default", "levels", "what it is")
    for name in list_agents():
        try:
            agent = agent_class(name)
        except ArchGymError as error:
            line(console, f"{name}: {error}")
            continue
        for row, parameter in enumerate(agent.hyperparameters.parameters):
            about = (name, escape(agent.library)) if row == 0 else ("", "")
            table.add_row(*about, parameter.name, str(parameter.default), _levels(parameter), parameter.doc)
        if not agent.hyperparameters.parameters:
            table.add_row(name, escape(agent.library), "none", "", "", _headline(agent))
    return table


def _environments(console: Console) -> Table:
    table = _table("environments", "id", "simulator", "how to make it")
    for environment, simulator in sorted(environment_ids().items()):
        table.add_row(f"archgym/{environment}", simulator, f'gymnasium.make("archgym:archgym/{environment}")')
    return table


def _objectives(console: Console) -> Table:
    table = _table("objectives", "form", "what it means")
    for form, meaning in objective_forms().items():
        table.add_row(form, meaning)
    return table


def _workloads(simulators: list[str], console: Console) -> Table:
    table = _table("workloads", "simulator", "workload")
    for simulator in simulators:
        try:
            names = list_workloads(simulator)
        except ArchGymError as error:
            if len(simulators) == 1:
                raise
            line(console, f"{simulator}: {error}")
            continue
        for row, workload in enumerate(names):
            table.add_row("" if row else simulator, workload)
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        table.add_column(heading, justify="right" if heading == "designs" else "left")
    return table


def _levels(parameter: Parameter) -> str:
    return ", ".join(map(str, parameter.values))


def _headline(agent: type[Agent]) -> str:
    return (agent.__doc__ or "").strip().partition("\n")[0]
