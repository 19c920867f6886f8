"""The optima that ship with the simulator are those of its spaces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import archgym
from archgym.optimum import enumerate_space, table_key
from archgym.standing import find_standing, summarise
from simulators.dram.simulator import DRAM


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path))


@pytest.mark.parametrize("workload", DRAM.workloads())
def test_every_workload_ships_its_optimum(workload: str) -> None:
    simulator = DRAM(workload)
    shipped = json.loads(simulator.summaries.read_text())[table_key(simulator)]
    assert (shipped["workload"], shipped["designs"]) == (workload, 442_368)
    objective = archgym.make_objective("latency_ns", simulator)
    score = float(objective.score(simulator.evaluate(simulator.space.default))[0])
    found = find_standing(simulator, objective, score)
    assert found.regret is not None
    assert found.regret == pytest.approx(score / shipped["best"]["latency_ns"] - 1)
    assert found.regret >= 0


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["stream", "random", "read-write"])
def test_shipped_optima_are_what_enumeration_finds(workload: str) -> None:
    simulator = DRAM(workload)
    shipped = json.loads(simulator.summaries.read_text())[table_key(simulator)]
    assert summarise(simulator, enumerate_space(simulator), tuple(shipped["best"])) == shipped
