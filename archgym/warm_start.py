"""Past trials as a head start: told to an agent before it proposes its first design."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from archgym.agent import Agent
from archgym.errors import ContractError, LogError
from archgym.metrics import Metrics, Status
from archgym.objective import Objective
from archgym.simulator import Simulator
from archgym.space import Designs


def tell_past_trials(
    agent: Agent, simulator: Simulator, objective: Objective, folder: str | os.PathLike[str], skip: Path | None = None
) -> int:
    """Tells an agent every full-fidelity trial of the same simulator, version, workload and space below ``folder``.

    Scores are computed anew, so the past runs may have had another objective.  Each design is told once.

    Args:
        agent: one whose ``learns_from_past`` is true.
        simulator: the simulator of the new run.
        objective: its objective.
        folder: where past runs are.
        skip: the new run's own folder.

    Returns:
        How many designs were told.

    Raises:
        ContractError: the agent cannot use trials that it did not propose.
        LogError: no run of this task is there.
    """
    if not agent.learns_from_past:
        raise ContractError(f"agent {agent.name} cannot use past trials; leave out --warm-start, or take another agent")
    designs, metrics = _past_trials(simulator, folder, skip)
    agent.tell(designs, objective.score(metrics), metrics)
    return len(designs)


def _past_trials(simulator: Simulator, folder: str | os.PathLike[str], skip: Path | None) -> tuple[Designs, Metrics]:
    from archgym.dataset import Dataset

    found: list[tuple[Designs, Metrics]] = []
    for run in Dataset.open(folder).runs:
        same = (
            run.manifest["simulator"]["name"] == simulator.name
            and run.manifest["simulator"]["version"] == simulator.version
            and run.manifest["workload"]["digest"] == simulator.workload_digest
            and run.manifest["space"]["digest"] == simulator.space.digest
        )
        if not same or (skip is not None and Path(run.location).resolve() == skip.resolve()):
            continue
        table = run.to_arrow()
        table = table.filter([fidelity == "full" for fidelity in table["fidelity"].to_pylist()])
        levels = [table[f"{name}_level"].to_numpy() for name in simulator.space.names]
        columns = {name: table[name].to_numpy().copy() for name in simulator.metric_names}
        status = np.array([Status[name] for name in table["status"].to_pylist()], np.uint8)
        metrics = Metrics(columns, status, table["violation"].to_numpy().copy())
        found.append((np.stack(levels, axis=1).astype(np.int32), metrics))
    if not found:
        raise LogError(
            f"{folder} holds no trial of {simulator.name} with workload {simulator.workload} in this space and version"
        )
    designs = np.concatenate([designs for designs, _ in found])
    metrics = Metrics.concatenate([metrics for _, metrics in found])
    _, first = np.unique(designs, axis=0, return_index=True)
    keep = np.sort(first)
    return designs[keep], metrics.take(keep)
