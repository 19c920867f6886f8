"""Datasets in memory and on disk that tests of datasets share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns, Dataset, Designs, DesignSpace, Metric, Parameter, Simulator, make_simulator, search

BOX = DesignSpace(
    (
        Parameter("size", (1, 2, 4, 8), unit="kB"),
        Parameter("policy", ("a", "b", "c"), ordered=False),
        Parameter("ways", (1, 2, 3, 4, 5)),
    ),
    name="box",
)


class Blunt(Simulator):
    """Cannot tell apart what ``blind`` of its parameters say; its metric agrees.

    Attributes:
        blind: columns that do not matter, the workload's own.
    """

    name = "blunt"
    version = "1"
    space = BOX
    metrics = (Metric("latency_ns", "min", (0.0, 1e6), "how long"), Metric("area_mm2", "min", (0.0, 1e6)))

    def __init__(self, workload: str = "all", blind: tuple[int, ...] = ()) -> None:
        self.workload, self.blind = workload, blind
        self.arguments = {"workload": workload, "blind": list(blind)}

    def canonical(self, designs: ArrayLike) -> Designs:
        """Zero where it is blind."""
        array = self.space.check(designs).copy()
        array[:, list(self.blind)] = 0
        return array

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]]:
        latency = columns["size"] * 10.0 + columns["ways"] + (columns["policy"] == "b")
        return {"latency_ns": latency, "area_mm2": columns["size"] * 1.0}


def blunt(n: int, seed: int = 0, agent: str = "uniform", **arguments: Any) -> Dataset:
    """So many random trials of a ``Blunt``."""
    simulator = Blunt(**arguments)
    designs = simulator.space.sample(n, seed)
    return Dataset.from_arrays(simulator, designs, simulator.evaluate(designs), agent, name=f"{agent}-{simulator.workload}")


def logged(folder: Path, agents: tuple[str, ...] = ("random_walk", "genetic"), budget: int = 60, **arguments: Any) -> Path:
    """One run per agent on the synthetic simulator, below a folder."""
    simulator = make_simulator("synthetic", **{"workload": "constrained", "parameters": 4, **arguments})
    for agent in agents:
        search(agent, simulator, objective="distance", budget=budget, seed=1, log=folder / f"{simulator.workload}-{agent}")
    return folder


def rows_of(dataset: Dataset) -> set[tuple[str, int]]:
    """Run and number of every trial; no trial twice."""
    table = dataset.to_arrow()
    found = list(zip(table["run"].to_pylist(), table["trial"].to_pylist(), strict=True))
    assert len(found) == len(set(found)) == len(dataset)
    return set(found)


def kinds(designs: NDArray[Any]) -> set[bytes]:
    """Distinct rows."""
    return {row.tobytes() for row in np.ascontiguousarray(designs)}
