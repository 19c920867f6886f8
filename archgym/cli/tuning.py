"""``archgym tune``: searches the settings of an agent with another agent."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archgym.cli import Interrupted
from archgym.cli.parsing import build_simulator, whole
from archgym.cli.show import line, naming, number, show_result, stdout
from archgym.cli.watch import Watch
from archgym.tuning import TUNING_SEED, Tuned, Tuning, tune


def tune_agent(
    agent: str,
    simulator: str,
    workload: str | None,
    arguments: Mapping[str, Any],
    objective: str | None,
    budget: float,
    seeds: int,
    tuner: str,
    tickets: int,
    seed: int,
    out: Path | None,
    held: Mapping[str, Any],
    quiet: bool,
) -> None:
    """Tunes and shows the best ticket beside the default settings; arguments as in ``archgym tune --help``.

    Raises:
        ArchGymError: bad input.
        Interrupted: Ctrl-C.
    """
    problem = build_simulator(simulator, workload, arguments)
    replicates = range(TUNING_SEED, TUNING_SEED + seeds)
    tuning = Tuning(agent, problem, objective, whole(budget), replicates, held)
    folder = out or Path("runs") / f"tune-{agent}-{simulator}-{seed}"
    watch = Watch(f"{tuner} tunes {tuning.workload}", tickets, quiet)
    try:
        with watch:
            found = tune(tuning, tuner=tuner, tickets=tickets, seed=seed, log=folder, progress=watch)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted after {watch.trials:,} of {tickets:,} tickets. What was logged in {shlex.quote(str(folder))} is "
            "readable; give the same command again to go on"
        ) from None
    if not quiet:
        _show(found, tuning)


def _show(found: Tuned, tuning: Tuning) -> None:
    console = stdout()
    show_result(found.result, tuning, console)
    if not found.settings:
        return
    line(
        console,
        f"on {len(found.fresh)} fresh seeds ({found.fresh[0]} to {found.fresh[-1]}), mean score: default settings "
        f"{number(found.default)}, best ticket {number(found.best)}",
    )
    line(console, f"designs evaluated for this: {number(found.designs)}")
    words = ["archgym", "run", *naming(tuning.problem), "--agent", tuning.agent.name, "--objective", tuning.objective.text]
    words += [word for name, value in found.settings.items() for word in ("--hyper", f"{name}={value}")]
    line(console, f"use it: {shlex.join(words)}")
