"""The simulator kit catches what it is for: one broken simulator per rule."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import pytest

from archgym import Breakdown, Columns, DesignSpace, Explanation, Metric, Metrics, Parameter, Simulator, Status
from archgym.errors import UnknownNameError
from archgym.testing import ConformanceError, check_simulator, simulator_checks
from archgym.testing.problems import Constrained, Mixture, Sphere
from archgym.testing.simulator_checks import same


class Good(Sphere):
    """Keeps every rule.

    ==  ====  =======  ===========
    #   name  ordered  values
    ==  ====  =======  ===========
    0   x0    yes      0, 1 .. 11
    1   x1    yes      0 .. 11
    2   x2    yes      0 .. 3 / 0 .. 11
    3   x3    yes      0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    4   x4    yes      0 .. 11
    5   x5    yes      0 .. 11
    6   x6    yes      0 .. 11
    7   x7    yes      0 .. 11
    ==  ====  =======  ===========

    ========  ====  ==========
    name      goal  range
    ========  ====  ==========
    distance  min   0 .. 1e6
    ========  ====  ==========
    """

    def explain(self, design: Any) -> Explanation:
        metrics = self.evaluate(np.asarray(design)[None, :]).row(0)
        parts = (Breakdown("distance", "", (("all of it", metrics["distance"], ""),)),)
        return Explanation(self.space.describe(design), metrics, parts, "the distance")


class Stateful(Sphere):
    """Counts its calls into the result."""

    calls = 0

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        self.calls += 1
        return {"distance": self._distance(columns) + self.calls}


class BatchMean(Sphere):
    """A design's neighbours change its price."""

    def _distance(self, columns: Columns) -> np.ndarray:
        return super()._distance(columns) + columns["x0"].mean()


class FirstRow(Sphere):
    """The first row is cheaper: order matters."""

    def _distance(self, columns: Columns) -> np.ndarray:
        distance = super()._distance(columns)
        return distance + (np.arange(len(distance)) > 0)


class Overwrites(Sphere):
    """Sorts the caller's array."""

    def evaluate(self, designs: Any, fidelity: str = "full") -> Metrics:
        if isinstance(designs, np.ndarray):
            designs[:1] = 0
        return super().evaluate(designs, fidelity)


class Lenient(Sphere):
    """Clips levels instead of refusing them."""

    def evaluate(self, designs: Any, fidelity: str = "full") -> Metrics:
        return super().evaluate(np.clip(np.asarray(designs).astype(float).astype(int), 0, 11), fidelity)


class Crashes(Sphere):
    """Raises for arrays of one row, outside the hook."""

    def evaluate(self, designs: Any, fidelity: str = "full") -> Metrics:
        if len(designs) == 1 and np.asarray(designs).any():
            raise ZeroDivisionError
        return super().evaluate(designs, fidelity)


class Loose(Sphere):
    """Its bounds do not hold for ordinary designs."""

    metrics = (Metric("distance", "min", (0.0, 100.0)),)


class DefaultFails(Sphere):
    """The default design is not OK."""

    def _distance(self, columns: Columns) -> np.ndarray:
        return np.where(columns["x0"] == 0, np.nan, super()._distance(columns))


class Silent(Sphere):
    """Gives no reasons."""

    def evaluate(self, designs: Any, fidelity: str = "full") -> Metrics:
        result = super().evaluate(designs, fidelity)
        far = result["distance"] > 300
        result.status[far], result.columns["distance"][far] = Status.FAILED, np.nan
        return result


class Merges(Sphere):
    """Claims that x0 makes no difference."""

    def canonical(self, designs: Any) -> np.ndarray:
        merged = self.space.check(designs).copy()
        merged[:, 0] = 0
        return merged


class Wanders(Sphere):
    """Its canonical form has another canonical form."""

    def canonical(self, designs: Any) -> np.ndarray:
        moved = self.space.check(designs).copy()
        moved[:, 0] = (moved[:, 0] + 1) % 12
        return moved


class Rescues(Constrained):
    """Its canonical form of an invalid design is valid."""

    def canonical(self, designs: Any) -> np.ndarray:
        array = self.space.check(designs).copy()
        array[self.space.violation(array) > 0] = 0
        return array


class Unpicklable(Sphere):
    """Holds something that cannot be sent."""

    def __init__(self) -> None:
        self.trace = lambda: None


class Forgets(Sphere):
    """Its pickled copy prices differently."""

    offset: float = 0.0

    def __init__(self) -> None:
        self.offset = 1.0

    def __reduce__(self) -> tuple[Any, ...]:
        return object.__new__, (Forgets,)

    def _distance(self, columns: Columns) -> np.ndarray:
        return super()._distance(columns) + self.offset


class Secretive(Sphere):
    """Its arguments cannot be written to a manifest."""

    arguments: ClassVar[Mapping[str, Any]] = MappingProxyType({"trace": object()})


class Lowlevel(Sphere):
    """Its cheap fidelity does not work."""

    fidelities: ClassVar[Mapping[str, float]] = MappingProxyType({"full": 1.0, "cheap": 0.1})

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        return {"distance": self._distance(columns) * (np.nan if fidelity == "cheap" else 1)}


class Costly(Sphere):
    """Full fidelity does not cost 1."""

    fidelities: ClassVar[Mapping[str, float]] = MappingProxyType({"full": 2.0})


class Taken(Sphere):
    """A metric is called like a column of the log."""

    metrics = (Metric("score", "min"),)

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, np.ndarray]:
        return {"score": self._distance(columns)}


class Misexplains(Good):
    """Explains another number than it measures."""

    def explain(self, design: Any) -> Explanation:
        explained = super().explain(design)
        return Explanation(explained.design, {"distance": -5.0}, explained.breakdowns, explained.bottleneck)


class WrongTable(Mixture):
    """Documents a value that it does not have.

    ======  ==============
    name    values
    ======  ==============
    size0   1, 2, 4 .. 999
    ======  ==============
    """


BROKEN = {
    Stateful: "repeatable",
    BatchMean: "batch-equals-singles",
    FirstRow: "order-of-rows",
    Overwrites: "input-untouched",
    Lenient: "wrong-input",
    Crashes: "batch-equals-singles",
    Loose: "within-bounds",
    DefaultFails: "default-design",
    Silent: "metrics-complete",
    Merges: "canonical",
    Wanders: "canonical",
    Rescues: "canonical",
    Unpicklable: "pickles",
    Forgets: "pickles",
    Secretive: "arguments",
    Lowlevel: "fidelities",
    Costly: "declaration",
    Taken: "declaration",
    Misexplains: "explains",
    WrongTable: "docs-tables",
}


def test_a_good_simulator_passes() -> None:
    check_simulator(Good())
    check_simulator(Constrained(), designs=200, seed=5)


def test_a_default_design_above_the_lowest_levels_is_no_fault() -> None:
    space = DesignSpace((Parameter("a", (1, 2, 3), default=2), Parameter("b", (1, 2), default=2)))
    simulator = type("Raised", (Sphere,), {"space": space, "__doc__": "Sphere, elsewhere.", "_evaluate": _first_values})()
    (rule,) = [check for check in simulator_checks() if check.name == "wrong-input"]
    assert rule.run(simulator) is None


def _first_values(simulator: Simulator, columns: Columns, fidelity: str) -> Mapping[str, Any]:
    return {name: 1.0 * columns["a"] for name in simulator.metric_names}


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_simulator_fails_its_check(kind: type[Simulator]) -> None:
    (check,) = [check for check in simulator_checks() if check.name == BROKEN[kind]]
    with pytest.raises(ConformanceError) as caught:
        check.run(kind())
    assert caught.value.check == check.name and caught.value.expected and caught.value.got
    assert str(caught.value).startswith(f"{kind.name} fails the check {check.name!r}: expected ")
    with pytest.raises(ConformanceError):
        check_simulator(kind())


def test_every_check_has_a_name_and_a_line_and_can_be_skipped() -> None:
    checks = simulator_checks()
    assert len({check.name for check in checks}) == len(checks) == 19
    assert all(check.doc.endswith(".") and str(check) == check.name for check in checks)
    check_simulator(Merges(), skip=["canonical", "cached"])
    with pytest.raises(UnknownNameError, match=r"no check named 'canonicl'\. Did you mean 'canonical'"):
        check_simulator(Good(), skip=["canonicl"])


def test_a_failure_reads_as_expected_and_got() -> None:
    with pytest.raises(ConformanceError, match=r"'canonical': expected equal metrics .*; got distance of row \d+: .* against"):
        check_simulator(Merges())
    with pytest.raises(AssertionError, match="expected no exception; got ZeroDivisionError"):
        check_simulator(Crashes())


# Column -> a wrong cell, and what the message says that it should be.
TABLES = {
    "ordered": ("no", "ordered 'yes' of size0"),
    "unit": ("MB", "unit 'kB' of size0"),
    "group": ("policies", "group 'sizes' of size0"),
    "#": ("1", "# '0' of size0"),
    "values": ("1, 2 .. 256", "values (1, 2, 4, 8"),
}


@pytest.mark.parametrize("column", TABLES)
def test_each_cell_of_a_table_is_compared(column: str) -> None:
    wrong, message = TABLES[column]
    cells = {"#": "0", "name": "size0", "ordered": "yes", "unit": "kB", "group": "sizes", "values": "1, 2 .. 512"}
    (check,) = [check for check in simulator_checks() if check.name == "docs-tables"]
    space = DesignSpace((Parameter("size0", tuple(2**k for k in range(10)), unit="kB", group="sizes"),))

    def documented(row: dict[str, str]) -> Simulator:
        rule = "  ".join("=" * 14 for _ in row)
        lines = [rule, *("  ".join(f"{cell:14}" for cell in line) for line in (row.keys(), row.values()))]
        text = "\n".join(["Documented.", "", *lines[:2], rule, lines[2], rule])
        return type("Documented", (Sphere,), {"__doc__": text, "space": space})()

    check.run(documented(cells))
    with pytest.raises(ConformanceError) as caught:
        check.run(documented({**cells, column: wrong}))
    assert message in caught.value.expected


def test_results_are_compared_to_the_last_bit() -> None:
    first, second = Sphere().evaluate(Sphere.space.sample(5, 0)), Sphere().evaluate(Sphere.space.sample(5, 0))
    assert same(first, second) == ""
    second.columns["distance"][3] = np.nextafter(second["distance"][3], np.inf)
    assert same(first, second).startswith("distance of row 3: ")
    assert same(first, first.take([0])) == "5 rows against 1"
    second = first.take(range(5))
    second.reasons[1] = "why"
    assert same(first, second) == "reasons {} against {1: 'why'}"
