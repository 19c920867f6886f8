"""Independent PPO in torch: one agent per parameter or subsystem, all of them in one tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agents._marl import TeamAgent, hyperparameters, normal_scores
from archgym import Designs, DesignSpace
from archgym.evaluator import Evaluator
from archgym.grouping import difference_rewards, resolve_groups

if TYPE_CHECKING:
    from torch import Tensor


class MARLPPO(TeamAgent):
    """Independent PPO (Schulman et al. 2017; de Witt et al. 2020): every agent learns for itself to set its parameters.

    The task is that of ``archgym.marl.DesignParallelEnv`` with episodes of one step, as in Krishnan et al. (2022,
    arXiv:2211.16385).  There all agents see the same zeros whenever they act, so the policy of an agent takes no
    observation: it is a network with one hidden layer from a vector of the agent's own, learned like an embedding, to the
    logits of its levels.  Networks are the agents' own or, with ``sharing="shared"``, one for all (parameter sharing: Gupta,
    Egorov and Kochenderfer 2017), in which level k of one parameter shares its weights with level k of every other.

    A batch of designs costs one call of the evaluator.  For the same reason no critic is learned, which could only tell the
    mean: rewards are turned into normal scores of their ranks within the batch, which have mean zero.

    With ``reward="difference"`` each agent is judged by what its own choice added over that of a reference design (Wolpert
    and Tumer 2001).  That takes a design more per agent, paid from the budget like all others, so a batch costs up to
    ``batch`` x (1 + agents).

    Tuned for 500 designs: a large learning rate on few hidden units, and a large entropy bonus, since without it independent
    agents settle before they have found which choices go together.
    """

    name = "marl_ppo"
    library = "torch"
    hyperparameters = hyperparameters("marl_ppo")
    requires = {"torch": "torch"}  # noqa: RUF012 - declared by the base class

    def _team(self, evaluator: Evaluator, reference: Designs, seed: int) -> _Team:
        return _Team(evaluator, reference[0], self.settings, seed)


class _Team:
    """G agents that each set up to P parameters of up to L levels."""

    def __init__(self, evaluator: Evaluator, reference: NDArray[np.int32], settings: dict[str, Any], seed: int) -> None:
        import torch

        self._evaluator, self._reference, self._settings = evaluator, reference, settings
        space: DesignSpace = evaluator.simulator.space
        self._columns = list(resolve_groups(space, settings["groups"]).values())
        agents, slots = len(self._columns), max(map(len, self._columns))
        # The slots of an agent that sets fewer parameters than another one have a single level.
        self._slots = np.concatenate([agent * slots + np.arange(len(own)) for agent, own in enumerate(self._columns)])
        levels = np.ones(agents * slots, np.int64)
        levels[self._slots] = space.nvec[np.concatenate(self._columns)]
        self._shape = (agents, slots, int(levels.max()))
        self._missing = torch.from_numpy(np.arange(levels.max()) >= levels[:, None]).view(self._shape)

        self._rng = torch.Generator().manual_seed(seed)
        networks = agents if settings["sharing"] == "own" else 1
        self._embedding = torch.randn(agents, 1, settings["width"], generator=self._rng).requires_grad_()
        head = torch.randn(networks, settings["width"], slots * self._shape[2], generator=self._rng)
        self._head = head.mul_(0.01 * settings["width"] ** -0.5).requires_grad_()  # so that all levels are equally likely
        self._optimiser = torch.optim.Adam([self._embedding, self._head], lr=settings["learning_rate"], fused=True)

    def learn(self) -> None:
        """One batch of designs and the update that follows from it."""
        choices = self._draw(self._settings["batch"])
        designs = np.empty((len(choices), len(self._slots)), np.int32)
        designs[:, np.concatenate(self._columns)] = choices.flatten(1).numpy()[:, self._slots]
        if self._settings["reward"] == "difference":
            _, _, rewards = difference_rewards(self._evaluator, designs, self._columns, self._reference)
        else:
            _, scores = self._evaluator.evaluate(designs)
            rewards = scores[:, None]
        self._update(choices, np.stack([normal_scores(own) for own in rewards.T], axis=1))

    def _log_probabilities(self) -> Tensor:
        """(G, P, L)."""
        logits = (self._embedding.tanh() @ self._head).view(self._shape)
        return logits.masked_fill(self._missing, -1e9).log_softmax(dim=-1)

    def _draw(self, n: int) -> Tensor:
        """(n, G, P) levels."""
        probabilities = self._log_probabilities().detach().exp().flatten(0, 1)
        return probabilities.multinomial(n, replacement=True, generator=self._rng).T.reshape(n, *self._shape[:2])

    def _update(self, choices: Tensor, rewards: NDArray[np.float64]) -> None:
        """Clipped policy gradient; ``rewards`` are (n, G) or, where all agents get the same, (n, 1)."""
        import torch

        advantages, clip = torch.from_numpy(rewards).float(), self._settings["clip"]
        before: Tensor | None = None
        for _ in range(self._settings["epochs"]):
            logs = self._log_probabilities()
            chosen = logs.expand(len(choices), *self._shape).gather(-1, choices[..., None]).sum(dim=(2, 3))
            before = chosen.detach() if before is None else before
            ratio = (chosen - before).exp()
            gain = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages).mean(dim=0).sum()
            entropy = -(logs.exp() * logs).sum()
            self._optimiser.zero_grad()
            (-gain - self._settings["entropy"] * entropy).backward()
            self._optimiser.step()
