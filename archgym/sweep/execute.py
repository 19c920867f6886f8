"""One run of a sweep: executed in a worker, summed up there, its trials handed on as a table."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from archgym.agent import Agent
from archgym.errors import LogError, MissingExtraError, ReplayError
from archgym.evaluator import BudgetExhausted, Evaluator
from archgym.manifest import describe_run
from archgym.sweep.columns import trial_table
from archgym.sweep.measures import anytime, counts, nothing
from archgym.sweep.plan import PlannedRun, entropy
from archgym.sweep.prepared import Prepared, find_agent, prepare
from archgym.sweep.recording import Recording, discard, leftover
from archgym.trials import Chunk
from archgym.wrappers import Cached

LONGEST_REASON = 300


@dataclass(frozen=True)
class Outcome:
    """A run that is over.

    Attributes:
        summary: JSON-able; see ``docs/sweeps.md`` for its keys.
        trials: columns of ``archgym.sweep.columns.trial_schema``.
    """

    summary: dict[str, Any]
    trials: pa.Table


def execute(run: PlannedRun, scratch: Path | None = None) -> Outcome:
    """Executes one run; what an interrupted attempt left in ``scratch`` is replayed.

    The trials depend on the run alone: not on the process, on other runs, or on how often it was interrupted.

    Args:
        run: what to do.
        scratch: folder for the trials of a run that takes long; the caller discards it when the outcome is kept.

    Returns:
        The outcome; a learner that broke down gives a failed one, with the trials until then.

    Raises:
        ArchGymError: the task, the agent or a setting does not exist, a library is missing, or the disk is full.
    """
    prepared, agent = prepare(run), find_agent(run.agent)
    try:
        return _attempt(run, prepared, agent, Recording(scratch, lambda: _manifest(run, prepared)))
    except ReplayError:
        # Another version of a library or of the agent left what is there; the run is done anew, all by this version.
        if scratch is not None:
            discard(scratch)
        return _attempt(run, prepared, agent, Recording(scratch, lambda: _manifest(run, prepared)))


def failed(run: PlannedRun, reason: str, scratch: Path | None = None) -> Outcome:
    """The outcome of a run whose worker died, or whose limits it broke.

    Args:
        run: which one.
        reason: for people.
        scratch: where it may have left trials, which are kept.
    """
    prepared = prepare(run)
    chunks = leftover(scratch)
    return Outcome(_failed_summary(run, reason, chunks, datetime.now(UTC)), trial_table(chunks, prepared.task))


def _attempt(run: PlannedRun, prepared: Prepared, agent: type[Agent], recording: Recording) -> Outcome:
    started, since = datetime.now(UTC), perf_counter()
    problem = Cached(prepared.simulator) if prepared.simulator.deterministic else prepared.simulator
    # One in flight: agents are told in order, so that the trials do not depend on how long each takes.  A batch still uses
    # all lanes of a simulator.
    evaluator = Evaluator(problem, prepared.objective, budget=run.budget, log=recording, window=1)
    reason = ""
    try:
        seed = entropy(run, prepared.task)
        agent(prepared.simulator.space, seed=seed, **run.hyperparameters).drive(evaluator)
    except BudgetExhausted:
        pass
    except (LogError, MissingExtraError, ReplayError):
        raise
    except Exception as error:  # whatever a learner breaks down with, the other runs of the sweep go on
        reason = f"{type(error).__name__}: {error}"
    finally:
        evaluator.close()
        recording.close()
    if not evaluator.replayed:
        raise ReplayError(f"run {run.id} has more trials on disk than the agent proposes")
    if reason:
        summary = _failed_summary(run, reason, recording.kept, started)
    else:
        summary = _common(run, "finished", "", started) | _found(run, prepared, evaluator, recording.kept)
        summary["simulated"] = problem.misses if isinstance(problem, Cached) else evaluator.trials
    # Those of the attempt, with what it replayed: never less than the run has cost.
    summary["agent_seconds"] = round(sum(chunk.agent_seconds for chunk in recording.kept), 6)
    summary["simulator_seconds"] = round(sum(chunk.simulator_seconds for chunk in recording.kept), 6)
    summary["seconds"] = round(perf_counter() - since, 6)
    return Outcome(summary, trial_table(recording.kept, prepared.task))


def _found(run: PlannedRun, prepared: Prepared, evaluator: Evaluator, chunks: Sequence[Chunk]) -> dict[str, Any]:
    levels = evaluator.best_design
    front, yardstick = evaluator.front, prepared.yardstick
    return {
        "trials": evaluator.trials,
        "distinct": evaluator.distinct,
        "counts": counts(chunks),
        **anytime(chunks, run.budget, prepared),
        "hypervolume": None if front is None or yardstick is None else yardstick.share(front[1]),
        "best_score": None if levels is None else evaluator.best_score,
        "best_design": {} if levels is None else evaluator.simulator.space.describe(levels),
        "best_levels": [] if levels is None else levels.tolist(),
        "best_metrics": evaluator.best_metrics,
    }


def _failed_summary(run: PlannedRun, reason: str, chunks: Sequence[Chunk], started: datetime) -> dict[str, Any]:
    trials = sum(len(chunk) for chunk in chunks)
    designs = np.concatenate([chunk.designs for chunk in chunks]) if chunks else np.zeros((0, 1))
    return {
        **_common(run, "failed", reason[:LONGEST_REASON], started),
        "trials": trials,
        "distinct": len(np.unique(designs, axis=0)),
        "simulated": trials,
        "counts": counts(chunks),
        **nothing(run.budget),
        "hypervolume": None,
        "best_score": None,
        "best_design": {},
        "best_levels": [],
        "best_metrics": {},
        "agent_seconds": round(sum(chunk.agent_seconds for chunk in chunks), 6),
        "simulator_seconds": round(sum(chunk.simulator_seconds for chunk in chunks), 6),
        "seconds": 0.0,
    }


def _common(run: PlannedRun, state: str, reason: str, started: datetime) -> dict[str, Any]:
    return {
        "id": run.id,
        "task": run.task,
        "simulator": run.simulator,
        "workload": run.workload,
        "objective": run.objective,
        "budget": run.budget,
        "agent": run.agent,
        "label": run.label,
        "ticket": run.ticket,
        "hyperparameters": dict(run.hyperparameters),
        "seed": run.seed,
        "study": run.study,
        "state": state,
        "reason": reason,
        "started": started.isoformat(timespec="milliseconds"),
        "host": platform.node(),
    }


def _manifest(run: PlannedRun, prepared: Prepared) -> Mapping[str, Any]:
    return describe_run(prepared.task, run.agent, run.hyperparameters, run.seed)
