from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import archgym

pytest.importorskip("onnxruntime")


NAME = "archgym.proxy:Guided"


@pytest.fixture
def simulator() -> archgym.Simulator:
    return archgym.make_simulator("dram", workload="stream", requests=300)


def test_all_trials_are_logged_with_their_fidelity(simulator: archgym.Simulator, tmp_path: Path) -> None:
    settings = {"start": 40, "confirm": 8, "proposals": 500}
    result = archgym.search(NAME, simulator, budget=57, seed=1, log=tmp_path, hyperparameters=settings)
    table = archgym.Dataset.open(tmp_path).to_arrow()
    fidelities = np.array(table["fidelity"].to_pylist())
    assert (fidelities == "full").sum() == 56 and (fidelities == "proxy").sum() == 1000
    spent = float(np.sum(table["cost"].to_numpy()))
    assert spent == pytest.approx(57) and result.trials == 1056
    simulated = np.array(table["latency_ns"].to_pylist(), float)[fidelities == "full"]
    assert result.best_metrics["latency_ns"] == simulated.min()


def test_an_interrupted_run_goes_on_to_the_same_end(simulator: archgym.Simulator, tmp_path: Path) -> None:
    settings = {"start": 32, "confirm": 8, "proposals": 500}

    def stop(evaluator: archgym.Evaluator) -> None:
        if evaluator.trials > 700:
            raise KeyboardInterrupt

    whole = archgym.search(NAME, simulator, budget=54, log=tmp_path / "whole", hyperparameters=settings)
    with pytest.raises(KeyboardInterrupt):
        archgym.search(NAME, simulator, budget=54, log=tmp_path / "cut", hyperparameters=settings, progress=stop)
    resumed = archgym.resume(tmp_path / "cut")
    assert resumed.trials == whole.trials
    np.testing.assert_array_equal(resumed.scores, whole.scores)


def test_without_enough_good_designs_it_simulates_random_ones() -> None:
    simulator = archgym.Faulty(archgym.make_simulator("dram", workload="stream", requests=300), share=1.0)
    result = archgym.search(NAME, simulator, budget=48, hyperparameters={"start": 16, "confirm": 16})
    assert result.trials == 48 and result.best_levels is None
