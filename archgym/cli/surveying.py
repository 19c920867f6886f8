"""What ``archgym check`` shows of a simulator before its rules: metrics, time, repetition, threads, what was not checked."""

from __future__ import annotations

from statistics import median

from rich.console import Console
from rich.table import Table

from archgym.cli.show import line, number
from archgym.simulator import Simulator
from archgym.testing import Survey

REASONS = 3
"""How many of the reasons for bad designs are shown."""


def show_survey(simulator: Simulator, seen: Survey, checked: int, console: Console) -> None:
    """Prints a survey.

    Args:
        simulator: that was looked at.
        seen: what there was.
        checked: random designs that the rules will look at.
        console: where to print.
    """
    space = simulator.space
    known = ", ".join(simulator.workloads())
    line(
        console,
        f"{simulator.name} {simulator.version}, workload {simulator.workload or 'none'}{f' (of {known})' * bool(known)}",
    )
    line(console, f"space: {space.size:,} designs = " + " x ".join(f"{p.name} {len(p.values)}" for p in space.parameters))
    for rule in space.constraints:
        line(console, f"constraint: {rule.name}: {rule.doc}" if rule.doc else f"constraint: {rule.name}")
    statuses = ", ".join(f"{count} {status} ({count / seen.sampled:.0%})" for status, count in seen.counts.items() if count)
    line(console, f"designs: {seen.sampled} drawn at random: {statuses}")
    for status, reason, count in seen.reasons[:REASONS]:
        line(console, f"  {count} {status}: {reason}")
    console.print(_metrics(seen))
    line(console, f"time: {_times(seen)}")
    line(console, f"repeated: {_repeated(seen)}")
    line(console, f"threads: {_threads(simulator, seen)}")
    line(console, "not checked:")
    few = (
        [f"most designs by the rules: they look at {checked} random ones; more with --designs"] if checked < space.size else []
    )
    for sentence in (*few, *seen.unchecked):
        line(console, f"  {sentence}")


def _metrics(seen: Survey) -> Table:
    table = Table(title="metrics", title_justify="left")
    for heading in ("metric", "goal", "bounds", "seen", "distinct", "remark"):
        table.add_column(heading, justify="right" if heading == "distinct" else "left")
    for each in seen.observed:
        low, high = each.metric.bounds
        spread = f"{number(each.low)} .. {number(each.high)}" if each.distinct else "nothing"
        bounds = f"{number(low)} .. {number(high)}"
        table.add_row(each.metric.name, each.metric.goal, bounds, spread, str(each.distinct), each.remark)
    return table


def _times(seen: Survey) -> str:
    first = f"first design {_seconds(seen.first_seconds)} (with all that is loaded or compiled once)"
    if not seen.seconds:
        return f"{first}; no other one kept the constraints"
    alone = f"then {_seconds(median(seen.seconds))} each alone (median; slowest {_seconds(max(seen.seconds))})"
    return f"{first}; {alone}; {_seconds(seen.batch_seconds)} each in a batch"


def _seconds(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"


def _repeated(seen: Survey) -> str:
    if seen.repeated is None:
        return "not tried: it says that equal designs may give different metrics"
    return f"DIFFERENT: {seen.repeated}" if seen.repeated else "the same metrics, statuses and reasons again"


def _threads(simulator: Simulator, seen: Survey) -> str:
    promise = f"it may be called by {simulator.lanes} threads at once" if simulator.lanes > 1 else "it promises one caller"
    if seen.threads is None:
        return f"not tried; {promise}"
    verdict = f"DIFFERENT: {seen.threads}" if seen.threads else "the same"
    return f"{verdict} when {seen.tried_threads} threads called it at once; {promise} (lanes = {simulator.lanes})"
