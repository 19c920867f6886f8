"""Neighbours, acceptance, cooling and reheating, and what chains have to do with each other."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from agents.annealing import Annealing
from archgym import Designs, DesignSpace, Metrics, Parameter

MIXED = DesignSpace(
    (
        *(Parameter(f"size{i}", tuple(range(128))) for i in range(3)),
        Parameter("fixed", (1,)),
        *(Parameter(f"kind{i}", tuple(range(5)), ordered=False) for i in range(3)),
    )
)


def tell(agent: Annealing, designs: Designs, scores: np.ndarray) -> None:
    agent.tell(designs, np.asarray(scores, np.float64), Metrics.empty(("cost",), len(designs)))


def started(**settings: object) -> tuple[Annealing, Designs]:
    """An agent whose only chain stands in the middle of the space."""
    agent = Annealing(MIXED, seed=0, chains=1, **settings)
    middle = (MIXED.nvec // 2).astype(np.int32)[None, :]
    tell(agent, middle, [0.0])
    return agent, middle


def test_chains_start_at_random() -> None:
    assert len(np.unique(Annealing(MIXED, seed=0).ask(100), axis=0)) == 100


def test_a_neighbour_differs_in_one_or_two_parameters() -> None:
    agent, middle = started()
    changed = (agent.ask(2000) != middle).sum(axis=1)
    assert set(changed) <= {0, 1, 2}
    assert (changed == 0).mean() < 0.02  # a second change may undo the first
    assert 0.25 < (changed == 2).mean() < 0.4


def test_a_parameter_of_one_level_is_left_alone() -> None:
    agent, middle = started()
    designs = agent.ask(2000)
    moved = (designs != middle).mean(axis=0)
    assert moved[3] == 0
    assert (np.delete(moved, 3) > 0.15).all()


def test_steps_of_an_ordered_parameter_are_log_uniform() -> None:
    agent, middle = started()
    steps = (agent.ask(20_000) - middle)[:, 0]
    lengths = np.abs(steps[steps != 0])
    assert np.isclose((lengths == 1).mean(), np.log(2) / np.log(128), atol=0.02)
    assert 0.45 < (steps[steps != 0] > 0).mean() < 0.55
    assert lengths.max() > 50


def test_a_category_takes_every_other_level() -> None:
    agent, middle = started()
    kinds = agent.ask(5000)[:, 4]
    shares = np.bincount(kinds[kinds != middle[0, 4]], minlength=5) / (kinds != middle[0, 4]).sum()
    assert shares[middle[0, 4]] == 0
    assert (np.abs(np.delete(shares, middle[0, 4]) - 0.25) < 0.05).all()


def test_neighbours_at_the_border_stay_inside() -> None:
    space = DesignSpace((Parameter("switch", (0, 1)), Parameter("size", (1, 2, 3))))
    agent = Annealing(space, seed=0, chains=1)
    tell(agent, np.zeros((1, 2), np.int32), [0.0])
    designs = agent.ask(500)
    assert space.contains(designs).all()
    assert (designs.sum(axis=1) > 0).mean() > 0.8


def test_a_gain_is_always_accepted_and_a_loss_by_its_rank() -> None:
    agent, _ = started(temperature=0.3)
    ladder = [1.0, 2.0, 3.0]
    chances = np.random.default_rng(0).random(5000)
    accepted = [np.mean([agent._accepts(loss, ladder, chance) for chance in chances]) for loss in (-1.0, 0.0, 0.5, 1.5, 1e30)]
    agent._temperature = 0.3  # as it was: accepting does not cool
    expected = [1, 1, *(np.exp(-rank / agent._temperature) for rank in (1 / 4, 2 / 4, 4 / 4))]
    assert np.allclose(accepted, expected, atol=0.03)


def test_a_cold_chain_only_climbs() -> None:
    agent, middle = started(half_life=4)
    agent._temperature = 1e-6
    worse = agent.ask(50)
    tell(agent, worse, -np.arange(1.0, 51))
    assert np.array_equal(agent._designs, middle)


def test_the_temperature_halves_and_starts_anew() -> None:
    agent, middle = started(half_life=8, patience=5, temperature=1.0)
    agent._temperature = 1.0
    tell(agent, middle.repeat(8, axis=0), np.zeros(8))
    assert np.isclose(agent._temperature, 0.5)
    tell(agent, middle.repeat(21, axis=0), np.zeros(21))
    assert agent._temperature < 0.1
    tell(agent, middle, [0.0])  # thirty designs for six free parameters without a find
    assert agent._temperature == 1.0


def test_designs_belong_to_the_chains_in_turn() -> None:
    agent = Annealing(MIXED, seed=0, chains=4, tries=4)
    designs = agent.ask(6)
    tell(agent, designs[:4], [1, 2, 3, 4])
    assert np.array_equal(agent._designs, designs[:4])
    tell(agent, designs[4:], [5, 6])  # better: the first two chains move there
    assert agent._scores == [5, 6, 3, 4]


def test_after_a_batch_the_worst_chain_follows_the_best() -> None:
    agent = Annealing(MIXED, seed=0, chains=4, tries=1)
    designs = agent.ask(4)
    tell(agent, designs, [3, 1, 4, 2])
    assert agent._scores == [3, 4, 4, 2]
    assert np.array_equal(agent._designs[1], designs[2])


def test_the_unit_of_the_score_does_not_matter() -> None:
    simulator = archgym.make_simulator("synthetic", workload="interaction")
    runs = []
    for unit in (1.0, 2.0**60, 2.0**-60):
        agent = Annealing(simulator.space, seed=4)
        for _ in range(12):
            designs = agent.ask(16)
            tell(agent, designs, -unit * simulator.evaluate(designs)["distance"])
        runs.append(designs)
    assert np.array_equal(runs[0], runs[1]) and np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("workload", ["sphere", "ruggedness", "interaction", "constrained"])
@pytest.mark.parametrize("size", [(8, 6), (12, 16)])
def test_it_beats_random_search_by_far(workload: str, size: tuple[int, int]) -> None:
    simulator = archgym.make_simulator("synthetic", workload=workload, parameters=size[0], levels=size[1], seed=5)
    annealed, random = (
        np.median([-archgym.search(name, simulator, budget=500, seed=seed).best_score for seed in range(7)])
        for name in ("annealing", "random_walk")
    )
    assert annealed < 0.7 * random
