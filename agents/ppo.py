"""Proximal policy optimisation from stable-baselines3, on designs as actions."""

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
            ("multidiscrete", "continuous", "three_level", "sequential"),
            ordered=False,
            doc="what an action is: levels, numbers, numbers rounded as ArchGym does, or one level after the other",
        ),
        Parameter("rollout", (8, 16, 32, 64, 128, 256), default=32, doc="designs per update"),
        Parameter("epochs", (1, 2, 4, 8, 16), default=4, doc="gradient steps per update, each on the whole rollout"),
        Parameter("learning_rate", (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.5), default=0.2, doc="of Adam; 0.03 with layers"),
        Parameter("clip", (0.05, 0.1, 0.2, 0.3, 0.5), default=0.2, doc="how far an update may change a design's probability"),
        Parameter("entropy", (0.0, 0.005, 0.02, 0.05, 0.1, 0.2), default=0.05, doc="weight of the entropy bonus"),
        Parameter("layers", (0, 1, 2, 3), default=0, doc="hidden layers of policy and critic; ArchGym: 3 of 32 units"),
        Parameter("width", (8, 16, 32, 64, 128), default=32, doc="units per hidden layer"),
    ),
    name="ppo",
)


class PPO(SB3Agent):
    """Proximal policy optimisation (Schulman et al. 2017) as a bandit over designs.

    With ``encoding="multidiscrete"`` the policy is one categorical distribution per parameter and each action a whole
    design.  "continuous" draws a number per parameter from a normal distribution; equal cells of [-1, 1] are its levels.
    "three_level" rounds that number to -1, 0 or 1 first, as ArchGym's release does, and so reaches three levels per
    parameter.  "sequential" sets one parameter per step, knowing those before it, and takes only levels that are open
    (``archgym.env.SequentialEnv``); it wants a network: ``layers=1, learning_rate=0.03``.

    Rewards are the normal scores of the ranks within a rollout.  So neither the unit of the score nor how bad a failed
    design is matters; ranks serve natural evolution strategies the same way (Wierstra et al. 2014).

    Observations are constant in all encodings but "sequential", so by default there is no hidden layer: what is learned are
    the biases, one logit per level.  Short rollouts and a large learning rate suit budgets of hundreds of designs; published
    settings (rates of 1e-5 in ArchGym) hardly move within them.  In runs of thousands of designs the policy settles on a few
    designs and repeats them; a larger ``entropy`` or a smaller ``learning_rate`` puts that off.
    """

    name = "ppo"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.batch = self.settings["rollout"]

    def _learner(self, evaluator: Evaluator) -> BaseAlgorithm:
        from stable_baselines3 import PPO as Algorithm

        from agents._sb3_buffers import RankedRollout
        from agents._sb3_env import ENCODINGS
        from agents._sb3_policy import LevelPolicy

        encoding = self.settings["encoding"]
        steps = self.space.dimensions if encoding == "sequential" else 1
        network: dict[str, Any] = {"net_arch": [self.settings["width"]] * self.settings["layers"]}
        discrete = encoding in ("multidiscrete", "sequential")
        if discrete:
            network["masked"] = encoding == "sequential"
        learner = Algorithm(
            LevelPolicy if discrete else "MlpPolicy",
            ENCODINGS[encoding](evaluator, self.batch),
            n_steps=steps,
            batch_size=steps * self.batch,
            n_epochs=self.settings["epochs"],
            learning_rate=self.settings["learning_rate"],
            clip_range=self.settings["clip"],
            ent_coef=self.settings["entropy"],
            gamma=1.0,
            gae_lambda=1.0,
            rollout_buffer_class=RankedRollout,
            policy_kwargs=network,
            device="cpu",
        )
        return silence(learner)
