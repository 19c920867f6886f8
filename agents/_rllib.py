"""Parts that extend RLlib: independent PPO on PettingZoo environments, in this process and around one evaluator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from pettingzoo import ParallelEnv
from pettingzoo.utils import BaseParallelWrapper
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.env.multi_agent_env_runner import MultiAgentEnvRunner
from ray.rllib.env.vector.sync_vector_multi_agent_env import SyncVectorMultiAgentEnv
from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv

from agents._marl import normal_scores
from archgym.evaluator import Evaluator
from archgym.grouping import resolve_groups
from archgym.marl import DesignParallelEnv


class RLlibTeam:
    """Runner and learner of RLlib's new API stack, without its Algorithm, which would start a Ray cluster.

    Everything runs in the calling process: neither part needs Ray to be initialised, and if it is, both leave it alone.
    """

    def __init__(self, evaluator: Evaluator, reference: dict[str, Any], settings: dict[str, Any]) -> None:
        space = evaluator.simulator.space
        columns = resolve_groups(space, settings["groups"]).values()
        # RLlib loops over sets of agents.  The order of strings in a set differs from process to process, that of numbers not.
        groups: Any = {number: [space.names[column] for column in own] for number, own in enumerate(columns)}
        shared = settings["sharing"] == "shared"

        def environment() -> ParallelEnv[int, Any, Any]:
            env = DesignParallelEnv(evaluator, groups=groups, reward=settings["reward"], reference=reference)
            return OneForAll(env) if shared else env

        self._epochs = settings["epochs"]
        config = (
            PPOConfig()
            .framework("torch")
            .environment(DesignParallelEnv, disable_env_checking=True)  # checking takes steps
            .env_runners(num_env_runners=0, num_envs_per_env_runner=settings["batch"])
            .learners(num_learners=0)
            .multi_agent(
                policies=["0"] if shared else list(map(str, groups)),
                policy_mapping_fn=lambda agent, *_, **__: "0" if shared else str(agent),
            )
            .rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[settings["width"]], fcnet_activation="tanh"))
            .training(
                lr=settings["learning_rate"],
                clip_param=settings["clip"],
                entropy_coeff=settings["entropy"],
                use_kl_loss=False,
                gamma=1.0,
                lambda_=1.0,
            )
        )
        self._runner = LocalRunner(config, environment)
        self._learner = config.build_learner(spaces=self._runner.get_spaces())
        self._runner.module.set_state(self._learner.module.get_state(inference_only=True))

    def learn(self) -> None:
        """One batch of designs and the update that follows from it.

        Raises:
            BudgetExhausted: the budget ended within the batch; what it covered is logged.
        """
        batch = self._runner.sample(num_episodes=self._runner.num_envs)
        self._runner.get_metrics()  # they pile up otherwise
        for agent in self._runner.env.envs[0].possible_agents:
            episodes = [episode.agent_episodes[agent] for episode in batch]
            ranked = normal_scores(np.array([episode.get_return() for episode in episodes]))
            for episode, reward in zip(episodes, ranked, strict=True):
                episode.set_rewards(new_data=np.array(reward, np.float32), at_indices=0)
        self._learner.update(episodes=batch, num_epochs=self._epochs)
        self._runner.module.set_state(self._learner.module.get_state(inference_only=True))


class LocalRunner(MultiAgentEnvRunner):
    """Samples from environments that it is given, and lets their exceptions through."""

    def __init__(self, config: PPOConfig, environment: Callable[[], ParallelEnv[int, Any, Any]]) -> None:
        self._environment = environment
        super().__init__(config)

    def make_env(self) -> None:
        """RLlib's own way pickles what creates an environment, and with it the evaluator."""
        self.num_envs = self.config.num_envs_per_env_runner
        self.env = SyncVectorMultiAgentEnv([self._adapted] * self.num_envs)

    def _adapted(self) -> ParallelPettingZooEnv:
        env = ParallelPettingZooEnv(self._environment())
        env.metadata = {}  # RLlib writes to it, and it is the base class's
        return env

    def _try_env_step(self, actions: list[dict[int, Any]]) -> tuple[Any, ...]:
        return self.env.step(actions)


class OneForAll(BaseParallelWrapper):
    """Gives all agents the same spaces: who they are is added to what they see, and their actions are padded.

    A level that a parameter does not have is taken modulo its number of levels; superfluous choices are dropped.
    """

    def __init__(self, env: DesignParallelEnv) -> None:
        super().__init__(env)
        levels = env.simulator.space.nvec
        self._levels = {agent: levels[columns] for agent, columns in env.groups.items()}
        self._flat = {agent: isinstance(env.action_space(agent), spaces.Discrete) for agent in env.groups}
        self._identity = dict(zip(env.groups, np.eye(len(env.groups), dtype=np.float32), strict=True))
        (size,) = env.observation_space(env.possible_agents[0]).shape
        self._observed = spaces.Box(0.0, 1.0, (size + len(env.groups),), np.float32)
        self._action = spaces.MultiDiscrete([levels.max()] * max(map(len, env.groups.values())))

    def observation_space(self, agent: int) -> spaces.Box:
        """The environment's numbers, then one per agent, of which its own is 1."""
        return self._observed

    def action_space(self, agent: int) -> spaces.MultiDiscrete:
        """As many choices as the largest group has parameters, among as many levels as the longest one has."""
        return self._action

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict[int, Any], dict[int, Any]]:
        """As the environment."""
        observations, infos = super().reset(seed=seed, options=options)
        return self._told(observations), infos

    def step(self, actions: dict[int, NDArray[np.int64]]) -> tuple[dict[int, Any], ...]:
        """As the environment, with padded actions."""
        own = {agent: action[: len(self._levels[agent])] % self._levels[agent] for agent, action in actions.items()}
        observations, *others = super().step({agent: a[0] if self._flat[agent] else a for agent, a in own.items()})
        return self._told(observations), *others

    def _told(self, observations: dict[int, Any]) -> dict[int, Any]:
        return {agent: np.concatenate([seen, self._identity[agent]]) for agent, seen in observations.items()}
