"""Splits: nothing that is the same is on both sides."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up import Blunt, blunt, kinds, logged, rows_of

from archgym import Dataset, make_simulator
from archgym.errors import ArgumentError, DataError, MixedDataError, UnknownNameError

BLIND = st.lists(st.integers(0, 2), max_size=2, unique=True).map(tuple)


def all_designs(dataset: Dataset) -> list[np.ndarray[Any, Any]]:
    """Designs of each run apart."""
    return [Dataset([run], [kept], dataset._where).arrays().designs for run, kept in pairs(dataset)]


def pairs(dataset: Dataset) -> list[tuple[Any, Any]]:
    return [(run, kept) for run, kept in zip(dataset.runs, dataset._kept, strict=True) if kept is None or len(kept)]


@settings(deadline=None)
@given(one=BLIND, other=BLIND, fraction=st.floats(0.05, 0.9), seed=st.integers(0, 9), rows=st.integers(2, 80))
def test_no_class_of_any_workload_is_on_both_sides(
    one: tuple[int, ...], other: tuple[int, ...], fraction: float, seed: int, rows: int
) -> None:
    simulators = [Blunt("one", one), Blunt("other", other)]
    dataset = blunt(rows, seed, workload="one", blind=one).join(blunt(rows, seed + 1, workload="other", blind=other))
    try:
        train, test = dataset.split("canonical", fraction, seed)
    except DataError:
        assert len(classes(np.concatenate(all_designs(dataset)), simulators)) == 1
        return
    assert rows_of(train) | rows_of(test) == rows_of(dataset) and not rows_of(train) & rows_of(test)
    assert len(train) and len(test)
    left, right = np.concatenate(all_designs(train)), np.concatenate(all_designs(test))
    for simulator in simulators:
        assert not kinds(simulator.canonical(left)) & kinds(simulator.canonical(right))


def classes(designs: np.ndarray[Any, Any], simulators: list[Blunt]) -> list[set[int]]:
    """Designs in classes, two classes put together as long as any simulator cannot tell members apart; slow and plain."""
    found = [{row} for row in range(len(designs))]
    for simulator in simulators:
        keys = [row.tobytes() for row in simulator.canonical(designs)]
        for key in set(keys):
            rows = {row for row, other in enumerate(keys) if other == key}
            touched = [group for group in found if group & rows]
            found = [group for group in found if not group & rows] + [set().union(*touched)]
    return found


@settings(deadline=None)
@given(fraction=st.floats(0.05, 0.9), seed=st.integers(0, 9), rows=st.integers(2, 60))
def test_no_design_is_on_both_sides(fraction: float, seed: int, rows: int) -> None:
    dataset = blunt(rows, seed, blind=(0, 1, 2))
    if len(kinds(dataset.arrays().designs)) < 2:
        return
    train, test = dataset.split("design", fraction, seed)
    left, right = kinds(train.arrays().designs), kinds(test.arrays().designs)
    assert not left & right and len(left) + len(right) == len(kinds(dataset.arrays().designs))
    assert abs(len(right) - fraction * (len(left) + len(right))) <= 1


def test_dram_classes_stay_on_one_side() -> None:
    simulator = make_simulator("dram", workload="random", requests=200)
    designs = simulator.space.sample(3000, 0)
    zeros = {metric.name: np.full(3000, max(metric.bounds[0], 0.0)) for metric in simulator.metrics}
    dataset = Dataset.from_arrays(simulator, designs, zeros)
    train, test = dataset.split()
    left, right = (kinds(simulator.canonical(side.arrays(["latency_ns"]).designs)) for side in (train, test))
    assert not left & right and round(0.2 * len(left | right)) == len(right)
    leaking = [kinds(simulator.canonical(side.arrays(["latency_ns"]).designs)) for side in dataset.split("design")]
    assert leaking[0] & leaking[1]  # what the careful split is for


def test_the_sides_depend_on_designs_and_seed_only() -> None:
    dataset = blunt(100)
    found = dataset.arrays()
    backwards = Dataset.from_arrays(Blunt(), found.designs[::-1], {k: v[::-1] for k, v in found.metrics.items()})
    for by in ("canonical", "design"):
        sides = [kinds(each.split(by, seed=3)[1].arrays().designs) for each in (dataset, backwards)]  # type: ignore[arg-type]
        assert sides[0] == sides[1]
        assert sides[0] != kinds(dataset.split(by, seed=4)[1].arrays().designs)  # type: ignore[arg-type]


def test_by_agent_and_by_workload(tmp_path: Path) -> None:
    logged(tmp_path)
    logged(tmp_path, workload="sphere")
    dataset = Dataset.open(tmp_path)
    for by in ("agent", "workload"):
        train, test = dataset.split(by, fraction=0.5)  # type: ignore[arg-type]
        left, right = (Counter(side.to_arrow()[by].to_pylist()) for side in (train, test))
        assert not set(left) & set(right) and left.total() == right.total() == 120


def test_what_cannot_be_split_says_so() -> None:
    dataset = blunt(30)
    with pytest.raises(DataError, match="cannot split by agent: all trials share one"):
        dataset.split("agent")
    with pytest.raises(DataError, match="cannot split by design: all trials share one"):
        blunt(1).split("design")
    with pytest.raises(ArgumentError, match=r"fraction must be between 0 and 1.*got 1.5"):
        dataset.split("design", fraction=1.5)
    for seed in (-1, "x", 1.5):
        with pytest.raises(ArgumentError, match="seed must be a whole number from 0"):
            dataset.split("design", seed=seed)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="fraction must be between 0 and 1"):
        dataset.split("design", fraction="half")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="no way to split named 'rows'"):
        dataset.split("rows")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="no run left"):
        Dataset([]).split("agent")


def test_spaces_of_one_simulator_are_not_split_together(tmp_path: Path) -> None:
    logged(tmp_path, agents=("random_walk",))
    logged(tmp_path / "wide", agents=("random_walk",), levels=8)
    with pytest.raises(MixedDataError, match=r"synthetic trials of several spaces.*Split each space's runs apart"):
        Dataset.open(tmp_path).split("design")


def test_a_simulator_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset.open(logged(tmp_path, agents=("random_walk",)))
    (simulator,) = dataset.simulators()
    assert simulator.name == "synthetic" and simulator.workload == "constrained"
    monkeypatch.setattr(type(simulator), "version", "2")
    with pytest.raises(MixedDataError, match="its version is 2, the run was made with 1"):
        dataset.split()
    assert len(dataset.split("design")) == 2
