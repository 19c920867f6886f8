"""Where changes are made, what is accepted, and that it helps on a chip."""

from __future__ import annotations

import numpy as np
import pytest

import archgym
from agents.bottleneck import Bottleneck
from archgym import Designs, DesignSpace, Metrics, Parameter

CHIP = DesignSpace(
    (
        *(Parameter(f"pe{i}_clock", tuple(range(8)), group="processing") for i in range(4)),
        *(Parameter(f"mem{i}_width", tuple(range(8)), group="memory") for i in range(4)),
        Parameter("fixed", (1,), group="memory"),
        *(Parameter(f"task{i}_pe", tuple(range(4)), ordered=False, group="mapping") for i in range(4)),
    )
)
START = np.full((1, CHIP.dimensions), 0, np.int32)


def told(score: float = 0.0, focus: float = 0.9, space: DesignSpace = CHIP, **metrics: float) -> Bottleneck:
    """An agent that knows one design."""
    agent = Bottleneck(space, seed=0, focus=focus, changes=1.0)
    found = Metrics.empty(tuple(metrics) or ("cost",), 1)
    for name, value in metrics.items():
        found.columns[name][:] = value
    agent.tell(START, np.array([score]), found)
    return agent


def moved(agent: Bottleneck, n: int = 2000) -> dict[str, float]:
    """Share of neighbours in which each parameter differs from the start."""
    return dict(zip(CHIP.names, (agent.ask(n) != START).mean(axis=0), strict=True))


def test_the_first_designs_are_random() -> None:
    assert len(np.unique(Bottleneck(CHIP, seed=0).ask(100), axis=0)) == 100


def test_groups_are_changed_in_proportion_to_what_the_simulator_tells() -> None:
    shares = moved(told(bottleneck_processing=0.75, bottleneck_memory=0.25))
    processing = sum(shares[f"pe{i}_clock"] for i in range(4))
    memory = sum(shares[f"mem{i}_width"] for i in range(4))
    assert 0.62 < processing < 0.78 and 0.2 < memory < 0.35
    assert sum(shares[f"task{i}_pe"] for i in range(4)) < 0.06


def test_the_part_that_is_named_is_changed() -> None:
    shares = moved(told(bottleneck_processing=1.0, bottleneck_memory=0.0, hot_pe=2.0, hot_task=3.0))
    assert shares["pe2_clock"] > 0.35 and shares["task3_pe"] > 0.35
    assert max(shares["pe0_clock"], shares["mem0_width"], shares["task0_pe"]) < 0.05


def test_a_part_without_parameters_stands_for_its_group() -> None:
    shares = moved(told(bottleneck_processing=1.0, hot_pe=7.0))
    assert all(0.15 < shares[f"pe{i}_clock"] < 0.3 for i in range(4))


@pytest.mark.parametrize("metrics", [{}, {"bottleneck_processing": np.nan, "hot_pe": np.nan}, {"bottleneck_other": 1.0}])
def test_it_is_local_search_where_nothing_is_told(metrics: dict[str, float]) -> None:
    shares = moved(told(**metrics))
    assert shares.pop("fixed") == 0.0
    assert all(0.05 < share < 0.12 for share in shares.values())


def test_it_moves_to_what_is_no_worse_and_starts_anew_after_a_while() -> None:
    agent = told(score=1.0)
    empty = Metrics.empty(("cost",), 1)
    agent.tell(START + 1, np.array([0.5]), empty)
    assert (agent.ask(1) != START).sum() <= 1, "a worse design is left"
    agent.tell(np.minimum(START + 1, CHIP.nvec - 1).astype(np.int32), np.array([1.0]), empty)
    assert (agent.ask(1) == START).sum() <= 2, "an equal one is taken"
    for _ in range(int(agent.settings["patience"]) - 1):
        agent.tell(START, np.array([0.0]), empty)
    assert len(np.unique(agent.ask(50), axis=0)) == 50, "random again"


def test_a_space_of_one_design_is_answered() -> None:
    space = DesignSpace((Parameter("a", (1,)),))
    agent = Bottleneck(space, seed=0)
    agent.tell(space.default, np.zeros(1), Metrics.empty(("cost",), 1))
    assert np.array_equal(agent.ask(3), np.zeros((3, 1)))


def best(agent: str, seed: int, **settings: float) -> float:
    simulator = archgym.make_simulator("soc", workload="edge_detection")
    found = archgym.search(agent, simulator, objective="distance_to_budget", budget=1500, seed=seed, hyperparameters=settings)
    return float(found.best_score)


def test_it_is_nearer_to_the_budget_of_a_chip_than_random_search() -> None:
    assert np.median([best("bottleneck", seed) for seed in range(3)]) > 0.5 * best("random_walk", 0)


def designs_of(agent: Bottleneck) -> Designs:
    return agent.ask(5)


def test_equal_seeds_ask_for_equal_designs() -> None:
    assert np.array_equal(designs_of(told()), designs_of(told()))
