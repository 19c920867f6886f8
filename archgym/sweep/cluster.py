"""Packs as tasks of a Ray cluster: on this machine, or on as many as there are.

Ray works at the level of packs, never of trials.  Within each task the runs are executed by a supervised process
(``archgym.sweep.workers``), which stays for the next task, so that limits and blame are the same as without Ray.  Ray does not
retry tasks: what is lost with a worker or a node goes back into the sweep's own queue.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import lru_cache
from time import monotonic
from typing import Any

from archgym.cluster import connect, import_ray
from archgym.errors import ArchGymError
from archgym.sweep.packs import Pack, Report
from archgym.sweep.workers import Crew

COUNT_SECONDS = 5.0
"""How often the cluster's size is looked up; nodes come and go."""


class Cluster:
    """The workers of a Ray cluster.

    Args:
        address: "local" starts a cluster on this machine and ends it again; anything else is what ``ray.init`` connects to.
        location: of the store, which every node can reach.
        memory_limit: GB per process, or None.
        workers: packs at the same time; by default one per core of the cluster.

    Raises:
        MissingExtraError: Ray is not installed.
        ArchGymError: no cluster answers there.
    """

    def __init__(self, address: str, location: str, memory_limit: float | None, workers: int | None = None) -> None:
        self._ray = import_ray("archgym sweep --ray")
        self._begun = connect(self._ray, address, workers)
        self._workers = workers
        self._counted = -COUNT_SECONDS
        self._cores = 1
        # What this process can import its tasks can too, as far as their machine has it.
        self._place = (location, memory_limit, tuple(path for path in sys.path if path))
        self._task = self._ray.remote(num_cpus=1, max_retries=0)(work)
        self._packs: dict[Any, Pack] = {}

    @property
    def size(self) -> int:
        """Packs that are executed at the same time."""
        if self._workers is not None:
            return self._workers
        if monotonic() - self._counted > COUNT_SECONDS:
            self._counted = monotonic()
            self._cores = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        return self._cores

    @property
    def free(self) -> int:
        """Packs that can be given now."""
        return self.size - len(self._packs)

    def give(self, pack: Pack) -> None:
        """Starts a pack somewhere in the cluster."""
        self._packs[self._task.remote(*self._place, pack)] = pack

    def collect(self, timeout: float) -> list[Report]:
        """What has become of packs since the last call; waits for the first news at most ``timeout`` seconds.

        Raises:
            ArchGymError: the cluster is gone.
        """
        if not self._packs:
            return []
        try:
            done, _ = self._ray.wait(list(self._packs), num_returns=1, timeout=timeout)
        except (self._ray.exceptions.RayError, ConnectionError) as error:
            raise ArchGymError(f"the Ray cluster is gone: {error}. The same command goes on where the sweep was") from error
        return [self._report(task, self._packs.pop(task)) for task in done]

    def close(self) -> None:
        """Ends all tasks, and the cluster if it was started here."""
        for task in self._packs:
            try:
                self._ray.cancel(task, force=True)
            except (self._ray.exceptions.RayError, ValueError):
                continue  # it is over, or gone with its node
        self._packs = {}
        if self._begun:
            self._ray.shutdown()

    def _report(self, task: Any, pack: Pack) -> Report:
        exceptions = self._ray.exceptions
        try:
            report: Report = self._ray.get(task)
            return report
        except exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, Exception) else error
            return Report(pack, error=str(cause) or type(cause).__name__)
        except exceptions.RayError as error:
            return Report(pack, lost=f"the Ray worker or its node died ({type(error).__name__})")


def work(location: str, memory_limit: float | None, path: Sequence[str], pack: Pack) -> Report:
    """Executes a pack; runs in a Ray worker."""
    sys.path.extend(folder for folder in path if folder not in sys.path)
    crew = _crew(location, memory_limit)
    crew.give(pack)
    while True:
        for report in crew.collect(60.0):
            return report


@lru_cache(maxsize=1)
def _crew(location: str, memory_limit: float | None) -> Crew:
    return Crew(1, location, memory_limit)
