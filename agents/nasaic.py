"""NASAIC's controller: an LSTM that emits a design parameter by parameter, trained by REINFORCE."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Designs, DesignSpace, Metrics, Parameter, Scores
from archgym.errors import MissingExtraError
from archgym.masking import LevelMasks

if TYPE_CHECKING:
    from torch import Tensor

HYPERPARAMETERS = DesignSpace(
    (
        Parameter(
            "hardware_steps", (0, 2, 5, 10, 20), default=10, doc="designs per episode that keep the networks; the paper's phi"
        ),
        Parameter("rho", (1.0, 3.0, 10.0, 30.0), default=10.0, doc="weight of the penalty in a hardware-only reward"),
        Parameter("gamma", (0.9, 0.95, 1.0), default=1.0, doc="discount of earlier choices"),
        Parameter("baseline", (0.8, 0.9, 0.95, 0.99), default=0.9, doc="decay of the moving average of rewards"),
        Parameter("episodes", (1, 2, 4, 8, 16), default=1, doc="episodes per update"),
        Parameter("learning_rate", (0.001, 0.003, 0.01, 0.03), default=0.01, doc="of Adam"),
        Parameter(
            "entropy", (0.0, 0.003, 0.01, 0.03, 0.1), default=0.01, doc="weight of an entropy bonus; the paper has none"
        ),
        Parameter("hidden", (16, 32, 64, 128), default=64, doc="units of the LSTM"),
    ),
    name="nasaic",
)

ARCHITECTURE = "network"
"""Groups of parameters whose names start so are the architecture; all others are hardware."""

CLIP = 5.0
"""Advantages are cut at so many deviations: an INVALID design must not undo everything."""


class NASAIC(Agent):
    """One LSTM over architecture and hardware, REINFORCE with a moving baseline (NASAIC).

    The controller of Yang et al., "Co-Exploration of Neural Architectures and Heterogeneous ASIC Accelerator Designs Targeting
    Multiple Tasks" (DAC 2020); REINFORCE is from Williams (1992).

    An episode is a design proposed as a whole, then ``hardware_steps`` designs that keep its networks and draw the hardware
    anew.  The first is rewarded with its score; the others with minus ``rho`` times the metric ``penalty`` where the simulator
    has one, so that accuracy plays no part in them, else with their score.  The gradient of an episode is the mean over its
    designs of sum_t gamma^(T-t) grad log pi(a_t | a_<t) (R - b), over hardware parameters only in the hardware-only designs.

    Where this differs from the paper, which left it open: the two kinds of reward have a baseline each; advantages are divided
    by a moving deviation, so that the unit of the score does not matter; levels that no valid design can have any more are
    masked; an entropy bonus.  In a space without architecture groups all designs of an episode are drawn as a whole.
    """

    name = "nasaic"
    library = "torch"
    hyperparameters = HYPERPARAMETERS

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        if find_spec("torch") is None:
            raise MissingExtraError("agent nasaic", "torch", "rl")
        groups = [parameter.group or parameter.name for parameter in space.parameters]
        self._hardware = np.array([not group.startswith(ARCHITECTURE) for group in groups])
        self._keeps = bool(self._hardware.any() and not self._hardware.all())  # whether there is anything to keep
        self._episode = 1 + self.settings["hardware_steps"]
        self.batch = self._episode * self.settings["episodes"]
        self._masks = LevelMasks(space)
        self._place = 0  # in the episode: 0 is the joint design
        self._joint = np.zeros((1, space.dimensions), np.int32)
        self._asked: list[tuple[NDArray[np.int32], bool]] = []
        self._told: list[tuple[NDArray[np.int32], bool, float]] = []
        self._rewards = {kind: _Moving(self.settings["baseline"]) for kind in (False, True)}
        self._controller = _Controller(
            space, self.settings["hidden"], self.settings["learning_rate"], int(self.rng.integers(2**31))
        )

    def ask(self, n: int) -> Designs:
        """Goes on with the episode: a joint design, or the same networks on other hardware, (n, D) int32."""
        places = (self._place + np.arange(n)) % self._episode
        self._place = (self._place + n) % self._episode
        follows = (places > 0) & self._keeps
        designs = np.empty((n, self.space.dimensions), np.int32)
        if not follows.all():
            designs[~follows] = self._controller.draw(self._masks, int((~follows).sum()))
        if follows.any():
            # Row 0 of ``known`` is the joint design of an episode that an earlier call began.
            known = np.concatenate([self._joint, designs[~follows]])
            kept = known[np.cumsum(~follows)[follows]]
            designs[follows] = self._controller.draw(self._masks, len(kept), kept, self._hardware)
        if not follows.all():
            self._joint = designs[~follows][-1:]
        self._asked.extend(zip(designs, follows.tolist(), strict=True))
        return designs

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Rewards what was asked last, in order; the controller learns when its episodes are complete."""
        penalties = metrics.columns.get("penalty")
        for row, design in enumerate(designs):
            proposed, follows = self._asked.pop(0) if self._asked else (design, False)
            known = follows and penalties is not None and np.isfinite(penalties[row])
            reward = -self.settings["rho"] * float(penalties[row]) if known and penalties is not None else float(scores[row])
            self._told.append((proposed, follows, reward))
        while len(self._told) >= self.batch:
            episodes, self._told = self._told[: self.batch], self._told[self.batch :]
            self._learn(episodes)

    def _learn(self, episodes: list[tuple[NDArray[np.int32], bool, float]]) -> None:
        advantages = np.array([self._rewards[follows].advantage(reward) for _, follows, reward in episodes])
        designs = np.stack([design for design, _, _ in episodes])
        counted = np.array([self._hardware if follows else np.ones_like(self._hardware) for _, follows, _ in episodes])
        steps = np.arange(self.space.dimensions)[::-1]
        weights = counted * self.settings["gamma"] ** steps * advantages[:, None]
        self._controller.learn(designs, self._masks, weights, counted, self.settings["entropy"])


class _Moving:
    """Moving mean and deviation of one kind of reward."""

    def __init__(self, decay: float) -> None:
        self.decay, self.mean, self.variance, self.seen = decay, 0.0, 0.0, False

    def advantage(self, reward: float) -> float:
        """How much better a reward is than its baseline, in deviations; then the baseline moves."""
        if not self.seen:
            self.mean, self.seen = reward, True
            return 0.0
        excess = reward - self.mean
        self.mean += (1 - self.decay) * excess
        self.variance = self.decay * self.variance + (1 - self.decay) * excess**2
        return float(np.clip(excess / np.sqrt(self.variance), -CLIP, CLIP)) if self.variance > 0 else 0.0


class _Controller:
    """An LSTM over parameters: it reads the level that was chosen last and gives the logits of the next one's."""

    def __init__(self, space: DesignSpace, hidden: int, rate: float, seed: int) -> None:
        import torch

        self._torch, self._nvec = torch, space.nvec
        self._rng = torch.Generator().manual_seed(seed)
        width, depth = int(space.nvec.max()), space.dimensions
        self._first = np.concatenate([[0], np.cumsum(space.nvec)[:-1]]) + 1  # row 0 of the embedding starts a design

        def weights(*shape: int, scale: float) -> Tensor:
            return (torch.randn(*shape, generator=self._rng) * scale).requires_grad_()

        self._embedding = weights(int(space.nvec.sum()) + 1, hidden, scale=0.1)
        self._gates = weights(4 * hidden, 2 * hidden, scale=hidden**-0.5)
        self._bias = torch.zeros(4 * hidden, requires_grad=True)
        self._heads = weights(depth, width, hidden, scale=0.01)  # all levels about equally likely at first
        self._optimiser = torch.optim.Adam([self._embedding, self._gates, self._bias, self._heads], lr=rate)

    def draw(
        self, masks: LevelMasks, n: int, kept: Designs | None = None, hardware: NDArray[np.bool_] | None = None
    ) -> Designs:
        """Draws n designs, (n, D); where ``kept`` (n, D) is given, parameters that are no ``hardware`` are taken from it."""
        designs = np.zeros((n, len(self._nvec)), np.int32)
        with self._torch.no_grad():
            state = self._start(n)
            for column in range(len(self._nvec)):
                state = self._step(state, designs, column)
                if kept is not None and hardware is not None and not hardware[column]:
                    designs[:, column] = kept[:, column]
                    continue
                logits = self._logits(state, column, masks.of(designs[:, :column]))
                chosen = self._torch.multinomial(logits.softmax(1), 1, generator=self._rng)
                designs[:, column] = chosen[:, 0].numpy()
        return designs

    def learn(
        self,
        designs: Designs,
        masks: LevelMasks,
        weights: NDArray[np.float64],
        counted: NDArray[np.bool_],
        entropy: float,
    ) -> None:
        """One step of Adam along the mean of weight x grad log-probability, plus the entropy bonus."""
        torch = self._torch
        objective = torch.zeros(())
        state = self._start(len(designs))
        for column in range(len(self._nvec)):
            state = self._step(state, designs, column)
            chances = self._logits(state, column, masks.of(designs[:, :column])).log_softmax(1)
            chosen = chances.gather(1, torch.from_numpy(designs[:, column : column + 1].astype(np.int64)))[:, 0]
            spread = -(chances.exp() * chances.clamp(min=-30.0)).sum(1) * torch.from_numpy(counted[:, column])
            objective = objective + (torch.from_numpy(weights[:, column]).float() * chosen + entropy * spread).mean()
        self._optimiser.zero_grad()
        (-objective).backward()
        self._optimiser.step()

    def _start(self, n: int) -> tuple[Tensor, Tensor]:
        hidden = self._embedding.shape[1]
        return self._torch.zeros(n, hidden), self._torch.zeros(n, hidden)

    def _step(self, state: tuple[Tensor, Tensor], designs: Designs, column: int) -> tuple[Tensor, Tensor]:
        """The LSTM reads the level of the column before (or the start) in each design."""
        torch = self._torch
        rows = np.zeros(len(designs), np.int64) if column == 0 else designs[:, column - 1] + self._first[column - 1]
        read, (output, memory) = self._embedding[torch.from_numpy(np.asarray(rows, np.int64))], state
        gates = torch.cat([read, output], 1) @ self._gates.T + self._bias
        enter, forget, leave, fresh = gates.chunk(4, 1)
        memory = torch.sigmoid(forget + 1.0) * memory + torch.sigmoid(enter) * torch.tanh(fresh)
        return torch.sigmoid(leave) * torch.tanh(memory), memory

    def _logits(self, state: tuple[Tensor, Tensor], column: int, mask: NDArray[np.bool_]) -> Tensor:
        logits = state[0] @ self._heads[column].T
        return logits.masked_fill(self._torch.from_numpy(~mask), -1e9)
