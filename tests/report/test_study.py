"""Runs as arrays: how good they were, who is compared, which tasks are left out."""

from __future__ import annotations

import numpy as np
import pytest
from summaries import MARKS, SIZE, synthetic_summaries, synthetic_tasks

from archgym.report.study import Study, group_medians


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(synthetic_summaries(1500, tickets=16, seeds=2), synthetic_tasks())


def test_curves_never_rise_and_end_where_the_run_ended(study: Study) -> None:
    assert study.curves.shape == (1500, len(MARKS))
    assert (np.diff(study.curves, axis=1) <= 0).all()
    rows = np.flatnonzero(~study.failed)
    assert study.final[rows].tolist() == [study.runs[row]["quantile"][-1] for row in rows]


def test_a_failed_run_is_the_worst_and_stays_in() -> None:
    runs = synthetic_summaries(40, tickets=2, seeds=2, fail=0.3)
    study = Study(runs, synthetic_tasks())
    assert 0 < study.failed.sum() < len(runs) == len(study.curves)
    assert (study.curves[study.failed] == 1).all()
    assert np.isinf(study.regret[study.failed]).all() and np.isinf(study.hits["0.1"][study.failed]).all()


def test_the_area_is_that_of_the_protocol(study: Study) -> None:
    row = int(np.flatnonzero(~study.failed)[0])
    x, y = np.log10(study.marks), -np.log10(study.curves[row] + 1 / SIZE)
    assert study.area[row] == pytest.approx(np.trapezoid(y, x) / (x[-1] - x[0]))


def test_easy_tasks_are_found_by_random_search(study: Study) -> None:
    easy = {study.problems[problem].workload for problem in study.ceilings}
    assert easy == {"stream"} and all("random search" in why for why in study.ceilings.values())


def test_agents_stand_in_order_of_their_areas(study: Study) -> None:
    assert study.agents[-2:] in (["ppo", "random_walk"], ["random_walk", "ppo"])
    assert sorted(study.agents) == sorted({run["label"] for run in study.runs})
    assert all(study.agents[agent] == run["label"] for agent, run in zip(study.agent, study.runs, strict=True))


def test_without_an_optimum_there_are_costs_and_no_quantiles() -> None:
    study = Study(synthetic_summaries(60, tickets=2, seeds=1, known=False, fail=0.1), synthetic_tasks())
    assert study.failed.any() and not study.known.any()
    assert np.isnan(study.curves).all() and np.isnan(study.area).all()
    good = ~study.failed
    assert (study.final_cost[good] > 0).all() and np.isinf(study.final_cost[~good]).all()


def test_runs_of_different_budgets_share_one_task() -> None:
    runs = synthetic_summaries(20, tickets=1, seeds=1, workloads=1, objectives=1, agents=2, fail=0)
    short = dict(runs[0], id="short", seed=9, budget=40, task="shorter")
    short["marks"] = [*MARKS[:9], 40]
    for name in ("best", "quantile", "regret"):
        short[name] = [*runs[0][name][:9], runs[0][name][8]]
    task = dict(synthetic_tasks()["random/latency_ns"], budget=40)
    study = Study([*runs, short], {**synthetic_tasks(), "shorter": task})
    assert len(study.problems) == 1 and 40 in study.marks
    column = list(study.marks).index(40)
    assert study.curves[0, column] == study.curves[0, column - 1], "carried forward between a run's own marks"
    assert np.isnan(study.curves[-1, column + 1 :]).all(), "nothing is known after the budget"
    assert study.final[-1] == short["quantile"][-1]


def test_group_medians_are_medians() -> None:
    rng = np.random.default_rng(0)
    values, groups = rng.random(100), rng.integers(0, 9, 100)
    found, medians = group_medians(values, groups)
    assert medians == pytest.approx([np.median(values[groups == group]) for group in found])
