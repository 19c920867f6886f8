"""The one door: every design, whoever proposes it, is priced, scored, counted and logged here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import BudgetError, ReplayError, UnknownNameError
from archgym.metrics import Metrics, Status
from archgym.objective import Objective, Scores
from archgym.pareto import non_dominated
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

    Attributes:
        trials: designs evaluated so far, replayed ones included.
        spent: budget units spent.
        counts: trials per status.
        agent_seconds: time between evaluations; simulator_seconds: time within the simulator (replayed trials cost none).
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
    ) -> None:
        if budget is not None:
            check_budget(budget)
        self.simulator, self.objective, self.log = simulator, objective, log
        self.budget = math.inf if budget is None else float(budget)
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
        self._logged = log.trials if log else 0
        self._replay: Iterator[Chunk] = log.chunks() if log and self._logged else iter(())
        self._held: Chunk | None = None
        self._since = perf_counter()

    @property
    def remaining(self) -> float:
        """Budget units left; infinite without a budget."""
        return max(self.budget - self.spent, 0.0)

    @property
    def distinct(self) -> int:
        """How many different designs were proposed."""
        return len(np.unique(np.concatenate(self._ranks))) if self._ranks else 0

    @property
    def replayed(self) -> bool:
        """Whether everything that the log held has been asked for again."""
        return self.trials >= self._logged

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
        """Prices, scores and logs a batch.

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
        done = 0
        while done < len(affordable):
            chunk = self._from_log(affordable[done:], fidelity)
            if chunk is None:
                chunk = self._simulate(
                    affordable[done : done + self._chunk_size()], fidelity, cost, waited if done == 0 else 0.0
                )
            self._count(chunk)
            parts.append(chunk.metrics)
            scores.append(chunk.scores)
            done += len(chunk)
        self._batches += 1
        result = Metrics.concatenate(parts[1:] or parts), np.concatenate(scores)
        if self._progress:
            self._progress(self)
        self._since = perf_counter()
        if len(affordable) < len(array):
            raise BudgetExhausted(*result)
        return result

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

    def _from_log(self, designs: Designs, fidelity: str) -> Chunk | None:
        """The leading designs as the log holds them, or None where the log has ended."""
        if self.trials >= self._logged:
            return None
        if self._held is None:
            self._held = next(self._replay)
        held = self._held
        n = min(len(held), len(designs))
        differs = (held.designs[:n] != designs[:n]).any(axis=1)
        if differs.any() or held.fidelity != fidelity:
            trial = held.first + int(np.argmax(differs))
            raise ReplayError(
                f"cannot resume: trial {trial} of the log holds another design than this run proposes. "
                f"The agent, the simulator or a library has changed since; start the run anew in another folder."
            )
        self._held = _part(held, slice(n, None)) if n < len(held) else None
        return _part(held, slice(0, n))

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


def _part(chunk: Chunk, rows: slice) -> Chunk:
    start = rows.start or 0
    kept = np.arange(len(chunk))[rows]
    metrics, scores = chunk.metrics.take(kept), chunk.scores[rows]
    return Chunk(chunk.first + start, chunk.batch, chunk.fidelity, chunk.cost, chunk.designs[rows], metrics, scores)
