"""The agent kit catches what it is for: one broken agent per rule."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym import Agent, Designs, DesignSpace, Evaluator, Metrics, Parameter
from archgym.errors import MissingExtraError, UnknownNameError
from archgym.testing import PROBLEMS, ConformanceError, agent_checks, check_agent, in_another_process
from archgym.testing.problems import ODD_PROBLEMS, NothingValid, Problem


class Climber(Agent):
    """Changes one parameter of the best design at a time: keeps every rule, in a dozen lines."""

    name = "climber"
    hyperparameters = DesignSpace((Parameter("changes", (1, 2), default=1),))
    batch = 8

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.best, self.score = space.sample(1, self.rng), -np.inf

    def ask(self, n: int) -> Designs:
        designs = np.repeat(self.best, n, axis=0)
        for _ in range(self.settings["changes"]):
            columns = self.rng.integers(0, self.space.dimensions, n)
            designs[np.arange(n), columns] = self.rng.integers(0, self.space.nvec[columns])
        return designs

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        if scores.max() > self.score:
            self.best, self.score = designs[[np.argmax(scores)]], scores.max()


class Loop(Climber):
    """The same in a training loop of its own."""

    name = "loop"

    def drive(self, evaluator: Evaluator) -> None:
        while True:
            designs = super().ask(self.batch)
            metrics, scores = evaluator.evaluate(designs)
            self.tell(designs, scores, metrics)

    def ask(self, n: int) -> Designs:
        raise NotImplementedError


class TooMany(Climber):
    """Always proposes whole batches."""

    def ask(self, n: int) -> Designs:
        return super().ask(8)


class WideType(Climber):
    """Proposes int64."""

    def ask(self, n: int) -> Designs:
        return super().ask(n).astype(np.int64)


class Outside(Climber):
    """Proposes levels that do not exist."""

    def ask(self, n: int) -> Designs:
        return super().ask(n) + np.int32(1)


class Pieceless(Climber):
    """Wants to be told what it asked, whole."""

    asked = 0

    def ask(self, n: int) -> Designs:
        self.asked = n
        return super().ask(n)

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        assert len(designs) == self.asked
        super().tell(designs, scores, metrics)


class Unseeded(Climber):
    """Makes its own generator, without the seed."""

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, np.random.default_rng())


class Deaf(Climber):
    """Ignores the seed."""

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        super().__init__(space, seed=0, **hyperparameters)


class HashSeeded(Climber):
    """Depends on the hash of a string, which differs between processes."""

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, np.random.default_rng([hash(self.name) % 2**32, self.rng.integers(2**31)]))


class GlobalNumpy(Climber):
    """Draws from numpy's global state."""

    def ask(self, n: int) -> Designs:
        np.random.shuffle(designs := super().ask(n))
        return designs


class GlobalPython(Climber):
    """Draws from the global state of ``random``."""

    def ask(self, n: int) -> Designs:
        return super().ask(n + random.randrange(1))


class Sorts(Climber):
    """Sorts the scores that it is told in place."""

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        super().tell(designs, scores, metrics)
        scores.sort()


class Hopeful(Climber):
    """Expects that some design is valid."""

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        if self.score == -np.inf:
            assert metrics.ok.any()
        super().tell(designs, scores, metrics)


class Novel(Climber):
    """Never proposes a design twice, and so never returns from a space of one."""

    def ask(self, n: int) -> Designs:
        if self.space.size < n:
            raise ValueError("no new design is left")
        return super().ask(n)


class Numeric(Climber):
    """Expects an ordered parameter."""

    def ask(self, n: int) -> Designs:
        assert any(parameter.ordered for parameter in self.space.parameters)
        return super().ask(n)


class Fragile(Climber):
    """Cannot read a failed design's metrics."""

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        assert np.isfinite(metrics["distance"]).all()


class Narrow(Climber):
    """Has a setting that does not work."""

    def ask(self, n: int) -> Designs:
        return super().ask(n // (2 - self.settings["changes"]))


class Thrifty(Climber):
    """Leaves some of its budget unspent."""

    def drive(self, evaluator: Evaluator) -> None:
        while evaluator.remaining > 3:
            evaluator.evaluate(super().ask(1))


class Bypass(Climber):
    """Tries designs on the simulator itself, past the evaluator."""

    def drive(self, evaluator: Evaluator) -> None:
        evaluator.simulator.evaluate(super().ask(4))
        super().drive(evaluator)


class Clocked(Climber):
    """Remembers between runs how often it was made, so that a replay goes another way."""

    made = 0

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        Clocked.made += 1
        super().__init__(space, seed=[seed, Clocked.made], **hyperparameters)


class Aimless(Climber):
    """Learns nothing."""

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, self.rng)


class Forgetful(Climber):
    """Says it can be told in any order, and expects the order in which it proposed."""

    asynchronous = True

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed, **hyperparameters)
        self.asked: list[list[int]] = []

    def ask(self, n: int) -> Designs:
        designs = super().ask(n)
        self.asked += designs.tolist()
        return designs

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        assert self.asked[: len(designs)] == designs.tolist()
        del self.asked[: len(designs)]
        super().tell(designs, scores, metrics)


class Patient(Climber):
    """Says it can be told in any order, and then learns only when nothing is in flight."""

    asynchronous = True
    flying = 0

    def ask(self, n: int) -> Designs:
        self.flying += n
        return super().ask(n)

    def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
        self.flying -= len(designs)
        if not self.flying:
            super().tell(designs, scores, metrics)


class AnyOrder(Climber):
    """Says it can be told in any order, and can."""

    asynchronous = True


class Misspelt(Climber):
    """Takes any setting without a word."""

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        super().__init__(space, seed=seed)


BROKEN = {
    Misspelt: "declaration",
    TooMany: "exact-rows",
    WideType: "exact-rows",
    Outside: "exact-rows",
    Pieceless: "ragged-batches",
    Unseeded: "same-seed",
    Deaf: "same-seed",
    HashSeeded: "another-process",
    GlobalNumpy: "no-global-rng",
    GlobalPython: "no-global-rng",
    Sorts: "no-mutation",
    Hopeful: "all-invalid",
    Novel: "one-design",
    Numeric: "only-categories",
    Fragile: "failures",
    Narrow: "hyperparameters",
    Thrifty: "budget-exact",
    Bypass: "every-trial-logged",
    Clocked: "resumes",
    Aimless: "beats-random",
    Forgetful: "asynchronous",
    Patient: "asynchronous-beats-random",
}


@pytest.mark.parametrize("agent", [Climber, Loop, AnyOrder])
def test_a_good_agent_passes(agent: type[Agent]) -> None:
    check_agent(agent)


@pytest.mark.parametrize("agent", BROKEN, ids=lambda agent: agent.__name__)
def test_a_broken_agent_fails_its_check(agent: type[Agent]) -> None:
    (check,) = [check for check in agent_checks() if check.name == BROKEN[agent]]
    with pytest.raises(ConformanceError) as caught:
        check.run(agent)
    assert caught.value.check == check.name and str(caught.value).startswith(f"climber fails the check {check.name!r}: ")


def test_every_check_has_a_name_and_a_line() -> None:
    checks = agent_checks()
    assert len({check.name for check in checks}) == len(checks) == 20
    assert all(check.doc.endswith(".") and str(check) == check.name for check in checks)


def test_a_baseline_is_not_compared_with_itself() -> None:
    assert "beats-random" not in [check.name for check in agent_checks(baseline=True)]
    check_agent(Aimless, baseline=True)
    check_agent(Aimless, skip=["beats-random"], hyperparameters={"changes": 2}, budget=30)
    with pytest.raises(UnknownNameError, match="no check named 'speed'"):
        check_agent(Aimless, skip=["speed"])


def test_failures_say_what_was_expected_and_got() -> None:
    with pytest.raises(ConformanceError, match=r"expected ask\(1\) to give \(1, 8\) int32 on sphere; got \(8, 8\) int32"):
        check_agent(TooMany)
    with pytest.raises(
        ConformanceError, match=r"expected a mean best score above .* on sphere \(500 designs, 20 seeds\); got -"
    ):
        check_agent(Aimless)


class NeedsMore(Climber):
    """Is built on a library that nobody has."""

    def __init__(self, space: DesignSpace, *, seed: Any, **hyperparameters: Any) -> None:
        raise MissingExtraError("agent climber", "a library", "rl")


def test_a_missing_library_is_no_broken_rule() -> None:
    with pytest.raises(MissingExtraError, match=r"archgym\[rl\]"):
        check_agent(NeedsMore)


@pytest.mark.parametrize("problem", [*PROBLEMS, *ODD_PROBLEMS], ids=lambda problem: problem.name)
def test_the_optimum_of_a_problem_is_its_only_best_design(problem: type[Problem]) -> None:
    simulator = problem()
    if problem is NothingValid:
        assert not simulator.evaluate(simulator.space.sample(50, 0)).ok.any()
        with pytest.raises(ValueError, match="no design is valid"):
            _ = simulator.optimum
        return
    best = simulator.evaluate(simulator.optimum)
    assert best.ok.all() and best["distance"].tolist() == [0]
    others = next(simulator.space.enumerate()) if simulator.space.size < 65_536 else simulator.space.sample(5000, 0)
    result = simulator.evaluate(others)
    is_best = (others == simulator.optimum).all(axis=1)
    assert (result["distance"][result.ok & ~is_best] > 0).all()


def _fail() -> None:
    raise OSError("no space on the moon")


def _talk(path: Path) -> str:
    print("on standard output")
    return path.name


def test_another_process_answers_talks_and_fails_clearly(tmp_path: Path) -> None:
    assert in_another_process(_talk, tmp_path) == tmp_path.name
    with pytest.raises(RuntimeError, match="no space on the moon"):
        in_another_process(_fail)
