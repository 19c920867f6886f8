"""The optima that ship with the simulator belong to it, and no design is better."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym.optimum import table_key
from archgym.standing import find_standing
from simulators.systolic import Systolic

SHIPPED = json.loads(Systolic("alexnet").summaries.read_text())


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path))


@pytest.mark.parametrize("workload", [entry["workload"] for entry in SHIPPED.values()])
def test_no_sampled_design_is_better_than_the_optimum(workload: str) -> None:
    simulator = Systolic(workload)
    entry = SHIPPED[table_key(simulator)]
    assert (entry["workload"], entry["designs"]) == (workload, 11_854_080)
    metrics = simulator.evaluate(simulator.space.sample(20_000, 0))
    for name, best in entry["best"].items():
        scores = archgym.make_objective(name, simulator).score(metrics)
        assert scores.max() <= best and best != 0
        standing = find_standing(simulator, archgym.make_objective(name, simulator), float(scores.max()))
        assert standing.regret is not None and standing.regret >= 0


@pytest.mark.parametrize("workload", [entry["workload"] for entry in SHIPPED.values()])
def test_climbing_from_good_designs_does_not_beat_the_optimum(workload: str) -> None:
    simulator = Systolic(workload)
    goal, best = archgym.make_objective("edp", simulator), SHIPPED[table_key(simulator)]["best"]["edp"]
    sample = simulator.space.sample(20_000, 1)
    design = sample[np.argmax(goal.score(simulator.evaluate(sample)))]
    while True:
        near = np.repeat(design[None], int(simulator.space.nvec.sum()), axis=0)
        row = 0
        for column, levels in enumerate(simulator.space.nvec):
            near[row : row + levels, column] = np.arange(levels)
            row += levels
        scores = goal.score(simulator.evaluate(near))
        if (near[np.argmax(scores)] == design).all():
            break
        design = near[np.argmax(scores)]
    assert best * 1.5 <= scores.max() <= best  # scores are negative: within half of the optimum, and never above it
