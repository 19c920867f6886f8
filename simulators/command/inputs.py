"""What a design's programs are given: the files in their scratch folder, and command lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulators.command.edits import EditError, edited
from simulators.command.expression import Expression
from simulators.command.spec import Input, Spec
from simulators.command.templates import TemplateError, render


class InputError(ValueError):
    """A file or command line that cannot be made for a design; says which and why."""


def render_inputs(spec: Spec, values: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of a design.

    Args:
        spec: the simulator.
        values: of every parameter and every constant of the workload.

    Returns:
        path relative to the scratch folder -> content.

    Raises:
        InputError: a template cannot be filled in, or an expression has no result.
    """
    named = with_folder(spec, values)
    return {item.file: content_of(item, named) for item in spec.inputs}


def content_of(item: Input, values: Mapping[str, Any]) -> bytes:
    """The content of one file; errors as ``render_inputs``."""
    try:
        if item.kind == "template":
            return render(item.content.decode(), values).encode()
        if item.kind == "edit":
            assignments = [(path, Expression(text).value(values)) for path, text in item.assignments]
            return edited(item.content.decode(), item.form, assignments).encode()
    except (TemplateError, EditError, ValueError) as error:
        raise InputError(f"input {item.file}: {error}") from error
    return item.content


def render_commands(spec: Spec, values: Mapping[str, Any]) -> list[list[str]]:
    """The argument lists of a design, one after the other.

    Args:
        spec: the simulator.
        values: of every parameter and every constant of the workload.

    Raises:
        InputError: an argument cannot be filled in, holds a zero byte, or the program's name is empty.
    """
    named = with_folder(spec, values)
    commands = []
    for number, command in enumerate(spec.run.commands, start=1):
        try:
            arguments = [render(argument, named) for argument in command]
        except TemplateError as error:
            raise InputError(f"command {number}: {error}") from error
        if not arguments[0] or any("\0" in argument for argument in arguments):
            raise InputError(f"command {number}: the program's name is empty or an argument holds a zero byte")
        commands.append(arguments)
    return commands


def with_folder(spec: Spec, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values with ``spec_folder``, where the spec is, for programs and data that lie beside it."""
    return {**values, "spec_folder": str(spec.folder)}
