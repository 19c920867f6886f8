"""How agents stand to random walk: strict medians, and ties at the optimum told apart from other ties."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")

from sample_efficiency import CLASSES, CLASSIC, balance, beats_random, compare_medians, plan


def runs(agent: str, objective: str, **quantiles: list[float]) -> list[dict[str, Any]]:
    """Records of one agent: workload -> quantile regret of each run at 500 designs."""
    return [
        {
            "label": agent,
            "workload": workload.replace("_", "-"),
            "objective": objective,
            "marks": [100, 500],
            "quantile": [1.0, q],
        }
        for workload, values in quantiles.items()
        for q in values
    ]


@pytest.mark.parametrize(
    ("mine", "random", "word"),
    [
        ([0.0, 0.0, 0.5], [0.0, 0.1, 0.1], "better"),
        ([0.0, 0.2, 0.2], [0.0, 0.1, 0.1], "worse"),
        ([0.0, 0.0, 0.5], [0.0, 0.0, 0.1], "both optimal"),
        ([0.1, 0.1, 0.0], [0.1, 0.1, 0.5], "equal"),
    ],
)
def test_medians_are_compared_strictly(mine: list[float], random: list[float], word: str) -> None:
    assert compare_medians(mine, random) == word


def test_the_table_counts_workloads_and_names_who_falls_short() -> None:
    records = runs("random_walk", "edp", stream=[0.0, 0.0], random=[0.2], cloud_1=[0.2], cloud_2=[0.2])
    records += runs("good", "edp", stream=[0.0], random=[0.1], cloud_1=[0.0], cloud_2=[0.1])
    records += runs("poor", "edp", stream=[0.0], random=[0.1], cloud_1=[0.2], cloud_2=[0.3])
    text = beats_random(records, "edp", 500)
    assert text.startswith("edp: better on fewer than 3 of them: poor (1).")
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert rows["| random_walk"].startswith("| random_walk | 2 | 0.0e+00 | 2.0e-01 |")
    assert rows["| good"].endswith("| 3 of 4 |") and "0.0e+00, both optimal, 0.50" in rows["| good"]
    assert rows["| poor"].endswith("| 1 of 4 |") and "2.0e-01, equal, 0.50 | 3.0e-01, worse, 0.00" in rows["| poor"]


def test_where_random_walk_is_at_the_optimum_nobody_can_be_better() -> None:
    everywhere: dict[str, list[float]] = {workload.replace("-", "_"): [0.0] for workload in CLASSIC}
    records = runs("random_walk", "power_mw", **everywhere) + runs("good", "power_mw", **everywhere)
    text = beats_random(records, "power_mw", 500)
    assert "no agent can be better" in text and "| 0 of 4 |" in text


def test_every_task_weighs_the_same_though_one_has_more_seeds() -> None:
    def run(agent: str, workload: str, seed: int) -> dict[str, Any]:
        return {"label": agent, "workload": workload, "objective": "edp", "seed": seed}

    few = [run("slow", "random", 0), run("slow", "random", 1), run("slow", "stream", 0), run("slow", "stream", 1)]
    many = [run("fast", "random", seed) for seed in range(20)]
    assert balance([*few, run("slow", "stream", 2), *many]) == [*few, *many]


LEARNING = {"ppo", "sac", "marl", "marl_ppo"}


def test_twenty_seeds_on_latency_but_for_agents_that_train_networks() -> None:
    seeds: dict[tuple[str, str], set[int]] = {}
    for run in plan(list(CLASSES), CLASSIC):
        seeds.setdefault((run.agent, run.objective), set()).add(run.seed)
    on_latency = {agent: len(used) for (agent, objective), used in seeds.items() if objective == "latency_ns"}
    assert {agent for agent, count in on_latency.items() if count == 5} == LEARNING
    assert {len(used) for used in seeds.values()} == {5, 20}
