"""What agents built on stable-baselines3 share: how they are run.  Nothing here imports torch before a run begins."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archgym import Agent, Designs, DesignSpace
from archgym.errors import ContractError, MissingExtraError
from archgym.evaluator import BudgetExhausted, Evaluator

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

ENDLESS = 2**62
"""Steps that the library is asked for: the evaluator's budget ends the training, and no schedule knows how long it is."""


class SB3Agent(Agent):
    """An agent that lets stable-baselines3 (Raffin et al. 2021) train on a vector environment around the evaluator.

    Every design that training takes goes through the evaluator, so it is logged, counted and paid for.  There are no
    evaluation episodes, and training stops where the budget ends, also within a rollout.

    An episode is one design: a bandit without context.  What learners see is constant, so networks have only to hold a
    distribution, and discounting is without effect.

    A run follows from its seed alone.  It uses one torch thread and seeds torch's generator for the time of the run, and
    puts both back afterwards.  Training draws nothing from the global generators of numpy and Python.
    """

    library: ClassVar[str] = "stable-baselines3"

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        for package in ("torch", "stable_baselines3"):
            if find_spec(package) is None:
                raise MissingExtraError(f"agent {self.name}", package.replace("_", "-"), "rl")

    def ask(self, n: int) -> Designs:
        """Not available, because designs come out of the training loop.

        Raises:
            ContractError: always.
        """
        raise ContractError(f"agent {self.name} proposes designs only while it trains: call drive(evaluator), not ask({n})")

    def drive(self, evaluator: Evaluator) -> None:
        """Trains from scratch until the budget is spent."""
        with _isolated(int(self.rng.integers(2**63))):
            learner = self._learner(evaluator)
            try:
                learner.learn(ENDLESS, log_interval=None)  # type: ignore[arg-type]
            except BudgetExhausted:
                pass

    @abstractmethod
    def _learner(self, evaluator: Evaluator) -> BaseAlgorithm:
        """The library's algorithm on an environment around the evaluator; random numbers are seeded already."""


def silence(learner: BaseAlgorithm) -> BaseAlgorithm:
    """Gives a learner a logger without outputs; the library's own one makes a folder for every run."""
    from stable_baselines3.common.logger import Logger

    learner.set_logger(Logger(None, []))
    return learner


@contextmanager
def _isolated(seed: int) -> Iterator[None]:
    """Seeds torch's generator and limits torch to one thread; on leaving, both are what they were."""
    import torch

    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
