"""``archgym run`` and ``archgym resume``."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.cli import Interrupted, UsageError
from archgym.cli.parsing import build_simulator, default_folder, whole
from archgym.cli.show import line, show_result, stdout
from archgym.cli.watch import Watch
from archgym.errors import ArchGymError, LogError
from archgym.hosting import EXTERNAL
from archgym.registry import make_simulator, simulator_class
from archgym.search import Result, resumable, resume, search
from archgym.simulator import Simulator
from archgym.trials import MANIFEST, read_manifest


def at_once(simulator: str, jobs: int | None, ray: str | None) -> dict[str, Any]:
    """The arguments of a simulator that say how many designs are evaluated at once, and where; only those that are given.

    Args:
        simulator: its name.
        jobs: how many.
        ray: "local" or the address of a Ray cluster.

    Raises:
        UsageError: the simulator does not take them.
    """
    given = {name: value for name, value in (("jobs", jobs), ("ray", ray)) if value is not None}
    if not given:
        return {}
    known = inspect.signature(simulator_class(simulator)).parameters
    for name in given:
        if name not in known:
            raise UsageError(
                f"{simulator} does not take --{name}: it evaluates whole batches in this process. Leave it out; to run many "
                f"searches at once: archgym sweep --help"
            )
    return given


def run(
    simulator: str,
    workload: str | None,
    arguments: Mapping[str, Any],
    agent: str,
    hyperparameters: Mapping[str, Any],
    objective: str | None,
    budget: float,
    seed: int,
    out: Path | None,
    warm_start: Path | None = None,
    quiet: bool = False,
) -> None:
    """Runs one search and shows what it found; arguments as in ``archgym run --help``.

    Raises:
        ArchGymError: bad input.
        Interrupted: Ctrl-C.
    """
    problem = build_simulator(simulator, workload, arguments)
    folder = out or default_folder(problem, agent, seed)
    result = watched_search(problem, agent, objective, budget, seed, folder, hyperparameters, warm_start, quiet)
    if not quiet:
        show_result(result, problem, stdout())


def watched_search(
    simulator: Simulator,
    agent: str,
    objective: str | None,
    budget: float,
    seed: int,
    folder: Path,
    hyperparameters: Mapping[str, Any],
    warm_start: Path | None = None,
    quiet: bool = False,
) -> Result:
    """``archgym.search`` with live progress; errors as there.

    Raises:
        Interrupted: Ctrl-C.
    """
    watch = Watch(f"{agent} on {simulator.name} {simulator.workload}", budget, quiet)
    try:
        with watch:
            return search(
                agent,
                simulator,
                objective=objective,
                budget=whole(budget),
                seed=seed,
                log=folder,
                hyperparameters=hyperparameters,
                warm_start=warm_start,
                progress=watch,
            )
    except KeyboardInterrupt:
        raise interrupted(folder, watch.trials, budget) from None


def resume_all(folder: Path, jobs: int | None = None, ray: str | None = None, quiet: bool = False) -> None:
    """Goes on with every unfinished run at or below a folder; one that cannot go on does not keep the others waiting.

    Args:
        folder: where they are.
        jobs: as for ``at_once``.
        ray: likewise.
        quiet: show nothing.

    Raises:
        LogError: no run there, or runs that could not go on.
        Interrupted: Ctrl-C.
    """
    console = stdout()
    # What a training loop proposed to an environment cannot be asked for again.
    waiting = [run_folder for run_folder in resumable(folder) if read_manifest(run_folder)["agent"] != EXTERNAL]
    if not waiting:
        if not any(folder.rglob(MANIFEST)):
            raise LogError(f"{folder} holds no run: there is no {MANIFEST} in it or below it")
        line(console, f"nothing to resume in {folder}: no search there was interrupted")
        return
    failed = [run_folder for run_folder in waiting if not _resume_one(run_folder, jobs, ray, quiet)]
    if failed:
        raise LogError(f"{len(failed)} of {len(waiting)} runs could not be resumed; see above")


def _resume_one(folder: Path, jobs: int | None, ray: str | None, quiet: bool) -> bool:
    manifest = read_manifest(folder)
    recorded = manifest["simulator"]
    watch = Watch(f"{manifest['agent']} on {recorded['name']} {manifest['workload']['name']}", manifest["budget"], quiet)
    try:
        problem = make_simulator(recorded["name"], **recorded["arguments"], **at_once(recorded["name"], jobs, ray))
        with watch:
            result = resume(folder, simulator=problem, progress=watch)
    except KeyboardInterrupt:
        raise interrupted(folder, watch.trials, watch.budget) from None
    except ArchGymError as error:
        print(f"archgym: {error}", file=sys.stderr)
        return False
    if not quiet:
        show_result(result, problem, stdout())
    return True


def interrupted(folder: Path, trials: int, budget: float) -> Interrupted:
    """What Ctrl-C says: where the log is and how to go on."""
    if not (folder / MANIFEST).exists():
        return Interrupted("interrupted before anything was logged")
    return Interrupted(
        f"interrupted after {trials:,} of {budget:,.0f} designs. What was logged in {folder} is readable. "
        f"Go on with: archgym resume {shlex.quote(str(folder))}"
    )
