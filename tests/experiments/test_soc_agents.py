"""The study of all agents on the SoC, on made-up summaries."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import soc_agents

from archgym.registry import list_agents
from archgym.sweep.measures import marks_up_to
from archgym.sweep.spec import load_spec


def run(agent: str, end: float | None, *, workload: str = "edge", budget: int = 1000, seed: int = 0) -> dict[str, Any]:
    """A summary whose distance falls from 100 to ``end`` at its last mark; None for a run that failed."""
    marks = marks_up_to(budget)
    best = [None] * len(marks) if end is None else [None, *[-100.0] * (len(marks) - 2), -end]
    content = {"label": agent, "workload": workload, "seed": seed, "marks": marks, "best": best}
    return {**content, "agent_seconds": 2.0, "trials": budget}


def test_curves_are_medians_over_seeds_and_failed_runs_count_as_infinitely_far() -> None:
    runs = [run("good", end, seed=seed) for seed, end in enumerate((0.0, 0.5, None))]
    (curve,) = soc_agents.curves(runs)
    assert (curve.seeds, curve.met) == (3, 1)
    assert curve.at(1000) is not None
    assert np.array_equal(np.sort(curve.at(1000)), [0.0, 0.5, np.inf])
    assert (curve.median[0], curve.median[1], curve.median[-1]) == (np.inf, 100.0, 0.5)
    assert curve.seconds == pytest.approx(0.002)


def test_tables_rank_at_the_designs_that_all_have() -> None:
    summaries = [run("long", 0.0), run("short", 7.0, budget=300), run("short", 7.0, budget=300, seed=1)]
    found = soc_agents.curves(summaries)
    assert [curve.agent for curve in soc_agents.ranked(found, "edge")] == ["short", "long"]
    _, _, short, long = soc_agents.table(found, "edge").splitlines()
    assert short == "| short | 2 | 100 (100 .. 100) | 7 (7 .. 7) | - | 0 of 2 | 6.7 |"
    assert long == "| long | 1 | 100 (100 .. 100) | 100 (100 .. 100) | 0 (0 .. 0) | 1 of 1 | 2 |"


@pytest.mark.parametrize(
    ("distance", "text"), [(0.0, "0"), (3e-7, "3.0e-07"), (0.5, "0.5"), (99.9, "100"), (1455.7, "1,456"), (np.inf, "none")]
)
def test_only_a_met_budget_is_shown_as_zero(distance: float, text: str) -> None:
    assert soc_agents.shown(distance) == text


def test_the_figure_takes_runs_of_all_lengths_and_failed_ones(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need the experiments extra")
    workloads = ("edge", "cava")
    summaries = [run("random_walk", 3.0, workload=workload) for workload in workloads]
    summaries += [run("short", 0.0, workload="edge", budget=300), run("failed", None, workload="cava")]
    soc_agents.draw(soc_agents.curves(summaries), tmp_path / "figures" / "agents.png")
    assert (tmp_path / "figures" / "agents.png").read_bytes().startswith(b"\x89PNG")


def test_the_spec_has_every_agent() -> None:
    spec = load_spec(soc_agents.SPEC)
    assert sorted(agent.name for agent in spec.agents) == sorted(list_agents())
    assert all((agent.budget or spec.budget) >= soc_agents.RANKED for agent in spec.agents)
