"""Runs of a study: planned as records, spread over processes, written as they finish, skipped when they are there.

Simulators answer from the table of their whole space (``archgym.tabulated``), so a run costs the agent's time and little
more, and every run has its regret and quantile against the true optimum.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import archgym
from archgym.errors import ArchGymError
from archgym.landscape import CEILING, random_designs_needed
from archgym.optimum import Landscape, enumerate_space
from archgym.tabulated import Tabulated

MARKS = (10, 30, 100, 300, 500, 1000, 3000, 10_000)
"""Numbers of designs at which anytime curves are read."""


@dataclass(frozen=True)
class Planned:
    """One run of a study.

    Attributes:
        agent: its name.
        workload: of the simulator.
        objective: a line as in ``archgym.objective``.
        budget: designs.
        seed: replicate.
        hyperparameters: where they differ from the agent's defaults.
        simulator: its name.
        label: what the run is called in tables; the agent's name if empty.
    """

    agent: str
    workload: str
    objective: str
    budget: int
    seed: int
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    simulator: str = "dram"
    label: str = ""

    @property
    def key(self) -> str:
        """Hash of the run's content: equal runs are done once."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]


def execute(run: Planned) -> dict[str, Any]:
    """Runs one search and reads its anytime curve.

    Returns:
        The plan's fields, and per mark the quantile (share of all designs that are better than the best one so far) and the
        relative regret of the best design so far; agent and simulator seconds; distinct designs.
    """
    simulator, landscape = problem(run.simulator, run.workload, run.objective)
    result = archgym.search(
        run.agent,
        simulator,
        objective=run.objective,
        budget=run.budget,
        seed=run.seed,
        hyperparameters=run.hyperparameters,
    )
    best = np.maximum.accumulate(result.scores)
    marks = [mark for mark in MARKS if mark <= run.budget]
    reached = best[np.array(marks) - 1]
    return {
        **asdict(run),
        "key": run.key,
        "label": run.label or run.agent,
        "marks": marks,
        "quantile": landscape.quantile(reached).tolist(),
        "regret": landscape.regret(reached).tolist(),
        "optimum_at": int(np.argmax(best >= landscape.best_score)) + 1 if best[-1] >= landscape.best_score else None,
        "distinct": result.distinct,
        "agent_seconds": result.agent_seconds,
        "simulator_seconds": result.simulator_seconds,
    }


def attempt(run: Planned) -> dict[str, Any]:
    """As ``execute``; a run that breaks down counts as the worst there is and is never dropped.

    Some settings make a learner diverge until its library refuses to go on.  What the caller did wrong is still raised.

    Returns:
        Of a run that broke down: a record as of ``execute``, with "failed" and all designs better at every mark.

    Raises:
        ArchGymError: the plan names something that does not exist.
    """
    try:
        return execute(run)
    except ArchGymError:
        raise
    except (ArithmeticError, RuntimeError, ValueError) as error:
        marks = [mark for mark in MARKS if mark <= run.budget]
        return {
            **asdict(run),
            "key": run.key,
            "label": run.label or run.agent,
            "failed": f"{type(error).__name__}: {error}"[:100],
            "marks": marks,
            "quantile": [1.0] * len(marks),
            "regret": [float("inf")] * len(marks),
            "optimum_at": None,
            "distinct": 0,
            "agent_seconds": 0.0,
            "simulator_seconds": 0.0,
        }


@lru_cache(maxsize=64)
def problem(simulator: str, workload: str, objective: str) -> tuple[archgym.Simulator, Landscape]:
    """A simulator that answers from its table, and the table seen through an objective."""
    real = archgym.make_simulator(simulator, workload=workload)
    table = enumerate_space(real)
    return Tabulated(real, table), table.landscape(archgym.make_objective(objective, real))


def designs_to_margin(simulator: str, workload: str, objective: str, margin: float = 0.01) -> float:
    """Designs that random search needs to get within ``margin`` of the optimum in half of its runs."""
    _, landscape = problem(simulator, workload, objective)
    table = landscape.table
    return random_designs_needed(table.counts[landscape.regret(landscape.scores) <= margin].sum() / table.space.size)


def is_ceiling(simulator: str, workload: str, objective: str) -> bool:
    """Whether a task is solved by random search so soon that it ranks nobody."""
    return designs_to_margin(simulator, workload, objective) < CEILING


def run_all(plan: Sequence[Planned], results: Path, workers: int, title: str) -> list[dict[str, Any]]:
    """Executes what is not in ``results`` yet and returns the records of the whole plan, in its order.

    Args:
        plan: the runs.
        results: JSON lines, one per finished run; appended to, so an interrupted study goes on where it was.
        workers: processes, each with one thread for numeric libraries.
        title: of the progress bar.
    """
    done = {record["key"]: record for record in read(results)}
    waiting = [run for run in plan if run.key not in done]
    for simulator, workload, objective in {(run.simulator, run.workload, run.objective) for run in waiting}:
        problem(simulator, workload, objective)  # tables are made once, here, not once in every process
    results.parent.mkdir(parents=True, exist_ok=True)
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[variable] = "1"
    columns = (TextColumn(title), BarColumn(30), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress, _pool(workers) as pool, results.open("a") as file:
        task = progress.add_task(title, total=len(plan), completed=len(plan) - len(waiting))
        for future in as_completed([pool.submit(attempt, run) for run in waiting]):
            record = future.result()
            file.write(json.dumps(record) + "\n")
            file.flush()
            done[record["key"]] = record
            progress.advance(task)
    return [done[run.key] for run in plan]


def _pool(workers: int) -> ProcessPoolExecutor:
    # Fresh processes: a fork would copy the thread pools of numeric libraries in whatever state they are.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def read(results: Path) -> Iterable[dict[str, Any]]:
    """Records of finished runs; a last line that was cut off by a kill is dropped."""
    if not results.exists():
        return []
    records = []
    for line in results.read_text().splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            continue
    return records
