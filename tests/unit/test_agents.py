"""The agent contract, and each operator of the two built-in agents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.genetic import NEIGHBOUR, Genetic
from agents.random_walk import RandomWalk
from archgym import Agent, Designs, DesignSpace, Evaluator, Metrics, Parameter, make_objective
from archgym.agent import resolve_hyperparameters
from archgym.errors import HyperparameterError
from archgym.testing.problems import Mixture, Sphere
from unit.problems import make_evaluator

LINE = DesignSpace((Parameter("size", tuple(range(100))), Parameter("kind", tuple(range(100)), ordered=False)))


class Tuned(Agent):
    """Has a setting of every kind."""

    name = "tuned"
    hyperparameters = DesignSpace(
        (
            Parameter("population", (2, 8, 64), default=8),
            Parameter("rate", (0.01, 0.1, 1)),
            Parameter("rule", ("ucb", "ei"), ordered=False),
            Parameter("elitist", (False, True), ordered=False),
            Parameter("layers", (1, 2, 4), ordered=False),
        ),
    )

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, self.rng)


def test_settings_are_defaults_and_what_was_given() -> None:
    defaults = {"population": 8, "rate": 0.01, "rule": "ucb", "elitist": False, "layers": 1}
    assert resolve_hyperparameters(Tuned, {}) == defaults
    given = {"population": 5, "rate": 0.5, "rule": "ei", "elitist": True, "layers": 4}
    assert resolve_hyperparameters(Tuned, given) == given
    assert Tuned(LINE, seed=0, population=np.int64(3)).settings == {**defaults, "population": 3}


def test_settings_come_in_plain_types() -> None:
    settings = resolve_hyperparameters(Tuned, {"population": 4.0, "rate": 1, "elitist": np.True_})
    assert [(type(settings[name])) for name in ("population", "rate", "elitist")] == [int, float, bool]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"populaton": 3}, "agent tuned: no hyper-parameter named 'populaton'. Did you mean 'population'"),
        ({"population": 1}, "population must be a whole number from 2 to 64, got 1"),
        ({"population": 65}, "got 65"),
        ({"population": 2.5}, "whole number"),
        ({"population": True}, "whole number"),
        ({"population": "8"}, "got '8'"),
        ({"rate": float("nan")}, "rate must be a number from 0.01 to 1, got nan"),
        ({"rate": 0}, "from 0.01 to 1"),
        ({"rule": "pi"}, "rule must be one of ucb, ei, got 'pi'"),
        ({"elitist": 1}, "elitist must be one of False, True, got 1"),
        ({"layers": 3}, "layers must be one of 1, 2, 4, got 3"),
        ({"layers": [1]}, "got [1]"),
    ],
)
def test_settings_out_of_range_say_what_is_allowed(given: dict[str, Any], message: str) -> None:
    with pytest.raises(HyperparameterError) as caught:
        Tuned(LINE, seed=0, **given)
    assert message in str(caught.value)


def test_the_default_loop_asks_evaluates_and_tells_until_the_budget_is_spent() -> None:
    told: list[tuple[int, float]] = []

    class Listening(RandomWalk):
        batch = 8

        def tell(self, designs: Designs, scores: np.ndarray, metrics: Metrics) -> None:
            assert np.array_equal(-metrics["distance"], scores)
            told.append((len(designs), float(scores.max())))

    evaluator: Evaluator = make_evaluator(Sphere(), budget=20)
    Listening(Sphere.space, seed=0).drive(evaluator)
    assert [n for n, _ in told] == [8, 8, 4] and max(best for _, best in told) == evaluator.best_score


def test_the_default_loop_begins_once_with_the_evaluator_and_before_it_asks() -> None:
    calls: list[object] = []

    class Curious(RandomWalk):
        batch = 8

        def begin(self, evaluator: Evaluator) -> None:
            calls.append(evaluator)

        def ask(self, n: int) -> Designs:
            calls.append(n)
            return super().ask(n)

    evaluator: Evaluator = make_evaluator(Sphere(), budget=20)
    Curious(Sphere.space, seed=0).drive(evaluator)
    assert calls == [evaluator, 8, 8, 4]


def test_random_walk_does_not_depend_on_batches_or_on_what_it_is_told() -> None:
    whole = RandomWalk(LINE, seed=3).ask(50)
    walker = RandomWalk(LINE, seed=3)
    walker.tell(whole, np.zeros(50), Metrics.empty(["cost"], 50))
    assert np.array_equal(np.concatenate([walker.ask(n) for n in (1, 20, 29)]), whole)


def taught(scores: np.ndarray, designs: Designs, **settings: Any) -> Genetic:
    """A genetic agent that has seen one generation."""
    agent = Genetic(LINE, seed=0, population=len(scores), **settings)
    agent.tell(designs, scores, Metrics.empty(["cost"], len(scores)))
    return agent


def pairs(*rows: tuple[int, int]) -> Designs:
    return np.array(rows, np.int32)


def test_the_first_generation_is_random() -> None:
    agent = Genetic(LINE, seed=0, population=10)
    first = agent.ask(6)
    agent.tell(first, np.zeros(6), Metrics.empty(["cost"], 6))
    assert len(np.unique(np.concatenate([first, agent.ask(6)]), axis=0)) == 12  # 6 of 10 are no generation yet


def test_a_tournament_prefers_the_better_and_one_rival_is_no_tournament() -> None:
    designs, scores = pairs(*((i, i) for i in range(64))), np.arange(64.0)
    quiet = {"mutation": 0.001, "crossover": 0.0, "elite": 0.0}
    means = {size: taught(scores, designs, tournament=size, **quiet).ask(4000)[:, 0].mean() for size in (1, 2, 8)}
    assert means[1] == pytest.approx(31.5, abs=1.5)
    assert means[2] == pytest.approx(63 * 2 / 3, abs=1.5)  # the larger of two uniform numbers
    assert means[8] == pytest.approx(63 * 8 / 9, abs=1.5)


def test_crossover_mixes_two_parents_gene_by_gene() -> None:
    designs, scores = pairs((10, 10), (90, 90)), np.zeros(2)
    settings = {"mutation": 0.001, "tournament": 1, "elite": 0.0}
    alone = taught(scores, designs, crossover=0.0, **settings).ask(2000)
    mixed = taught(scores, designs, crossover=1.0, **settings).ask(2000)
    assert (alone[:, 0] == alone[:, 1]).mean() > 0.99
    # Two parents differ half of the time, and then half of the children take one gene from each.
    assert (mixed[:, 0] != mixed[:, 1]).mean() == pytest.approx(0.25, abs=0.04)
    assert (mixed == 90).mean() == pytest.approx(0.5, abs=0.04)


def test_mutation_changes_genes_at_its_rate_and_respects_order() -> None:
    designs, scores = pairs((50, 50), (50, 50)), np.zeros(2)
    children = taught(scores, designs, mutation=0.2, crossover=0.0, elite=0.0).ask(20_000)
    changed = children != 50
    assert changed[:, 1].mean() == pytest.approx(0.2 * 0.99, abs=0.01)
    neighbours = np.abs(children - 50) == 1
    share = NEIGHBOUR + (1 - NEIGHBOUR) * 0.02
    assert neighbours[:, 0].sum() / (0.2 * 20_000) == pytest.approx(share, abs=0.03)
    assert neighbours[:, 1].sum() / (0.2 * 20_000) == pytest.approx(0.02, abs=0.01)
    assert (children[:, 0] < 50).mean() == pytest.approx((children[:, 0] > 50).mean(), abs=0.01)


def test_mutation_stays_inside_at_the_ends() -> None:
    children = taught(np.zeros(2), pairs((0, 0), (99, 99)), mutation=0.2, crossover=0.0).ask(5000)
    assert LINE.contains(children).all() and children.dtype == np.int32


def test_the_elite_survives_and_the_rest_goes() -> None:
    designs = pairs(*((i, i) for i in range(10)))
    agent = taught(np.arange(10.0), designs, elite=0.2, mutation=0.001, crossover=0.0, tournament=1)
    newer = designs + 50
    agent.tell(newer, np.arange(10.0) - 100, Metrics.empty(["cost"], 10))
    parents = set(agent.ask(3000)[:, 0].tolist())
    assert {8, 9} | set(newer[:, 0].tolist()) <= parents
    assert not parents & set(range(7))  # mutation may add a neighbour of 8


def test_without_an_elite_every_generation_is_new() -> None:
    agent = taught(np.arange(4.0), pairs((1, 1), (2, 2), (3, 3), (4, 4)), elite=0.0, mutation=0.001, crossover=0.0)
    agent.tell(pairs(*[(80, 80)] * 4), np.full(4, -9.0), Metrics.empty(["cost"], 4))
    assert (agent.ask(200) > 70).mean() > 0.98


def test_a_generation_may_arrive_in_pieces() -> None:
    designs, scores = LINE.sample(10, 0), np.arange(10.0)
    whole = taught(scores, designs)
    pieces = Genetic(LINE, seed=0, population=10)
    for part in (slice(0, 1), slice(1, 7), slice(7, 10)):
        pieces.tell(designs[part], scores[part], Metrics.empty(["cost"], 10).take(np.arange(10)[part]))
    assert np.array_equal(whole.ask(30), pieces.ask(30))


def test_the_caller_may_reuse_its_arrays() -> None:
    designs, scores = LINE.sample(10, 0), np.arange(10.0)
    expected = taught(scores, designs.copy()).ask(20)
    agent = Genetic(LINE, seed=0, population=10)
    agent.tell(designs[:5], scores[:5], Metrics.empty(["cost"], 5))
    kept = designs[5:].copy(), scores[5:].copy()
    designs[:5], scores[:5] = 0, -1
    agent.tell(*kept, Metrics.empty(["cost"], 5))
    assert np.array_equal(agent.ask(20), expected)


def test_genetic_finds_the_optimum_of_a_small_mixture() -> None:
    simulator = Mixture()
    found = 0
    for seed in range(5):
        evaluator = Evaluator(simulator, make_objective("distance", simulator), budget=4000)
        Genetic(simulator.space, seed=seed).drive(evaluator)
        found += evaluator.best_score == 0
    assert found >= 4
