"""``archgym sweep``."""

from __future__ import annotations

import shlex
from pathlib import Path
from time import monotonic
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from archgym.cli import Interrupted
from archgym.cli.show import line, stdout
from archgym.sweep.estimate import estimate
from archgym.sweep.plan import describe_plan, make_plan
from archgym.sweep.progress import Tally, duration
from archgym.sweep.run import SweepResult, run_sweep
from archgym.sweep.spec import Spec, load_spec

LINES = 20
"""Where the output is not a terminal, about this many plain lines are printed instead of a moving table."""


def sweep(path: Path, out: str, dry_run: bool, extend: bool, ray: str | None, workers: int | None, quiet: bool) -> None:
    """Runs a sweep, or says what it would do; arguments as in ``archgym sweep --help``.

    Raises:
        ArchGymError: bad input, or a sweep that cannot go on.
        Interrupted: Ctrl-C.
    """
    spec = load_spec(path)
    if dry_run:
        show_plan(spec, out, workers)
        return
    watch = SweepWatch(quiet)
    try:
        with watch:
            result = run_sweep(spec, out, workers=workers, ray=ray, extend=extend, progress=watch)
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted. {watch.said or 'Nothing was run'}. What is complete is in {out}. "
            f"Go on with: archgym sweep {shlex.quote(str(path))} --out {shlex.quote(out)}"
        ) from None
    if not quiet:
        show_sweep(result, stdout())


def show_sweep(result: SweepResult, console: Console) -> None:
    """What a sweep did, and where its results are."""
    skipped = result.runs - result.executed
    before = f" ({skipped:,} were complete before)" if skipped else ""
    line(console, f"{result.runs:,} runs complete{before}; {result.trials:,} designs in {duration(result.seconds)}")
    if result.failed:
        line(console, f"{result.failed:,} runs failed; they are kept, with the reason, and count as the worst there is")
    line(console, f"results: {result.location}")


def show_plan(spec: Spec, out: str, workers: int | None) -> None:
    """What a sweep would run, and about how long that takes."""
    console, plan = stdout(), make_plan(spec)
    described = describe_plan(spec, plan)
    for kind, heading in (("label", "agent"), ("task", "task")):
        table = Table(heading, title=f"{spec.name}: runs per {heading}", title_justify="left")
        for column in ("runs", "designs"):
            table.add_column(column, justify="right")
        for row in described["by_agent" if kind == "label" else "by_task"]:
            table.add_row(str(row[kind]), f"{row['runs']:,}", f"{row['trials']:,}")
        console.print(table)
    for note in described["notes"]:
        line(console, f"note: {note}")
    line(console, f"{described['runs']:,} runs on {described['tasks']:,} tasks, {described['trials']:,} designs")
    line(console, estimate(plan, out, workers))


class SweepWatch:
    """Follows a sweep; an instance is the ``progress`` argument of ``run_sweep``.

    Attributes:
        said: the last line.
    """

    def __init__(self, quiet: bool) -> None:
        self.said = ""
        self._quiet = quiet
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._lines, self._drawn = -1, 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def __call__(self, tally: Tally) -> None:
        """Takes note of what has been done."""
        self.said = tally.line()
        if self._quiet:
            return
        if self._console.is_terminal:
            if monotonic() - self._drawn > 0.2:
                self._drawn = monotonic()
                self._live.update(_board(tally), refresh=True)
            return
        reached = LINES * (tally.skipped + tally.done) // max(tally.total, 1)
        if reached > self._lines:
            self._lines = reached
            self._console.print(f"{tally.name}: {self.said}", markup=False, highlight=False, soft_wrap=True)


def _board(tally: Tally) -> Any:
    table = Table("agent", title=f"{tally.name}: {tally.line()}", title_justify="left", caption_justify="left")
    table.add_column("runs", justify="right")
    table.add_column("best so far")
    for label, (done, total) in tally.labels.items():
        table.add_row(label, f"{done:,} / {total:,}", tally.best(label))
    return table
