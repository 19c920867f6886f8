"""The experiment on the SoC's budgets, with few designs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import soc_budgets

from archgym import make_simulator

EASY = {"latency_s": 5e-3, "power_w": 0.04, "area_m2": 2e-6}


def test_samples_are_all_counted_and_repeatable() -> None:
    first, again = (soc_budgets.sample("hpvm_cava", 300) for _ in range(2))
    assert all(len(values) == 300 and np.isfinite(values).all() for values in first.values())
    assert all(np.array_equal(first[name], again[name]) for name in first)
    report = soc_budgets.uniform({"hpvm_cava": first}, 300)
    assert report.rows[0][:2] == ("hpvm_cava", "300 of 300")


@pytest.mark.parametrize("agent", soc_budgets.SEARCHERS)
def test_an_easy_budget_is_met_at_once_and_an_absurd_one_never(agent: str) -> None:
    easy = make_simulator("soc", workload="audio", budget=EASY)
    assert soc_budgets.until_met(easy, agent, 1000, 2).endswith("(2 of 2)")
    absurd = make_simulator("soc", workload="audio", budget=dict.fromkeys(EASY, 1e-12))
    assert soc_budgets.until_met(absurd, agent, 100, 1) == "0 of 1"


def test_least_latency_is_within_the_other_limits() -> None:
    easy = make_simulator("soc", workload="audio", budget=EASY)
    limits = {"latency_ms": 5.0, "power_mw": 40.0, "area_rest_mm2": 2.0, "area_dram_mm2": 2.0}
    assert 0.5 < float(soc_budgets.least_latency(easy, limits, 300, 1)) < 6.0
    assert soc_budgets.least_latency(easy, {**limits, "power_mw": 1e-9}, 100, 1) == "none"


def test_agents_are_compared_with_random_search() -> None:
    report = soc_budgets.agents(100, 2)
    assert [row[0] for row in report.rows] == [label for label, _, _ in soc_budgets.COMPARED]
    assert all(cell.endswith("of 2)") for row in report.rows for cell in row[1:])


def test_the_readme_has_a_place_for_the_tables() -> None:
    text = soc_budgets.README.read_text()
    assert all(f"<!-- {name}:begin -->" in text for name in soc_budgets.TABLES)
    assert all(f"| {workload} | standard |" in text for workload in soc_budgets.WORKLOADS)
