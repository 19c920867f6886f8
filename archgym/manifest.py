"""What a run was: enough to read its log without the code, and to run it again."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from archgym.errors import ContractError
from archgym.objective import Objective
from archgym.simulator import Simulator

FORMAT = 1
PACKAGES = (
    "archgym",
    "numpy",
    "numba",
    "gymnasium",
    "pyarrow",
    "torch",
    "stable-baselines3",
    "optuna",
    "scikit-optimize",
    "ray",
)


LOG_COLUMNS = (
    *("run", "simulator", "workload", "objective", "agent", "seed"),  # what identifies a run in a dataset
    *("trial", "status", "reason", "violation", "score", "batch", "fidelity", "cost", "agent_seconds", "simulator_seconds"),
)
"""Column names that every log has; no parameter or metric may be called so."""


def describe_task(simulator: Simulator, objective: Objective, budget: float | None) -> dict[str, Any]:
    """Simulator, workload, space, objective and budget of a run, as JSON-able values; errors as ``describe_simulator``."""
    # 2000 and 2000.0 are one budget, hence one digest and one seed.
    whole = int(budget) if budget is not None and float(budget).is_integer() else budget
    return {**describe_simulator(simulator), "objective": objective.text, "budget": whole}


def describe_simulator(simulator: Simulator) -> dict[str, Any]:
    """Name, version, arguments, workload, space and metrics of a simulator, as JSON-able values.

    Raises:
        ContractError: arguments that are not JSON-able, or a column name that would stand twice in the log.
    """
    names = [*simulator.space.names, *(f"{name}_level" for name in simulator.space.names), *simulator.metric_names]
    twice = sorted({name for name in names if names.count(name) > 1 or name in LOG_COLUMNS})
    if twice:
        raise ContractError(f"{simulator.name}: these names of parameters or metrics are taken by other log columns: {twice}")
    try:
        arguments = json.loads(json.dumps(dict(simulator.arguments)))
    except TypeError as error:
        raise ContractError(f"{simulator.name}: Simulator.arguments must be JSON-able: {error}") from error
    return {
        "simulator": {"name": simulator.name, "version": simulator.version, "arguments": arguments},
        "workload": {"name": simulator.workload, "digest": simulator.workload_digest},
        "space": simulator.space.record(),
        "metrics": [metric.record() for metric in simulator.metrics],
        "fidelities": dict(simulator.fidelities),
    }


def describe_run(
    task: Mapping[str, Any],
    agent: str,
    hyperparameters: Mapping[str, Any],
    seed: int | None,
    warm_start: Mapping[str, Any] | None = None,
    in_flight: int = 1,
) -> dict[str, Any]:
    """A manifest: the task, who searched it, with what seed and head start, and on what machine and libraries.

    The seed is None where the designs come from outside (``archgym.env``).  ``in_flight``, the number of designs that an
    asynchronous agent has in flight, stands in it where it is above one: resuming such a run takes the same number.
    """
    return {
        "format": FORMAT,
        **task,
        "agent": agent,
        "hyperparameters": dict(hyperparameters),
        "seed": seed,
        "warm_start": dict(warm_start) if warm_start is not None else None,
        **({"in_flight": in_flight} if in_flight > 1 else {}),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": installed_packages(),
        "host": {"system": platform.system(), "machine": platform.machine(), "python": platform.python_version()},
        "command": [part for part in sys.argv if len(part) < 1000][:50],
    }


def task_digest(task: Mapping[str, Any]) -> str:
    """SHA-256 over what decides a task's scores: simulator, version, workload, space, objective and budget."""
    content = {
        "simulator": task["simulator"],
        "workload": task["workload"],
        "space": task["space"]["digest"],
        "objective": task["objective"],
        "budget": task["budget"],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def run_entropy(task: Mapping[str, Any], agent: str, hyperparameters: Mapping[str, Any], seed: int, study: str = "") -> int:
    """The seed that an agent really gets: a hash of study, task, agent, hyper-parameters and replicate.

    Two agents with the same replicate number therefore do not start from the same designs.
    """
    content = [study, task_digest(task), agent, dict(sorted(hyperparameters.items())), seed]
    return int.from_bytes(hashlib.sha256(json.dumps(content).encode()).digest()[:16], "big")


def installed_packages() -> dict[str, str]:
    """Versions of the libraries that results may depend on, as far as they are installed."""
    return dict(_packages())


@cache
def _packages() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
