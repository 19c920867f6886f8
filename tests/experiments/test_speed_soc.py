"""The speed section of the SoC model measures what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import speed_soc

from simulators.soc import graph, model
from simulators.soc.layout import OK, platform_size
from simulators.soc.library import load_library
from simulators.soc.problem import make_problem


@pytest.mark.parametrize("space", ["limited", "wide"])
def test_rows_are_valid_platforms_of_the_workload(space: str) -> None:
    problem = make_problem(graph.load("hpvm_cava"), load_library())
    platforms = speed_soc.rows("hpvm_cava", space, problem)
    assert platforms.shape == (speed_soc.BATCH, platform_size(9))
    assert (model.simulate(platforms, problem, parallel=False)[1] == OK).all()
    assert len(np.unique(platforms, axis=0)) > 200


def test_times_are_per_design(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1_000, 10))
    monkeypatch.setattr(speed_soc.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(speed_soc.time, "thread_time", lambda: 0.0)
    calls: list[int] = []
    wall, cpu = speed_soc.best(lambda: calls.append(1), 3)
    assert len(calls) == 4 and wall == 10 / speed_soc.BATCH and cpu == 0.0


def test_a_line_has_a_ratio_where_there_is_something_to_compare_with() -> None:
    assert speed_soc._line("a", 1e-6, 2e-6, 40.0) == ("a", "1,000,000", "2,000", "20,000")
    assert speed_soc._line("a", 1e-6, 2e-6)[-1] == ""
