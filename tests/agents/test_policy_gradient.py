"""Heads and their gradients, advantages, and the update that joins them."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from agents.policy_gradient import LEAST, LONG, Categorical, Ordinal, PolicyGradient, _advantages
from archgym import DesignSpace, Metrics, Parameter


def cells(centre: float, width: float, levels: int) -> np.ndarray:
    """Probability of each level of an ordinal head, written down anew."""
    edges = np.concatenate([[-np.inf], np.arange(1, levels) / levels, [np.inf]])
    return np.diff(1 / (1 + np.exp(-(edges - centre) / width)))


def test_long_ordered_parameters_have_an_ordinal_head() -> None:
    space = DesignSpace(
        (
            Parameter("short", tuple(range(LONG))),
            Parameter("long", tuple(range(LONG + 1))),
            Parameter("names", tuple(range(99)), ordered=False),
        )
    )
    heads = {type(head): columns.tolist() for columns, head in PolicyGradient(space, seed=0)._heads}
    assert heads == {Categorical: [0, 2], Ordinal: [1]}


def test_a_categorical_head_draws_by_its_chances() -> None:
    head = Categorical(np.array([2, 3]))
    head.chances = np.array([0.1, 0.9, 0.5, 0.2, 0.3])
    levels = head.draw(np.random.default_rng(0).random((20_000, 2)))
    assert np.allclose(np.bincount(levels[:, 0]) / 20_000, [0.1, 0.9], atol=0.02)
    assert np.allclose(np.bincount(levels[:, 1]) / 20_000, [0.5, 0.2, 0.3], atol=0.02)


def test_a_categorical_head_follows_the_natural_gradient() -> None:
    head = Categorical(np.array([4]))
    head.chances = np.array([0.4, 0.3, 0.2, 0.1])
    levels, advantages = np.array([[0], [2], [3]], np.int32), np.array([1.0, 0.5, -1.5])
    scores = np.eye(4)[levels[:, 0]] - head.chances  # gradients of the log-likelihoods in logits
    gradient = (advantages[:, None] * scores).mean(axis=0)
    fisher = np.diag(head.chances) - np.outer(head.chances, head.chances)
    logits = np.linalg.pinv(fisher) @ gradient
    moved = head.chances + 1e-3 * fisher @ logits  # what a small step in logits does to the chances
    expected = moved + LEAST * (0.25 - moved)
    head.update(levels, advantages, rate=1e-3, entropy=0.0)
    assert np.allclose(head.chances, expected, atol=1e-9)


def test_no_level_dies_out() -> None:
    head = Categorical(np.array([5, 2]))
    for _ in range(50):
        head.update(np.array([[0, 1], [4, 0]], np.int32), np.array([1.0, -1.0]), rate=1.0, entropy=0.0)
    assert np.allclose(np.add.reduceat(head.chances, head.first), 1)
    assert head.chances[0] > 0.95 and np.isclose(head.chances.min(), LEAST / 5)


def test_entropy_evens_the_odds() -> None:
    head = Categorical(np.array([3]))
    head.chances = np.array([0.8, 0.15, 0.05])
    for _ in range(100):
        head.update(np.array([[0]], np.int32), np.zeros(1), rate=0.5, entropy=0.1)
    assert np.allclose(head.chances, 1 / 3, atol=1e-3)
    wide = Ordinal(np.array([64]))
    wide.update(np.array([[0]], np.int32), np.zeros(1), rate=0.5, entropy=0.1)
    assert np.isclose(wide.width[0], 0.25 * np.exp(0.1))


def test_an_ordinal_head_draws_by_its_cells() -> None:
    head = Ordinal(np.array([20]))
    head.centre, head.width = np.array([0.8]), np.array([0.1])
    levels = head.draw(np.random.default_rng(0).random((40_000, 1)))[:, 0]
    assert np.allclose(np.bincount(levels, minlength=20) / 40_000, cells(0.8, 0.1, 20), atol=0.01)


@pytest.mark.parametrize("level", [0, 3, 12, 19])
def test_an_ordinal_head_follows_the_gradient_of_its_log_likelihood(level: int) -> None:
    centre, width, step = 0.6, 0.15, 1e-6
    head = Ordinal(np.array([20]))
    head.centre, head.width = np.array([centre]), np.array([width])
    head.update(np.array([[level]], np.int32), np.array([1.0]), rate=step, entropy=0.0)
    likelihood = np.log([cells(c, w, 20)[level] for c, w in ((centre, width), (centre + step, width))])
    by_centre = np.diff(likelihood)[0] / step
    likelihood = np.log([cells(centre, w, 20)[level] for w in (width, width * np.exp(step))])
    by_log_width = np.diff(likelihood)[0] / step
    assert np.isclose((head.centre[0] - centre) / step, 3 * width**2 * by_centre, rtol=1e-3)
    assert np.isclose(np.log(head.width[0] / width) / step, 9 / (3 + np.pi**2) * by_log_width, rtol=1e-3)


def test_an_ordinal_head_settles_on_a_level() -> None:
    head, rng = Ordinal(np.array([128])), np.random.default_rng(0)
    for _ in range(60):
        levels = head.draw(rng.random((16, 1)))
        head.update(levels, _advantages(-np.abs(levels[:, 0] - 100.0)), rate=0.5, entropy=0.0)
    assert abs(head.draw(rng.random((200, 1))) - 100).mean() < 4


def test_advantages_are_centred_ranks() -> None:
    advantages = _advantages(np.array([3.0, -1e30, 5.0, 3.0]))
    assert np.isclose(advantages.mean(), 0) and np.isclose(advantages.std(), 1)
    assert advantages[0] == advantages[3] and advantages[1] < advantages[0] < advantages[2]
    assert np.array_equal(advantages, _advantages(np.array([0.3, 0.1, 0.9, 0.3])))
    assert np.array_equal(_advantages(np.full(3, -1e30)), np.zeros(3))
    assert np.array_equal(_advantages(np.array([7.0])), np.zeros(1))


def test_a_batch_may_be_told_in_pieces() -> None:
    simulator = archgym.make_simulator("synthetic", levels=40)
    whole, pieces = (PolicyGradient(simulator.space, seed=2, batch=8) for _ in range(2))
    designs = whole.ask(8)
    assert np.array_equal(designs, pieces.ask(8))
    scores, metrics = designs.sum(axis=1).astype(float), Metrics.empty(("cost",), 8)
    whole.tell(designs, scores, metrics)
    for part in np.split(np.arange(8), [3, 4]):
        pieces.tell(designs[part], scores[part], metrics.take(part))
    assert np.array_equal(whole.ask(8), pieces.ask(8))


@pytest.mark.parametrize("workload", ["sphere", "ruggedness", "interaction", "constrained"])
@pytest.mark.parametrize("size", [(12, 8), (12, 20)])
def test_it_beats_random_search_by_far(workload: str, size: tuple[int, int]) -> None:
    simulator = archgym.make_simulator("synthetic", workload=workload, parameters=size[0], levels=size[1], seed=5)
    learned, random = (
        np.median([-archgym.search(name, simulator, budget=500, seed=seed).best_score for seed in range(7)])
        for name in ("policy_gradient", "random_walk")
    )
    assert learned < 0.8 * random
