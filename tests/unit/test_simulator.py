"""The simulator contract: what ``evaluate`` checks, screens, shares and catches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from archgym import (
    Cached,
    Columns,
    Constraint,
    DesignSpace,
    InvalidDesign,
    Metric,
    Metrics,
    Parameter,
    PointSimulator,
    Simulator,
    Status,
)
from archgym.errors import ContractError, DesignError, UnknownNameError

SPACE = DesignSpace(
    (Parameter("x", tuple(range(10))), Parameter("mode", ("plain", "same"), ordered=False)),
    (Constraint("limit", lambda columns: columns["x"] - 7, "x is at most 7"),),
    name="toy",
)


class Toy(Simulator):
    """Squares x; mode makes no difference."""

    name, version, space = "toy", "1", SPACE
    metrics = (Metric("square", "min", (0.0, 1e3)), Metric("negative", "max"))
    fidelities = {"full": 1.0, "quick": 0.25}  # noqa: RUF012

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray] | Metrics:
        self.batches.append(columns["x"].tolist())
        square = columns["x"] ** 2 + (100 if fidelity == "quick" else 0)
        return {"square": square, "negative": -columns["x"].astype(float), "not declared": square}


class Merged(Toy):
    """Knows that mode makes no difference."""

    def canonical(self, designs: Any) -> np.ndarray:
        merged = self.space.check(designs, who=self.name).copy()
        merged[:, 1] = 0
        return merged


def test_results_have_the_declared_metrics_only() -> None:
    result = Toy().evaluate([[2, 0], [3, 1]])
    assert list(result.columns) == ["square", "negative"]
    assert result["square"].tolist() == [4, 9] and result["negative"].tolist() == [-2, -3]
    assert result["square"].dtype == np.float64 and result.ok.all() and not result.reasons


def test_designs_that_break_a_constraint_never_reach_the_hook() -> None:
    toy = Toy()
    result = toy.evaluate([[9, 0], [7, 0], [8, 1]])
    assert toy.batches == [[7]]
    assert result.status.tolist() == [Status.INVALID, Status.OK, Status.INVALID]
    assert result.violation.tolist() == [2, 0, 1] and result.reasons == {
        0: "limit: x is at most 7",
        2: "limit: x is at most 7",
    }
    assert np.isnan(result["square"][[0, 2]]).all() and result["square"][1] == 49


def test_all_invalid_and_empty_batches_do_not_call_the_hook() -> None:
    toy = Toy()
    assert toy.evaluate([[9, 0]]).status.tolist() == [Status.INVALID]
    assert len(toy.evaluate(np.zeros((0, 2), int))) == 0
    assert toy.batches == []


def test_equivalent_designs_are_simulated_once() -> None:
    toy, merged = Toy(), Merged()
    designs = [[5, 1], [2, 0], [5, 0], [2, 1], [9, 0], [5, 1]]
    assert merged.evaluate(designs)["square"].tolist()[:4] == [25, 4, 25, 4]
    assert merged.batches == [[2, 5]]
    toy.evaluate(designs)
    assert toy.batches == [[5, 2, 5, 2, 5]]
    merged.deterministic = False
    merged.evaluate(designs)
    assert merged.batches[-1] == [5, 2, 5, 2, 5]


def test_fidelities() -> None:
    assert Toy().evaluate([[2, 0]], "quick")["square"].tolist() == [104]
    with pytest.raises(UnknownNameError, match=r"toy: no fidelity named 'quik'\. Did you mean 'quick'"):
        Toy().evaluate([[2, 0]], "quik")


class Huge(Toy):
    """Outside its bounds at every fidelity."""

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        return {"square": columns["x"] + 5000.0, "negative": np.where(columns["x"] == 3, np.inf, 0.0)}


def test_bounds_are_those_of_full_fidelity_but_numbers_are_finite_at_every_one() -> None:
    assert Huge().evaluate([[2, 0], [3, 0]]).status.tolist() == [Status.SUSPECT, Status.FAILED]
    assert Huge().evaluate([[2, 0], [3, 0]], "quick").status.tolist() == [Status.OK, Status.FAILED]


def test_wrong_arrays_are_errors() -> None:
    with pytest.raises(DesignError, match=r"toy: designs must have shape \(N, 2\)"):
        Toy().evaluate([[1, 0, 0]])


class Fragile(Toy):
    """Breaks for some x, alone or in a batch."""

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        for x in columns["x"].tolist():
            if x == 1:
                raise ZeroDivisionError("x is one")
            if x == 2:
                raise TimeoutError("too slow")
            if x == 3:
                raise InvalidDesign("x is three", violation=0.5)
        self.batches.append(columns["x"].tolist())
        square = np.where(columns["x"] == 4, np.nan, np.where(columns["x"] == 5, 5000.0, columns["x"] ** 2))
        return {"square": square, "negative": -square}


def test_one_bad_design_does_not_take_its_neighbours_along() -> None:
    result = Fragile().evaluate([[x, 0] for x in range(8)])
    assert result.status.tolist() == [
        *(Status.OK, Status.FAILED, Status.TIMEOUT, Status.INVALID, Status.FAILED, Status.SUSPECT, Status.OK, Status.OK),
    ]
    assert result["square"][[0, 6, 7]].tolist() == [0, 36, 49] and result["square"][5] == 5000
    assert np.isnan(result["negative"][[1, 2, 3, 4]]).all()
    assert result.violation.tolist() == [0, 0, 0, 0.5, 0, 0, 0, 0]
    assert result.reasons == {
        1: "ZeroDivisionError: x is one",
        2: "TimeoutError: too slow",
        3: "x is three",
        4: "square is not finite: nan",
        5: "square = 5000 is outside its physical bounds [0, 1000]",
    }


class Returns(Toy):
    """Returns whatever it was told to."""

    def __init__(self, returned: Any) -> None:
        self.returned = returned

    def _evaluate(self, columns: Columns, fidelity: str) -> Any:
        return self.returned


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"square": [1, 2]}, "missing: negative"),
        ({"square": [1, 2], "negative": 1.0}, r"metric negative must have shape \(2,\), got \(\)"),
        ({"square": [1, 2, 3], "negative": [1, 2, 3]}, r"metric square must have shape \(2,\), got \(3,\)"),
        (None, "must return a mapping or Metrics, got NoneType"),
        (Metrics.empty(["square", "negative"], 3), "must return Metrics of 2 rows, got 3"),
        (Metrics.empty(["square"], 2), "missing: negative"),
    ],
)
def test_a_hook_that_breaks_the_contract_is_an_error_of_its_author(returned: Any, message: str) -> None:
    with pytest.raises(ContractError, match=f"toy: .*{message}"):
        Returns(returned).evaluate([[1, 0], [2, 0]])


def test_a_hook_may_return_statuses() -> None:
    returned = Metrics.empty(["square", "negative"], 2)
    returned.columns["square"][:], returned.columns["negative"][:] = [1, 2], [3, 4]
    returned.status[0], returned.violation[0], returned.reasons[0] = Status.INVALID, 3.0, "does not fit"
    result = Returns(returned).evaluate([[1, 0], [2, 0]])
    assert result.status.tolist() == [Status.INVALID, Status.OK] and result.violation.tolist() == [3, 0]
    assert np.isnan(result["square"][0]) and result.reasons == {0: "does not fit"}
    assert returned["square"].tolist() == [1, 2]  # the simulator's own arrays are left alone


class Interrupted(Toy):
    """Ctrl-C while it runs."""

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        raise KeyboardInterrupt


def test_ctrl_c_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        Interrupted().evaluate([[1, 0]])


class Point(PointSimulator):
    """One design at a time; some break."""

    name, version, space = "point", "1", SPACE
    metrics = (Metric("square", "min"),)

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def _evaluate_point(self, design: dict[str, Any], fidelity: str) -> Mapping[str, float]:
        self.seen.append(design)
        if design["x"] == 3:
            raise InvalidDesign("three", violation=2.0)
        if design["x"] == 4:
            raise OSError("no such program")
        if design["x"] == 5:
            raise TimeoutError("60 s")
        return {} if design["x"] == 6 else {"square": design["x"] ** 2}


def test_a_point_simulator_prices_each_design_once_whatever_its_neighbours_do() -> None:
    point = Point()
    result = point.evaluate([[x, 1] for x in (2, 3, 4, 5, 7)])
    assert [design["x"] for design in point.seen] == [2, 3, 4, 5, 7]
    assert point.seen[0] == {"x": 2, "mode": "same"} and type(point.seen[0]["x"]) is int
    assert result.status.tolist() == [Status.OK, Status.INVALID, Status.FAILED, Status.TIMEOUT, Status.OK]
    assert result["square"][[0, 4]].tolist() == [4, 49] and result.violation.tolist() == [0, 2, 0, 0, 0]
    assert result.reasons == {1: "three", 2: "OSError: no such program", 3: "TimeoutError: 60 s"}


def test_a_point_without_a_metric_is_an_error_of_its_author() -> None:
    with pytest.raises(ContractError, match="missing: square"):
        Point().evaluate([[2, 0], [6, 0]])


def test_defaults_of_the_contract() -> None:
    toy = Toy()
    assert toy.workloads() == () and toy.metric_names == ("square", "negative") and toy.metric("negative").goal == "max"
    assert toy.canonical([[1, 0]]).tolist() == [[1, 0]] and dict(toy.arguments) == {}
    with pytest.raises(UnknownNameError, match="toy: no metric named 'squar'"):
        toy.metric("squar")
    with pytest.raises(ContractError, match="does not explain"):
        toy.explain([1, 0])
    other = Toy()
    other.workload = "another"
    assert toy.workload_digest == Toy().workload_digest != other.workload_digest


class Wide(Simulator):
    """A space with more points than a machine word counts; levels above 5 of x0 are the same, and it reads levels itself."""

    name, version = "wide", "1"
    space = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(300 if i == 1 else 10))) for i in range(30)), name="wide")
    metrics = (Metric("total", "min"),)

    def __init__(self) -> None:
        self.seen: list[int] = []

    def canonical(self, designs: Any) -> Any:
        kept = self.space.check(designs).copy()
        kept[:, 0] = np.minimum(kept[:, 0], 5)
        return kept

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, Any]:
        raise AssertionError("levels are not decoded for a simulator that reads them")

    def _evaluate_levels(self, designs: Any, fidelity: str) -> Mapping[str, Any]:
        self.seen.append(len(designs))
        return {"total": designs.sum(axis=1).astype(float)}


def test_wide_spaces_share_equivalents_and_may_be_read_as_levels() -> None:
    wide = Wide()
    designs = np.zeros((6, 30), np.int32)
    designs[:, 0] = [0, 5, 9, 6, 0, 5]
    designs[4, 1] = 256
    found = wide.evaluate(designs)
    assert found["total"].tolist() == [0, 5, 5, 5, 256, 5] and wide.seen == [3]
    assert Cached(Wide()).evaluate(designs)["total"].tolist() == found["total"].tolist()
