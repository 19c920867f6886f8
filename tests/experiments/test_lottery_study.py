"""The lottery study on made-up summaries: what is planned, what is chosen, what is concluded."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")
pytest.importorskip("matplotlib", reason="the studies need the experiments extra")

from inference import anytime_area
from lottery_answers import components, lucky, transfer, winners
from lottery_data import Runs, anytime_areas, collect
from lottery_plan import CLASSES, FULL, GRIDS, SPECS, best_ticket, stage_one, stage_two, task_names, transfer_ticket
from lottery_study import Part, Study
from lottery_text import write_up
from lottery_verdicts import lottery_verdict, lucky_verdict

from archgym.landscape import Card
from archgym.manifest import run_entropy
from archgym.sweep.measures import marks_up_to
from archgym.sweep.plan import make_plan, plan_runs
from archgym.sweep.spec import Spec, load_spec, spec_from_record

ROOT = Path(__file__).parents[2]
SIZE = 442_368
HARD = ("cloud-1", "edp")


def small(name: str = "quick", tickets: int = 6, agents: int = 5) -> Spec:
    """A spec of stage 1 with few tickets and few agents."""
    record = stage_one(name).record()
    record["agent"] = record["agent"][:agents]
    for agent in record["agent"]:
        if "tickets" in agent:
            agent["tickets"]["random"] = tickets
        else:
            agent["seeds"] = list(range(1000, 1000 + 3 * tickets))
    record["protocol"]["confirm"].update(best_of=[min(12, tickets), tickets] if tickets > 12 else [tickets], seeds=10)
    return spec_from_record(record)


def summaries(spec: Spec, effect: float = 1.0) -> list[dict]:
    """What runs might have found: quality by ticket (none for random walk), task and seed."""
    found = {}
    for run in plan_runs(spec):
        rng = np.random.default_rng(int(run.id, 16))
        key = str(sorted(run.hyperparameters.items())) + run.agent
        worth = np.random.default_rng(list(key.encode())).normal() if run.hyperparameters else 0.0
        speed = 1 + np.exp(effect * worth + 0.5 * rng.normal())
        marks = np.array(marks_up_to(run.budget))
        quantile = np.minimum.accumulate(rng.exponential(1 / marks**speed))
        quantile = np.where(quantile < 1 / SIZE, 0.0, quantile)
        regret = 3 * quantile**0.6

        def first(eps: float, regret: np.ndarray = regret, marks: np.ndarray = marks) -> int | None:
            return int(marks[np.argmax(regret <= eps)]) if (regret <= eps).any() else None

        found[run.id] = {
            "id": run.id,
            "state": "finished",
            "marks": marks.tolist(),
            "quantile": quantile.tolist(),
            "regret": regret.tolist(),
            "hits": {key: first(float(key)) for key in ("0", "0.001", "0.01", "0.05", "0.1")},
            "agent_seconds": 0.01,
            "simulator_seconds": 0.02,
            "distinct": run.budget,
        }
    return list(found.values())


def make_part(spec: Spec, effect: float = 1.0, name: str = "quick") -> Part:
    tuning = collect(plan_runs(spec), summaries(spec, effect), SIZE)
    second = [stage_two(spec, tuning, task) for task in task_names(spec)]
    planned = [run for one in second for run in plan_runs(one)]
    return Part(name, spec, tuning, collect(planned, [row for one in second for row in summaries(one, effect)], SIZE))


def card(task: tuple[str, str]) -> Card:
    ceiling = task[0] == "stream"
    return Card(
        "dram", *task, SIZE, 6445, 1000, 1.0, (1e-4, 1e-3, 0.01, 0.05, 0.1), (7000, 700, 70, 14, 7), 0.75, True, 9, ceiling
    )


@pytest.fixture(scope="module")
def part() -> Part:
    return make_part(small())


def test_all_specs_hold_the_same_protocol_and_can_be_planned() -> None:
    specs = {name: load_spec(SPECS / f"lottery_{name}.toml") for name in (*CLASSES, *GRIDS, "quick")}
    rules = [{key: value for key, value in spec.protocol.items() if key != "confirm"} for spec in specs.values()]
    assert all(rule == rules[0] for rule in rules)
    assert rules[0]["eps"] == 0.01 and rules[0]["primary_budget"] == 1000
    planned = {name: len(make_plan(spec).unique) for name, spec in specs.items() if name != "quick"}
    assert sum(planned.values()) >= 21_600
    for name in CLASSES:
        assert specs[name].study != specs[name].protocol["confirm"]["study"]


def test_no_run_of_stage_two_shares_a_random_stream_with_stage_one(part: Part) -> None:
    second = stage_two(part.spec, part.tuning, HARD)
    streams = []
    for spec in (part.spec, second):
        plan = make_plan(spec)
        runs = [run for run in plan.unique.values() if (run.workload, run.objective) == HARD]
        entropies = {run_entropy(plan.tasks[r.task], r.agent, r.hyperparameters, r.seed, r.study) for r in runs}
        assert len(entropies) == len(runs)
        streams.append((entropies, {run.seed for run in runs}))
    assert not streams[0][0] & streams[1][0]
    assert not streams[0][1] & streams[1][1]


def test_the_published_grid_is_as_large_as_archgyms() -> None:
    spec = load_spec(SPECS / "lottery_grids_published.toml")
    runs = [run for run in plan_runs(spec) if (run.workload, run.objective) == HARD]
    counts = {agent: sum(run.agent == agent for run in runs) for agent in ("ant_colony", "genetic", "bayes_gp", "random_walk")}
    assert counts == {"ant_colony": 600, "genetic": 72, "bayes_gp": 15, "random_walk": 2}
    budgets = [run.budget for run in runs if run.agent == "ant_colony"]
    assert (min(budgets), max(budgets)) == (5, 1025)
    assert {run.budget for run in runs if run.agent == "genetic"} >= {17, 4097}
    assert {run.budget for run in plan_runs(load_spec(SPECS / "lottery_grids_fixed.toml"))} == {1000}


def test_the_full_study_contains_the_small_one() -> None:
    few, many = (set(make_plan(stage_one("model", full)).unique) for full in (False, True))
    assert few < many
    assert FULL["cheap"]["tickets"] == 256


def test_areas_are_those_of_single_curves() -> None:
    marks = np.array(marks_up_to(1000))
    quantile = np.minimum.accumulate(np.random.default_rng(0).random((5, len(marks))), axis=1)
    kept = marks >= 10
    expected = [anytime_area(marks[kept], row[kept], SIZE) for row in quantile]
    np.testing.assert_allclose(anytime_areas(marks, quantile, SIZE, 1000), expected)
    with pytest.raises(ValueError, match="end at a mark"):
        anytime_areas(marks, quantile, SIZE, 999)


def test_tickets_are_chosen_by_mean_area_and_the_first_of_equals() -> None:
    areas = np.array([[1, 1], [3, 3], [2, 4], [9, 9]], float)
    assert best_ticket(areas, 3) == 1
    assert best_ticket(areas, 4) == 3
    assert transfer_ticket({"a": areas, "b": areas, "c": areas[::-1]}, left_out="c") == 3
    assert transfer_ticket({"a": areas, "c": areas[::-1]}, left_out="a") == 0


def test_a_failed_run_is_the_worst_there_is_and_a_missing_one_an_error() -> None:
    spec = small(tickets=2, agents=1)
    rows = summaries(spec)
    rows[0] |= {"state": "failed", "quantile": [], "regret": [], "marks": []}
    runs = collect(plan_runs(spec), rows, SIZE)
    assert runs.failed.sum() == 1
    (worst,) = np.flatnonzero(runs.failed)
    assert runs.area[worst] == pytest.approx(0, abs=1e-5) and runs.area[worst] == runs.area.min()
    assert np.isinf(runs.regret[worst]).all()
    with pytest.raises(ValueError, match="1 of"):
        collect(plan_runs(spec), rows[1:], SIZE)


def test_stage_two_runs_the_default_the_best_the_transferred_and_random_tickets(part: Part) -> None:
    second = stage_two(part.spec, part.tuning, HARD)
    labels = {agent.label for agent in second.agents}
    assert labels == {
        *(f"{agent}: {arm}" for agent in part.agents for arm in ("default", "best of 6", "transfer", "random")),
        "random_walk: default",
    }
    (best,) = [agent for agent in second.agents if agent.label == "genetic: best of 6"]
    areas = part.tuning.ticket_areas("genetic", HARD)
    chosen = part.tuning.settings["genetic"][int(np.argmax(areas.mean(axis=1)))]
    assert plan_runs(replace(second, agents=(best,)))[0].hyperparameters == chosen


def test_random_walk_shows_no_lottery_and_agents_with_good_and_bad_tickets_do() -> None:
    spec = small(tickets=30, agents=5)
    found = components(make_part(spec), task_names(spec))
    assert found["random_walk"].interval[0] <= 0.05 and found["random_walk"].p > 0.01
    assert found["genetic"].icc > 0.4 and found["genetic"].p < 0.01
    assert "genetic **confirmed**" in lottery_verdict(found, found)
    idle = components(make_part(spec, effect=0.0), task_names(spec))
    assert "genetic **not confirmed**" in lottery_verdict(idle, found)


def test_winning_tickets_are_counted_with_exact_bounds(part: Part) -> None:
    found = winners(part, "genetic", HARD, 1000)
    rows = part.tuning.tickets("genetic", HARD, 3)
    assert rows.shape == (6, 3)
    assert found.wins == (np.median(part.tuning.regret[rows, -1], axis=1) <= 0.01).sum()
    assert found.bounds[0] <= found.wins / 6 <= found.bounds[1]
    assert np.isnan(winners(part, "random_walk", HARD).place)


def test_the_transfer_matrix_has_a_row_and_a_column_per_trace(part: Part) -> None:
    traces, matrix, correlation = transfer(part, "genetic", "edp")
    assert traces == ["random", "cloud-1", "cloud-2"] and matrix.shape == (3, 3)
    assert ((matrix >= 0) & (matrix <= 1)).all() and -1 <= correlation <= 1


def test_a_lucky_ticket_has_to_win_more_often_than_not(part: Part) -> None:
    won, total, passed = lucky(part, "genetic", HARD, "best of 6", 1000)
    assert total == 10 and passed == (won >= 9)
    assert "**" in lucky_verdict(part, task_names(part.spec), 1000)


def grid_runs(name: str, agents: int) -> list[Runs]:
    """A few agents of a grid spec, on one task."""
    record = load_spec(SPECS / f"lottery_{name}.toml").record()
    record["agent"] = record["agent"][-agents:]
    record["task"][0] |= {"workloads": [HARD[0]], "objectives": [HARD[1]]}
    spec = spec_from_record(record)
    rows, planned = summaries(spec), plan_runs(spec)
    return [collect([run for run in planned if run.budget == b], rows, SIZE) for b in sorted({run.budget for run in planned})]


@pytest.mark.slow
def test_the_whole_write_up_fills_every_block_of_the_page(tmp_path: Path) -> None:
    parts = {
        "cheap": make_part(small("cheap", 13), name="cheap"),
        "long": make_part(small("long", 13), name="long"),
        "slow": make_part(small("slow", 12, 2), name="slow"),
    }
    tasks = dict.fromkeys(task for one in parts.values() for task in one.tuning.tasks)
    grids = {"grids_published": grid_runs("grids_published", 8), "grids_fixed": grid_runs("grids_fixed", 1)}
    blocks = write_up(Study(parts, {task: card(task) for task in tasks}, grids), tmp_path)
    page = (ROOT / "docs" / "lottery.md").read_text()
    for name, text in blocks.items():
        assert f"<!-- {name}:begin -->\n" in page and f"<!-- {name}:end -->" in page, name
        assert "nan" not in text.lower(), name
    assert page.count(":begin -->") == len(blocks)
    figures = sorted(path.name for path in tmp_path.glob("*.png"))
    assert len(figures) == 12
    assert all(sum(f"figures/{name}" in text for text in blocks.values()) == 1 for name in figures)
    assert "stream" not in blocks["winners"] and "stream latency_ns" in blocks["landscape"]
