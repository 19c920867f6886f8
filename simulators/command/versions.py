"""The version of a described simulator: what the spec says, and what the program says of itself."""

from __future__ import annotations

from functools import lru_cache

from archgym.errors import SpecError
from simulators.command.environment import program_environment, shown
from simulators.command.lanes import Lane, Limits
from simulators.command.spec import Run, Spec

SECONDS = 60.0
LONGEST = 500
"""Characters of a program's answer that count."""


def program_version(spec: Spec) -> str:
    """What the spec's ``version_command`` prints, on one line; empty without one.

    Raises:
        SpecError: it cannot be run, or ends badly.
    """
    return _printed(spec.path, spec.version_command, spec.run) if spec.version_command else ""


@lru_cache
def _printed(path: str, command: tuple[str, ...], run: Run) -> str:
    lane = Lane()
    try:
        scratch = lane.scratch
        environment = program_environment(run, scratch.temporary)
        outcome = lane.run([command], scratch.work, scratch.folder, environment, Limits(SECONDS, None, run.disk_limit))
        show = shown(run, scratch)
    finally:
        lane.close()
    said = " ".join(show(outcome.stdout or outcome.stderr).split())[:LONGEST]
    if outcome.ended != "exited" or outcome.code != 0:
        how = outcome.detail or said or f"{outcome.ended} with {outcome.code}"
        raise SpecError(
            f"{path}: version_command {' '.join(command)!r} must run and exit with 0, got: {how}. Is it installed?"
        )
    return said
