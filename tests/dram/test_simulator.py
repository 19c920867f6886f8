"""The DRAM simulator through its public face: metrics, bounds, fidelities, arguments, explanation."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archgym
from archgym.errors import TraceError, UnknownNameError
from simulators.dram.simulator import DRAM

SHORT = 300


@pytest.fixture(scope="module")
def simulator() -> DRAM:
    return DRAM("random", requests=SHORT)


def test_space_sizes_and_groups() -> None:
    assert DRAM(requests=10).space.size == 442_368
    assert DRAM(requests=10, space="integer").space.size == 28_311_552
    groups = DRAM(requests=10).space.groups
    assert groups == {
        "page_policy": ("PagePolicy",),
        "scheduling": ("Scheduler", "RespQueue"),
        "buffering": ("SchedulerBuffer", "RequestBufferSize"),
        "refresh": ("RefreshPolicy", "RefreshMaxPostponed", "RefreshMaxPulledin"),
        "arbitration": ("Arbiter", "MaxActiveTransactions"),
    }


@pytest.mark.parametrize("workload", DRAM.workloads())
@pytest.mark.parametrize("memory", ["ddr3-1600", "ddr4-2400"])
def test_every_workload_is_within_its_bounds(workload: str, memory: str) -> None:
    simulator = DRAM(workload, memory=memory, requests=SHORT)
    metrics = simulator.evaluate(simulator.space.sample(200, seed=0))
    assert metrics.ok.all(), metrics.reasons
    assert (metrics["num_rd"] + metrics["num_wr"] == SHORT).all()


def test_one_read_takes_what_the_datasheet_says() -> None:
    simulator = DRAM("stream", requests=1)
    (latency,) = simulator.evaluate(simulator.space.default)["latency_ns"]
    assert latency == 24 * 1.25  # RCD + RL + four cycles of data


def test_metrics_agree_with_each_other(simulator: DRAM) -> None:
    metrics = simulator.evaluate(simulator.space.sample(300, seed=4))
    assert (metrics["max_request_latency_ns"] >= metrics["mean_request_latency_ns"]).all()
    assert (metrics["latency_ns"] >= metrics["max_request_latency_ns"]).all()
    window = metrics["energy_pj"] / metrics["power_mw"]  # ns
    np.testing.assert_allclose(window, metrics["latency_ns"], rtol=0.1)
    served = metrics["bandwidth_gbps"] * metrics["latency_ns"] / 512
    assert ((served > SHORT - 1.01) & (served < SHORT + 0.01)).all()


@given(st.integers(0, 2**31), st.sampled_from(["random", "cloud-2", "bursty", "read-write"]))
@settings(max_examples=30, deadline=None)
def test_batch_equals_singles(seed: int, workload: str) -> None:
    simulator = DRAM(workload, requests=60)
    designs = simulator.space.sample(5, seed)
    together = simulator.evaluate(designs)
    for row in range(len(designs)):
        alone = simulator.evaluate(designs[row : row + 1])
        assert alone.row(0) == together.row(row)


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_no_refresh_means_no_refreshes(seed: int) -> None:
    simulator = DRAM("bursty", requests=200)
    designs = simulator.space.sample(8, seed)
    metrics = simulator.evaluate(designs)
    idle = designs[:, simulator.space.index("RefreshPolicy")] == 0
    assert (metrics["num_ref"][idle] == 0).all()


def test_a_prefix_is_a_fidelity_of_its_own() -> None:
    simulator = DRAM("random", requests=2_000)
    assert set(simulator.fidelities) == {"full", "prefix-1000"}
    assert 0 < simulator.fidelities["prefix-1000"] < 1
    designs = simulator.space.sample(50, seed=0)
    short = DRAM("random", requests=2_000).evaluate(designs, "prefix-1000")
    assert (short["num_rd"] == 1_000).all()
    assert (short["latency_ns"] < simulator.evaluate(designs)["latency_ns"]).all()


def test_short_traces_have_no_prefix() -> None:
    assert dict(DRAM("random", requests=1_000).fidelities) == {"full": 1.0}


def test_a_player_clock_that_fits_no_memory_clock() -> None:
    slow = DRAM("stream", requests=SHORT, clock_mhz=100)  # one request per 10 ns, slower than the memory serves them
    (latency,) = slow.evaluate(slow.space.default)["latency_ns"]
    assert 10 * (SHORT - 1) < latency <= 10 * (SHORT - 1) + 24 * 1.25


def test_pickles(simulator: DRAM) -> None:
    again = pickle.loads(pickle.dumps(simulator))
    designs = simulator.space.sample(20, seed=0)
    np.testing.assert_array_equal(again.evaluate(designs)["energy_pj"], simulator.evaluate(designs)["energy_pj"])
    assert again.workload_digest == simulator.workload_digest


def test_a_trace_file_is_a_workload(tmp_path: Path) -> None:
    trace = tmp_path / "mine.stl"
    trace.write_text("0: read 0x0\n4: write 0x10000\n9: read 0x40\n")
    simulator = archgym.make_simulator("dram", workload=str(trace))
    metrics = simulator.evaluate(simulator.space.default)
    assert (simulator.workload, metrics["num_rd"][0], metrics["num_wr"][0]) == ("mine", 2, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"workload": "strean"}, UnknownNameError, "Did you mean 'stream'"),
        ({"space": "gird"}, UnknownNameError, "Did you mean 'grid'"),
        ({"memory": "ddr3"}, UnknownNameError, "Did you mean 'ddr3-1600'"),
        ({"clock_mhz": 50}, TraceError, "100 to 2000 MHz, got 50"),
        ({"workload": "missing.stl"}, TraceError, "missing.stl"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        DRAM(**arguments)


@pytest.mark.parametrize("workload", ["random", "bursty", "read-write"])
def test_explanation_adds_up(workload: str) -> None:
    simulator = DRAM(workload, requests=SHORT)
    for design in simulator.space.sample(4, seed=5):
        explanation = simulator.explain(design)
        run_time, latency, energy = explanation.breakdowns
        metrics = explanation.metrics
        assert run_time.total == pytest.approx(metrics["latency_ns"], rel=1e-12)
        assert latency.total == pytest.approx(metrics["mean_request_latency_ns"], rel=1e-12)
        assert energy.total == pytest.approx(metrics["energy_pj"], rel=1e-12)
        for breakdown in explanation.breakdowns:
            assert all(value >= 0 for _, value, _ in breakdown.parts), breakdown


def test_explanation_finds_the_bottleneck() -> None:
    streaming = DRAM("stream", requests=SHORT)
    serial = streaming.space.encode({"Arbiter": "Fifo", "MaxActiveTransactions": 1})
    assert "MaxActiveTransactions" in streaming.explain(serial).bottleneck
    assert "as fast as the memory allows" in streaming.explain(streaming.space.default).bottleneck


def test_explanation_draws() -> None:
    pytest.importorskip("plotly", reason="figures need the report extra")
    simulator = DRAM("random", requests=50)
    figure = simulator.explain(simulator.space.default).figure()
    assert len(figure.data) == 3
    assert sum(figure.data[0].x) == pytest.approx(100)
