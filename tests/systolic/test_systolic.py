"""The systolic simulator through its public face: arguments, rules, several networks, explanation, a handed-in memory."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym import Status
from archgym.errors import ArgumentError, UnknownNameError, WorkloadError
from simulators.systolic import Layer, Network, Systolic
from simulators.systolic.memory import measure

SMALL = Network("small", (Layer("c", 14, 14, 3, 3, 32, 64, pad_h=2, pad_w=2), Layer.gemm("fc", 1, 10, 64)))


@pytest.fixture(scope="module")
def simulator() -> Systolic:
    return Systolic("resnet18")


def test_space_size_and_groups(simulator: Systolic) -> None:
    assert simulator.space.size == 11_854_080 >= 10_000_000
    assert simulator.space.groups == {
        "array": ("rows", "columns", "dataflow", "precision_bits", "clock_mhz"),
        "buffers": ("ifmap_kb", "filter_kb", "ofmap_kb", "banks"),
        "memory": ("dram_type", "dram_channels"),
    }


def test_rules_of_the_table_and_the_clock_say_by_how_much(simulator: Systolic) -> None:
    tiny = simulator.space.encode({"ifmap_kb": 16, "banks": 64})
    slow = simulator.space.encode({"ofmap_kb": 1024, "banks": 4, "clock_mhz": 1000})
    metrics = simulator.evaluate(np.concatenate([tiny, slow, simulator.space.default]))
    assert list(metrics.status) == [Status.INVALID, Status.INVALID, Status.OK]
    assert metrics.violation[0] == 2.0 and "bank_size" in metrics.reasons[0]  # 0.25 KB, two doublings below 1 KB
    assert 0 < metrics.violation[1] < 2 and "bank_cycle" in metrics.reasons[1]


@pytest.mark.parametrize(
    ("budget", "limit", "metric", "scale"),
    [("area_budget_mm2", 10.0, "area_mm2", 1.0), ("power_budget_w", 3.0, "power_mw", 1e3)],
)
def test_budgets_reject_what_exceeds_them_and_say_by_how_much(budget: str, limit: float, metric: str, scale: float) -> None:
    free, bound = Systolic(SMALL), Systolic(SMALL, **{budget: limit})
    designs = free.space.sample(2000, 0)
    before, after = free.evaluate(designs), bound.evaluate(designs)
    over = before.ok & (before[metric] > limit * scale)
    assert 0 < over.sum() < before.ok.sum()
    np.testing.assert_array_equal(after.ok, before.ok & ~over)
    np.testing.assert_allclose(after.violation[over], before[metric][over] / (limit * scale) - 1)
    assert all(budget.rsplit("_", 1)[0] in after.reasons[int(row)] for row in np.flatnonzero(over))
    assert np.isnan(after[metric][over]).all()


def test_bandwidth_budget() -> None:
    simulator = Systolic(SMALL, bandwidth_budget_gbps=30)
    designs = simulator.space.encode({"dram_type": ["hbm2", "ddr4-3200", "ddr4-3200"], "dram_channels": [1, 1, 2]})
    metrics = simulator.evaluate(designs)
    assert list(metrics.ok) == [False, True, False]
    np.testing.assert_allclose(metrics.violation, [256 / 30 - 1, 0, 51.2 / 30 - 1])


def test_batch_equals_singles_and_every_thread_count(simulator: Systolic) -> None:
    designs = simulator.space.sample(300, 1)
    whole = simulator.evaluate(designs)
    for row in range(0, 300, 25):
        (single,) = (simulator.evaluate(designs[row : row + 1]),)
        for name, values in whole.columns.items():
            np.testing.assert_array_equal(single[name][0], values[row])


def test_several_networks_mean_worst_and_weighted() -> None:
    names = ("alexnet", "squeezenet")
    designs = Systolic(names[0]).space.sample(200, 2)
    each = [Systolic(name).evaluate(designs) for name in names]
    both = {
        "mean": Systolic("+".join(names)),
        "worst": Systolic("+".join(names), combine="worst"),
        "weighted": Systolic("+".join(names), combine="weighted", weights=[3, 1]),
    }
    assert both["mean"].workload == "alexnet+squeezenet"
    for metric, worst in (("energy_pj", np.maximum), ("utilization", np.minimum)):
        first, second = each[0][metric], each[1][metric]
        np.testing.assert_allclose(both["mean"].evaluate(designs)[metric], (first + second) / 2)
        np.testing.assert_array_equal(both["worst"].evaluate(designs)[metric], worst(first, second))
        np.testing.assert_allclose(both["weighted"].evaluate(designs)[metric], 0.75 * first + 0.25 * second)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"workload": "resnet19"}, UnknownNameError, "Did you mean 'resnet18'"),
        ({"model": "phisical"}, UnknownNameError, "Did you mean 'physical'"),
        ({"space": "grid"}, UnknownNameError, "Known: systolic, eyeriss"),
        ({"node_nm": 7}, UnknownNameError, "Known: 45, 32, 28, 22"),
        ({"constants": "fitted"}, UnknownNameError, "raw, calibrated"),
        ({"batch": 0}, ArgumentError, "at least 1, got 0"),
        ({"batch": 1.5}, ArgumentError, "whole number"),
        ({"area_budget_mm2": -1.0}, ArgumentError, "area_mm2 must be a positive number"),
        ({"combine": "median"}, UnknownNameError, "mean, worst, weighted"),
        ({"combine": "weighted"}, ArgumentError, "weights go with"),
        ({"weights": [1.0]}, ArgumentError, "weights go with"),
        ({"combine": "weighted", "weights": [1.0, 2.0]}, ArgumentError, "1 positive numbers"),
        ({"dram": {"name": "synthetic"}}, ArgumentError, "metrics latency_ns and energy_pj"),
    ],
)
def test_bad_arguments_say_what_to_do(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Systolic(**arguments)


def test_a_network_object_is_a_workload_and_survives_pickling_and_its_own_arguments() -> None:
    simulator = Systolic(SMALL, batch=2)
    designs = simulator.space.sample(50, 3)
    expected = simulator.evaluate(designs)["energy_pj"]
    for other in (pickle.loads(pickle.dumps(simulator)), archgym.make_simulator("systolic", **simulator.arguments)):
        assert other.workload_digest == simulator.workload_digest
        np.testing.assert_array_equal(other.evaluate(designs)["energy_pj"], expected)


def test_a_path_is_a_workload(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Layer, M, N, K,\nfirst, 64, 32, 128,\n")
    simulator = Systolic(str(path))
    assert simulator.workload == "mine" and simulator.networks[0].macs == 64 * 32 * 128
    path.write_text("Layer, M, N, K,\nfirst, 64, -32, 128,\n")
    with pytest.raises(WorkloadError, match=r"mine\.csv.*line 2"):
        Systolic(str(path))


def test_the_explanation_adds_up(simulator: Systolic) -> None:
    design = simulator.space.default
    explained = simulator.explain(design)
    metrics = simulator.evaluate(design).row(0)
    time, energy, area = explained.breakdowns
    assert time.total == pytest.approx(metrics["cycles"]) and energy.total == pytest.approx(metrics["energy_pj"])
    assert area.total == pytest.approx(metrics["area_mm2"])
    rows = explained.details["Layers"]
    assert len(rows) == len(simulator.networks[0].table) == 12 and sum(row["times"] for row in rows) == 21
    assert sum(row["cycles"] for row in rows) == metrics["cycles"]
    assert sum(row["energy_pj"] for row in rows) == pytest.approx(metrics["energy_pj"])
    worst = max(time.parts, key=lambda part: part[1])[0]
    assert explained.bottleneck.lower().startswith(f"{worst} takes".lower())


def test_no_layer_is_above_the_roof(simulator: Systolic) -> None:
    for design in simulator.space.sample(40, 5):
        if not simulator.evaluate(design[None]).ok[0]:
            continue
        (roof,) = simulator.explain(design).charts
        for _, intensity, rate in roof.points:
            assert rate <= min(roof.peak, intensity * roof.bandwidth) * (1 + 1e-9)


def test_a_dram_simulator_prices_the_memory() -> None:
    dram = archgym.make_simulator("dram", memory="ddr4-2400")
    simulator = Systolic(SMALL, dram=dram)
    assert simulator.space["dram_type"].values == ("given",)
    metrics = simulator.evaluate(simulator.space.default)
    assert metrics.ok.all()
    again = archgym.make_simulator("systolic", **simulator.arguments).evaluate(simulator.space.default)
    assert again["energy_pj"] == metrics["energy_pj"]
    ddr3 = Systolic(SMALL, dram=archgym.make_simulator("dram")).evaluate(simulator.space.default)
    assert ddr3["dram_energy_pj"] != metrics["dram_energy_pj"]


def test_short_runs_cost_at_least_as_much_as_the_best_and_the_peak_is_never_beaten() -> None:
    memory = measure(archgym.make_simulator("dram"))
    assert 10 < memory.gb_per_s <= 12.8  # DDR3-1600 on 64 bits
    assert memory.slower.min() == memory.dearer.min() == 1.0 and memory.dearer[0, 0] > 1.2 * memory.dearer[0, -1]
    assert measure({"name": "dram"}).gb_per_s == memory.gb_per_s
    access = memory.access(SMALL)
    assert access.shape == (2, 2, 3) and (access >= 1).all()


def test_the_environment_is_registered() -> None:
    import gymnasium

    env = gymnasium.make("archgym/Systolic-v0", workload="alexnet", objective="edp")
    env.reset(seed=0)
    env.action_space.seed(0)
    _, reward, terminated, _, info = env.step(env.action_space.sample())
    assert terminated and np.isfinite(reward) and "latency_ns" in info["metrics"]


def test_the_space_of_eyeriss_is_reached_by_name_and_takes_a_workload_only() -> None:
    simulator = archgym.make_simulator("systolic", space="eyeriss", workload="alexnet-dense")
    assert simulator.space.size == 2_154_550_209_231_716_352 and simulator.workload == "alexnet-dense"
    designs = simulator.space.sample(300, 0)
    metrics = simulator.evaluate(designs)
    assert 0 < metrics.ok.sum() < 300
    again = pickle.loads(pickle.dumps(simulator)).evaluate(simulator.canonical(designs))
    np.testing.assert_array_equal(again["energy_pj"], metrics["energy_pj"])
    explained = simulator.explain(designs[np.argmax(metrics.ok)])
    assert explained.breakdowns[1].total == pytest.approx(metrics["energy_pj"][np.argmax(metrics.ok)])
    with pytest.raises(ArgumentError, match="nothing else, got node_nm"):
        Systolic("alexnet", space="eyeriss", node_nm=45)
    with pytest.raises(ArgumentError, match="no name and no path"):
        Systolic(SMALL, space="eyeriss")
