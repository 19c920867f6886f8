"""Soft actor-critic from stable-baselines3, on a continuous relaxation of the space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agents._sb3 import SB3Agent, silence
from archgym import DesignSpace, Parameter
from archgym.evaluator import Evaluator

if TYPE_CHECKING:
    from stable_baselines3.common.base_class import BaseAlgorithm

HYPERPARAMETERS = DesignSpace(
    (
        Parameter(
            "encoding",
            ("continuous", "three_level"),
            ordered=False,
            doc="numbers whose equal cells are the levels, or numbers rounded as ArchGym does",
        ),
        Parameter("batch", (2, 4, 8, 16, 32), default=8, doc="designs between updates"),
        Parameter("gradient_steps", (1, 2, 4, 8, 16), default=4, doc="gradient steps per update"),
        Parameter("warmup", (8, 16, 32, 64, 128), default=32, doc="random designs before the first update; ArchGym: 10,000"),
        Parameter("learning_rate", (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02), default=0.005, doc="of Adam"),
        Parameter("minibatch", (32, 64, 128, 256), default=128, doc="past designs per gradient step"),
        Parameter("target_entropy", (-3.0, -2.0, -1.0, -0.5, 0.0), default=-1.0, doc="entropy to hold, per parameter"),
        Parameter("layers", (1, 2, 3), default=2, doc="hidden layers of actor and critics"),
        Parameter("width", (16, 32, 64, 128, 256), default=64, doc="units per hidden layer"),
    ),
    name="sac",
)

MEMORY = 100_000
"""Past designs that are kept."""

TEMPERATURE = "auto_0.1"
"""Initial weight of the entropy in units of a standard deviation of the reward; tuned as training goes on."""


class SAC(SB3Agent):
    """Soft actor-critic (Haarnoja et al. 2018) as a bandit over a relaxed space.

    An action is a number in [-1, 1] per parameter, whose levels are equal cells of that range, in the order of the space; a
    uniform action is a uniform design, so every level is reached.  With ``encoding="three_level"`` numbers are rounded to
    -1, 0 or 1 first, as ArchGym's release does: at most three levels per parameter are reached.  Categories, too, lie on
    the line, in the order in which they are declared.

    Rewards are the normal scores of the ranks among all designs so far, computed anew as designs come in.  So neither the
    unit of the score nor how bad a failed design is matters, and the first good design does not stay great for ever.

    The first ``warmup`` designs are random, whatever the budget; ArchGym's SAC waited for 10,000 and in its default run
    never learned.
    """

    name = "sac"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["batch"]

    def _learner(self, evaluator: Evaluator) -> BaseAlgorithm:
        from stable_baselines3 import SAC as Algorithm

        from agents._sb3_buffers import RankedReplay
        from agents._sb3_env import ENCODINGS

        environment = ENCODINGS[self.settings["encoding"]](evaluator, self.batch)
        environment.action_space.seed(int(self.rng.integers(2**31)))
        learner = Algorithm(
            "MlpPolicy",
            environment,
            learning_starts=self.settings["warmup"] - 1,  # the library begins to learn after one design more
            gradient_steps=self.settings["gradient_steps"],
            learning_rate=self.settings["learning_rate"],
            batch_size=self.settings["minibatch"],
            target_entropy=self.settings["target_entropy"] * self.space.dimensions,
            ent_coef=TEMPERATURE,
            gamma=0.0,
            buffer_size=MEMORY,
            replay_buffer_class=RankedReplay,
            replay_buffer_kwargs={"rng": self.rng},
            policy_kwargs={"net_arch": [self.settings["width"]] * self.settings["layers"]},
            device="cpu",
        )
        return silence(learner)
