"""How much the checks of one agent spend, and the run that most of them start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archgym.agent import Agent
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.testing.problems import Problem
from archgym.testing.watched import Counted, Watched, drive

Kind = type[Agent]


@dataclass(frozen=True)
class Effort:
    """Settings that the checks of one agent share.

    Attributes:
        hyperparameters: settings that the agent runs with in every check.
        budget: designs of an ordinary run.
        long_budget: designs of a run against random search.
        seeds: runs against random search per problem.
    """

    hyperparameters: Mapping[str, Any]
    budget: int
    long_budget: int
    seeds: int

    def drive(self, agent: Kind, simulator: Simulator, **options: Any) -> Watched:
        """Lets a fresh agent spend the budget of an ordinary run; ``options`` as for ``watched.drive``."""
        return drive(agent, simulator, **{"budget": self.budget, "hyperparameters": self.hyperparameters, **options})

    def propose(self, agent: Kind, problem: type[Problem], seed: int = 0) -> Designs:
        """All designs of an ordinary run, (budget, D) int32, in order."""
        simulator = Counted(problem())
        self.drive(agent, simulator, seed=seed)
        return np.concatenate(simulator.seen)


def difference(a: Designs, b: Designs) -> str:
    """The first trial in which two runs differ, in words; empty if they are the same."""
    if a.shape != b.shape:
        return f"{len(a)} designs against {len(b)}"
    differs = (a != b).any(axis=1)
    row = int(np.argmax(differs))
    return f"trial {row}: {a[row].tolist()} against {b[row].tolist()}" if differs.any() else ""
