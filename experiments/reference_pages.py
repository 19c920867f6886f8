"""Text of docs/reference.md and docs/command-line.md: public names and commands, from the code."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from docstrings import MADE, described, markdown, sections, table

from archgym.cli.app import app

MODULES = {  # module -> what it is for
    "archgym": "what most programs need",
    "archgym.env": "environments",
    "archgym.vector_env": "environments, many designs per step",
    "archgym.marl": "environments, several agents (extra `marl`)",
    "archgym.dataset": "trials of many runs",
    "archgym.proxy": "models that answer in a simulator's place (extra `proxy`)",
    "archgym.sweep": "many runs",
    "archgym.optimum": "whole spaces",
    "archgym.pareto": "several objectives",
    "archgym.testing": "the conformance kit",
    "archgym.errors": "what is raised",
}


def pages() -> dict[str, str]:
    """Path below docs/ -> text of both pages."""
    return {"reference.md": reference(), "command-line.md": command_line()}


def reference() -> str:
    """Every public name of every public module, with its signature and what its docstring says first."""
    parts = [MADE, "# Python names", "What is not listed here is internal. `help(NAME)` in Python says all of it."]
    for name, purpose in MODULES.items():
        module = importlib.import_module(name)
        parts.append(f"## {name}\n\n{purpose[0].upper()}{purpose[1:]}.")
        parts += [_described(public, getattr(module, public)) for public in names(module)]
    return "\n\n".join(parts) + "\n"


def names(module: Any) -> list[str]:
    """Public names: ``__all__``, else the classes and functions that the module defines."""
    listed = getattr(module, "__all__", None)
    if listed is None:
        listed = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_")
            and (inspect.isclass(value) or inspect.isfunction(value))
            and value.__module__ == module.__name__
        ]
    return [name for name in listed if inspect.isclass(getattr(module, name)) or inspect.isfunction(getattr(module, name))]


def _described(name: str, value: Any) -> str:
    parts = [f"### {name}", f"`{name}{_signature(value)}`", _first(value)]
    if inspect.isfunction(value):
        parts.append(_arguments(value))
    else:
        rows = [(f"`{member}{_signature(found)}`", _first(found)) for member, found in _members(value)]
        parts.append(table(["member", "what"], rows) if rows else "")
    return "\n\n".join(part for part in parts if part)


def _arguments(function: Any) -> str:
    found = sections(function)
    rows = [(f"`{name}`", about) for name, about in described(found.get("Args", "")).items()]
    raised = [(f"`{name}`", about) for name, about in _raised(found.get("Raises", "")).items()]
    parts = (table(["argument", "meaning"], rows) if rows else "", table(["raises", "when"], raised) if raised else "")
    return "\n\n".join(part for part in parts if part)


def _raised(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for line in text.splitlines():
        start = re.match(r"(\w+): (.*)", line)
        if start:
            last = start[1]
            found[last] = start[2]
        elif last:
            found[last] += f" {line.strip()}"
    return {name: markdown(about) for name, about in found.items()}


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    for name, member in vars(kind).items():
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if not name.startswith("_") and (inspect.isfunction(plain) or isinstance(plain, property)) and inspect.getdoc(plain):
            yield name, plain


def _signature(value: Any) -> str:
    if isinstance(value, property):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    kept = [p.replace(annotation=p.empty) for p in signature.parameters.values() if p.name not in ("self", "cls")]
    return _plain(str(signature.replace(parameters=kept, return_annotation=signature.empty)))


def _plain(text: str) -> str:
    """Without addresses of objects, which differ from process to process."""
    return re.sub(r"<(?:\w+ )*?([\w.]+) (?:object )?at 0x[0-9a-f]+>", r"\1", text)


def _first(value: Any) -> str:
    """The first paragraph of a docstring, on one line."""
    return markdown(" ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split()))


def command_line() -> str:
    """Every command with its arguments and options."""
    import typer

    root: Any = typer.main.get_command(app)
    parts = [MADE, "# Commands", "`archgym COMMAND --help` shows the same. Bad input gives one message and exit code 2."]
    parts += [_command(words, command) for words, command in _commands(root, ())]
    return "\n\n".join(parts) + "\n"


def _commands(group: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    commands: Mapping[str, Any] = group.commands
    for name, command in sorted(commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, (*above, name))
        else:
            yield (*above, name), command


def _command(words: tuple[str, ...], command: Any) -> str:
    rows = []
    for parameter in command.params:
        if parameter.name == "help":
            continue
        shown = ", ".join(f"`{name}`" for name in parameter.opts)
        if parameter.param_type_name == "argument":
            shown = f"`{parameter.metavar or parameter.name.upper()}`"
        rows.append((shown, parameter.help or "", _default(parameter)))
    listed = table(["argument", "meaning", "default"], rows)
    return f"## archgym {' '.join(words)}\n\n{' '.join((command.help or '').split())}\n\n{listed}"


def _default(parameter: Any) -> str:
    if isinstance(parameter.show_default, str):
        return parameter.show_default
    if parameter.required:
        return "needed"
    plain = parameter.default is not None and not isinstance(parameter.default, bool | list | tuple)
    return f"`{parameter.default}`" if plain else ""
