"""Whole spaces: enumeration, its restart, what follows from the table, and simulators that answer from it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archgym
from archgym import Metrics, Simulator
from archgym.errors import ArchGymError, LogError, UnknownNameError
from archgym.optimum import SpaceTooLargeError, Table, enumerate_space, find_table, load_table, table_path
from archgym.standing import find_standing as standing
from archgym.standing import summarise
from archgym.tabulated import Tabulated


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def synthetic(workload: str = "sphere", parameters: int = 4, levels: int = 5) -> Simulator:
    return archgym.make_simulator("synthetic", workload=workload, parameters=parameters, levels=levels)


def whole(simulator: Simulator) -> Metrics:
    return simulator.evaluate(simulator.space.unrank(np.arange(simulator.space.size)))


def test_the_table_holds_every_design() -> None:
    simulator = synthetic()
    table = enumerate_space(simulator)
    assert len(table) == table.counts.sum() == simulator.space.size == 625
    np.testing.assert_array_equal(table.metrics["distance"], whole(simulator)["distance"])


def test_optimum_quantile_and_regret_against_brute_force() -> None:
    simulator = synthetic("interaction")
    objective = archgym.make_objective("distance", simulator)
    landscape = enumerate_space(simulator).landscape(objective)
    scores = objective.score(whole(simulator))
    assert landscape.best_score == scores.max() == 0
    np.testing.assert_array_equal(landscape.table.designs[landscape.best_rows], simulator.optimum)
    for score in (-1000.0, -7.0, -6.5, scores.min(), 0.0):
        assert landscape.quantile(score) == (scores > score).mean()
    assert landscape.regret(-7.0) == 7.0  # the optimal cost is zero: the plain difference


def test_classes_count_for_all_their_designs() -> None:
    simulator = archgym.make_simulator("dram", workload="random", requests=3)
    table = enumerate_space(simulator)
    assert len(table) < 10_000 < table.counts.sum() == simulator.space.size
    designs = simulator.space.sample(3000, seed=1)
    score = archgym.make_objective("latency_ns", simulator).score(simulator.evaluate(designs))
    landscape = table.landscape(archgym.make_objective("latency_ns", simulator))
    middle = np.median(score)
    assert landscape.quantile(middle) == pytest.approx((score > middle).mean(), abs=0.05)


def test_the_front_is_the_known_one() -> None:
    simulator = synthetic()
    table = enumerate_space(simulator)
    rows = table.front(archgym.make_objective("weighted:distance=1,area=1", simulator))
    found = np.stack([table.metrics["distance"][rows], table.metrics["area"][rows]], axis=1)
    np.testing.assert_array_equal(np.unique(found, axis=0), np.unique(simulator.front(), axis=0))


def test_interrupted_enumeration_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archgym.optimum.EVALUATE_BATCHES", (100, 100))
    monkeypatch.setattr("archgym.optimum.WRITE_BATCH", 200)  # several pieces of the file too
    simulator = synthetic()
    evaluated: list[int] = []
    original = type(simulator).evaluate

    def failing(self: Simulator, designs: np.ndarray, fidelity: str = "full") -> Metrics:
        if len(evaluated) == 3:
            raise KeyboardInterrupt
        evaluated.append(len(designs))
        return original(self, designs, fidelity)

    monkeypatch.setattr(type(simulator), "evaluate", failing)
    with pytest.raises(KeyboardInterrupt):
        enumerate_space(simulator)
    assert find_table(simulator) is None

    def counted(self: Simulator, designs: np.ndarray, fidelity: str = "full") -> Metrics:
        evaluated.append(len(designs))
        return original(self, designs, fidelity)

    monkeypatch.setattr(type(simulator), "evaluate", counted)
    table = enumerate_space(simulator)
    assert sum(evaluated) == simulator.space.size == len(table)  # nothing twice
    assert list(table_path(simulator).parent.iterdir()) == [table_path(simulator)]


def test_progress_is_told() -> None:
    seen: list[tuple[str, int, int]] = []
    enumerate_space(synthetic(), progress=lambda *step: seen.append(step))
    assert seen == [("classes", 625, 625), ("designs", 625, 625)]


def test_a_table_of_something_else_is_refused() -> None:
    enumerate_space(synthetic("sphere"))
    with pytest.raises(LogError, match="belongs to another"):
        load_table(synthetic("needle"), table_path(synthetic("sphere")))


def test_a_damaged_table_is_named_and_spoils_no_run() -> None:
    simulator = synthetic()
    enumerate_space(simulator)
    table_path(simulator).write_bytes(b"PAR1 not a table")
    with pytest.raises(LogError, match="cannot be read as a table"):
        find_table(simulator)
    assert archgym.search("random_walk", simulator, budget=10).quantile is None


def test_a_space_without_a_good_design_is_not_cached() -> None:
    broken = archgym.Faulty(synthetic(), share=1.0)
    with pytest.raises(ArchGymError, match=r"none of 625 classes of designs is OK.*spoilt on purpose"):
        enumerate_space(broken)
    assert find_table(synthetic()) is None


def test_large_spaces_say_how_large() -> None:
    with pytest.raises(SpaceTooLargeError, match=r"10,000,000,000 designs.*years"):
        enumerate_space(synthetic(parameters=10, levels=10))


@given(seed=st.integers(0, 2**31), n=st.integers(0, 40), workload=st.sampled_from(["ruggedness", "constrained"]))
@settings(max_examples=25, deadline=None)
def test_tabulated_is_identical(seed: int, n: int, workload: str) -> None:
    simulator = synthetic(workload, 4, 4)
    tabulated = Tabulated(simulator, _table(workload))
    designs = simulator.space.sample(n, seed)
    real, told = simulator.evaluate(designs), tabulated.evaluate(designs)
    np.testing.assert_array_equal(real.status, told.status)
    np.testing.assert_array_equal(real.violation, told.violation)
    assert real.reasons == told.reasons
    for name in simulator.metric_names:
        np.testing.assert_array_equal(real[name], told[name])


def _table(workload: str, tables: dict[str, Table] = {}) -> Table:  # noqa: B006 - made once for all examples
    if workload not in tables:
        tables[workload] = enumerate_space(synthetic(workload, 4, 4))
    return tables[workload]


def test_tabulated_dram_is_identical() -> None:
    simulator = archgym.make_simulator("dram", workload="read-write", requests=4)
    tabulated = pickle.loads(pickle.dumps(Tabulated(simulator, enumerate_space(simulator))))
    designs = simulator.space.sample(2000, seed=0)
    for name in simulator.metric_names:
        np.testing.assert_array_equal(simulator.evaluate(designs)[name], tabulated.evaluate(designs)[name])


def test_tabulated_knows_full_fidelity_only() -> None:
    simulator = synthetic()
    with pytest.raises(UnknownNameError, match="full"):
        Tabulated(simulator, enumerate_space(simulator)).evaluate(simulator.space.default, "coarse")


def test_a_design_outside_the_table_is_an_error() -> None:
    simulator = synthetic()
    table = enumerate_space(simulator)
    half = Table(table.space, table.ranks[:10], table.counts[:10], table.metrics.take(np.arange(10)))
    with pytest.raises(ArchGymError, match="not in the table"):
        Tabulated(simulator, half).evaluate(simulator.optimum)


def test_runs_carry_regret_and_quantile() -> None:
    simulator = synthetic()
    assert archgym.search("random_walk", simulator, budget=20).regret is None
    enumerate_space(simulator)
    result = archgym.search("random_walk", simulator, budget=20)
    scores = archgym.make_objective("distance", simulator).score(whole(simulator))
    assert result.quantile == (scores > result.best_score).mean()
    assert result.regret == -result.best_score


def test_shipped_summaries_give_regret_without_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from archgym.optimum import table_key

    simulator = synthetic()
    table = enumerate_space(simulator)
    summary = summarise(simulator, table, ("distance", "area"))
    assert summary == {"workload": "sphere", "designs": 625, "classes": 625, "best": {"distance": 0.0, "area": 0.0}}
    table_path(simulator).unlink()
    simulator.summaries = tmp_path / "optima.json"
    simulator.summaries.write_text(json.dumps({table_key(simulator): summary}))
    found = standing(simulator, archgym.make_objective("distance", simulator), -3.0)
    assert found == (3.0, None)
    assert standing(simulator, archgym.make_objective("edp", archgym.make_simulator("dram", requests=2)), -1.0) == (None, None)


def test_no_standing_without_a_design() -> None:
    simulator = synthetic()
    enumerate_space(simulator)
    assert standing(simulator, archgym.make_objective("distance", simulator), -np.inf) == (None, None)
