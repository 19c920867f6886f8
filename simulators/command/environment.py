"""What programs see of the caller's environment, and what nobody sees of what they print."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from simulators.command.scratch import Scratch
from simulators.command.spec import Run

HIDDEN = "***"


def program_environment(run: Run, temporary: Path) -> dict[str, str]:
    """All of a program's environment.

    Args:
        run: names the variables that are passed on, and values that are set.
        temporary: where temporary files belong, so that they go with the scratch folder.
    """
    passed = {name: os.environ[name] for name in (*run.environment, *run.secrets) if name in os.environ}
    return {"TMPDIR": str(temporary), **passed, **dict(run.set_environment)}


def shown(run: Run, scratch: Scratch | None = None) -> Callable[[str], str]:
    """A function that makes a text fit to be seen: values of secrets become stars, the scratch folder becomes a dot.

    Without the latter, equal designs would fail for reasons that read differently.
    """
    values = {os.environ.get(name, "") for name in run.secrets} - {""}
    pairs = [(value, HIDDEN) for value in sorted(values, key=len, reverse=True)]
    if scratch is not None:
        pairs += [(str(scratch.work), "."), (str(scratch.folder), "..")]

    def show(text: str) -> str:
        for found, instead in pairs:
            text = text.replace(found, instead)
        return text

    return show
