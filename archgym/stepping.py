"""N designs in lock-step through one evaluator: what single and vector environments have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym.errors import ArgumentError, DesignError
from archgym.evaluator import Evaluator
from archgym.features import OutcomeFeatures
from archgym.masking import LevelMasks
from archgym.metrics import Metrics, Status
from archgym.objective import Scores
from archgym.space import Designs

Features = NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """Designs and what became of them: (N, D) designs, N rows of metrics, (N,) scores."""

    designs: Designs
    metrics: Metrics
    scores: Scores


@dataclass(frozen=True)
class Turn:
    """What one step gives.

    Attributes:
        features: (N, K) float32 in [0, 1].
        scores: (N,) float64; zeros where the step completed no design.
        outcome: of the designs that the step completed; None if it completed none.
        finished: whether that was the last step of the round.
    """

    features: Features
    scores: Scores
    outcome: Outcome | None
    finished: bool


class Stepper(ABC):
    """Takes N choices a step and evaluates N designs in one call as soon as they are complete.

    A round is ``steps`` designs per row.  A step after the last one begins the next round.  A step that the budget does not
    cover raises ``BudgetExhausted`` and leaves the round where it was.

    Attributes:
        names: of the features.
        shape: that a step's choices must have.
    """

    names: tuple[str, ...]
    shape: tuple[int, ...]

    def __init__(self, evaluator: Evaluator, n: int, steps: int) -> None:
        check_count("steps", steps)
        self.evaluator, self.n, self.steps = evaluator, n, steps
        self.space = evaluator.simulator.space
        self.outcome: Outcome | None = None
        self._results = OutcomeFeatures(evaluator.simulator.metrics)
        self._done = 0

    @abstractmethod
    def start(self) -> Features:
        """Begins a round; evaluates nothing."""

    @abstractmethod
    def step(self, choices: ArrayLike) -> Turn:
        """Takes one choice per row.

        Raises:
            DesignError: choices of wrong shape, type or range.
            BudgetExhausted: the budget covered only the leading rows, which are logged.
        """

    def open_levels(self) -> NDArray[np.bool_] | None:
        """(N, L) bool, which choices are open; None where all are."""
        return None

    def _evaluate(self, designs: Designs) -> Outcome:
        metrics, scores = self.evaluator.evaluate(designs)
        self.outcome = Outcome(designs, metrics, scores)
        self._done += 1
        return self.outcome

    def _progress(self) -> Features:
        return np.full((self.n, 1), self._done / self.steps, np.float32)

    def _checked(self, choices: ArrayLike, what: str) -> NDArray[Any]:
        array = np.asarray(choices)
        if array.shape != self.shape:
            raise DesignError(f"{self.space.name}: {what} must have shape {self.shape}, got {array.shape}")
        return array


class DesignStepper(Stepper):
    """One step proposes a whole design: choices are (N, D) levels."""

    def __init__(self, evaluator: Evaluator, n: int = 1, steps: int = 1) -> None:
        super().__init__(evaluator, n, steps)
        self.names = (*self.space.names, *self._results.names, "progress")
        self.shape = (n, self.space.dimensions)

    def start(self) -> Features:
        """Zeros: nothing was proposed yet."""
        self._done = 0
        return np.zeros((self.n, len(self.names)), np.float32)

    def step(self, choices: ArrayLike) -> Turn:
        """Evaluates (N, D) designs."""
        designs = self.space.check(self._checked(choices, "designs"))
        if self._done == self.steps:
            self.start()
        outcome = self._evaluate(designs)
        levels = self.space.to_unit(designs).astype(np.float32)
        features = np.concatenate([levels, self._results(outcome.metrics), self._progress()], axis=1)
        return Turn(features, outcome.scores, outcome, self._done == self.steps)


class SequentialStepper(Stepper):
    """One step sets one parameter, in column order: choices are (N,) levels.

    A level that the parameter does not have is taken modulo its number of levels.
    """

    def __init__(self, evaluator: Evaluator, n: int = 1, steps: int = 1) -> None:
        super().__init__(evaluator, n, steps)
        self.names = (*self.space.names, *self._results.names, "progress", *(f"next_{name}" for name in self.space.names))
        self.shape = (n,)
        self.masks = LevelMasks(self.space)
        self._nothing = np.zeros((n, len(self._results.names)), np.float32)
        self.start()

    def start(self) -> Features:
        """Zeros, except that the first parameter is next."""
        self._done = self._column = 0
        self._designs = np.zeros((self.n, self.space.dimensions), np.int32)
        self._last = self._nothing
        return self._features(0)

    def step(self, choices: ArrayLike) -> Turn:
        """Sets the next parameter to (N,) levels; after the last one evaluates."""
        levels = self._checked(choices, "levels")
        if levels.dtype.kind not in "iu" or (levels < 0).any() or (levels >= self.masks.width).any():
            raise DesignError(f"{self.space.name}: levels must be integers 0..{self.masks.width - 1}, got {choices!r}")
        if self._done == self.steps:
            self.start()
        designs = self._designs.copy()
        designs[:, self._column] = levels % self.space.nvec[self._column]
        if self._column + 1 < self.space.dimensions:
            self._designs, self._column = designs, self._column + 1
            return Turn(self._features(self._column), np.zeros(self.n), None, False)
        outcome = self._evaluate(designs)
        self._designs, self._column, self._last = designs, 0, self._results(outcome.metrics)
        return Turn(self._features(self.space.dimensions), outcome.scores, outcome, self._done == self.steps)

    def open_levels(self) -> NDArray[np.bool_]:
        """(N, L) bool, which levels of the next parameter are open (``archgym.masking``)."""
        return self.masks.of(self._designs[:, : self._column])

    def _features(self, shown: int) -> Features:
        levels = np.zeros((self.n, self.space.dimensions), np.float32)
        levels[:, :shown] = self.space.to_unit(self._designs)[:, :shown]
        following = np.zeros_like(levels)
        if self._done < self.steps:
            following[:, self._column] = 1.0
        return np.concatenate([levels, self._last, self._progress(), following], axis=1)


def check_count(name: str, value: object) -> None:
    """Raises ``ArgumentError`` unless the value is a whole number from 1."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ArgumentError(f"{name} must be a whole number from 1, got {value!r}")


def describe(evaluator: Evaluator, outcome: Outcome | None, row: int = 0) -> str:
    """A short text on a design and its metrics."""
    simulator = evaluator.simulator
    head = f"{simulator.name} {simulator.workload}, {evaluator.objective.text}: {evaluator.trials} designs evaluated"
    if outcome is None:
        return f"{head}\nno design yet"
    design = ", ".join(f"{name}={value}" for name, value in simulator.space.describe(outcome.designs[row]).items())
    status = Status(outcome.metrics.status[row])
    reason = f" ({outcome.metrics.reasons[row]})" if row in outcome.metrics.reasons else ""
    metrics = ", ".join(f"{name}={value:g}" for name, value in outcome.metrics.row(row).items())
    return f"{head}\ndesign: {design}\nstatus: {status.name}{reason}\nmetrics: {metrics}\nscore: {outcome.scores[row]:g}"
