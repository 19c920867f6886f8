"""Evaluations as tasks of a Ray cluster, each with the processors, memory and other resources that the spec says.

A task runs where Ray finds room, in a lane of the worker process that it runs in; the lane stays for the next task.  The spec
travels once, with all the files that it needs.  A task whose worker or node dies is run again elsewhere.
"""

from __future__ import annotations

import platform
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Any

from archgym.cluster import connect, import_ray
from archgym.errors import ArgumentError, ContractError
from archgym.metrics import Status
from simulators.command.evaluation import Evaluation, evaluate_design
from simulators.command.lanes import Lanes, Stopped
from simulators.command.spec import Spec

LOSSES = 3
"""How often an evaluation is run again because its worker or node died."""


class RayLanes:
    """Evaluates designs on a Ray cluster; connects when it is first needed, and again after ``close``.

    Args:
        spec: the simulator.
        address: "local" starts a cluster on this machine, whose end is that of ``close``; else as for ``ray.init``.
        jobs: evaluations at once; as many as the cluster has room for by default.

    Raises:
        MissingExtraError: Ray is not installed.
    """

    def __init__(self, spec: Spec, address: str, jobs: int | None = None) -> None:
        self._spec, self._address, self._jobs = spec, address, jobs
        self._ray = import_ray("command with ray=")
        self._lock = threading.Lock()
        self._begun = False
        self._task: Any = None
        self._sent: Any = None
        self._flying: set[Any] = set()

    @property
    def count(self) -> int:
        """Evaluations at once.

        Raises:
            ArchGymError: no cluster answers.
            ArgumentError: no node of it has what one evaluation needs.
        """
        self._connected()
        if self._jobs is not None:
            return self._jobs
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        found = sum(_room(node, self._needs) for node in nodes)
        if not found:
            wanted = ", ".join(f"{name} {amount:g}" for name, amount in self._needs.items())
            there = "; ".join(_shown(node) for node in nodes) or "no node"
            raise ArgumentError(
                f"command {self._spec.name}: an evaluation needs {wanted}, and no node of the Ray cluster at {self._address} "
                f"has that: {there}. Ask for less in [run], or say how many at once (jobs) if the cluster grows on demand"
            )
        return found

    def evaluate(self, values: Mapping[str, Any]) -> Evaluation:
        """Evaluates one design somewhere in the cluster; blocks; may be called by any number of threads.

        Args:
            values: of all parameters and of the workload's constants.

        Raises:
            Stopped: closed meanwhile.
            ContractError: the cluster is gone, or its nodes cannot run evaluations at all.
        """
        exceptions = self._ray.exceptions
        task = self._give(values)
        try:
            evaluation: Evaluation = self._ray.get(task)
            return evaluation
        except exceptions.TaskCancelledError:
            raise Stopped("the connection to the Ray cluster was closed") from None
        except exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            if isinstance(cause, OSError) and not isinstance(cause, ImportError):
                return _failed(f"on a node of the Ray cluster: {cause}")
            raise ContractError(
                f"command {self._spec.name}: evaluations cannot run on the nodes of {self._address}: "
                f"{type(cause).__name__}: {cause}. The same archgym has to be installed there"
            ) from error
        except (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError) as error:
            self._check_open(task)
            return _failed(f"the Ray worker or its node died, {LOSSES + 1} times ({type(error).__name__})")
        except (exceptions.RayError, ConnectionError) as error:
            self._check_open(task)
            raise ContractError(
                f"command {self._spec.name}: the Ray cluster at {self._address} is gone: {error}. "
                f"What was logged is there; archgym resume goes on"
            ) from error
        finally:
            with self._lock:
                self._flying.discard(task)

    def close(self) -> None:
        """Ends all tasks, and the cluster if it was started here; evaluations under way raise ``Stopped``."""
        with self._lock:
            tasks, self._flying = self._flying, set()
            self._task = self._sent = None
            begun, self._begun = self._begun, False
        for task in tasks:
            try:
                self._ray.cancel(task, force=True)
            except (self._ray.exceptions.RayError, ValueError):
                continue  # it is over, or gone with its node
        if begun:
            self._ray.shutdown()

    @property
    def _needs(self) -> dict[str, float]:
        run = self._spec.run
        memory = {"memory": float(run.memory_limit << 20)} if run.memory_limit else {}
        return {"CPU": run.cpus, **memory, **dict(run.resources)}

    def _connected(self) -> None:
        with self._lock:
            self._connect()

    def _connect(self) -> None:
        if self._task is not None:
            return
        run, jobs = self._spec.run, self._jobs or 1
        cores = ceil(run.cpus * self._jobs) if self._jobs else None
        self._begun = connect(self._ray, self._address, cores, {name: amount * jobs for name, amount in run.resources})
        needs = self._needs
        options = {"num_cpus": needs.pop("CPU"), "max_retries": LOSSES}
        if "memory" in needs:
            options["memory"] = int(needs.pop("memory"))
        self._task = self._ray.remote(**options, resources=needs)(_evaluate)
        self._sent = self._ray.put(self._spec)

    def _give(self, values: Mapping[str, Any]) -> Any:
        with self._lock:
            self._connect()
            # What this process can import its tasks can too, as far as their machine has it.
            task = self._task.remote(tuple(path for path in sys.path if path), self._sent, dict(values))
            self._flying.add(task)
            return task

    def _check_open(self, task: Any) -> None:
        with self._lock:
            if task not in self._flying:
                raise Stopped("the connection to the Ray cluster was closed")


def _evaluate(path: Sequence[str], spec: Spec, values: Mapping[str, Any]) -> Evaluation:
    """What a task does, in a Ray worker."""
    sys.path.extend(folder for folder in path if folder not in sys.path)
    with _lanes().lane() as lane:
        evaluation = evaluate_design(spec, values, lane)
    if evaluation.status != Status.OK and spec.run.keep != "never":
        return replace(evaluation, reason=f"{evaluation.reason} (on node {platform.node()})")
    return evaluation


@lru_cache(maxsize=1)
def _lanes() -> Lanes:
    return Lanes()


def _room(node: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """How many evaluations a node has room for."""
    wanted = {name: amount for name, amount in needs.items() if amount} or {"CPU": 1.0}
    return min(int(node.get(name, 0.0) / amount + 1e-9) for name, amount in wanted.items())


def _shown(node: Mapping[str, float]) -> str:
    names = [name for name in node if not name.startswith(("node:", "object_store_memory"))]
    return ", ".join(f"{name} {node[name]:g}" for name in names) or "nothing"


def _failed(reason: str) -> Evaluation:
    return Evaluation(Status.FAILED, {}, 0.0, reason)
