"""Trials as arrays, and arrays as trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from made_up import BOX, Blunt, blunt, logged

from archgym import Dataset, Evaluator, Status, TrialLog, make_objective, make_simulator
from archgym.errors import ArgumentError, DataError, DesignError, MixedDataError, UnknownNameError
from archgym.manifest import describe_run, describe_task


@settings(deadline=None)
@given(arrays(np.float64, (7, 2), elements=st.floats(0, 1e5)), st.integers(0, 9))
def test_arrays_come_back_as_they_went_in(values: Any, seed: int) -> None:
    designs = BOX.sample(7, seed)
    metrics = {"latency_ns": values[:, 0], "area_mm2": values[:, 1]}
    found, given_back, status, rows = Dataset.from_arrays(Blunt(), designs, metrics, agent="me").arrays()
    assert np.array_equal(found, designs) and found.dtype == np.int32
    assert all(np.array_equal(given_back[name], column) for name, column in metrics.items())
    assert (status == Status.OK).all() and rows.trial.tolist() == list(range(7)) and (rows.run == 0).all()
    assert np.array_equal(rows.score, -values[:, 0])


def test_what_a_simulator_gave_keeps_its_negatives(tmp_path: Path) -> None:
    simulator = make_simulator("synthetic", workload="constrained")
    designs = simulator.space.sample(50, 0)
    metrics = simulator.evaluate(designs)
    dataset = Dataset.from_arrays(simulator, designs, metrics, agent="uniform")
    found = dataset.arrays(["area", "distance"])
    assert list(found.metrics) == ["area", "distance"] and np.array_equal(found.status, metrics.status)
    assert np.array_equal(found.metrics["distance"], metrics["distance"], equal_nan=True)
    table = dataset.to_arrow()
    assert table["violation"].to_pylist() == metrics.violation.tolist()
    assert table["reason"].to_pylist() == [metrics.reasons.get(row) for row in range(50)]
    assert dataset.simulators() == [simulator]


def test_a_value_that_is_not_finite_makes_its_design_failed() -> None:
    columns = {"latency_ns": [1.0, np.nan, np.inf, -5.0], "area_mm2": [1.0, 1.0, 1.0, 1.0]}
    found = Dataset.from_arrays(Blunt(), BOX.sample(4, 0), columns).arrays()
    assert found.status.tolist() == [Status.OK, Status.FAILED, Status.FAILED, Status.SUSPECT]
    assert np.isnan(found.metrics["area_mm2"][1:3]).all()


def test_arrays_that_do_not_fit_say_so() -> None:
    designs = BOX.sample(4, 0)
    good = {"latency_ns": np.ones(4), "area_mm2": np.ones(4)}
    with pytest.raises(ArgumentError, match="blunt: metric area_mm2 is missing"):
        Dataset.from_arrays(Blunt(), designs, {"latency_ns": np.ones(4)})
    with pytest.raises(ArgumentError, match=r"latency_ns must have shape \(4,\), got \(3,\)"):
        Dataset.from_arrays(Blunt(), designs, {**good, "latency_ns": np.ones(3)})
    with pytest.raises(UnknownNameError, match="no metric named 'latency'"):
        Dataset.from_arrays(Blunt(), designs, {**good, "latency": np.ones(4)})
    with pytest.raises(DesignError, match="level must be 0"):
        Dataset.from_arrays(Blunt(), designs + 9, good)
    with pytest.raises(DataError, match="at least one design"):
        Dataset.from_arrays(Blunt(), designs[:0], good)
    with pytest.raises(ArgumentError, match=r"4 designs need metrics.*of 3 rows"):
        Dataset.from_arrays(Blunt(), designs, Blunt().evaluate(designs[:3]))
    assert list(blunt(5).arrays("latency_ns").metrics) == ["latency_ns"]
    with pytest.raises(ArgumentError, match="metrics must name at least one of latency_ns, area_mm2, got none"):
        blunt(5).arrays([])
    with pytest.raises(UnknownNameError, match="blunt: no metric named 'power'"):
        blunt(5).arrays(["power"])


def test_logged_runs_give_what_the_simulator_gives(tmp_path: Path) -> None:
    dataset = Dataset.open(logged(tmp_path))
    found = dataset.arrays()
    (simulator,) = dataset.simulators()
    again = simulator.evaluate(found.designs)
    assert np.array_equal(found.status, again.status) and len(found.designs) == 120
    for name, column in found.metrics.items():
        assert np.array_equal(column, again[name], equal_nan=True)
    origin = [dataset.runs[index].manifest["agent"] for index in found.rows.run]
    assert origin == dataset.to_arrow()["agent"].to_pylist()


def change(dataset: Dataset, *keys: str, to: Any) -> Dataset:
    """The same trials with another entry in their manifest."""
    manifest = dataset.runs[0].manifest
    for key in keys[:-1]:
        manifest = manifest[key]
    manifest[keys[-1]] = to
    return dataset


@pytest.mark.parametrize(
    ("keys", "value", "message"),
    [
        (("simulator", "name"), "sharp", "they differ in simulator. uniform-all has blunt, uniform-all has sharp"),
        (("simulator", "version"), "2", "they differ in simulator version. uniform-all has 1, uniform-all has 2"),
        (("space", "digest"), "abc", "they differ in space digest"),
        (("workload", "digest"), "abc", r"they differ in workload. uniform-all has all \(digest \w+\), uniform-all has all"),
        (("simulator", "arguments"), {"blind": [1]}, "they differ in simulator arguments"),
        (("metrics",), [{"name": "latency_ns", "goal": "min"}], "they differ in metrics"),
    ],
)
def test_mixed_problems_are_refused_with_the_difference(keys: tuple[str, ...], value: Any, message: str) -> None:
    mixed = blunt(5).join(change(blunt(5), *keys, to=value))
    with pytest.raises(MixedDataError, match=message):
        mixed.arrays()


def test_mixed_fidelities_are_refused(tmp_path: Path) -> None:
    simulator = make_simulator("synthetic")
    objective = make_objective("distance", simulator)
    log = TrialLog.create(tmp_path / "run", describe_run(describe_task(simulator, objective, None), "me", {}, 0))
    evaluator = Evaluator(simulator, objective, log=log)
    for fidelity in ("full", "coarse"):
        evaluator.evaluate(simulator.space.sample(5, 0), fidelity)
    log.close()
    dataset = Dataset.open(tmp_path)
    with pytest.raises(MixedDataError, match=r"several fidelities \(coarse, full\).*select\(fidelity=\"full\"\)"):
        dataset.arrays()
    assert len(dataset.select(fidelity="coarse").arrays().designs) == 5
    assert len(dataset.dedupe()) == 10  # a trial of each design at each fidelity


def test_nothing_left_is_an_error() -> None:
    with pytest.raises(DataError, match="no trial left"):
        blunt(5).select(status="FAILED").arrays()
    with pytest.raises(DataError, match="no run left"):
        Dataset([]).arrays()
