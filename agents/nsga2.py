"""NSGA-II with the selection, crossover and survival of pymoo: many objectives at once, and a front as the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Evaluator, Metrics, Parameter, Scores, Status
from archgym.errors import MissingExtraError
from archgym.pareto import non_dominated

HYPERPARAMETERS = DesignSpace(
    (
        Parameter("population", (8, 16, 24, 32, 48, 64, 96), default=32, doc="designs per generation, and survivors"),
        Parameter("crossover", (0.0, 0.5, 0.7, 0.9, 1.0), default=0.9, doc="chance that a child has two parents"),
        Parameter("mutation", (0.5, 1.0, 1.5, 2.0, 4.0), default=1.0, doc="parameters that change in a child, on average"),
    ),
    name="nsga2",
)

NEIGHBOUR = 0.75
"""Share of mutations of an ordered parameter that go one level up or down; the rest draw any level."""

ROUNDS = 5
"""How often children are drawn in search of unknown ones before repeats are allowed."""


class NSGA2(Agent):
    """Non-dominated sorting genetic algorithm II (Deb, Pratap, Agarwal and Meyarivan 2002) on level indices.

    Minimises every metric that the objective uses, each on its own (``Objective.costs``); ``begin`` sets them up.  Without
    it, set ``costs`` oneself, or it minimises the negated score alone.  Designs that are not OK lose to all that are: INVALID
    ones by their violation (Deb's rule), failed ones to those.

    pymoo selects parents, crosses and sorts; mutation is this file's, because it knows which parameters are ordered.  Children
    that were proposed before are drawn anew.  Whatever is told joins the next generation, whoever proposed it.

    Attributes:
        costs: metrics -> (N, K) numbers to minimise, infinite where the status is not OK.
    """

    name = "nsga2"
    library = "pymoo"
    hyperparameters = HYPERPARAMETERS
    costs: Callable[[Metrics], NDArray[np.float64]] | None = None

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        _require()
        self.batch = self.settings["population"]
        self._ordered = np.array([parameter.ordered for parameter in space.parameters], bool)
        self._seen: set[bytes] = set()
        self._told: list[tuple[Designs, NDArray[np.float64]]] = []
        self._born: list[tuple[Designs, NDArray[np.float64], NDArray[np.float64]]] = []
        self._algorithm: Any = None

    def begin(self, evaluator: Evaluator) -> None:
        """Minimises the metrics of the run's objective, each on its own."""
        self.costs = evaluator.objective.costs

    def ask(self, n: int) -> Designs:
        """Proposes ``n`` children, (n, D) int32, or random designs while there is no generation yet."""
        designs = self.space.default[:0]
        for _ in range(ROUNDS):
            children = self._children(n - len(designs))
            fresh = [row for row in children if row.tobytes() not in self._seen]
            fresh = list({row.tobytes(): row for row in fresh}.values())[: n - len(designs)]
            self._seen.update(row.tobytes() for row in fresh)
            designs = np.concatenate([designs, *(row[None, :] for row in fresh)])
            if len(designs) == n:
                return designs
        return np.concatenate([designs, self.space.sample(n - len(designs), self.rng)])

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Collects designs; a full generation competes with the survivors of the previous one."""
        designs, costs = designs.astype(np.int32), -scores[:, None] if self.costs is None else self.costs(metrics)
        costs = np.where(metrics.ok[:, None], costs, np.inf)
        excess = metrics.violation / (1 + metrics.violation)
        penalty = np.where(metrics.status == Status.INVALID, 0.5 + excess, 2.0) * ~metrics.ok
        self._seen.update(row.tobytes() for row in designs)
        self._told.append((designs, costs))
        self._born.append((designs, costs, penalty))
        if sum(len(designs) for designs, _, _ in self._born) >= self.settings["population"]:
            self._advance(*(np.concatenate(parts) for parts in zip(*self._born, strict=True)))
            self._born = []

    def front(self) -> tuple[Designs, NDArray[np.float64]]:
        """The designs told so far that no other one dominates, distinct, (M, D), and their costs, (M, K)."""
        if not self._told:
            return self.space.default[:0], np.zeros((0, 0))
        designs, costs = (np.concatenate(parts) for parts in zip(*self._told, strict=True))
        designs, first = np.unique(designs, axis=0, return_index=True)
        best = non_dominated(costs[first])
        return designs[best], costs[first][best]

    def _children(self, n: int) -> Designs:
        if self._algorithm is None:
            return self.space.sample(n, self.rng)
        children = np.asarray(self._algorithm.ask().get("X")).astype(np.int32)
        shape = children.shape
        changed = self.rng.random(shape) < self.settings["mutation"] / self.space.dimensions
        near = self._ordered & (self.rng.random(shape) < NEIGHBOUR)
        step = np.clip(children + np.where(self.rng.random(shape) < 0.5, -1, 1), 0, self.space.nvec - 1)
        moved = np.where(near, step, self.rng.integers(0, self.space.nvec, shape))
        return np.where(changed, moved, children).astype(np.int32)

    def _advance(self, designs: Designs, costs: NDArray[np.float64], penalty: NDArray[np.float64]) -> None:
        from pymoo.core.population import Population

        if self._algorithm is None:
            self._algorithm = self._start(costs.shape[1])
        costs = np.where(np.isfinite(costs), costs, 0.0)  # not compared where there is a penalty
        self._algorithm.tell(Population.new("X", designs, "F", costs, "G", penalty[:, None]))

    def _start(self, objectives: int) -> Any:
        from pymoo.algorithms.moo.nsga2 import NSGA2 as Algorithm
        from pymoo.core.mutation import Mutation
        from pymoo.core.problem import Problem
        from pymoo.core.termination import NoTermination
        from pymoo.operators.crossover.ux import UX

        problem = Problem(
            n_var=self.space.dimensions, n_obj=objectives, n_ieq_constr=1, xl=0, xu=self.space.nvec - 1, vtype=int
        )
        algorithm = Algorithm(
            pop_size=self.settings["population"],
            crossover=UX(prob=self.settings["crossover"]),
            mutation=Mutation(prob=0.0),
            eliminate_duplicates=False,
        )
        return algorithm.setup(problem, termination=NoTermination(), seed=int(self.rng.integers(2**32)))


def _require() -> None:
    try:
        import pymoo  # noqa: F401 - only whether it is there
    except ImportError:
        raise MissingExtraError("agent nsga2", "pymoo", "bayes") from None
