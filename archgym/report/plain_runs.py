"""Summaries of runs that were logged one by one, as ``archgym run`` does: what a sweep would have said about them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from archgym.dataset import Dataset, Run
from archgym.errors import ArchGymError
from archgym.manifest import task_digest
from archgym.objective import Objective, make_objective
from archgym.optimum import Landscape, find_table
from archgym.registry import agent_class, make_simulator
from archgym.simulator import Simulator
from archgym.standing import find_standing
from archgym.sweep.measures import HITS, marks_up_to

KEY = 16

Summary = dict[str, Any]


def read_runs(path: str) -> tuple[list[Summary], dict[str, dict[str, Any]]]:
    """Summaries of all runs at or below a folder, and their tasks.

    Args:
        path: folder or URL.

    Raises:
        LogError: no run there, or a damaged file.
    """
    summaries: list[Summary] = []
    tasks: dict[str, dict[str, Any]] = {}
    judges: dict[str, _Judge] = {}
    tickets: dict[tuple[str, str], str] = {}
    for run in Dataset.open(path).runs:
        key = task_digest({"budget": None, **run.manifest})[:KEY]
        tasks.setdefault(key, dict(run.manifest))
        judge = judges.setdefault(key, _Judge(run.manifest))
        settings = json.dumps(run.manifest.get("hyperparameters") or {}, sort_keys=True)
        agent = str(run.manifest["agent"])
        if (agent, settings) not in tickets:
            others = sum(1 for name, _ in tickets if name == agent)
            tickets[agent, settings] = "default" if settings == _usual(agent) else f"t{others:04d}"
        summary = _summarise(run, key, tickets[agent, settings], judge)
        if summary is not None:
            summaries.append(summary)
    return summaries, tasks


class _Judge:
    """Says how good a score of a task is, as far as that is known on this machine."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        self.simulator: Simulator | None = None
        self.objective: Objective | None = None
        self.landscape: Landscape | None = None
        recorded = manifest["simulator"]
        try:
            self.simulator = make_simulator(recorded["name"], **recorded["arguments"])
            self.objective = make_objective(manifest["objective"], self.simulator)
            same = self.simulator.version == recorded["version"] and self.simulator.space.digest == manifest["space"]["digest"]
            table = find_table(self.simulator) if same else None
            self.landscape = table.landscape(self.objective) if table else None
            self.simulator = self.simulator if same else None
        except (ArchGymError, OSError):
            self.simulator = None  # another machine's simulator or trace: its runs are shown without regret

    def standing(self, score: float | None) -> tuple[float | None, float | None]:
        """Relative regret and quantile of a score."""
        if score is None or self.simulator is None or self.objective is None:
            return None, None
        if self.landscape is not None:
            return float(self.landscape.regret(score)), float(self.landscape.quantile(score))
        return find_standing(self.simulator, self.objective, score)


def _usual(agent: str) -> str:
    from archgym.agent import resolve_hyperparameters

    try:
        return json.dumps(resolve_hyperparameters(agent_class(agent), {}), sort_keys=True)
    except ArchGymError:
        return ""


def _summarise(run: Run, task: str, ticket: str, judge: _Judge) -> Summary | None:
    """None for a run without a trial."""
    manifest, trials = run.manifest, run.to_arrow()
    if not trials.num_rows:
        return None
    status = np.array(trials["status"].to_pylist())
    full = (
        np.array(trials["fidelity"].to_pylist()) == "full" if "fidelity" in trials.column_names else np.ones(len(status), bool)
    )
    good = (status == "OK") & full
    scores = np.where(good, trials["score"].to_numpy(), -np.inf)
    best = np.maximum.accumulate(scores)
    # A finished run's budget may be a limit that it never spent, or none: what counts is what it did.
    budget = len(scores)
    marks = marks_up_to(budget)
    at_marks = [float(best[mark - 1]) if np.isfinite(best[mark - 1]) else None for mark in marks]
    standings = [judge.standing(score) for score in at_marks]
    winner = int(np.argmax(scores))
    parameters = [parameter["name"] for parameter in manifest["space"]["parameters"]]
    metrics = [metric["name"] for metric in manifest["metrics"]]
    row = trials.slice(winner, 1).to_pylist()[0] if good.any() else {}
    content = json.dumps([task, run.location, manifest.get("created")])
    agent_seconds, simulator_seconds = (
        float(np.nansum(trials[f"{who}_seconds"].to_numpy())) for who in ("agent", "simulator")
    )
    return {
        "id": hashlib.sha256(content.encode()).hexdigest()[:KEY],
        "task": task,
        "simulator": manifest["simulator"]["name"],
        "workload": manifest["workload"]["name"],
        "objective": manifest["objective"],
        "budget": budget,
        "agent": manifest["agent"],
        "label": manifest["agent"],
        "ticket": ticket,
        "hyperparameters": dict(manifest.get("hyperparameters") or {}),
        "seed": manifest["seed"] if manifest["seed"] is not None else 0,
        "study": "",
        "state": "finished",
        "reason": "",
        "trials": len(scores),
        "marks": marks,
        "best": at_marks,
        "regret": [regret for regret, _ in standings],
        "quantile": [quantile for _, quantile in standings],
        "hits": _hits(best, judge),
        "hypervolume": None,
        "best_score": float(best[-1]) if row else None,
        "best_design": {name: row[name] for name in parameters} if row else {},
        "best_metrics": {name: row[name] for name in metrics} if row else {},
        "agent_seconds": agent_seconds,
        "simulator_seconds": simulator_seconds,
        "seconds": agent_seconds + simulator_seconds,
        "started": manifest.get("created", ""),
        "host": (manifest.get("host") or {}).get("system", ""),
    }


def _hits(best: np.ndarray, judge: _Judge) -> dict[str, int | None]:
    """First number of designs at which the relative regret was at most each epsilon."""
    found: dict[str, int | None] = dict.fromkeys(HITS)
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    for step in steps:
        regret, _ = judge.standing(float(best[step]))
        for epsilon, limit in HITS.items():
            if regret is not None and regret <= limit and found[epsilon] is None:
                found[epsilon] = int(step) + 1
    return found
