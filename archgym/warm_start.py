"""Past trials as a head start: told to an agent before it proposes its first design."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archgym.agent import Agent
from archgym.errors import ContractError, LogError, ReplayError
from archgym.metrics import Metrics, Status
from archgym.simulator import Simulator
from archgym.space import Designs


@dataclass(frozen=True)
class PastTrials:
    """Distinct full-fidelity trials of one task, from any number of runs.

    Attributes:
        folder: where the runs are.
        designs: (N, D) int32.
        metrics: N rows.
    """

    folder: str
    designs: Designs
    metrics: Metrics

    def record(self) -> dict[str, Any]:
        """What the manifest says of them; the digest shows whether a resumed run is told the same."""
        content = self.designs.tobytes() + b"".join(values.tobytes() for values in self.metrics.columns.values())
        return {"folder": self.folder, "designs": len(self.designs), "digest": hashlib.sha256(content).hexdigest()}


def past_trials(agent: type[Agent], simulator: Simulator, folder: str | os.PathLike[str]) -> PastTrials:
    """Collects what an agent can be told about a task.

    Runs of the same simulator, version, workload and space below ``folder`` count, whatever their objective or agent was,
    once they are finished.

    Raises:
        ContractError: the agent cannot use trials that it did not propose.
        LogError: no finished run of this task is there.
    """
    from archgym.dataset import Dataset

    if not agent.learns_from_past:
        raise ContractError(f"agent {agent.name} cannot use past trials; leave out the warm start, or take another agent")
    found = [_trials(run.to_arrow(), simulator) for run in Dataset.open(folder).runs if _same_task(run.manifest, simulator)]
    if not found:
        raise LogError(
            f"{folder} holds no finished run of {simulator.name} with workload {simulator.workload} in this space and version"
        )
    designs = np.concatenate([designs for designs, _ in found])
    metrics = Metrics.concatenate([metrics for _, metrics in found])
    _, first = np.unique(designs, axis=0, return_index=True)
    kept = np.sort(first)
    return PastTrials(os.path.abspath(folder), designs[kept], metrics.take(kept))


def recorded_past_trials(agent: type[Agent], simulator: Simulator, record: Mapping[str, Any] | None) -> PastTrials | None:
    """The past trials that an interrupted run was told, or None if it was told none.

    Raises:
        ReplayError: the folder holds other trials now.
    """
    if record is None:
        return None
    past = past_trials(agent, simulator, record["folder"])
    if past.record() != dict(record):
        raise ReplayError(
            f"cannot resume: the run began with {record['designs']:,} past designs from {record['folder']}, which now holds "
            f"{len(past.designs):,}, not the same. Put the folder back as it was, or start the run anew."
        )
    return past


def _same_task(manifest: Mapping[str, Any], simulator: Simulator) -> bool:
    return bool(
        manifest["state"] == "finished"
        and manifest["simulator"]["name"] == simulator.name
        and manifest["simulator"]["version"] == simulator.version
        and manifest["workload"]["digest"] == simulator.workload_digest
        and manifest["space"]["digest"] == simulator.space.digest
    )


def _trials(table: Any, simulator: Simulator) -> tuple[Designs, Metrics]:
    table = table.take(np.flatnonzero(np.array(table["fidelity"].to_pylist()) == "full"))
    levels = [table[f"{name}_level"].to_numpy() for name in simulator.space.names]
    columns = {name: table[name].to_numpy().copy() for name in simulator.metric_names}
    status = np.array([Status[name] for name in table["status"].to_pylist()], np.uint8)
    return np.stack(levels, axis=1).astype(np.int32), Metrics(columns, status, table["violation"].to_numpy().copy())
