"""A sweep that takes a second, with names that do not fit into HTML as they are."""

from __future__ import annotations

from typing import Any

from archgym.sweep.execute import execute
from archgym.sweep.plan import Plan
from archgym.sweep.store import Store

SPEC: dict[str, Any] = {
    "name": "two <b>agents</b>",
    "budget": 40,
    "seeds": 2,
    "protocol": {"primary": "area & <i>time</i>"},
    "task": [{"simulator": "synthetic"}],
    "agent": [
        {"name": "genetic", "label": "=<script>alert(1)</script>", "tickets": {"random": 3, "seed": 0}},
        {"name": "random_walk"},
    ],
}


def write_runs(store: Store, plan: Plan, few: slice = slice(None)) -> int:
    """Executes some runs of a plan and keeps them, one part each; how many."""
    runs = list(plan.unique.values())[few]
    for run in runs:
        outcome = execute(run)
        store.write_part(run.task, [outcome.summary], [outcome.trials])
    return len(runs)
