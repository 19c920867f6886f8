"""The project's vector environments as stable-baselines3 wants them, in four encodings of a design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from archgym.evaluator import Evaluator
from archgym.vector_env import DesignVectorEnv, SequentialVectorEnv

Observations = NDArray[np.float32]


class LevelsEnv(VecEnv):
    """N designs a step: an action holds the levels of a design (``MultiDiscrete``)."""

    def __init__(self, evaluator: Evaluator, n: int) -> None:
        self._space = evaluator.simulator.space
        self._env: DesignVectorEnv | SequentialVectorEnv = self._make(evaluator, n)
        self._infos: list[dict[str, Any]] = [{} for _ in range(n)]
        self._actions: NDArray[Any] = np.zeros(0)
        super().__init__(n, self._observation_space(), self._action_space())

    def reset(self) -> Observations:
        """First observations, (N, K) float32."""
        return self._observed(self._env.reset()[0])

    def step_async(self, actions: NDArray[Any]) -> None:
        """Takes (N, ...) actions."""
        self._actions = actions

    def step_wait(self) -> tuple[Observations, NDArray[np.float64], NDArray[np.bool_], list[dict[str, Any]]]:
        """Evaluates the designs; rewards are scores as the objective gives them.

        Raises:
            BudgetExhausted: the budget covered only the leading designs.
        """
        features, scores, done, _, _ = self._env.step(self._choices(self._actions))
        return self._observed(features), scores, done, self._infos

    def close(self) -> None:
        """Nothing to close: whoever made the evaluator closes its log."""

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the vector environment, once per copy."""
        return [getattr(self._env, attr_name)] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> NoReturn:
        """Not available: the copies are one object."""
        raise NotImplementedError(f"{attr_name} cannot be set on copies that are one object")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> NoReturn:
        """Not available: the copies are one object."""
        raise NotImplementedError(f"{method_name} cannot be called on copies that are one object")

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: Any = None) -> Sequence[bool]:  # type: ignore[override]
        """No copy is wrapped."""
        return [False] * self.num_envs

    def _make(self, evaluator: Evaluator, n: int) -> DesignVectorEnv | SequentialVectorEnv:
        return DesignVectorEnv(evaluator, n)

    def _observation_space(self) -> spaces.Box:
        return self._env.single_observation_space  # type: ignore[return-value]

    def _action_space(self) -> spaces.Space[Any]:
        return spaces.MultiDiscrete(self._space.nvec)

    def _observed(self, features: Observations) -> Observations:
        return features

    def _choices(self, actions: NDArray[Any]) -> NDArray[Any]:
        return actions


class ContinuousEnv(LevelsEnv):
    """An action is a number in [-1, 1] per parameter, whose levels are equal cells of it: every level can be reached."""

    def _action_space(self) -> spaces.Space[Any]:
        return spaces.Box(-1.0, 1.0, (self._space.dimensions,), np.float32)

    def _choices(self, actions: NDArray[Any]) -> NDArray[Any]:
        return self._space.from_unit((actions.astype(np.float64) + 1) / 2)


class ThreeLevelEnv(ContinuousEnv):
    """As ``ContinuousEnv``, but actions are first rounded to -1, 0 or 1, as ArchGym's released mapper does.

    So at most three levels of a parameter can be reached, the first, the one after the middle and the last, and half of
    all uniform actions land on the second of these.
    """

    def _choices(self, actions: NDArray[Any]) -> NDArray[Any]:
        return super()._choices(np.round(actions))


class MaskedSequentialEnv(LevelsEnv):
    """An action is the level of the next parameter; observations end with a mask of the L levels that are open to it."""

    def _make(self, evaluator: Evaluator, n: int) -> DesignVectorEnv | SequentialVectorEnv:
        self._sequential = SequentialVectorEnv(evaluator, n)
        return self._sequential

    def _observation_space(self) -> spaces.Box:
        (features,) = self._sequential.single_observation_space.shape or (0,)
        return spaces.Box(0.0, 1.0, (features + int(self._space.nvec.max()),), np.float32)

    def _action_space(self) -> spaces.Space[Any]:
        return spaces.MultiDiscrete([int(self._space.nvec.max())])

    def _observed(self, features: Observations) -> Observations:
        return np.concatenate([features, self._sequential.action_masks()], axis=1, dtype=np.float32)

    def _choices(self, actions: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(actions[:, 0])


ENCODINGS: dict[str, type[LevelsEnv]] = {
    "multidiscrete": LevelsEnv,
    "continuous": ContinuousEnv,
    "three_level": ThreeLevelEnv,
    "sequential": MaskedSequentialEnv,
}
