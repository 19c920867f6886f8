"""Budgets: their sets, the distance to them, and what the simulator says holds a design back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from archgym import make_objective, make_simulator
from archgym.errors import ArgumentError, UnknownNameError
from simulators.soc import SoC, budgets
from simulators.soc.layout import AREA_DRAM, AREA_REST, LATENCY, MAPPING, OUTCOMES, POWER

WORKLOADS = ("edge_detection", "hpvm_cava", "audio_decoder")


@pytest.mark.parametrize("workload", WORKLOADS)
def test_four_sets(workload: str) -> None:
    found = [SoC(workload, budget=chosen).budget for chosen in budgets.SETS]
    assert len(set(found)) == 4 and SoC(workload).budget == found[1]
    assert found[0].power_w == 8.737e-3 and found[0].area_m2 == 1.7475e-5
    assert len({SoC(workload, budget=chosen).workload_digest for chosen in budgets.SETS}) == 4


def test_together_power_and_area_add_up() -> None:
    both = SoC("audio+cava", budget="published").budget
    assert both == budgets.Budget(0.034, 2 * 8.737e-3, 2 * 1.7475e-5)


def test_a_graph_without_a_budget_gets_one_of_its_work() -> None:
    soc = SoC("chain-10-0")
    seconds = sum(task.instructions for task in soc.graph.tasks) / 2e9
    assert math.isclose(soc.budget.latency_s, seconds / 2) and math.isclose(soc.budget.area_m2, 4 * 6.5e-7)
    slowest = soc.space.encode({"n_pe": 1, "bus0_width": 128, "mem0_width": 128})
    assert np.isclose(soc.evaluate(slowest)["latency_ms"][0], 1e3 * seconds, rtol=0.05)


@pytest.mark.parametrize("budget", [{"latency_s": 1.0}, {"latency_s": 0, "power_w": 1, "area_m2": 1}, {}])
def test_bad_limits_are_refused(budget: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="positive numbers for latency_s, power_w, area_m2"):
        SoC("audio", budget=budget)


def test_unknown_sets_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="soft"):
        SoC("audio", budget="soft")
    with pytest.raises(UnknownNameError, match="chain-5-0"):
        SoC("chain-5-0", budget="hard")


def test_distance_is_the_sum_of_what_limits_are_exceeded_by() -> None:
    outcomes = np.zeros((4, OUTCOMES))
    outcomes[:, [LATENCY, POWER, AREA_REST, AREA_DRAM]] = [
        [1.0, 2.0, 3.0, 3.0],
        [1.5, 2.0, 3.0, 3.0],
        [2.0, 1.0, 6.0, 4.5],
        [np.nan] * 4,
    ]
    found = budgets.Budget(1.0, 2.0, 3.0).distance(outcomes)
    assert found[:3].tolist() == [0.0, 0.5, 2.5] and np.isnan(found[3])


def test_metrics_follow_the_budget_and_objectives_take_them() -> None:
    loose = make_simulator("soc", workload="audio", budget={"latency_s": 5e-3, "power_w": 0.04, "area_m2": 2e-6})
    metrics = loose.evaluate(loose.space.sample(2000, 0))
    met = metrics["meets_budget"] == 1
    assert 0.001 < met.mean() < 0.5
    assert ((metrics["distance_to_budget"] == 0) == met).all()
    within = (metrics["latency_ms"] <= 5) & (metrics["power_mw"] <= 40)
    within &= (metrics["area_rest_mm2"] <= 2) & (metrics["area_dram_mm2"] <= 2)
    assert (within == met).all()
    scores = make_objective("distance_to_budget", loose).score(metrics)
    assert scores[met].min() == 0.0 > scores[~met].max()
    constrained = make_objective("constrained:latency_ms|power_mw<=40,area_mm2<=2", loose).score(metrics)
    assert metrics["power_mw"][constrained.argmax()] <= 40


def test_a_limit_that_is_far_decides_what_is_hot() -> None:
    for limit, group in (("latency_s", None), ("power_w", "interconnect"), ("area_m2", "interconnect")):
        limits = {"latency_s": 1e3, "power_w": 1e3, "area_m2": 1e3, limit: 1e-12}
        soc = make_simulator("soc", workload="audio", budget=limits)
        metrics = soc.evaluate(soc.space.sample(500, 1))
        shares = [metrics[f"bottleneck_{name}"] for name in ("processing", "memory", "interconnect")]
        assert np.allclose(sum(shares), 1.0) and min(share.min() for share in shares) >= 0
        if group:
            assert (metrics[f"bottleneck_{group}"] == 0).all(), "buses cost neither energy nor area"
        else:
            assert metrics["bottleneck_interconnect"].max() > 0.5


def test_hot_parts_are_those_of_the_design() -> None:
    soc = SoC("hpvm_cava")
    designs = soc.space.sample(300, 2)
    metrics, platforms = soc.evaluate(designs), soc.platforms(designs)
    tasks = metrics["hot_task"].astype(int)
    assert (platforms[np.arange(300), MAPPING + tasks] == metrics["hot_pe"]).all()
    slow = soc.space.encode({"n_pe": 1})
    assert soc.graph.tasks[int(soc.evaluate(slow)["hot_task"][0])].name == "gamut_map_fxp_cloned"
    narrow = soc.space.encode(
        {"n_pe": 2, "pe1_kind": "gamut_map_fxp_cloned", "pe1_unroll": 8, "pe1_clock": 800, "task5_pe": 1}
    )
    assert soc.evaluate(narrow)["hot_task"][0] != 5
