"""A policy of one categorical distribution per parameter, all computed at once, with masks of open levels."""

from __future__ import annotations

from typing import Any

import torch
from stable_baselines3.common.distributions import MultiCategoricalDistribution
from stable_baselines3.common.policies import ActorCriticPolicy

CLOSED = -1e9
"""Logit of a level that is not open; finite, so that probability times logarithm is zero and not undefined."""


class Levels(MultiCategoricalDistribution):
    """Independent distributions over the levels of D parameters, as one (N, D, L) table padded to the longest.

    The library's own loops over parameters, which takes several times as long.

    Attributes:
        open_levels: (N, L) bool, which levels each design may take; None for all that exist.
    """

    def __init__(self, counts: list[int]) -> None:
        super().__init__(counts)
        self.open_levels: torch.Tensor | None = None
        self._exists = torch.arange(max(counts)) < torch.tensor(counts)[:, None]

    def proba_distribution_net(self, latent_dim: int) -> torch.nn.Module:
        """The layer that gives the logits, (N, D x L)."""
        return torch.nn.Linear(latent_dim, self._exists.numel())

    def proba_distribution(self, action_logits: torch.Tensor) -> Levels:
        """Sets the logits."""
        allowed = self._exists if self.open_levels is None else self.open_levels[:, None, :]
        logits = action_logits.view(-1, *self._exists.shape).masked_fill(~allowed, CLOSED)
        self._logs = torch.log_softmax(logits, dim=-1)
        return self

    def log_prob(self, actions: torch.Tensor) -> torch.Tensor:
        """Log-probability of (N, D) levels, (N,)."""
        return self._logs.gather(-1, actions.long()[..., None]).sum(dim=(1, 2))

    def entropy(self) -> torch.Tensor:
        """Sum of the entropies of the D distributions, (N,)."""
        return -(self._logs.exp() * self._logs).sum(dim=(1, 2))

    def sample(self) -> torch.Tensor:
        """(N, D) levels."""
        return torch.multinomial(self._logs.exp().flatten(0, 1), 1).view(self._logs.shape[:2])

    def mode(self) -> torch.Tensor:
        """(N, D) most probable levels."""
        return self._logs.argmax(dim=-1)


class LevelPolicy(ActorCriticPolicy):
    """The library's actor and critic over ``Levels``.

    Args:
        masked: observations end with a mask of the levels that are open.
        arguments, options: as the library's.
    """

    def __init__(self, *arguments: Any, masked: bool = False, **options: Any) -> None:
        self._masked = masked
        super().__init__(*arguments, **options)

    def _build(self, lr_schedule: Any) -> None:
        self.action_dist: Levels = Levels(self.action_space.nvec.tolist())  # type: ignore[attr-defined]
        super()._build(lr_schedule)

    def extract_features(self, obs: Any, features_extractor: Any = None) -> Any:
        """As the library's; on the way the distribution learns which levels are open."""
        if self._masked:
            self.action_dist.open_levels = obs[:, -max(self.action_dist.action_dims) :] > 0
        return super().extract_features(obs, features_extractor)
