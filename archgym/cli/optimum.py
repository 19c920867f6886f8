"""``archgym optimum``: the best design of a whole space, its front, and where the table is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from archgym.cli import Interrupted
from archgym.cli.parsing import build_simulator
from archgym.cli.show import line, number, stdout
from archgym.landscape import MARGINS, Card, landscape_card
from archgym.objective import make_objective
from archgym.optimum import Table, enumerate_space, table_key, table_path
from archgym.simulator import Simulator
from archgym.standing import summarise


def show_optimum(
    simulator: str,
    workload: str | None,
    arguments: Mapping[str, Any],
    objectives: list[str],
    summary: Path | None,
    card: bool = False,
) -> None:
    """Enumerates a space, or finds its table, and prints the optimum under each objective.

    Args:
        simulator: name; workload and arguments as in ``archgym run``.
        workload: a name or a file.
        arguments: of the simulator.
        objectives: the simulator's own metrics that are not "info", if empty.
        summary: JSON file to add the best scores to, as it ships with a simulator.
        card: whether to print the landscape card of every objective too.

    Raises:
        ArchGymError: bad input, or a space that is too large.
        Interrupted: Ctrl-C; finished parts are kept.
    """
    problem = build_simulator(simulator, workload, arguments)
    texts = objectives or [metric.name for metric in problem.metrics if metric.goal != "info"]
    goals = [make_objective(text, problem) for text in texts]
    console = stdout()
    start = perf_counter()
    table = _enumerate(problem)
    line(
        console,
        f"{problem.name} {problem.workload}: {problem.space.size:,} designs in {len(table):,} classes, "
        f"{perf_counter() - start:.1f} s",
    )
    grid = Grid("objective", "best score", "designs at the optimum", "within 1 %", "front", "one of the best designs")
    for goal in goals:
        landscape = table.landscape(goal)
        near = table.counts[landscape.regret(landscape.scores) <= 0.01].sum() / problem.space.size
        design = problem.space.describe(table.designs[landscape.best_rows[0]])
        ties = table.counts[landscape.best_rows].sum()
        values = ", ".join(str(value) for value in design.values())
        front = str(len(table.front(goal))) if len(goal.used) > 1 else "-"
        grid.add_row(goal.text, number(landscape.best_score), f"{ties:,}", f"{near:.3%}", front, values)
    console.print(grid)
    if card:
        show_cards([landscape_card(problem, table, goal) for goal in goals], console)
    line(console, f"table: {table_path(problem)}")
    if summary is not None:
        content = json.loads(summary.read_text()) if summary.exists() else {}
        content[table_key(problem)] = summarise(problem, table, tuple(goal.text for goal in goals))
        summary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
        line(console, f"summary: {summary}")


def show_cards(cards: Sequence[Card], console: Console) -> None:
    """Prints landscape cards side by side, one column per objective."""
    first = cards[0]
    title = f"landscape of {first.simulator} {first.workload}: {first.designs:,} designs, {first.classes:,} classes"
    grid = Grid("", *(card.objective for card in cards), title=title, title_justify="left")
    grid.add_row("designs that are OK", *(f"{card.ok:.3%}" for card in cards))
    grid.add_row("distinct outcomes", *(f"{card.outcomes:,}" for card in cards))
    for position, margin in enumerate(MARGINS):
        where = f"within {margin:.1%}" if margin else "at the optimum"
        grid.add_row(f"designs {where}", *(f"{card.shares[position]:.4%}" for card in cards))
    for position, margin in enumerate(MARGINS):
        where = f"within {margin:.1%}" if margin else "the optimum"
        grid.add_row(f"random designs for {where}", *(f"{card.needed[position]:,.0f}" for card in cards))
    fits = ("-" if card.additive_r2 is None else f"{card.additive_r2:.3f}" for card in cards)
    grid.add_row("additive R2 of the cost" if not all(card.log for card in cards) else "additive R2 of the log cost", *fits)
    grid.add_row("ranks agents", *("no: ceiling" if card.ceiling else "yes" for card in cards))
    console.print(grid)


def _enumerate(problem: Simulator) -> Table:
    columns = (TextColumn("{task.description}"), BarColumn(30), TextColumn("{task.completed:,.0f} of {task.total:,.0f}"))
    console = Console(stderr=True)
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            task = tasks.get(what)
            if task is None:
                task = tasks[what] = progress.add_task(
                    {"classes": "finding classes", "designs": "evaluating"}[what], total=total
                )
            progress.update(task, completed=done)

        try:
            return enumerate_space(problem, progress=report)
        except KeyboardInterrupt:
            raise Interrupted("interrupted; what was evaluated is kept: give the same command again to go on") from None
