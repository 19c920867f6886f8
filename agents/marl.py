"""Independent PPO by RLlib: one agent per parameter or subsystem on the project's PettingZoo environment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agents._marl import TeamAgent, hyperparameters
from archgym import Designs
from archgym.evaluator import Evaluator

if TYPE_CHECKING:
    from agents._rllib import RLlibTeam


class MARL(TeamAgent):
    """Independent PPO (Schulman et al. 2017; de Witt et al. 2020) by RLlib (Liang et al. 2018), one agent per group.

    The formulation of Krishnan et al. (2022, arXiv:2211.16385) on ``archgym.marl.DesignParallelEnv`` with episodes of one
    step: an agent and a policy per parameter or per subsystem, each with a critic of its own, or one policy and critic for all
    of them (``sharing="shared"``; Gupta, Egorov and Kochenderfer 2017).  A shared policy is told which agent acts, and acts
    in the largest of their action spaces: a level that a parameter does not have is taken modulo its number of levels.

    Rewards, shared or differences (Wolpert and Tumer 2001; each costs a design, paid from the budget), are turned into normal
    scores of their ranks within the batch before RLlib sees them.

    Sampling and learning run in the calling process, by parts of RLlib that need no Ray cluster: none is started, one that
    is running is left alone, and nothing is written outside the trial log.  ``marl_ppo`` is the same algorithm without
    RLlib's overhead.
    """

    name = "marl"
    library = "ray[rllib]"
    hyperparameters = hyperparameters("marl")
    requires = {  # noqa: RUF012 - declared by the base class
        "ray": "ray[rllib]",
        "tree": "ray[rllib]",  # what Ray alone does not bring
        "pettingzoo": "pettingzoo",
        "torch": "torch",
    }

    def _team(self, evaluator: Evaluator, reference: Designs, seed: int) -> RLlibTeam:
        from agents._rllib import RLlibTeam

        return RLlibTeam(evaluator, self.space.describe(reference), self.settings)

    @contextmanager
    def _isolated(self, seed: int) -> Iterator[None]:
        """Also seeds torch's generator and quietens Ray; on leaving, both are what they were."""
        import ray.rllib  # noqa: F401 - sets the level, too
        import torch

        log = logging.getLogger("ray")
        level = log.level
        with super()._isolated(seed), torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)
            log.setLevel(logging.ERROR)  # it warns of its own deprecated calls
            try:
                yield
            finally:
                log.setLevel(level)
