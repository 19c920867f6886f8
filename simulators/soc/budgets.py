"""How fast, frugal and small a chip shall be: sets of limits, and how far a chip is from one."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from archgym.errors import ArgumentError, UnknownNameError
from simulators.soc.graph import BUDGETED, Graph
from simulators.soc.layout import AREA_DRAM, AREA_REST, LATENCY, POWER, Floats
from simulators.soc.library import Library

SETS = ("published", "standard", "hard", "tight")
DEFAULT = "standard"
OTHERS = (0.5, 1.0, 4.0)
"""Limits of a graph without a budget, relative to one A53 that runs it all: half its time, its power, four times its area."""

TERMS = ((LATENCY, 0), (POWER, 1), (AREA_REST, 2), (AREA_DRAM, 2))  # outcome, limit


@dataclass(frozen=True)
class Budget:
    """Limits; all three are to be met.

    Attributes:
        latency_s: until the last task ends.
        power_w: largest average over about 10 ms.
        area_m2: of the DRAM, and of everything else: each has its own.
    """

    latency_s: float
    power_w: float
    area_m2: float

    def distance(self, outcomes: Floats) -> Floats:
        """Sum of what latency, power and both areas exceed their limits by, relatively; 0 where all are met.

        FARSI's distance without the 1e-9 that it writes for each limit that is met.

        Args:
            outcomes: ``(N, OUTCOMES)``; NaN gives NaN.
        """
        limits = astuple(self)
        return np.asarray(sum(np.maximum(outcomes[:, outcome] / limits[limit] - 1.0, 0.0) for outcome, limit in TERMS))


def find(parts: Sequence[Graph], library: Library, chosen: str | Mapping[str, float] | None) -> Budget:
    """The budget of graphs that run together.

    Power and area limits add up over the graphs; the latency limit is that of the slowest.

    Args:
        parts: the graphs.
        library: prices the limits of graphs without a budget.
        chosen: a set; the three limits; or None: the standard set, or what a graph's own file says, or ``OTHERS``.

    Raises:
        UnknownNameError: no such set for one of the graphs.
        ArgumentError: limits that are not three positive numbers.
    """
    if isinstance(chosen, Mapping):
        right = set(chosen) == set(BUDGETED) and all(_positive(value) for value in chosen.values())
        if not right:
            raise ArgumentError(f"soc: a budget needs positive numbers for {', '.join(BUDGETED)}, got {dict(chosen)}")
        return Budget(**{name: float(value) for name, value in chosen.items()})
    found = [_of(part, library, chosen) for part in parts]
    return Budget(
        max(each.latency_s for each in found), sum(each.power_w for each in found), sum(each.area_m2 for each in found)
    )


def sets(name: str) -> dict[str, Budget]:
    """The sets of an application, ``published`` left out; empty for other graphs."""
    return {key: Budget(**limits) for key, limits in _file().get(name, {}).items()}


def _of(part: Graph, library: Library, chosen: str | None) -> Budget:
    known = sets(part.name)
    if part.budget:
        known["published"] = Budget(**part.budget)
    if chosen is None:
        return known.get(DEFAULT) or known.get("published") or _from_one_processor(part, library)
    if chosen not in known:
        raise UnknownNameError("budget", chosen, known or ("three limits",), owner=f"soc, workload {part.name}")
    return known[chosen]


def _from_one_processor(part: Graph, library: Library) -> Budget:
    seconds = sum(task.instructions for task in part.tasks) / library.processor_rate
    power = library.processor_rate / library.processor_energy
    latency, watts, area = OTHERS
    return Budget(latency * max(seconds, 1e-9), watts * power, area * library.processor_area)


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


@cache
def _file() -> dict[str, dict[str, dict[str, float]]]:
    return tomllib.loads((Path(__file__).parent / "budgets.toml").read_text())
