"""``archgym check``: the conformance kit over a plug-in."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archgym.agent import Agent
from archgym.cli import UsageError
from archgym.cli.parsing import build_simulator
from archgym.cli.show import line, stdout
from archgym.errors import PluginError, UnknownNameError
from archgym.registry import agent_class, is_described, list_agents, list_simulators
from archgym.simulator import Simulator
from archgym.testing import Check, ConformanceError, agent_checks, simulator_checks


def check(name: str) -> bool:
    """Runs every rule over a simulator (a TOML file too), an agent or ``MODULE:CLASS``; prints a table.

    Returns:
        Whether all rules held.

    Raises:
        UnknownNameError: nothing of that name is installed.
        UsageError: a class that is neither a simulator nor an agent.
        PluginError: it cannot be imported.
    """
    console = stdout()
    results = [_run(checks, subject, console) for checks, subject in _subjects(name)]
    return all(results)


def _subjects(name: str) -> list[tuple[Sequence[Check[Any]], Any]]:
    if ":" in name:
        found = _imported(name)
        if isinstance(found, type) and issubclass(found, Simulator):
            return [(simulator_checks(), _built(name, found))]
        if isinstance(found, type) and issubclass(found, Agent):
            return [(_agent_checks(found), found)]
        raise UsageError(f"{name} must be a subclass of archgym.Simulator or archgym.Agent, got {found!r}")
    subjects: list[tuple[Sequence[Check[Any]], Any]] = []
    if name in list_simulators() or is_described(name):
        subjects.append((simulator_checks(), build_simulator(name, None, {})))
    if name in list_agents():
        agent = agent_class(name)
        subjects.append((_agent_checks(agent), agent))
    if not subjects:
        raise UnknownNameError("simulator or agent", name, [*list_simulators(), *list_agents()])
    return subjects


def _agent_checks(agent: type[Agent]) -> Sequence[Check[Any]]:
    # An agent that learns nothing is a baseline: nobody expects it to beat random search.
    return agent_checks(baseline=agent.tell is Agent.tell and agent.drive is Agent.drive)


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if str(Path.cwd()) not in sys.path:  # a module in the current folder, as with `python -m`, for child processes too
        sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise PluginError(f"{name} cannot be loaded: {error}") from error


def _built(name: str, found: type[Simulator]) -> Simulator:
    try:
        return found()
    except TypeError as error:
        raise UsageError(f"{name} cannot be built without arguments: {error}") from error


def _run(checks: Sequence[Check[Any]], subject: Any, console: Console) -> bool:
    table = Table(title=f"{subject.name}: {len(checks)} checks", title_justify="left")
    for heading in ("check", "rule", "result"):
        table.add_column(heading)
    failures = 0
    for rule in checks:
        try:
            with console.status(f"{subject.name}: {rule.name}"):
                rule.run(subject)
        except ConformanceError as error:
            failures += 1
            verdict = Text(f"FAILED: expected {error.expected}; got {error.got}", style="red")
        else:
            verdict = Text("passed", style="green")
        table.add_row(rule.name, rule.doc, verdict)
    console.print(table)
    line(console, f"{subject.name}: {len(checks) - failures} passed, {failures} failed")
    return not failures
