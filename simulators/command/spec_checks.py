"""A spec tried out before any program runs: names in templates, and everything that is made for one design."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from archgym.errors import SpecError, UnknownNameError
from simulators.command.inputs import InputError, render_commands, render_inputs
from simulators.command.spec import Spec
from simulators.command.spec_table import Table
from simulators.command.templates import TemplateError, names_in

DRAWN = 1000
"""Designs among which one is looked for that breaks no rule."""


def check_templates(spec: Spec, names: Sequence[str], table: Table) -> None:
    """Whether every template can be read and uses known names only.

    Args:
        spec: to check.
        names: of parameters and constants.
        table: the spec's, for messages.

    Raises:
        SpecError: one does not; says which.
    """
    known = [*names, "spec_folder"]
    for where, text in _templates(spec):
        try:
            used = names_in(text)
        except TemplateError as error:
            raise table.error(f"{where}: {error}") from None
        for name in sorted(used):
            if name not in known:
                raise SpecError(str(UnknownNameError("name", name, known, owner=f"{table.where}: {where}")))


def _templates(spec: Spec) -> Iterator[tuple[str, str]]:
    for item in spec.inputs:
        if item.kind == "template":
            yield f"template of {item.file}", item.content.decode()
    for number, command in enumerate(spec.run.commands, start=1):
        for argument in command:
            yield f"[run] command {number}: {argument!r}", argument


def try_design(spec: Spec, workload: str, table: Table) -> None:
    """Makes all inputs and commands of the default design, or of a drawn one that breaks no rule if the default does.

    Args:
        spec: to try.
        workload: whose constants are used.
        table: the spec's, for messages.

    Raises:
        SpecError: something cannot be made.
    """
    space = spec.space_of(workload)
    designs = np.concatenate([space.default, space.sample(DRAWN, seed=0)])
    valid = np.flatnonzero(space.violation(designs) == 0)
    if not len(valid):  # all that is known to be INVALID; what is made for such designs proves nothing
        return
    design = space.describe(designs[valid[0]])
    try:
        values = {**spec.constants(workload), **design}
        render_inputs(spec, values)
        render_commands(spec, values)
    except InputError as error:
        shown = ", ".join(f"{name} = {value!r}" for name, value in design.items())
        of = f" of workload {workload}" if workload else ""
        raise table.error(f"{error} (design{of}: {shown})") from None
