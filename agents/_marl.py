"""What both multi-agent learners share: their hyper-parameters, how they are driven, and what rewards look like to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from statistics import NormalDist
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Parameter
from archgym.errors import ContractError, MissingExtraError
from archgym.evaluator import BudgetExhausted, Evaluator
from archgym.grouping import GROUPINGS, REWARDS


def hyperparameters(name: str) -> DesignSpace:
    """The settings of independent PPO, the same for both implementations so that they can be compared."""
    return DesignSpace(
        (
            Parameter("groups", GROUPINGS, ordered=False, doc="an agent per parameter, or per subsystem of the space"),
            Parameter("sharing", ("own", "shared"), ordered=False, doc="a network per agent, or one that is told who asks"),
            Parameter("reward", REWARDS, ordered=False, doc="the design's score, or what the agent contributed to it"),
            Parameter("batch", (4, 8, 16, 32, 64, 128), default=16, doc="joint designs per update"),
            Parameter("epochs", (1, 2, 4, 8, 16), default=4, doc="gradient steps per update"),
            Parameter("learning_rate", (0.001, 0.003, 0.01, 0.03, 0.1), default=0.03, doc="step size of Adam"),
            Parameter("clip", (0.1, 0.2, 0.3, 0.5), default=0.2, doc="change of a probability ratio that still pays"),
            Parameter("entropy", (0.0, 0.01, 0.03, 0.1, 0.3), default=0.1, doc="weight of the entropy bonus"),
            Parameter("width", (8, 16, 32, 64, 128), default=32, doc="hidden units of a network"),
        ),
        name=name,
    )


class Team(Protocol):
    """Agents that set designs together."""

    def learn(self) -> None:
        """Evaluates one batch of designs and learns from it; raises ``BudgetExhausted`` where the budget ends."""


class TeamAgent(Agent):
    """A search agent that is a team of learners in a training loop of its own.

    Every design goes through the evaluator, counterfactual ones included; training stops where the budget ends, also in the
    middle of a batch.  There are no evaluation episodes.  A run uses one torch thread.

    Attributes:
        requires: modules that it needs, and what to call them.
    """

    requires: ClassVar[dict[str, str]]

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        for module, library in self.requires.items():
            if find_spec(module) is None:
                raise MissingExtraError(f"agent {self.name}", library, "marl")
        self.batch = self.settings["batch"]

    def ask(self, n: int) -> Designs:
        """Not available: designs come out of the training loop.

        Raises:
            ContractError: always; ``drive`` runs this agent.
        """
        raise ContractError(f"agent {self.name} proposes designs only while it trains: call drive(evaluator), not ask({n})")

    def drive(self, evaluator: Evaluator) -> None:
        """Trains until the budget is spent.  Difference rewards are taken to a design drawn at random at the start."""
        reference, seed = self.space.sample(1, self.rng), int(self.rng.integers(2**63))
        with self._isolated(seed):
            team = self._team(evaluator, reference, seed)
            try:
                while evaluator.affordable(1):
                    team.learn()
            except BudgetExhausted:
                pass

    @abstractmethod
    def _team(self, evaluator: Evaluator, reference: Designs, seed: int) -> Team:
        """The learners around ``evaluator``; ``reference`` is (1, D)."""

    @contextmanager
    def _isolated(self, seed: int) -> Iterator[None]:
        """Limits torch to one thread; on leaving, it has as many as before."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)


def normal_scores(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal quantiles of the ranks of N rewards, (N,), equal ones alike: no unit, penalty or outlier matters."""
    _, inverse, counts = np.unique(rewards, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - counts / 2) / len(rewards)
    return np.array([NormalDist().inv_cdf(share) for share in middle.tolist()])[inverse.reshape(-1)]
