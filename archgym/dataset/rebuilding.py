"""Simulators from manifests."""

from __future__ import annotations

import json
from functools import lru_cache

from archgym.dataset.runs import Run
from archgym.errors import MixedDataError
from archgym.registry import make_simulator
from archgym.simulator import Simulator


def rebuild(run: Run) -> Simulator:
    """The simulator that a run was made with.

    Raises:
        UnknownNameError: it is not installed.
        MixedDataError: what is installed is another version, or has another space or workload.
    """
    if run.simulator is not None:
        return run.simulator
    recorded = run.manifest["simulator"]
    simulator = _made(recorded["name"], json.dumps(recorded["arguments"]))
    pairs = (
        ("version", recorded["version"], simulator.version),
        ("space digest", run.manifest["space"]["digest"], simulator.space.digest),
        ("workload digest", run.manifest["workload"]["digest"], simulator.workload_digest),
    )
    for what, then, now in pairs:
        if then != now:
            raise MixedDataError(
                f"run {run.name} cannot be used with the simulator {recorded['name']} that is installed: its {what} is "
                f"{now}, the run was made with {then}. Install that version of the simulator, or leave such runs out."
            )
    return simulator


@lru_cache(maxsize=64)
def _made(name: str, arguments: str) -> Simulator:
    return make_simulator(name, **json.loads(arguments))
