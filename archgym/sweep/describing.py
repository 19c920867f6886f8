"""What a planned run needs to know of its simulator and objective, without keeping them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archgym.manifest import describe_task
from archgym.objective import make_objective
from archgym.registry import make_simulator


def describe_problem(simulator: str, arguments: Mapping[str, Any], workload: str, objective: str) -> dict[str, Any]:
    """``archgym.manifest.describe_task`` without a budget.

    Args:
        simulator: its name.
        arguments: without the workload.
        workload: its name; empty for a simulator that has none.
        objective: a line; empty for the simulator's first metric.

    Raises:
        ArchGymError: something of that does not exist.
    """
    given = {**arguments, "workload": workload} if workload else dict(arguments)
    # Building a simulator may generate a trace: once per objective is enough.
    text = _describe(simulator, json.dumps(given, sort_keys=True), objective)
    described: dict[str, Any] = json.loads(text)
    return described


@lru_cache(maxsize=1024)
def _describe(simulator: str, arguments: str, objective: str) -> str:
    built = make_simulator(simulator, **json.loads(arguments))
    return json.dumps(describe_task(built, make_objective(objective or built.metric_names[0], built), None))
