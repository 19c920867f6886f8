"""Landscape cards: what the table of a space says about a task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym import DesignSpace, Parameter, make_objective
from archgym.landscape import MARGINS, additive_fit, landscape_card, random_designs_needed
from archgym.optimum import enumerate_space


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


def card(workload: str, **arguments: int) -> archgym.landscape.Card:
    simulator = archgym.make_simulator("synthetic", workload=workload, **arguments)
    return landscape_card(simulator, enumerate_space(simulator), make_objective(simulator.metric_names[0], simulator))


def test_shares_count_designs_and_grow_with_the_margin() -> None:
    found = card("sphere", parameters=4, levels=5)
    assert (found.designs, found.classes) == (625, 625)
    assert found.shares[0] >= 1 / 625
    assert list(found.shares) == sorted(found.shares)
    assert list(found.needed) == sorted(found.needed, reverse=True)
    assert found.needed[0] == pytest.approx(random_designs_needed(found.shares[0]))


def test_random_search_needs_as_many_designs_as_the_geometric_distribution_says() -> None:
    share = 0.01
    needed = random_designs_needed(share)
    assert (1 - share) ** needed == pytest.approx(0.5)
    assert random_designs_needed(1.0) == 1 and random_designs_needed(0.0) == float("inf")


def test_a_task_that_random_search_solves_at_once_is_a_ceiling_task() -> None:
    assert card("sphere", parameters=2, levels=3).ceiling
    assert not card("needle", parameters=6, levels=4).ceiling


def test_invalid_designs_are_counted_but_are_never_near_the_optimum() -> None:
    found = card("constrained", parameters=4, levels=5)
    assert 0 < found.ok < 1
    assert found.shares[-1] <= found.ok


def test_main_effects_explain_a_sum_and_nothing_of_a_product_of_signs() -> None:
    space = DesignSpace(tuple(Parameter(name, (0, 1)) for name in "abc"))
    designs = space.unrank(np.arange(space.size))
    signs = 2.0 * designs - 1
    assert additive_fit(space, designs, signs @ [1.0, 2.0, 4.0] + 7) == pytest.approx(1)
    assert additive_fit(space, designs, signs.prod(axis=1)) == pytest.approx(0, abs=1e-9)
    mixed = signs[:, 0] + signs.prod(axis=1)
    assert additive_fit(space, designs, mixed) == pytest.approx(0.5)
    assert additive_fit(space, designs, np.full(8, 3.0)) is None


def test_the_additive_model_agrees_with_least_squares_on_an_unbalanced_sample() -> None:
    space = DesignSpace((Parameter("a", (1, 2, 3)), Parameter("b", (1, 2, 3, 4))))
    designs = space.sample(200, seed=3)
    values = np.random.default_rng(0).normal(size=200) + designs[:, 0]
    hot = np.column_stack([np.ones(200), space.one_hot(designs)])
    fitted = hot @ np.linalg.lstsq(hot, values, rcond=None)[0]
    assert additive_fit(space, designs, values) == pytest.approx(1 - np.var(values - fitted) / np.var(values))


def test_members_of_a_class_count_in_the_additive_model_each_with_its_own_levels() -> None:
    simulator = archgym.make_simulator("dram", workload="stream")
    table = enumerate_space(simulator)
    found = landscape_card(simulator, table, make_objective("latency_ns", simulator))
    assert found.classes < found.designs == found.fitted == 442_368
    assert found.ceiling and found.log
    assert 0.5 < found.additive_r2 < 1
    assert found.record()["margins"] == list(MARGINS)


def test_the_command_prints_the_card(command: Callable) -> None:
    answer = command("optimum", "synthetic", "--workload", "needle", "--set", "parameters=4", "--set", "levels=4", "--card")
    assert answer.code == 0
    for part in ("256 designs", "distinct outcomes", "within 1.0%", "random designs for the optimum", "ranks agents"):
        assert part in answer.out, part
    assert "ranks agents" not in command("optimum", "synthetic", "--set", "parameters=4", "--set", "levels=4").out
