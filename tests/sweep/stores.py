"""A small sweep whose runs are quick to make up, for tests of its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from archgym.metrics import Metrics
from archgym.sweep.columns import trial_table
from archgym.sweep.plan import Plan, PlannedRun, make_plan
from archgym.sweep.spec import Spec, spec_from_record
from archgym.sweep.store import Store
from archgym.trials import Chunk

BASE: dict[str, Any] = {
    "name": "small",
    "budget": 8,
    "seeds": 2,
    "task": [{"simulator": "synthetic"}],
    "agent": [{"name": "genetic", "tickets": {"random": 3}}, {"name": "random_walk"}],
}


def small_spec(**changes: Any) -> Spec:
    return spec_from_record({**BASE, **changes})


def small_store(location: str | Path, **changes: Any) -> tuple[Store, Plan]:
    spec = small_spec(**changes)
    plan = make_plan(spec)
    return Store.create(location, spec, plan), plan


def made_up(run: PlannedRun, plan: Plan, state: str = "finished") -> tuple[dict[str, Any], pa.Table]:
    """Summary and trials of a run, which depend on its id only."""
    rng = np.random.default_rng(int(run.id, 16))
    task = plan.tasks[run.task]
    sizes = [len(parameter["values"]) for parameter in task["space"]["parameters"]]
    designs = rng.integers(0, sizes, size=(8, len(sizes))).astype(np.int32)
    metrics = Metrics.empty([metric["name"] for metric in task["metrics"]], 8)
    for column in metrics.columns.values():
        column[:] = rng.random(8)
    metrics.status[3], metrics.reasons[3] = 1, "made up"
    table = trial_table([Chunk(0, 0, "full", 1.0, designs, metrics, rng.random(8))], task)
    summary = {
        **{key: getattr(run, key) for key in ("id", "task", "workload", "objective", "budget", "agent", "label", "ticket")},
        **{"hyperparameters": dict(run.hyperparameters), "seed": run.seed, "study": run.study, "state": state, "reason": ""},
        **{"trials": 8, "marks": [1, 8], "quantile": [0.5, 0.25], "regret": [None, None], "best_design": {}},
    }
    return summary, table


def keep(store: Store, plan: Plan, runs: list[PlannedRun]) -> str:
    """Writes some runs of one task as a part; returns the file's name."""
    found = [made_up(run, plan) for run in runs]
    return store.write_part(runs[0].task, [summary for summary, _ in found], [table for _, table in found]) + ".parquet"
