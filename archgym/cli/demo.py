"""``archgym demo``: two agents on one problem, side by side."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from archgym.cli.parsing import build_simulator, whole
from archgym.cli.running import watched_search
from archgym.cli.show import best_so_far, line, number, program, show_best, show_next_steps, stdout
from archgym.dataset import Dataset
from archgym.search import Result

AGENTS = ("genetic", "random_walk")
MARKS = (0.05, 0.25, 1.0)
"""Shares of the budget at which the agents are compared."""


def demo(simulator: str, workload: str | None, budget: float, out: Path | None) -> None:
    """Runs both agents with equal budgets and seeds, then compares them; errors as in ``archgym run``."""
    console = stdout()
    problem = build_simulator(simulator, workload, {})
    root = out or next(path for n in count(1) if not (path := Path("runs") / f"demo-{n}").exists())
    line(console, f"{problem.name} {problem.workload}: {problem.space.size:,} designs, {number(budget)} tries for each agent")
    results = {agent: watched_search(problem, agent, None, budget, 0, root / agent, {}) for agent in AGENTS}
    winner = max(results, key=lambda agent: results[agent].best_score)
    line(console, f"\nThe best design that {winner} found, against the default design:")
    show_best(results[winner], problem, console)
    line(console, "\nBoth agents side by side:")
    _compare(results, budget, root, console)
    line(console, "\nFiles:")
    for path in sorted(root.rglob("*")):
        if path.is_file():
            line(console, f"  {path} ({path.stat().st_size:,} bytes)")
    line(console, "")
    show_next_steps(results[winner], problem, root, console)
    line(
        console,
        f"  {program('archgym')} run {problem.name} --workload {problem.workload} --agent genetic --budget 20000 --seed 1",
    )
    line(console, f"  {program('archgym')} list")


def _compare(results: dict[str, Result], budget: float, root: Path, console: Console) -> None:
    table = Table("", *results)
    marks = [max(int(share * whole(budget)), 1) for share in MARKS]
    scores = {}
    for agent in results:
        trials = Dataset.open(root / agent).to_arrow()
        ok = np.array(trials["status"].to_pylist()) == "OK"
        scores[agent] = best_so_far(trials["score"].to_numpy(), ok, marks)
    for mark in marks:
        table.add_row(f"best score after {mark:,} designs", *(number(scores[agent][mark]) for agent in results))
    if all(result.regret is not None for result in results.values()):
        table.add_row("regret against the optimum", *(f"{result.regret:.2%}" for result in results.values()))
    table.add_row("different designs tried", *(f"{result.distinct:,}" for result in results.values()))
    table.add_row("simulated (others were equivalent)", *(f"{result.simulated:,}" for result in results.values()))
    table.add_row("simulator seconds", *(f"{result.simulator_seconds:.2f}" for result in results.values()))
    table.add_row("agent seconds", *(f"{result.agent_seconds:.2f}" for result in results.values()))
    console.print(table)
