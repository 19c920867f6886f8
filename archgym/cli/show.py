"""Results and explanations as tables."""

from __future__ import annotations

import inspect
import math
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from archgym.explanation import Breakdown, Explanation
from archgym.metrics import Status
from archgym.objective import make_objective
from archgym.registry import DESCRIBED
from archgym.search import Result
from archgym.simulator import Simulator

REASONS = 3
"""How many of the reasons for bad designs are shown."""


def stdout() -> Console:
    """The console that results go to; wide enough for a table where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)


def number(value: float) -> str:
    """A figure for people: thousands separated, four significant digits below a thousand."""
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if abs(value) < 1e15 and (value == round(value) or abs(value) >= 1000):
        return f"{value + 0.0:,.0f}"  # minus zero reads as zero
    return f"{value:.4g}"


def program(name: str) -> str:
    """How to call a program of this environment: by its name where the shell finds it, else by its path."""
    beside = Path(sys.executable).parent / name
    found = shutil.which(name)
    if found and Path(found) == beside:
        return name
    return str(beside.relative_to(Path.cwd())) if beside.is_relative_to(Path.cwd()) else str(beside)


def line(console: Console, text: str) -> None:
    """Prints text as it is: no markup, no wrapping, so that commands can be copied."""
    console.print(text, markup=False, soft_wrap=True)


def show_result(result: Result, simulator: Simulator, console: Console) -> None:
    """The best design against the default one, what became of the trials, where the log is and how to look further."""
    show_best(result, simulator, console)
    counts = ", ".join(f"{count:,} {status}" for status, count in result.counts.items() if count)
    line(
        console,
        f"{result.trials:,} designs ({counts or 'none'}); {result.distinct:,} distinct, {result.simulated:,} simulated",
    )
    seconds = f"simulator {result.simulator_seconds:.2f} s (compiling included), agent {result.agent_seconds:.2f} s"
    line(console, f"time: {seconds}")
    if result.regret is not None:
        rank = "" if result.quantile is None else f"; {result.quantile:.4%} of all designs are better"
        line(console, f"regret: {result.regret:.2%} from the optimum of the space{rank}")
    if result.front is not None:
        line(console, f"front: {len(result.front):,} designs that no other one dominates in the objective's metrics")
    if result.folder is not None:
        show_reasons(result, result.folder, console)
        line(console, f"log: {result.folder}")
        show_next_steps(result, simulator, result.folder, console)


def show_reasons(result: Result, folder: Path, console: Console) -> None:
    """The most frequent reasons why designs failed, timed out or were suspect; INVALID ones are the search's own business."""
    if not any(result.counts[status.name] for status in (Status.FAILED, Status.TIMEOUT, Status.SUSPECT)):
        return
    from archgym.dataset import Dataset

    trials = Dataset.open(folder).to_arrow().select(["status", "reason"]).to_pylist()
    bad = Counter((row["status"], row["reason"]) for row in trials if row["status"] not in ("OK", "INVALID"))
    for (status, reason), count in bad.most_common(REASONS):
        line(console, f"  {count:,} {status}: {reason}")


def show_best(result: Result, simulator: Simulator, console: Console) -> None:
    """Two tables: parameters and metrics of the default design and of the best one."""
    if not result.best_design:
        line(console, "No design was OK, so there is no best one.")
        return
    default = simulator.evaluate(simulator.space.default)
    objective = make_objective(result.task["objective"], simulator)
    design = Table(title=f"{simulator.name} {simulator.workload}: best design", title_justify="left")
    for heading in ("parameter", "unit", "default", "best"):
        design.add_column(heading)
    for parameter in simulator.space.parameters:
        best = result.best_design[parameter.name]
        style = "" if best == parameter.default else "bold"
        design.add_row(parameter.name, parameter.unit, str(parameter.default), str(best), style=style)
    console.print(design)
    metrics = Table(title=f"objective: {objective.text}", title_justify="left")
    metrics.add_column("metric")
    metrics.add_column("goal")
    for heading in ("default", "best", "change"):
        metrics.add_column(heading, justify="right")
    before = {"score": float(objective.score(default)[0]), **default.row(0)}
    after = {"score": result.best_score, **result.best_metrics}
    goals = {"score": "max", **{metric.name: metric.goal for metric in simulator.metrics}}
    for name, goal in goals.items():
        style = _style(before[name], after[name], goal)
        metrics.add_row(name, goal, number(before[name]), number(after[name]), _change(before[name], after[name]), style=style)
    console.print(metrics)
    if not default.ok[0]:
        reason = default.reasons.get(0, "")
        line(console, f"The default design is {Status(int(default.status[0])).name}: {reason}")


def show_next_steps(result: Result, simulator: Simulator, folder: Path, console: Console) -> None:
    """Commands that look further into a finished run."""
    steps = [f"{program('python')} -c \"import archgym; print(archgym.Dataset.open('{folder}').to_arrow())\""]
    if result.best_design and type(simulator).explain is not Simulator.explain:
        words = [program("archgym"), "explain", *naming(simulator)]
        words += [f"{name}={value}" for name, value in result.best_design.items()]
        steps.append(shlex.join(words))
    line(console, "look further:")
    for step in steps:
        line(console, f"  {step}")


def naming(simulator: Simulator) -> list[str]:
    """Words of a command line that stand for a simulator: its name, or the file that describes it, and its arguments."""
    arguments = dict(simulator.arguments)
    words = [str(arguments.pop("spec", simulator.name)) if simulator.name == DESCRIBED else simulator.name]
    usual = inspect.signature(type(simulator)).parameters
    for name, value in arguments.items():
        if name in usual and value == usual[name].default:
            continue
        words += ["--workload", str(value)] if name == "workload" else ["--set", f"{name}={value}"]
    return words


def show_explanation(explanation: Explanation, console: Console) -> None:
    """The finding in words, the design, its metrics and one table per breakdown."""
    line(console, explanation.bottleneck)
    line(console, "design: " + " ".join(f"{name}={value}" for name, value in explanation.design.items()))
    metrics = Table("metric", title="Metrics", title_justify="left")
    metrics.add_column("value", justify="right")
    for name, value in explanation.metrics.items():
        metrics.add_row(name, number(value))
    console.print(metrics)
    for breakdown in explanation.breakdowns:
        console.print(_breakdown_table(breakdown))
    for title, rows in explanation.details.items():
        if rows:
            table = Table(*map(str, rows[0]), title=title, title_justify="left")
            for row in rows:
                table.add_row(*(_cell(value) for value in row.values()))
            console.print(table)


def figure_page(explanation: Explanation, path: Path) -> None:
    """Writes the explanation's figure as a page that needs no network.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    figure = explanation.figure()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.write_html(str(path), include_plotlyjs=True)


def _breakdown_table(breakdown: Breakdown) -> Table:
    table = Table("part", title=f"{breakdown.title}: {number(breakdown.total)} {breakdown.unit}", title_justify="left")
    table.add_column(breakdown.unit, justify="right")
    table.add_column("share", justify="right")
    table.add_column("what it is")
    rows = sorted(zip(breakdown.parts, breakdown.shares(), strict=True), key=lambda row: -row[1])
    for (name, value, meaning), share in rows:
        table.add_row(name, number(value), f"{share:.1%}", meaning)
    return table


def _cell(value: Any) -> str:
    if isinstance(value, float | np.floating):
        return number(float(value))
    return str(value)


def _change(before: float, after: float) -> str:
    if not (math.isfinite(before) and math.isfinite(after)) or before == 0:
        return "-"
    return f"{(after - before) / abs(before):+.1%}"


def _style(before: float, after: float, goal: str) -> str:
    if goal == "info" or before == after or not (math.isfinite(before) and math.isfinite(after)):
        return ""
    return "green" if (after < before) == (goal == "min") else "red"


def best_so_far(scores: np.ndarray[Any, Any], ok: np.ndarray[Any, Any], marks: list[int]) -> Mapping[int, float]:
    """Highest score of an OK design among the first so many trials, for each mark."""
    best = np.maximum.accumulate(np.where(ok, scores, -np.inf)) if len(scores) else np.array([-np.inf])
    return {mark: float(best[min(mark, len(best)) - 1]) for mark in marks}
