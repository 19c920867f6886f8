"""How long a sweep will take: from runs of it that are complete, or else from short runs measured here."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from time import perf_counter

from archgym.errors import LogError
from archgym.optimum import table_path
from archgym.registry import make_simulator
from archgym.sweep.execute import execute
from archgym.sweep.plan import Plan, PlannedRun
from archgym.sweep.progress import duration
from archgym.sweep.store import Store

PROBE = 100
"""Designs of a measured run."""


def estimate(plan: Plan, out: str | os.PathLike[str], workers: int | None = None) -> str:
    """One sentence: how long what is left of a plan takes, and how that is known.

    Args:
        plan: the runs.
        out: where they will be kept; complete ones give the rates.
        workers: processes; one per core by default.
    """
    count = workers or len(os.sched_getaffinity(0))
    recorded, complete = _recorded(out)
    left = [run for key, run in plan.unique.items() if key not in complete]
    if not left:
        return "every run is complete"
    known = {label: rate for label, rate in recorded.items() if any(run.label == label for run in left)}
    measured = {run.label: run for run in reversed(left) if run.label not in known}
    rates: Mapping[str, float] = {**known, **{label: _probe(run) for label, run in measured.items()}}
    seconds = sum(rates[run.label] * run.budget for run in left)
    sources = []
    if known:
        sources.append("runs that are complete")
    if measured:
        sources.append(f"runs of at most {PROBE} designs measured now, one per agent; learners that slow down take longer")
    return f"{len(left):,} runs are left, about {duration(seconds / count)} on {count} workers (from {' and '.join(sources)})"


def _recorded(out: str | os.PathLike[str]) -> tuple[dict[str, float], set[str]]:
    """Seconds per design of each label, and the ids of complete runs."""
    try:
        summaries = Store.open(out).summaries()
    except LogError:
        return {}, set()
    seconds: dict[str, float] = defaultdict(float)
    trials: dict[str, int] = defaultdict(int)
    for summary in summaries:
        if summary["state"] == "finished":
            seconds[summary["label"]] += summary["seconds"]
            trials[summary["label"]] += max(summary["trials"], 1)
    return {label: seconds[label] / trials[label] for label in seconds}, {summary["id"] for summary in summaries}


def _probe(run: PlannedRun) -> float:
    """Seconds per design of a short run, after one that loads and compiles what is needed."""
    known = run.tabulated and table_path(make_simulator(run.simulator, **run.arguments)).exists()
    short = replace(run, budget=min(run.budget, PROBE), tabulated=known)
    execute(replace(short, budget=1))
    since = perf_counter()
    execute(short)
    return (perf_counter() - since) / short.budget
