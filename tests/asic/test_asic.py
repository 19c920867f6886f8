"""The ASIC simulator through its public face: specs, penalty, pruned accuracy, rules, explanation."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

import archgym
from archgym import Status
from archgym.errors import ArgumentError, UnknownNameError
from simulators.asic import ASIC

# NASAIC.md's worked example: two networks on dla 1088 PEs 24 GB/s and shi 2368 PEs 40 GB/s.
WORKED: dict[str, Any] = {
    **{"network1_stem": 16, "network1_filters1": 32, "network1_filters2": 64, "network1_filters3": 128},
    **{"network1_extras1": 1, "network1_extras2": 0, "network1_extras3": 1},
    **{"network2_height": 2, "network2_filters0": 8, "network2_filters1": 16},
    **{"unit1_template": "dla", "unit1_pes": 1088, "unit1_bandwidth": 24},
    **{"unit2_template": "shi", "unit2_pes": 2368, "unit2_bandwidth": 40},
}


class Counting:
    """An evaluator that knows how often it was asked."""

    name = label = identity = "counting"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def evaluate(self, task: str, description: object, seed: int) -> float:
        self.asked.append((task, str(description), seed))
        return 0.5 if task == "cifar10" else 0.75


def make(**arguments: Any) -> ASIC:
    return ASIC(**{"accuracy": "surrogate", **arguments})


@pytest.fixture(scope="module")
def simulator() -> ASIC:
    return make()


def test_the_worked_example(simulator: ASIC) -> None:
    row = simulator.evaluate(simulator.space.encode(WORKED)).row(0)
    assert row["latency_cycles"] == 781_906 and row["specs_met"] == 1 and row["penalty"] == 0
    assert row["energy_nj"] == pytest.approx(947_059_241.61, abs=0.01)
    assert row["area_um2"] == pytest.approx(3_835_683_844.61, abs=0.01)
    assert row["accuracy"] == pytest.approx((row["accuracy_1"] + row["accuracy_2"]) / 2)


def test_groups_are_networks_and_units(simulator: ASIC) -> None:
    assert list(simulator.space.groups) == ["network_1", "network_2", "unit_1", "unit_2"]
    assert simulator.space.groups["unit_2"] == ("unit2_template", "unit2_pes", "unit2_bandwidth")
    assert len(make(units=4).space.groups) == 6 and make(units=1).space["unit1_pes"].values[-1] == 4096


def test_totals_are_rules_of_the_space(simulator: ASIC) -> None:
    designs = simulator.space.encode([{**WORKED, "unit1_pes": 2368}, {**WORKED, "unit1_bandwidth": 40}])
    metrics = simulator.evaluate(designs)
    assert (metrics.status == Status.INVALID).all()
    np.testing.assert_allclose(metrics.violation, [2 * 2368 / 4096 - 1, 80 / 64 - 1])
    assert "total_pes" in metrics.reasons[0] and "total_bandwidth" in metrics.reasons[1]


def test_the_penalty_is_measured_from_spec_to_bound() -> None:
    simulator = make(latency_spec=4e5)
    row = simulator.evaluate(simulator.space.encode(WORKED)).row(0)
    bound = 2.96e6 / 2  # moves with its spec
    assert row["specs_met"] == 0 and row["penalty"] == pytest.approx((row["latency_cycles"] - 4e5) / (bound - 4e5))
    assert row["accuracy"] == row["accuracy_evaluated"] == row["accuracy_1"] == 0


def test_accuracy_is_only_evaluated_where_it_can_matter() -> None:
    simulator = make()
    simulator.accuracy = counting = Counting()
    designs = simulator.space.sample(300, 0)
    metrics = simulator.evaluate(designs)
    met = metrics.ok & (metrics["specs_met"] == 1)
    assert 0 < met.sum() < metrics.ok.sum() and len(counting.asked) == 2 * met.sum()
    np.testing.assert_array_equal(metrics["accuracy"][met], 0.625)
    np.testing.assert_array_equal(metrics["accuracy_evaluated"][metrics.ok], met[metrics.ok])
    everything = make(prune=False)
    everything.accuracy = Counting()
    assert (everything.evaluate(designs)["accuracy"][metrics.ok] == 0.625).all()


def test_weights_of_tasks() -> None:
    simulator = make(weights=[3, 1])
    simulator.accuracy = Counting()
    assert simulator.evaluate(simulator.space.encode(WORKED))["accuracy"] == 0.75 * 0.5 + 0.25 * 0.75


def test_lists_that_a_unet_ignores_make_no_difference(simulator: ASIC) -> None:
    other = simulator.space.encode({**WORKED, "network2_filters3": 128, "network2_filters4": 256})
    same = simulator.space.encode({**WORKED, "network2_filters3": 32, "network2_filters4": 64})
    np.testing.assert_array_equal(simulator.canonical(other), simulator.canonical(same))
    both = simulator.evaluate(np.concatenate([other, same]))
    assert both["energy_nj"][0] == both["energy_nj"][1]
    assert (simulator.canonical(simulator.canonical(other)) == simulator.canonical(other)).all()


@pytest.mark.parametrize("template", ["dla", "shi", "rs"])
def test_the_smallest_unit_runs_every_layer(template: str) -> None:
    simulator = make(templates=(template,), units=1, total_pes=32)
    assert simulator.evaluate(simulator.space.default).ok.all()


def test_clean_mode_enforces_capacities_and_counts_true_work(simulator: ASIC) -> None:
    clean = make(mode="clean")
    designs = simulator.space.sample(400, 1)
    quirky, mended = simulator.evaluate(designs), clean.evaluate(designs)
    both = quirky.ok & mended.ok
    assert both.sum() > 50 and (mended["energy_nj"][both] <= quirky["energy_nj"][both] * 1.0001).all()
    for reason in (mended.reasons[int(row)] for row in np.flatnonzero(quirky.ok & ~mended.ok)):
        assert reason.startswith("capacity: layer")


@pytest.mark.parametrize("workload", ASIC.workloads())
def test_batch_equals_singles(workload: str) -> None:
    simulator = make(workload=workload)
    designs = simulator.space.sample(40, 2)
    whole = simulator.evaluate(designs)
    assert whole.ok.any()
    for row in range(0, 40, 8):
        single = simulator.evaluate(designs[row : row + 1])
        for name, values in whole.columns.items():
            np.testing.assert_array_equal(single[name][0], values[row])


def test_the_explanation_names_specs_and_draws_the_schedule(simulator: ASIC) -> None:
    design = simulator.space.encode(WORKED)
    explained, metrics = simulator.explain(design), simulator.evaluate(design).row(0)
    time, energy, area = explained.breakdowns
    assert energy.total == pytest.approx(metrics["energy_nj"]) and area.total == pytest.approx(metrics["area_um2"])
    assert time.total <= 2 * metrics["latency_cycles"]
    assert explained.bottleneck == "It meets all specs of W1; latency_cycles is closest, at 97.7% of its spec."
    (gantt,) = explained.charts
    assert max(bar[3] for bar in gantt.bars) == metrics["latency_cycles"] and len(gantt.bars) == 15
    strict = make(energy_spec=5e8)
    assert "it exceeds energy_nj by 89.4%" in strict.explain(design).bottleneck


def test_where_nothing_meets_the_specs_the_least_violating_design_is_found_and_named() -> None:
    simulator = make(latency_spec=10.0)
    result = archgym.search("random_walk", simulator, objective="weighted:accuracy=1,penalty=10", budget=60, seed=0)
    metrics = simulator.evaluate(simulator.space.encode(result.best_design))
    sampled = simulator.evaluate(simulator.space.sample(60, 0))
    assert metrics["specs_met"] == 0 and metrics["penalty"] > 0 and sampled.ok.any()
    assert "does not meet the specs" in simulator.explain(simulator.space.encode(result.best_design)).bottleneck


def test_it_survives_pickling(simulator: ASIC) -> None:
    copy = pickle.loads(pickle.dumps(simulator))
    assert copy.workload_digest == simulator.workload_digest != make(accuracy="trained").workload_digest
    designs = simulator.space.sample(20, 3)
    np.testing.assert_array_equal(copy.evaluate(designs)["energy_nj"], simulator.evaluate(designs)["energy_nj"])


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"workload": "W4"}, UnknownNameError, "Known: W1, W2, W3"),
        ({"units": 0}, ArgumentError, "1 to 4, got 0"),
        ({"units": 5}, ArgumentError, "1 to 4, got 5"),
        ({"templates": ("dla", "tpu")}, UnknownNameError, "Known: dla, shi, rs"),
        ({"templates": ()}, ArgumentError, "one or more different ones"),
        ({"total_pes": 32}, ArgumentError, "at least 64 for 2 units"),
        ({"total_bandwidth": 8}, ArgumentError, "at least 16"),
        ({"latency_spec": 0}, ArgumentError, "positive number"),
        ({"weights": [1]}, ArgumentError, "2 numbers"),
        ({"weights": [-1, 1]}, ArgumentError, "at least 0"),
        ({"mode": "exact"}, UnknownNameError, "compatible, clean"),
        ({"solver": "best"}, UnknownNameError, "heuristic, exact"),
        ({"constants": "2020"}, UnknownNameError, "2019"),
        ({"accuracy": "guess"}, UnknownNameError, "trained, directory, surrogate"),
        ({"accuracy": "directory"}, ArgumentError, "data=FOLDER"),
        ({"data": "/somewhere"}, ArgumentError, "only with it"),
    ],
)
def test_bad_arguments_say_what_to_do(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make(**arguments)


def test_the_environment_is_registered() -> None:
    import gymnasium

    env = gymnasium.make("archgym/NASAIC-v0", accuracy="surrogate", objective="weighted:accuracy=1,penalty=10")
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step(env.action_space.sample())
    assert terminated and np.isfinite(reward) and info["status"] in ("OK", "INVALID")
