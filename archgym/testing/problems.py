"""Small problems with known optima, and the odd spaces that an agent has to cope with."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Metric
from archgym.simulator import Simulator
from archgym.space import Columns, Constraint, Designs, DesignSpace, Parameter


class Problem(Simulator):
    """Minimise ``distance``, a formula over decoded values; zero at ``best`` and nowhere else.

    Attributes:
        best: parameter -> value of the only optimum; None where no design is valid.
    """

    version = "1"
    metrics = (Metric("distance", "min", (0.0, 1e6), "zero at the optimum"),)
    best: ClassVar[Mapping[str, object] | None]

    @property
    def optimum(self) -> Designs:
        """The best design, (1, D)."""
        if self.best is None:
            raise ValueError(f"{self.name}: no design is valid, so there is no optimum")
        return self.space.encode(dict(self.best))  # type: ignore[arg-type]

    @abstractmethod
    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        """Distance of N designs from the best one, (N,)."""

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[np.float64]]:
        return {"distance": self._distance(columns)}


class Sphere(Problem):
    """Separable and smooth: squared distance to the optimum over eight ordered parameters of twelve levels."""

    name = "sphere"
    space = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(12))) for i in range(8)), name="sphere")
    best: ClassVar = {f"x{i}": (3 * i + 4) % 12 for i in range(8)}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(sum((columns[name] - value) ** 2.0 for name, value in self.best.items()))


class Mixture(Problem):
    """Sizes and policies: four ordered powers of two (octaves count) and four categories (right or wrong)."""

    name = "mixture"
    space = DesignSpace(
        (
            *(Parameter(f"size{i}", tuple(2**k for k in range(10)), unit="kB", group="sizes") for i in range(4)),
            *(Parameter(f"policy{i}", ("a", "b", "c", "d", "e"), ordered=False, group="policies") for i in range(4)),
        ),
        name="mixture",
    )
    best: ClassVar = {
        **{"size0": 4, "size1": 256, "size2": 32, "size3": 2},
        **{"policy0": "c", "policy1": "a", "policy2": "e", "policy3": "d"},
    }

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        octaves = sum(np.abs(np.log2(columns[f"size{i}"] / self.best[f"size{i}"])) for i in range(4))
        wrong = sum(np.where(columns[f"policy{i}"] == self.best[f"policy{i}"], 0.0, 3.0) for i in range(4))
        return np.asarray(octaves + wrong)


class Interaction(Problem):
    """Neighbouring parameters must agree: a change pays in full only together with that of its neighbour."""

    name = "interaction"
    space = DesignSpace(tuple(Parameter(f"x{i}", tuple(range(8))) for i in range(8)), name="interaction")
    best: ClassVar = {f"x{i}": (5 * i + 2) % 8 for i in range(8)}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        off = np.stack([columns[name] - value for name, value in self.best.items()], axis=1).astype(np.float64)
        return np.asarray(np.abs(off).sum(axis=1) + 2.0 * np.abs(np.diff(off, axis=1)).sum(axis=1))


class OnePoint(Problem):
    """A space of one design."""

    name = "one_point"
    space = DesignSpace((Parameter("only", (7,)), Parameter("policy", ("a",), ordered=False)), name="one_point")
    best: ClassVar = {"only": 7, "policy": "a"}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.zeros(len(columns["only"]))


class OneParameter(Problem):
    """A space of one parameter."""

    name = "one_parameter"
    space = DesignSpace((Parameter("x", tuple(range(9))),), name="one_parameter")
    best: ClassVar = {"x": 6}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray((columns["x"] - 6) ** 2, np.float64)


class OnlyCategories(Problem):
    """Nothing is ordered; values are names and booleans, so that nothing can be computed from them."""

    name = "only_categories"
    space = DesignSpace(
        (
            *(Parameter(f"policy{i}", ("a", "b", "c"), ordered=False) for i in range(4)),
            Parameter("enabled", (False, True), ordered=False),
        ),
        name="only_categories",
    )
    best: ClassVar = {**{f"policy{i}": "abca"[i] for i in range(4)}, "enabled": True}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(sum(np.where(columns[name] == value, 0.0, 1.0) for name, value in self.best.items()))


def _excess(columns: Columns) -> NDArray[np.float64]:
    return np.asarray(np.sum(list(columns.values()), axis=0) - 14, np.float64)


class Constrained(Problem):
    """Seven out of ten designs break a stated rule, and the best one lies next to the border."""

    name = "constrained"
    space = DesignSpace(
        tuple(Parameter(f"x{i}", tuple(range(8))) for i in range(5)),
        (Constraint("budget", _excess, "values must not sum to more than 14"),),
        name="constrained",
    )
    best: ClassVar = {"x0": 0, "x1": 7, "x2": 1, "x3": 4, "x4": 2}

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.asarray(sum((columns[name] - value) ** 2.0 for name, value in self.best.items()))


def _always(columns: Columns) -> NDArray[np.float64]:
    return np.asarray(1.0 + columns["x0"], np.float64)


class NothingValid(Problem):
    """Every design breaks a rule, some more than others."""

    name = "nothing_valid"
    space = DesignSpace(
        tuple(Parameter(f"x{i}", tuple(range(6))) for i in range(3)),
        (Constraint("never", _always, "no design is allowed"),),
        name="nothing_valid",
    )
    best: ClassVar = None

    def _distance(self, columns: Columns) -> NDArray[np.float64]:
        return np.zeros(len(columns["x0"]))


PROBLEMS: tuple[type[Problem], ...] = (Sphere, Mixture, Interaction)
"""Those on which an agent must beat random search."""

ODD_PROBLEMS: tuple[type[Problem], ...] = (OnePoint, OneParameter, OnlyCategories, Constrained, NothingValid)
"""Those that an agent must survive."""
