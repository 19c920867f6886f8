"""The table [run] of a spec: commands, limits, what passes from the environment, and what an end means."""

from __future__ import annotations

import os
from typing import Any

from archgym.checked_table import short
from archgym.errors import SpecError
from simulators.command.spec import Run
from simulators.command.spec_table import Table
from simulators.command.templates import TemplateError, compiled

RUN_KEYS = (
    *("command", "commands", "time_limit", "memory_limit", "disk_limit", "retries", "jobs", "order"),
    *("environment", "set_environment", "secrets", "exit_codes", "invalid_exit_codes", "invalid_texts", "failed_texts"),
    *("keep", "leftovers", "cpus", "resources"),
)
DEFAULTS = Run(commands=())


def read_run(spec: Table) -> Run:
    """How programs are run.

    Raises:
        SpecError: [run] is missing, or a key is wrong.
    """
    table = Table(spec.required("run"), RUN_KEYS, f"{spec.where}: [run]")
    secrets, set_names = table.texts("secrets"), table.table("set_environment")
    environment = tuple(name for name in table.texts("environment", DEFAULTS.environment) if name not in secrets)
    for name in secrets:
        if name in set_names:
            raise table.error(f"{name} is a secret: its value must come from outside, not from set_environment")
    exit_codes, invalid = table.wholes("exit_codes", DEFAULTS.exit_codes), table.wholes("invalid_exit_codes", ())
    if not exit_codes:
        raise table.error("exit_codes must hold at least one code of success")
    for code in invalid:
        if code in exit_codes:
            raise table.error(f"exit code {code} cannot mean both success and INVALID")
    return Run(
        commands=_commands(table),
        time_limit=table.number("time_limit", DEFAULTS.time_limit, 0),
        memory_limit=table.whole("memory_limit", 0, 1) if "memory_limit" in table else None,
        disk_limit=table.whole("disk_limit", DEFAULTS.disk_limit, 1),
        retries=table.whole("retries", DEFAULTS.retries, 0),
        jobs=_jobs(table),
        order=table.choice("order", ("finished", "proposed"), DEFAULTS.order),
        environment=environment,
        set_environment=tuple((name, _variable(table, name, value)) for name, value in set_names.items()),
        secrets=secrets,
        exit_codes=exit_codes,
        invalid_exit_codes=invalid,
        invalid_texts=table.patterns("invalid_texts"),
        failed_texts=table.patterns("failed_texts"),
        keep=table.choice("keep", ("never", "failures"), DEFAULTS.keep),
        leftovers=table.choice("leftovers", ("fail", "kill"), DEFAULTS.leftovers),
        cpus=table.number("cpus", DEFAULTS.cpus, 0),
        resources=tuple(_resource(table, name, value) for name, value in table.table("resources").items()),
    )


def _commands(table: Table) -> tuple[tuple[str, ...], ...]:
    key = table.only_one("command", "commands")
    given = table.content[key]
    example = 'a list of texts such as ["yosys", "-q", "synth.ys"]; no shell takes part'
    if key == "command":
        given = [given]
    elif not isinstance(given, list) or not given:
        raise table.wrong(key, f"a list of commands, each {example}")
    for number, command in enumerate(given, start=1):
        if not isinstance(command, list) or not command or not all(isinstance(argument, str) for argument in command):
            raise table.wrong(key, example if key == "command" else f"a list of commands, each {example}")
        called = key if key == "command" else f"{key}: {number}"
        if not command[0].strip():
            raise table.error(f"{called}: the program's name is empty")
        for argument in command:
            _check_argument(table, called, argument)
    return tuple(tuple(command) for command in given)


def _check_argument(table: Table, called: str, argument: str) -> None:
    if "\0" in argument:
        raise table.error(f"{called}: {short(argument)} holds a zero byte")
    try:
        compiled(argument)
    except TemplateError as error:
        raise table.error(f"{called}: {short(argument)}: {error}") from None


def _jobs(table: Table) -> int:
    if table.content.get("jobs") == "cores":
        return len(os.sched_getaffinity(0))
    try:
        return table.whole("jobs", DEFAULTS.jobs, 1)
    except SpecError:
        raise table.wrong("jobs", "a whole number, 1 or more, or 'cores'") from None


def _variable(table: Table, name: str, value: Any) -> str:
    if not name or "=" in name or "\0" in name or not isinstance(value, str) or "\0" in value:
        raise table.error(f"set_environment: {name} must be a text, got {short(value)}")
    return value


def _resource(table: Table, name: str, value: Any) -> tuple[str, float]:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise table.error(f"resources: {name} must be a number above 0, got {short(value)}")
    return name, float(value)
