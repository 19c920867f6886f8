"""NASAIC's controller: an LSTM that emits a design parameter by parameter, trained by REINFORCE."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from archgym import Agent, Columns, Designs, DesignSpace, Metrics, Parameter, Scores
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
        Parameter("memory", (50, 100, 200, 500), default=200, doc="rewards among which a new one is ranked"),
        Parameter("episodes", (1, 2, 4, 8, 16), default=2, doc="episodes per update"),
        Parameter("learning_rate", (0.001, 0.003, 0.005, 0.01, 0.03), default=0.005, doc="of Adam"),
        Parameter("entropy", (0.0, 0.003, 0.01, 0.03, 0.1), default=0.1, doc="weight of an entropy bonus; the paper has none"),
        Parameter("hidden", (16, 32, 64, 128), default=64, doc="units of the LSTM"),
    ),
    name="nasaic",
)

ARCHITECTURE = "network"
"""Groups of parameters whose names start so are the architecture; all others are hardware."""

Told = tuple[NDArray[np.int32], bool, float, float]
"""A design, whether it keeps the networks of the one before, its reward, its score."""


class NASAIC(Agent):
    """One LSTM over architecture and hardware, trained by REINFORCE (NASAIC).

    The controller of Yang et al., "Co-Exploration of Neural Architectures and Heterogeneous ASIC Accelerator Designs Targeting
    Multiple Tasks" (DAC 2020); REINFORCE is from Williams (1992).

    An episode is a design proposed as a whole, then ``hardware_steps`` designs that keep its networks and draw the hardware
    anew.  The first is rewarded with its score; the others with minus ``rho`` times the metric ``penalty`` where the simulator
    has one, so that accuracy plays no part in them, else with their score.  The gradient of an episode is the mean over its
    designs of sum_t gamma^(T-t) grad log pi(a_t | a_<t) A, over hardware parameters only in the hardware-only designs.

    Where this differs from the paper, or the paper left it open: A is the rank of a reward among the last ones of its kind,
    not its difference from a moving mean, because missing a spec costs so much more than the differences in accuracy beyond
    it; the networks of an episode are ranked by the best score of all its designs, as the paper rates networks if any of the
    episode's hardware meets the specs; levels that no valid design can have any more are masked; an entropy bonus.  In a space
    without architecture groups, or of nothing else, all designs of an episode are drawn as a whole and ranked on their own.
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
        self._masks = _Masks(space)
        self._place = 0  # in the episode: 0 is the joint design
        self._joint = np.zeros((1, space.dimensions), np.int32)
        self._asked: list[tuple[NDArray[np.int32], bool]] = []
        self._told: list[Told] = []
        self._joints, self._follows, self._networks = (_Ranks(self.settings["memory"]) for _ in range(3))
        self._controller = _Controller(
            space, self.settings["hidden"], self.settings["learning_rate"], int(self.rng.integers(2**31))
        )

    def ask(self, n: int) -> Designs:
        """Goes on with the episode: a joint design, or the same networks on other hardware, (n, D) int32."""
        places = (self._place + np.arange(n)) % self._episode
        self._place = (self._place + n) % self._episode
        follows = (places > 0) & self._keeps
        # Row 0 of a draw is the joint design of an episode that an earlier call began.
        joint = np.maximum.accumulate(np.concatenate([[0], np.where(follows, 0, np.arange(n) + 1)]))
        designs = self._controller.draw(self._masks, self._joint, joint, self._hardware)
        self._joint = designs[joint[-1:]]
        self._asked.extend(zip(designs[1:], follows.tolist(), strict=True))
        return designs[1:].copy()

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        """Rewards what was asked last, in order; the controller learns when its episodes are complete."""
        penalties = metrics.columns.get("penalty")
        for row, design in enumerate(designs):
            proposed, follows = self._asked.pop(0) if self._asked else (design, False)
            known = follows and penalties is not None and np.isfinite(penalties[row])
            reward = -self.settings["rho"] * float(penalties[row]) if known and penalties is not None else float(scores[row])
            self._told.append((proposed, follows, reward, float(scores[row])))
        while len(self._told) >= self.batch:
            episodes, self._told = self._told[: self.batch], self._told[self.batch :]
            self._learn(episodes)

    def _learn(self, told: list[Told]) -> None:
        designs = np.stack([design for design, _, _, _ in told])
        follows = np.array([following for _, following, _, _ in told])
        own = np.array([(self._follows if following else self._joints).advantage(reward) for _, following, reward, _ in told])
        networks = np.zeros(len(told))
        starts = np.flatnonzero(~follows)
        for first, best in zip(starts, np.maximum.reduceat([score for _, _, _, score in told], starts), strict=True):
            networks[first] = self._networks.advantage(float(best))
        counted = self._hardware | ~follows[:, None]
        advantages = np.where(self._hardware | (not self._keeps), own[:, None], networks[:, None])
        discount = self.settings["gamma"] ** np.arange(self.space.dimensions)[::-1]
        self._controller.learn(designs, self._masks, counted * discount * advantages, counted, self.settings["entropy"])


class _Ranks:
    """The last rewards of one kind."""

    def __init__(self, memory: int) -> None:
        self._last: deque[float] = deque(maxlen=memory)

    def advantage(self, reward: float) -> float:
        """Share of the last rewards below a new one, ties half; scaled to mean 0 and variance 1 if it is like them."""
        self._last.append(reward)
        last = np.array(self._last)
        share = np.mean(last < reward) + 0.5 * np.mean(last == reward)
        return float((share - 0.5) * np.sqrt(12.0))


class _Masks:
    """``LevelMasks`` of the columns from the first one that constraints look at; all levels of earlier columns are open.

    Constraints on a chip look at hardware only.  Found without the networks' columns, masks are remembered by hardware
    alone: a new network does not mean a new enumeration.
    """

    def __init__(self, space: DesignSpace) -> None:
        self._exists = np.arange(int(space.nvec.max())) < space.nvec[:, None]
        self._first = _first_constrained(space)
        rest = DesignSpace(space.parameters[self._first :], space.constraints, name=space.name)
        self._masks = LevelMasks(rest) if space.constraints else None

    def of(self, designs: Designs, column: int) -> NDArray[np.bool_]:
        """Open levels of a column, (N, L), given the columns before it."""
        masks = np.repeat(self._exists[column : column + 1], len(designs), axis=0)
        if self._masks is not None and column >= self._first:
            found = self._masks.of(designs[:, self._first : column])
            masks[:, : found.shape[1]] = found
        return masks


class _Read(Mapping[str, NDArray[Any]]):
    """Decoded columns that remember which of them were read."""

    def __init__(self, columns: Columns) -> None:
        self._columns, self.names = columns, set[str]()

    def __getitem__(self, name: str) -> NDArray[Any]:
        self.names.add(name)
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _first_constrained(space: DesignSpace) -> int:
    """The first column that constraints read; 0 if they read none."""
    columns = _Read(space.decode(space.default))
    for rule in space.constraints:
        rule.amount(cast(Columns, columns))
    return min((space.index(name) for name in columns.names), default=0)


class _Controller:
    """An LSTM over parameters: it reads the level that was chosen last and gives the logits of the next one's."""

    def __init__(self, space: DesignSpace, hidden: int, rate: float, seed: int) -> None:
        import torch

        self._torch, self._columns = torch, space.dimensions
        self._rng = torch.Generator().manual_seed(seed)
        self._first = np.concatenate([[0], np.cumsum(space.nvec)[:-1]]) + 1  # row 0 of the embedding starts a design

        def weights(*shape: int, scale: float) -> Tensor:
            return (torch.randn(*shape, generator=self._rng) * scale).requires_grad_()

        self._embedding = weights(int(space.nvec.sum()) + 1, hidden, scale=0.1)
        self._reads = weights(4 * hidden, hidden, scale=(2 * hidden) ** -0.5)
        self._recalls = weights(4 * hidden, hidden, scale=(2 * hidden) ** -0.5)
        bias = torch.zeros(4 * hidden)
        bias[hidden : 2 * hidden] = 1.0  # at first the cell remembers rather than forgets
        self._bias, self._none = bias.requires_grad_(), torch.zeros(4 * hidden)
        # Small heads: all levels are about equally likely at first.
        self._heads = weights(space.dimensions, int(space.nvec.max()), hidden, scale=0.01)
        learned = [self._embedding, self._reads, self._recalls, self._bias, self._heads]
        self._optimiser = torch.optim.Adam(learned, lr=rate)

    def draw(self, masks: _Masks, before: Designs, joint: NDArray[np.intp], hardware: NDArray[np.bool_]) -> Designs:
        """Draws designs parameter by parameter.

        Args:
            masks: levels that are open.
            before: (1, D), stands in row 0 of the result as it is.
            joint: (N,) row whose networks a row has; its own where it is drawn as a whole.
            hardware: (D,) parameters that are no part of a network.

        Returns:
            (N, D) designs.
        """
        torch, n = self._torch, len(joint)
        designs = np.repeat(before, n, axis=0)
        with torch.no_grad():
            state = (torch.zeros(n, self._reads.shape[1]),) * 2
            for column in range(self._columns):
                read = self._embedding[self._rows(designs, column)]
                state = torch.lstm_cell(read, state, self._reads, self._recalls, self._bias, self._none)
                logits = state[0] @ self._heads[column].T
                logits.masked_fill_(torch.from_numpy(~masks.of(designs, column)), -torch.inf)
                levels = torch.multinomial(logits.softmax(1), 1, generator=self._rng)[:, 0].numpy()
                levels[0] = before[0, column]
                designs[:, column] = levels if hardware[column] else levels[joint]
        return designs

    def learn(
        self,
        designs: Designs,
        masks: _Masks,
        weights: NDArray[np.float64],
        counted: NDArray[np.bool_],
        entropy: float,
    ) -> None:
        """One step of Adam along the mean of weight x grad log-probability, plus the entropy bonus."""
        torch, n = self._torch, len(designs)
        rows = torch.stack([self._rows(designs, column) for column in range(self._columns)])
        zeros = torch.zeros(1, n, self._reads.shape[1])
        cell = [self._reads, self._recalls, self._bias, self._none]
        outputs = torch.lstm(self._embedding[rows], (zeros, zeros), cell, True, 1, 0.0, False, False, False)[0]
        closed = np.stack([~masks.of(designs, column) for column in range(self._columns)])
        logits = (outputs @ self._heads.transpose(1, 2)).masked_fill(torch.from_numpy(closed), -1e9)
        chances = logits.log_softmax(2)
        chosen = chances.gather(2, torch.from_numpy(designs.T.astype(np.int64))[:, :, None])[:, :, 0]
        spread = -(chances.exp() * chances.clamp(min=-30.0)).sum(2) * torch.from_numpy(counted.T)
        objective = (torch.from_numpy(weights.T).float() * chosen + entropy * spread).sum() / n
        self._optimiser.zero_grad()
        (-objective).backward()
        self._optimiser.step()

    def _rows(self, designs: Designs, column: int) -> Tensor:
        """Rows of the embedding that the LSTM reads before a column: levels of the column before, or the start."""
        if column == 0:
            return self._torch.zeros(len(designs), dtype=self._torch.int64)
        return self._torch.from_numpy(designs[:, column - 1].astype(np.int64) + self._first[column - 1])
