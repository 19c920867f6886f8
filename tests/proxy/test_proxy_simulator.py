from __future__ import annotations

import pickle
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import archgym
from archgym.cli import main
from archgym.errors import ContractError, ProxyError
from archgym.metrics import Metrics, Status
from archgym.proxy import Proxy, ProxySimulator, WithProxy
from archgym.simulator import Simulator
from archgym.space import Designs
from archgym.testing import check_simulator

Trials = tuple[Simulator, Designs, Metrics]


def test_keeps_the_contract_of_a_simulator(saved: Path) -> None:
    check_simulator(archgym.make_simulator("dram", proxy=saved), skip=("explains",))


def test_is_never_taken_for_the_simulator(saved: Path, trials: Trials) -> None:
    stand_in = archgym.make_simulator("dram", proxy=saved)
    assert isinstance(stand_in, ProxySimulator) and stand_in.name == "dram"
    assert stand_in.version.startswith("1+proxy.") and stand_in.arguments["proxy"] == str(saved)
    assert stand_in.metric_names == ("latency_ns", "power_mw", "out_of_range")
    result = archgym.search("random_walk", stand_in, budget=50)
    assert result.regret is None and result.best_metrics["out_of_range"] in (0.0, 1.0)


def test_answers_as_its_proxy(saved: Path, proxy: Proxy, fresh: Designs) -> None:
    metrics = archgym.make_simulator("dram", proxy=saved).evaluate(fresh)
    assert metrics.ok.all()
    np.testing.assert_allclose(metrics["latency_ns"], proxy.predict(fresh)["latency_ns"], rtol=1e-5)


def test_marks_what_is_far_from_the_training_data(trials: Trials, tmp_path: Path) -> None:
    simulator, designs, _ = trials
    narrow = designs[(designs[:, 0] == 0) & (designs[:, 8] == 1)]
    stand_in = ProxySimulator(Proxy("mlp", max_iter=5).fit((simulator, narrow, simulator.evaluate(narrow)), ["latency_ns"]))
    assert stand_in.evaluate(narrow)["out_of_range"].max() == 0
    far = designs[(designs[:, 0] == 2) & (designs[:, 8] == 0)]
    assert stand_in.evaluate(far)["out_of_range"].min() == 1
    with pytest.raises(ContractError, match="only if its proxy is saved"):
        pickle.dumps(stand_in)


def test_travels_to_other_processes(saved: Path, fresh: Designs) -> None:
    stand_in = archgym.make_simulator("dram", proxy=saved)
    copy = pickle.loads(pickle.dumps(stand_in))
    np.testing.assert_array_equal(copy.evaluate(fresh)["power_mw"], stand_in.evaluate(fresh)["power_mw"])


def test_explains_nothing(saved: Path, fresh: Designs) -> None:
    with pytest.raises(ContractError, match="does not explain"):
        archgym.make_simulator("dram", proxy=saved).explain(fresh[0])


def test_a_proxy_of_another_simulator_or_workload_is_refused(saved: Path) -> None:
    with pytest.raises(ProxyError, match="trained on simulator dram, not synthetic"):
        archgym.make_simulator("synthetic", proxy=saved)
    with pytest.raises(ProxyError, match="workload stream"):
        archgym.make_simulator("dram", workload="random", proxy=saved)


def test_environments_and_runs_take_a_proxy(saved: Path, tmp_path: Path) -> None:
    env = gym.make("archgym/DRAM-v0", proxy=str(saved))
    env.reset(seed=0)
    info = env.step(env.action_space.sample())[4]
    assert set(info["metrics"]) == {"latency_ns", "power_mw", "out_of_range"}
    folder = tmp_path / "run"
    assert main(["run", "dram", "--proxy", str(saved), "-a", "random_walk", "-b", "30", "--out", str(folder), "-q"]) == 0
    (run,) = archgym.Dataset.open(folder).runs
    assert run.manifest["simulator"]["version"].startswith("1+proxy.") and run.to_arrow().num_rows == 30


def test_the_fidelity_tells_predictions_from_simulations(proxy: Proxy, trials: Trials, fresh: Designs) -> None:
    both = WithProxy(trials[0], proxy)
    predicted, simulated = both.evaluate(fresh, "proxy"), both.evaluate(fresh)
    np.testing.assert_array_equal(simulated["latency_ns"], trials[0].evaluate(fresh)["latency_ns"])
    np.testing.assert_array_equal(predicted["latency_ns"], proxy.predict(fresh)["latency_ns"])
    assert np.isnan(predicted["num_act"]).all() and (predicted.status == Status.OK).all()
    with pytest.raises(ProxyError, match="there is none yet"):
        WithProxy(trials[0]).evaluate(fresh, "proxy")


def test_trained_and_shown_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    simulator = archgym.make_simulator("dram", workload="stream", requests=300)
    archgym.search("random_walk", simulator, budget=400, log=tmp_path / "runs")
    out = str(tmp_path / "proxy")
    assert main(["proxy", "train", str(tmp_path / "runs"), "-o", out, "-m", "latency_ns"]) == 0
    assert main(["proxy", "report", out]) == 0
    assert "kernel for dram stream" in capsys.readouterr().out
    assert main(["proxy", "report", str(tmp_path)]) == 2
    assert "holds no proxy" in capsys.readouterr().err
