"""The one door: every design, whoever proposes it, is priced, scored, counted and logged here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import BudgetError, ContractError, UnknownNameError
from archgym.flights import Flight, Flights
from archgym.metrics import Metrics, Status
from archgym.objective import Objective, Scores
from archgym.pareto import non_dominated
from archgym.replay import Replay
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.standing import Standing, find_standing
from archgym.trials import Chunk, Log
from archgym.wrappers import Cached

CHUNK_SECONDS = 0.5
"""A batch that takes longer is evaluated and logged in pieces, so that a slow simulator's finished trials are on disk."""


class BudgetExhausted(Exception):
    """The budget ended within a batch.  Not an error: it tells a training loop to stop.

    Attributes:
        metrics, scores: of the leading rows that the budget still covered; they are logged.
    """

    def __init__(self, metrics: Metrics, scores: Scores) -> None:
        super().__init__(f"the budget is spent; {len(scores)} designs of the last batch were evaluated")
        self.metrics, self.scores = metrics, scores


def check_budget(budget: float) -> None:
    """Raises ``BudgetError`` unless the budget is a positive, finite number."""
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget < math.inf:
        raise BudgetError(f"the budget must be a positive number of designs, got {budget!r}")


class Evaluator:
    """Simulator + objective + budget + log.

    A log that already holds trials is replayed: as long as it lasts the evaluator answers from it, provided that the same
    designs are asked for; after that it simulates.  So a run resumes by being driven again from the start.

    Where the simulator has several lanes, the designs of a batch are evaluated at the same time.  The results of ``evaluate``
    and the order of the log do not depend on it.  ``submit`` and ``collect`` are for agents that can be told results in
    the order in which designs finish: a slow one holds up nobody, and the log holds that order.

    Args:
        simulator, objective: what prices a design and what it is worth.
        budget: cost units; none: no end.
        log: what is written to, and replayed as far as it goes.
        progress: called after every batch; where there are several lanes, whenever designs have finished.
        window: how many designs an asynchronous agent should have in flight; by default the simulator's lanes, or one where
            it wants results told in order.

    Attributes:
        trials: designs evaluated so far, replayed ones included.
        spent: budget units spent.
        counts: trials per status.
        agent_seconds: time between evaluations; simulator_seconds: time within the simulator, with several lanes the sum of
            theirs (replayed trials cost none).
        best_design: (D,) levels of the incumbent: the first OK design with the highest score at full fidelity; or None.
        best_score, best_metrics: of the incumbent.
    """

    def __init__(
        self,
        simulator: Simulator,
        objective: Objective,
        *,
        budget: float | None = None,
        log: Log | None = None,
        progress: Callable[[Evaluator], None] | None = None,
        window: int | None = None,
    ) -> None:
        if budget is not None:
            check_budget(budget)
        self.simulator, self.objective, self.log = simulator, objective, log
        self.budget = math.inf if budget is None else float(budget)
        self.window = window or default_window(simulator)
        self.spent = 0.0
        self.trials = 0
        self.counts = dict.fromkeys(Status, 0)
        self.agent_seconds = self.simulator_seconds = 0.0
        self.best_design: NDArray[np.int32] | None = None
        self.best_score = -math.inf
        self.best_metrics: dict[str, float] = {}
        self._progress = progress
        self._batches = 0
        self._seconds_per_design = 0.0
        self._ranks: list[NDArray[np.int64]] = []
        self._scores: list[Scores] = []
        self._front: tuple[Designs, NDArray[np.float64]] | None = None
        self._replay = Replay(log)
        self._flights: Flights | None = None
        self._pending: list[Flight] = []  # submitted and not collected, in the order of proposal
        self._since = perf_counter()

    @property
    def remaining(self) -> float:
        """Budget units left, without those of designs in flight; infinite without a budget."""
        left = self.budget - self.spent
        if self._pending:
            left -= sum(flight.cost for flight in self._pending)
        return max(left, 0.0)

    @property
    def in_flight(self) -> int:
        """How many designs were submitted and not yet collected."""
        return len(self._pending)

    @property
    def distinct(self) -> int:
        """How many different designs were proposed."""
        return len(np.unique(np.concatenate(self._ranks))) if self._ranks else 0

    @property
    def replayed(self) -> bool:
        """Whether everything that the log held has been asked for again."""
        return self.trials >= self._replay.trials

    @property
    def scores(self) -> Scores:
        """Score of every trial in order, (trials,); NaN where the fidelity was not full."""
        return np.concatenate(self._scores) if self._scores else np.zeros(0)

    @property
    def front(self) -> tuple[Designs, NDArray[np.float64]] | None:
        """Non-dominated designs (F, D) and their costs (F, K), least first cost first; None under one metric."""
        return self._front

    @property
    def standing(self) -> Standing:
        """Regret and quantile of the incumbent, as far as the optimum of the space is known."""
        simulator = self.simulator.inner if isinstance(self.simulator, Cached) else self.simulator
        return find_standing(simulator, self.objective, self.best_score)

    def summary(self) -> dict[str, Any]:
        """The outcome so far, as JSON-able values: what a manifest says when its run ends."""
        design = self.best_design
        return {
            "best": {
                "design": {} if design is None else self.simulator.space.describe(design),
                "score": None if design is None else self.best_score,
                "metrics": self.best_metrics,
            },
            "counts": {status.name: count for status, count in self.counts.items()},
            "distinct": self.distinct,
            **self.standing._asdict(),
        }

    def affordable(self, n: int, fidelity: str = "full") -> int:
        """How many of ``n`` designs the rest of the budget covers."""
        if math.isinf(self.budget):
            return n
        return max(min(n, math.floor(self.remaining / self._cost(fidelity) + 1e-9)), 0)

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> tuple[Metrics, Scores]:
        """Prices, scores and logs a batch; with several lanes, each design as soon as it and those before it have finished.

        Args:
            designs: (N, D) integer level indices.
            fidelity: a fidelity of the simulator; decides what each design costs.

        Returns:
            Metrics of N rows and (N,) scores.

        Raises:
            BudgetExhausted: the budget covered only the leading rows; the exception carries their results.
            DesignError: the array is wrong.
            ReplayError: the log of the run that is being resumed holds other designs.
        """
        waited = perf_counter() - self._since
        self.agent_seconds += waited
        array = self.simulator.space.check(designs, who=self.simulator.name)
        cost = self._cost(fidelity)
        affordable = array[: self.affordable(len(array), fidelity)]
        parts = [Metrics.empty(self.simulator.metric_names)]
        scores = [np.zeros(0)]
        flights: list[Flight] = []
        done = 0
        try:
            while done < len(affordable):
                chunk = None if self.replayed else self._replay.leading(affordable[done:], fidelity)
                if chunk is None and self.simulator.lanes > 1:
                    flights = flights or self._launch([Flight(row, fidelity, cost) for row in affordable[done:].copy()])
                    chunk = self._first_landed(flights, waited if done == 0 else 0.0)
                    del flights[: len(chunk)]
                elif chunk is None:
                    chunk = self._simulate(
                        affordable[done : done + self._chunk_size()], fidelity, cost, waited if done == 0 else 0.0
                    )
                self._count(chunk)
                parts.append(chunk.metrics)
                scores.append(chunk.scores)
                done += len(chunk)
                if flights and self._progress:
                    self._progress(self)
        except BaseException:  # Ctrl-C above all: it does not wait for designs that take hours
            self._ground()
            raise
        self._batches += 1
        result = Metrics.concatenate(parts[1:] or parts), np.concatenate(scores)
        if self._progress:
            self._progress(self)
        self._since = perf_counter()
        if len(affordable) < len(array):
            raise BudgetExhausted(*result)
        return result

    def submit(self, designs: ArrayLike, fidelity: str = "full") -> None:
        """Sends designs off to be evaluated; ``collect`` gives them back as they finish.

        Args:
            designs: (N, D) integer level indices; any number, as many of them at once as the simulator has lanes.
            fidelity: a fidelity of the simulator.

        Raises:
            BudgetExhausted: the budget covered only the leading designs.  They, and all others that were in flight, have
                finished and are logged; the exception carries their results.
            DesignError: the array is wrong.
        """
        array = self.simulator.space.check(designs, who=self.simulator.name)
        cost = self._cost(fidelity)
        affordable = array[: self.affordable(len(array), fidelity)].copy()
        self._pending += [Flight(row, fidelity, cost) for row in affordable]
        self._launch_pending()
        if len(affordable) == len(array):
            return
        parts, scores = [Metrics.empty(self.simulator.metric_names)], [np.zeros(0)]
        while self._pending:
            _, metrics, found = self.collect()
            parts.append(metrics)
            scores.append(found)
        raise BudgetExhausted(Metrics.concatenate(parts), np.concatenate(scores))

    def collect(self) -> tuple[Designs, Metrics, Scores]:
        """Waits until submitted designs have finished, logs them and gives them back.

        Returns:
            (n, D) designs, n rows of metrics and (n,) scores, all of one fidelity, in the order in which they finished: those
            that have by now, at least one.

        Raises:
            ContractError: nothing is in flight.
            ReplayError: the log of the run that is being resumed goes on with a design that is not in flight.
        """
        if not self._pending:
            raise ContractError("Evaluator.collect: no design is in flight; submit some first")
        waited = perf_counter() - self._since
        self.agent_seconds += waited
        try:
            chunk = self._any_landed(waited) if self.replayed else self._replay.any_of(self._pending)
            self._count(chunk)
            self._batches += 1
            self._launch_pending()  # if the log has just ended
            if self._progress:
                self._progress(self)
        except BaseException:
            self._ground()
            raise
        self._since = perf_counter()
        return chunk.designs, chunk.metrics, chunk.scores

    def close(self) -> None:
        """Ends what is in flight, which is then neither logged nor paid for, and lets go of the simulator's processes."""
        self._pending = []
        flights, self._flights = self._flights, None
        if flights is None:
            self.simulator.close()
        else:
            flights.close()

    def _launch(self, flights: list[Flight]) -> list[Flight]:
        if self._flights is None or self._flights.simulator is not self.simulator:
            self._flights = Flights(self.simulator)
        self._flights.launch(flights)
        return flights

    def _launch_pending(self) -> None:
        """Sends off what was submitted; while a log is being replayed it will give the answers, as far as it goes."""
        if self.replayed:
            self._launch([flight for flight in self._pending if not flight.launched])

    def _ground(self) -> None:
        """Ends what is in flight after something went wrong."""
        if self._flights is not None:
            self.close()

    def _wait(self) -> None:
        if self._flights is None:
            raise ContractError("the evaluator was closed while its caller waited for designs")
        self._flights.wait()

    def _first_landed(self, flights: list[Flight], waited: float) -> Chunk:
        """Logs the leading designs of a batch that have landed, at least one."""
        while flights[0].metrics is None:
            self._wait()
        landed = list(itertools.takewhile(lambda flight: flight.metrics is not None, flights))
        return self._log_flights(landed, waited)

    def _any_landed(self, waited: float) -> Chunk:
        """Logs the submitted designs that have landed, at least one, the first ones that share a fidelity."""
        while not (landed := [flight for flight in self._pending if flight.metrics is not None]):
            self._wait()
        landed.sort(key=lambda flight: flight.landed)
        landed = list(itertools.takewhile(lambda flight: flight.fidelity == landed[0].fidelity, landed))
        self._pending = [flight for flight in self._pending if flight not in landed]
        return self._log_flights(landed, waited)

    def _log_flights(self, flights: list[Flight], waited: float) -> Chunk:
        metrics = Metrics.concatenate([flight.metrics for flight in flights if flight.metrics is not None])
        designs = np.array([flight.design for flight in flights])
        elapsed = sum(flight.seconds for flight in flights)
        self.simulator_seconds += elapsed
        one, scores = flights[0], self.objective.score(metrics)
        chunk = Chunk(self.trials, self._batches, one.fidelity, one.cost, designs, metrics, scores, waited, elapsed)
        if self.log:
            self.log.append(chunk)
        return chunk

    def _cost(self, fidelity: str) -> float:
        if fidelity not in self.simulator.fidelities:
            raise UnknownNameError("fidelity", fidelity, self.simulator.fidelities, owner=self.simulator.name)
        return self.simulator.fidelities[fidelity]

    def _chunk_size(self) -> int:
        if not self._seconds_per_design:
            return 1  # the first design alone shows how slow the simulator is
        return max(1, int(min(CHUNK_SECONDS / self._seconds_per_design, 2**31)))

    def _simulate(self, designs: Designs, fidelity: str, cost: float, waited: float) -> Chunk:
        cache = self.simulator if isinstance(self.simulator, Cached) else None
        before = cache.misses if cache else 0
        start = perf_counter()
        metrics = self.simulator.evaluate(designs, fidelity)
        elapsed = perf_counter() - start
        self.simulator_seconds += elapsed
        fresh = cache.misses - before if cache else len(designs)
        if fresh:
            # Answers from a cache say nothing about the simulator; after a slow design (a compilation) caution fades.
            self._seconds_per_design = max(elapsed / fresh, self._seconds_per_design / 2, 1e-9)
        scores = self.objective.score(metrics)
        chunk = Chunk(self.trials, self._batches, fidelity, cost, designs, metrics, scores, waited, elapsed)
        if self.log:
            self.log.append(chunk)
        return chunk

    def _count(self, chunk: Chunk) -> None:
        self.trials += len(chunk)
        self.spent += chunk.cost * len(chunk)
        for status, count in enumerate(np.bincount(chunk.metrics.status).tolist()):
            if count:
                self.counts[Status(status)] += count
        if self.simulator.space.size < 2**63:
            self._ranks.append(self.simulator.space.rank(chunk.designs))
        else:
            self._ranks.append(np.array([hash(row.tobytes()) for row in chunk.designs], np.int64))
        if chunk.fidelity != "full":
            self._scores.append(np.full(len(chunk), np.nan))
            return
        self._scores.append(chunk.scores)
        if len(self.objective.used) > 1:
            self._extend_front(chunk)
        scores = np.where(chunk.metrics.ok, chunk.scores, -math.inf)
        row = int(np.argmax(scores))
        if scores[row] > self.best_score:
            self.best_design, self.best_score = chunk.designs[row].copy(), float(scores[row])
            self.best_metrics = chunk.metrics.row(row)

    def _extend_front(self, chunk: Chunk) -> None:
        designs, costs = chunk.designs, self.objective.costs(chunk.metrics)
        if self._front is not None:
            designs, costs = np.concatenate([self._front[0], designs]), np.concatenate([self._front[1], costs])
        kept = np.flatnonzero(non_dominated(costs))
        _, first = np.unique(designs[kept], axis=0, return_index=True)
        kept = kept[np.sort(first)]
        kept = kept[np.argsort(costs[kept, 0], kind="stable")]
        self._front = designs[kept], costs[kept]


def default_window(simulator: Simulator) -> int:
    """How many designs an asynchronous agent should have in flight."""
    return 1 if simulator.in_order else simulator.lanes
