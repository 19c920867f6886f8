"""The agent contract: ask for designs, be told what they are worth."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from archgym.errors import ContractError, HyperparameterError, UnknownNameError
from archgym.metrics import Metrics
from archgym.objective import Scores
from archgym.space import Designs, DesignSpace, Parameter

if TYPE_CHECKING:
    from archgym.evaluator import Evaluator


class Agent(ABC):
    """Proposes designs.  A subclass declares its hyper-parameters and writes ``ask`` and, if it learns, ``tell``.

    An agent that owns its training loop (PPO, SAC) overrides ``drive`` instead and trains on environments around the
    evaluator.

    Attributes:
        name: one word, the entry point's name.
        library: what it is built on; "own" for code of this project.
        hyperparameters: the agent's settings as a design space: defaults plus the levels a sweep would try.
        asynchronous: whether ``tell`` takes any part of what was asked, in any order, and ``ask`` proposes more before
            everything is told.  With a simulator that evaluates several designs at once such an agent is told results as
            they finish.
        learns_from_past: whether ``tell`` makes use of designs that the agent did not propose (``warm_start``).
        settings: the values this agent runs with.
        batch: how many designs one turn of the default ``drive`` asks for.
        rng: the agent's only source of randomness.
    """

    name: ClassVar[str]
    library: ClassVar[str] = "own"
    hyperparameters: ClassVar[DesignSpace] = DesignSpace(())
    asynchronous: ClassVar[bool] = False
    learns_from_past: ClassVar[bool] = False
    batch: int = 64

    def __init__(self, space: DesignSpace, *, seed: int | np.random.SeedSequence, **hyperparameters: Any) -> None:
        self.space = space
        self.rng = np.random.default_rng(seed)
        self.settings = resolve_hyperparameters(type(self), hyperparameters)

    @abstractmethod
    def ask(self, n: int) -> Designs:
        """Proposes exactly ``n`` designs, (n, D) int32, inside the space."""

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:  # noqa: B027 - a baseline has nothing to learn
        """Learns what designs are worth; by default nothing is learned.

        Args:
            designs: (n, D) int32, not to be modified.
            scores: (n,) float64, larger is better, finite for every status.
            metrics: n rows, with status and reasons.
        """

    def begin(self, evaluator: Evaluator) -> None:  # noqa: B027 - most agents need nothing but scores
        """Called by the default ``drive`` before anything is asked; here an agent can look at the run's objective.

        ``ask`` and ``tell`` have to work without it too.
        """

    def drive(self, evaluator: Evaluator) -> None:
        """Spends the evaluator's budget; by default begin, then ask, evaluate, tell, repeat.

        An asynchronous agent has ``evaluator.window`` designs in flight and is told of each as it finishes.

        Raises:
            ContractError: ``ask`` proposed fewer or more designs than it was asked for.
        """
        self.begin(evaluator)
        if self.asynchronous and evaluator.window > 1:
            self._drive_in_flight(evaluator)
            return
        while (n := evaluator.affordable(self.batch)) > 0:
            designs = self._ask_exactly(n)
            metrics, scores = evaluator.evaluate(designs)
            self.tell(designs, scores, metrics)

    def _drive_in_flight(self, evaluator: Evaluator) -> None:
        while True:
            n = evaluator.affordable(evaluator.window - evaluator.in_flight)
            if n > 0:
                evaluator.submit(self._ask_exactly(n))
            if not evaluator.in_flight:
                return
            designs, metrics, scores = evaluator.collect()
            self.tell(designs, scores, metrics)

    def _ask_exactly(self, n: int) -> Designs:
        designs = self.ask(n)
        if len(designs) != n:  # fewer than asked for, and the budget might never end
            raise ContractError(f"agent {self.name}: ask({n}) must propose {n} designs, got {len(designs)}")
        return designs


def resolve_hyperparameters(agent: type[Agent], given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults overridden by ``given``, checked.

    A numeric ordered hyper-parameter takes any value between its smallest and largest level; any other one must be one of
    its levels.

    Raises:
        HyperparameterError: an unknown name or a value out of range.
    """
    space = agent.hyperparameters
    settings = {parameter.name: parameter.default for parameter in space.parameters}
    for name, value in given.items():
        if name not in settings:
            unknown = UnknownNameError("hyper-parameter", name, space.names, owner=f"agent {agent.name}")
            raise HyperparameterError(str(unknown))
        settings[name] = _checked(agent.name, space[name], value)
    return settings


def _checked(agent: str, parameter: Parameter, value: Any) -> Any:
    numeric = all(isinstance(level, int | float) and not isinstance(level, bool) for level in parameter.values)
    if not (numeric and parameter.ordered):
        try:
            return parameter.values[parameter.level(value)]
        except UnknownNameError:
            expected = f"one of {', '.join(map(str, parameter.values))}"
            raise HyperparameterError(f"agent {agent}: {parameter.name} must be {expected}, got {value!r}") from None
    low, high = min(parameter.values), max(parameter.values)
    whole = all(isinstance(level, int) for level in parameter.values)
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not low <= value <= high or (whole and not math.isclose(value, round(value))):
        kind = "a whole number" if whole else "a number"
        raise HyperparameterError(f"agent {agent}: {parameter.name} must be {kind} from {low} to {high}, got {value!r}")
    return round(value) if whole else float(value)
