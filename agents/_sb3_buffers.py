"""Buffers for stable-baselines3 that see scores through their ranks and draw from a generator of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3.common.buffers import ReplayBuffer, RolloutBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples, RolloutBufferSamples


def normal_scores(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Standard normal quantiles of the ranks of (N,) scores; equal scores get equal quantiles, and all equal ones zero."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    middles = (np.cumsum(counts) - counts / 2) / len(scores)
    quantiles: NDArray[np.float64] = torch.special.ndtri(torch.from_numpy(middles)).numpy()
    return quantiles[inverse.reshape(-1)]


class RankedRollout(RolloutBuffer):
    """A rollout whose rewards are the normal scores of the designs of one step, and which is one minibatch."""

    def add(self, obs: Any, action: Any, reward: NDArray[Any], episode_start: Any, value: Any, log_prob: Any) -> None:
        """Keeps one step of all copies."""
        super().add(obs, action, normal_scores(reward), episode_start, value, log_prob)

    def get(self, batch_size: int | None = None) -> Iterator[RolloutBufferSamples]:  # type: ignore[override]
        """The whole rollout, in order."""
        if not self.generator_ready:
            for name in ("observations", "actions", "values", "log_probs", "advantages", "returns"):
                setattr(self, name, self.swap_and_flatten(getattr(self, name)))
            self.generator_ready = True
        yield self._get_samples(np.arange(self.buffer_size * self.n_envs))


class RankedReplay(ReplayBuffer):
    """A memory of designs whose rewards are the normal scores of all of them, computed anew as designs come in."""

    def __init__(self, *arguments: Any, rng: np.random.Generator, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._rng = rng
        self._scores = np.zeros((self.buffer_size, self.n_envs))
        self._worth: NDArray[np.float32] | None = None

    def add(self, obs: Any, next_obs: Any, action: Any, reward: NDArray[Any], done: Any, infos: Any) -> None:
        """Keeps one step of all copies; scores in full precision, which the library's array of rewards has not."""
        self._scores[self.pos] = reward
        self._worth = None
        super().add(obs, next_obs, action, np.zeros(self.n_envs), done, infos)

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """Draws steps with replacement."""
        filled = self.size()
        if self._worth is None:
            self._worth = normal_scores(self._scores[:filled].ravel()).reshape(filled, -1).astype(np.float32)
        steps = self._rng.integers(0, filled, batch_size)
        copies = self._rng.integers(0, self.n_envs, batch_size)
        return ReplayBufferSamples(
            observations=self.to_torch(self.observations[steps, copies]),
            actions=self.to_torch(self.actions[steps, copies]),
            next_observations=self.to_torch(self.next_observations[steps, copies]),
            dones=self.to_torch(self.dones[steps, copies, None]),
            rewards=self.to_torch(self._worth[steps, copies, None]),
        )
