"""``archgym check``: what a plug-in's maintainer wants to know, and the conformance kit over it."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archgym.agent import Agent
from archgym.cli import UsageError
from archgym.cli.parsing import build_simulator
from archgym.cli.show import line, stdout
from archgym.cli.surveying import show_survey
from archgym.errors import PluginError, UnknownNameError
from archgym.registry import agent_class, is_described, list_agents, list_simulators
from archgym.simulator import Simulator
from archgym.testing import Check, ConformanceError, agent_checks, simulator_checks, survey

DESIGNS = 64
FEWEST = 3
SECONDS = 60.0
"""About how long the rules may take over a simulator; a slow one is checked on fewer designs."""
EVALUATIONS = 40
"""How often the rules evaluate each of their designs."""


def check(name: str, designs: int | None = None) -> bool:
    """Looks at a simulator (a TOML file too), an agent or ``MODULE:CLASS``, runs every rule over it, and prints both.

    Args:
        name: what to check.
        designs: random designs of a simulator; fewer than 64 if it is slow and nothing is said.

    Returns:
        Whether all rules held.

    Raises:
        UnknownNameError: nothing of that name is installed.
        UsageError: a class that is neither a simulator nor an agent.
        PluginError: it cannot be imported.
    """
    console = stdout()
    results = [
        _check_simulator(subject, designs, console)
        if isinstance(subject, Simulator)
        else _run(_agent_checks(subject), subject, console)
        for subject in _subjects(name)
    ]
    return all(results)


def _subjects(name: str) -> list[Simulator | type[Agent]]:
    if ":" in name:
        found = _imported(name)
        if isinstance(found, type) and issubclass(found, Simulator):
            return [_built(name, found)]
        if isinstance(found, type) and issubclass(found, Agent):
            return [found]
        raise UsageError(f"{name} must be a subclass of archgym.Simulator or archgym.Agent, got {found!r}")
    subjects: list[Simulator | type[Agent]] = []
    if name in list_simulators() or is_described(name):
        subjects.append(build_simulator(name, None, {}))
    if name in list_agents():
        subjects.append(agent_class(name))
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


def _check_simulator(simulator: Simulator, designs: int | None, console: Console) -> bool:
    """The survey, where the simulator works at all, then the rules: they say what is wrong where it does not."""
    fresh = _without_cache(simulator)
    kept = True
    try:
        with console.status(f"{simulator.name}: looking at designs"):
            seen = survey(fresh, designs or DESIGNS)
    except Exception as error:  # the rules below catch it too, and say which of them is broken
        line(console, f"{simulator.name}: no survey: {type(error).__name__}: {error}")
        rules = simulator_checks(designs=designs or DESIGNS)
    else:
        count = designs or _affordable(simulator, sum(seen.seconds) / max(len(seen.seconds), 1), fresh is not simulator)
        show_survey(fresh, seen, count, console)
        kept = seen.keeps_promises(fresh)
        rules = simulator_checks(designs=count)
    finally:
        fresh.close()
    try:
        held = _run(rules, simulator, console)
    finally:
        simulator.close()
    if not kept:
        line(console, f"{simulator.name}: repetition or threads gave something else, see above")
    return held and kept


def _without_cache(simulator: Simulator) -> Simulator:
    """The simulator itself, or one like it that forgets: an answer that is recalled shows nothing about repetition."""
    if "cache" not in inspect.signature(type(simulator)).parameters:
        return simulator
    return type(simulator)(**{**simulator.arguments, "cache": False})


def _affordable(simulator: Simulator, seconds: float, caches: bool) -> int:
    """How many designs the rules can look at in about ``SECONDS``, given seconds of one design that was not seen before."""
    again = seconds
    if caches:
        simulator.evaluate(simulator.space.default)
        start = perf_counter()
        simulator.evaluate(simulator.space.default)
        again = perf_counter() - start
    return max(FEWEST, min(DESIGNS, int(SECONDS / max(seconds + EVALUATIONS * again, 1e-9))))


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
