"""Designs on their way through a simulator that evaluates several at once: threads, each with one design at a time.

A thread waits for whatever the simulator runs, a program of its own or a task of a cluster.  The cache around a simulator is
asked and taught in the caller's thread only, and equal designs that are in flight together are evaluated once.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Metrics
from archgym.simulator import Simulator
from archgym.wrappers import Cached

GRACE_SECONDS = 2.0
"""How long ``close`` waits for threads; one that is in the middle of an evaluation that cannot be ended is left behind."""


@dataclass(eq=False)
class Flight:
    """One design on its way.

    Attributes:
        design: (D,) int32.
        fidelity: at which it is evaluated.
        cost: budget units that it costs.
        launched: whether it has been given to the simulator; a replayed one never is.
        metrics: one row, once it has landed.
        seconds: that its evaluation took in its thread; zero for one that was known already.
        landed: a number that grows from one landing to the next.
    """

    design: NDArray[np.int32]
    fidelity: str
    cost: float
    launched: bool = False
    metrics: Metrics | None = None
    seconds: float = 0.0
    landed: int = -1


_Key = tuple[int, str]  # equal for designs that need to be evaluated only once: a number and the fidelity


class _Job(NamedTuple):
    key: _Key
    design: NDArray[np.int32]  # (1, D)


class _Outcome(NamedTuple):
    key: _Key
    metrics: Metrics | BaseException
    seconds: float


_Jobs = SimpleQueue[_Job | None]
_Outcomes = SimpleQueue[_Outcome]


class Flights:
    """Evaluates designs in ``simulator.lanes`` threads; with one lane in the caller's thread, while it waits."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._cache = simulator if isinstance(simulator, Cached) and simulator.deterministic else None
        self._inner = self._cache.inner if self._cache else simulator
        self._flying: dict[_Key, list[Flight]] = {}
        self._jobs: _Jobs = SimpleQueue()
        self._outcomes: _Outcomes = SimpleQueue()
        self._threads: list[Thread] = []
        self._landings = count()
        self._numbers = count()
        weakref.finalize(self, _dismiss, self._jobs, self._threads)

    def launch(self, flights: Sequence[Flight]) -> None:
        """Sends designs off; those that the cache knows land at once."""
        if not flights:
            return
        for key, flight in zip(self._keys(flights), flights, strict=True):
            flight.launched = True
            known = self._cache.recall(key, flight.fidelity) if self._cache else None
            if known is not None:
                self._land(flight, known, 0.0)
                continue
            alike = self._flying.setdefault((key, flight.fidelity), [])
            alike.append(flight)
            if len(alike) == 1:
                self._jobs.put(_Job((key, flight.fidelity), flight.design[None]))
        self._man()

    def wait(self) -> None:
        """Waits until at least one more design has landed.

        Raises:
            Exception: whatever an evaluation raised: a contract that is broken, never a bad design.
        """
        if self.simulator.lanes == 1:
            if (job := self._jobs.get_nowait()) is not None:
                self._receive(_evaluate(self._inner, job))
            return
        self._receive(self._outcomes.get())
        while True:
            try:
                self._receive(self._outcomes.get_nowait())
            except Empty:
                return

    def close(self) -> None:
        """Ends what is on its way, as far as the simulator can (``Simulator.close``), and the threads.

        Nothing that was in flight lands any more.
        """
        self._flying = {}
        while True:
            try:
                self._jobs.get_nowait()
            except Empty:
                break
        _dismiss(self._jobs, self._threads)
        self.simulator.close()
        until = monotonic() + GRACE_SECONDS
        for thread in self._threads:
            if thread.ident is not None:  # else Ctrl-C came while it was being started
                thread.join(max(until - monotonic(), 0.0))

    def _keys(self, flights: Sequence[Flight]) -> list[int]:
        if not self.simulator.deterministic:
            return [next(self._numbers) for _ in flights]
        designs = self.simulator.canonical(np.array([flight.design for flight in flights]))
        ranks: list[int] = self.simulator.space.rank(designs).tolist()
        return ranks

    def _man(self) -> None:
        wanted = min(self.simulator.lanes, len(self._flying)) if self.simulator.lanes > 1 else 0
        while len(self._threads) < wanted:
            # A daemon: at the end of the process nobody waits for an evaluation that takes an hour.
            arguments = (self._inner, self._jobs, self._outcomes)
            self._threads.append(Thread(target=_work, args=arguments, name="archgym-lane", daemon=True))
            self._threads[-1].start()

    def _receive(self, outcome: _Outcome) -> None:
        if isinstance(outcome.metrics, BaseException):
            raise outcome.metrics
        alike = self._flying.pop(outcome.key)
        if self._cache:
            self._cache.learn(outcome.key[0], outcome.metrics, outcome.key[1])
            self._cache.hits += len(alike) - 1
        for number, flight in enumerate(alike):
            self._land(flight, outcome.metrics.take([0]), 0.0 if number else outcome.seconds)

    def _land(self, flight: Flight, metrics: Metrics, seconds: float) -> None:
        flight.metrics, flight.seconds, flight.landed = metrics, seconds, next(self._landings)


def _work(simulator: Simulator, jobs: _Jobs, outcomes: _Outcomes) -> None:
    """What a thread does; it knows nothing of the ``Flights`` it works for, so that those can be forgotten."""
    while (job := jobs.get()) is not None:
        outcomes.put(_evaluate(simulator, job))


def _evaluate(simulator: Simulator, job: _Job) -> _Outcome:
    start = perf_counter()
    metrics: Metrics | BaseException
    try:
        metrics = simulator.evaluate(job.design, job.key[1])
    except BaseException as error:  # raised anew where the outcome is received
        metrics = error
    return _Outcome(job.key, metrics, perf_counter() - start)


def _dismiss(jobs: _Jobs, threads: Sequence[Thread]) -> None:
    for _ in threads:
        jobs.put(None)
