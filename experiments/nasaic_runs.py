"""Runs of the NASAIC study: planned as records, done once, read at several numbers of designs; seed 0 keeps its designs."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from nasaic_methods import perform
from nasaic_problem import SPECS, Phase, Problem, networks_of, reward
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from runs import read

from archgym.agent import resolve_hyperparameters
from archgym.registry import agent_class

SHARES = (0.1, 0.2, 0.5, 1.0)
"""Parts of the budget after which the answer so far is read."""

RATED = (100, 300)
"""Numbers of rated networks after which it is read too: with training, these are what costs."""


@dataclass(frozen=True)
class Planned:
    """One run.

    Attributes:
        method: of ``nasaic_methods.perform``.
        workload: of the simulator.
        accuracy: kind of accuracy.
        budget: designs.
        seed: replicate.
        controller: all hyper-parameters of NASAIC's controller, where it has a part in the method.
        identity: of the accuracy evaluator: another formula or recipe makes another run.
        arguments: others of the simulator.
        tied: parameters that follow others (``nasaic_problem.Restricted``), for agents.
    """

    method: str
    workload: str
    accuracy: str
    budget: int
    seed: int
    controller: Mapping[str, Any] = field(default_factory=dict)
    identity: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Hash of the run's content: equal runs are done once."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def plan(
    methods: Sequence[str],
    workloads: Sequence[str],
    accuracy: str,
    budget: int,
    seeds: int,
    controller: Mapping[str, Any],
) -> list[Planned]:
    """All methods on all workloads; seeds vary slowest, so that an interrupted study has whole rounds."""
    from simulators.asic.accuracy.choose import make_accuracy

    identity = make_accuracy(accuracy, None).identity
    settings = resolve_hyperparameters(agent_class("nasaic"), controller)
    return [
        Planned(method, workload, accuracy, budget, seed, settings if method in CONTROLLED else {}, identity)
        for seed in range(seeds)
        for workload in workloads
        for method in methods
    ]


CONTROLLED = ("nas_then_asic", "asic_then_nas", "nasaic", "nasaic_short")
"""Methods that NASAIC's controller has a part in."""


def execute(run: Planned, folder: Path) -> dict[str, Any]:
    """Does one run.

    Returns:
        The plan's fields and ``summarise`` of its phases.  The designs of seed 0 are written to ``folder`` for the figures.
    """
    problem = Problem(run.workload, run.accuracy, run.arguments)
    phases = perform(run.method, problem, run.budget, run.seed, run.controller, run.tied)
    if run.seed == 0:
        kept = phases[-1]
        folder.mkdir(parents=True, exist_ok=True)
        columns = {name: kept.metrics[name] for name in ("accuracy", "specs_met", "penalty", *SPECS)}
        np.savez_compressed(folder / f"{run.key}.npz", designs=kept.designs.astype(np.int16), **columns)
    return {**asdict(run), "key": run.key, **summarise(phases, run.budget)}


def summarise(phases: Sequence[Phase], budget: int) -> dict[str, Any]:
    """What a run found and what it took.

    Returns:
        answer: values, metrics and whether the specs are met, of the design with the largest accuracy among those that meet
            the specs; of the least penalty if none does.
        marks, reached: numbers of designs, and the accuracy of the answer so far at each (None while no design has met
            the specs).
        first: designs until the first that met the specs and may be the answer, earlier phases counted; None if none did.
        accuracies: pairs of networks whose accuracy was evaluated.
        reached_rated: as ``reached``, when at most so many networks as ``RATED`` says had been rated.
        agent_seconds, simulator_seconds: where the time went.
    """
    last = phases[-1]
    before = sum(len(phase.designs) for phase in phases[:-1])
    rewards = reward(last.metrics)
    met = last.metrics.ok & (last.metrics["specs_met"] == 1)
    best = np.maximum.accumulate(np.where(met, rewards, -np.inf))
    marks = [round(budget * share) for share in SHARES]
    row = last.best()
    rated = _rated(phases)[before:]
    return {
        "answer": {
            "design": last.space.describe(last.designs[row]),
            "metrics": last.metrics.row(row),
            "meets": bool(met[row]),
        },
        "marks": marks,
        "reached": [_at(best, mark - before) for mark in marks],
        "first": before + int(np.argmax(met)) + 1 if met.any() else None,
        "accuracies": int(rated[-1]),
        "reached_rated": [_at(best, int(np.searchsorted(rated, mark, side="right"))) for mark in RATED],
        "designs": sum(len(phase.designs) for phase in phases),
        "agent_seconds": sum(phase.agent_seconds for phase in phases),
        "simulator_seconds": sum(phase.simulator_seconds for phase in phases),
    }


def _at(best: NDArray[np.float64], count: int) -> float | None:
    return float(best[count - 1]) if count > 0 and np.isfinite(best[count - 1]) else None


def _rated(phases: Sequence[Phase]) -> NDArray[np.int64]:
    """How many different networks had been rated after each design of all phases."""
    seen: set[bytes] = set()
    counts = []
    for phase in phases:
        columns = [phase.space.index(name) for name in networks_of(phase.space)]
        networks = np.ascontiguousarray(phase.designs[:, columns])
        rated = np.nan_to_num(phase.metrics["accuracy_evaluated"]) == 1
        for network, known in zip(networks, rated & phase.rated, strict=True):
            if known:
                seen.add(network.tobytes())
            counts.append(len(seen))
    return np.array(counts)


def run_all(planned: Sequence[Planned], results: Path, workers: int, title: str) -> list[dict[str, Any]]:
    """Does what is not in ``results`` yet and returns the records of the whole plan, in its order.

    Args:
        planned: the runs.
        results: JSON lines, one per finished run; designs of seed 0 go into a folder of the same name.
        workers: processes, each with one thread for numeric libraries.
        title: of the progress bar.
    """
    done = {record["key"]: record for record in read(results)}
    waiting = [run for run in planned if run.key not in done]
    results.parent.mkdir(parents=True, exist_ok=True)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[variable] = "1"
    columns = (TextColumn(title), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
    context = multiprocessing.get_context("spawn")
    with Progress(*columns) as bar, ProcessPoolExecutor(workers, context) as pool, results.open("a") as file:
        task = bar.add_task(title, total=len(planned), completed=len(planned) - len(waiting))
        for future in as_completed([pool.submit(execute, run, results.with_suffix("")) for run in waiting]):
            record = future.result()
            file.write(json.dumps(record) + "\n")
            file.flush()
            done[record["key"]] = record
            bar.advance(task)
    return [done[run.key] for run in planned]
