from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from stores import BASE, small_spec

from archgym.registry import agent_class
from archgym.sweep.plan import describe_plan, entropy, make_plan, plan_runs
from archgym.sweep.tickets import expand_tickets

GENETIC = agent_class("genetic")


def drawn(n: int, seed: int = 0, label: str = "genetic", **held: Any) -> list[dict[str, Any]]:
    return expand_tickets(GENETIC, label, held, {"random": n, "seed": seed})[0]


def test_every_run_is_planned() -> None:
    runs = plan_runs(small_spec())
    assert len(runs) == (1 + 3 + 1) * 2
    assert [run.ticket for run in runs[::2]] == ["default", "t0000", "t0001", "t0002", "default"]
    assert len({run.id for run in runs}) == len(runs) and all(len(run.id) == 16 for run in runs)
    assert {run.workload for run in runs} == {"sphere"} and runs[0].arguments["workload"] == "sphere"
    assert all(set(run.hyperparameters) == set(GENETIC.hyperparameters.names) for run in runs if run.agent == "genetic")


def test_ids_do_not_depend_on_order_labels_tables_or_limits() -> None:
    plain = {run.id for run in plan_runs(small_spec())}
    other = small_spec(
        agent=[{"name": "random_walk", "label": "chance"}, {"name": "genetic", "tickets": {"random": 3}}],
        task=[{"simulator": "synthetic", "tabulated": True}],
        time_limit=10,
        seeds=[1, 0],
        name="another",
    )
    assert {run.id for run in plan_runs(other)} == plain


def test_ids_depend_on_what_decides_the_outcome() -> None:
    plain = {run.id for run in plan_runs(small_spec())}
    tasks = [{"simulator": "synthetic", "workloads": ["needle"]}, {"simulator": "synthetic", "objectives": ["area"]}]
    changed = [{"budget": 9}, {"study": "x"}, {"seeds": [7]}, *({"task": [task]} for task in tasks)]
    assert all(not plain & {run.id for run in plan_runs(small_spec(**change))} for change in changed)


def test_ids_are_the_same_in_another_process() -> None:
    code = (
        "import json, sys; from archgym.sweep import plan_runs, spec_from_record;"
        "print(json.dumps([run.id for run in plan_runs(spec_from_record(json.loads(sys.argv[1])))]))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    command = [sys.executable, "-c", code, json.dumps(BASE)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert json.loads(found) == [run.id for run in plan_runs(small_spec())]


def test_equal_runs_are_executed_once_and_listed_under_every_label() -> None:
    plan = make_plan(small_spec(agent=[{"name": "genetic"}, {"name": "genetic", "label": "again"}]))
    assert len(plan.runs) == 4 and len(plan.unique) == 2
    assert [run.label for run in plan.unique.values()] == ["genetic", "genetic"]
    assert any("executed once" in note for note in plan.notes)


def test_a_grid_takes_any_value_the_agent_accepts() -> None:
    grid = {"population": [3, 5], "mutation": [0.0123]}
    runs = plan_runs(small_spec(agent=[{"name": "genetic", "default": False, "tickets": {"grid": grid}}], seeds=1))
    assert [(run.hyperparameters["population"], run.hyperparameters["mutation"]) for run in runs] == [(3, 0.0123), (5, 0.0123)]


def test_defaults_take_what_is_set() -> None:
    (run,) = plan_runs(small_spec(agent=[{"name": "genetic", "set": {"population": 7}}], seeds=1))
    assert run.ticket == "default" and run.hyperparameters["population"] == 7


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 60), seed=st.integers(0, 2**40), population=st.sampled_from([None, 16]))
def test_random_tickets_are_distinct_levels_and_grow_at_the_end(n: int, seed: int, population: int | None) -> None:
    held = {} if population is None else {"population": population}
    tickets = drawn(n, seed, **held)
    assert len({json.dumps(ticket) for ticket in tickets}) == n
    for ticket in tickets:
        assert all(ticket[p.name] in p.values for p in GENETIC.hyperparameters.parameters)
        assert not {"budget", "seed"} & set(ticket) and ticket["population"] == (population or ticket["population"])
    assert drawn(n + 5, seed, **held)[:n] == tickets


def test_random_tickets_depend_on_label_and_seed() -> None:
    assert drawn(5) != drawn(5, seed=1) and drawn(5) != drawn(5, label="other")


def test_levels_are_drawn_uniformly() -> None:
    tickets = drawn(2000)
    for parameter in GENETIC.hyperparameters.parameters:
        expected = len(tickets) / len(parameter.values)
        counts = [sum(ticket[parameter.name] == value for ticket in tickets) for value in parameter.values]
        assert all(0.8 * expected < count < 1.2 * expected for count in counts)


def test_too_few_tickets_are_all_taken_and_the_plan_says_so() -> None:
    plan = make_plan(small_spec(agent=[{"name": "nsga2", "tickets": {"random": 500}, "default": False}], seeds=1))
    size = agent_class("nsga2").hyperparameters.size
    assert len(plan.runs) == size and any(f"only {size} distinct" in note for note in plan.notes)


@settings(max_examples=50, deadline=None)
@given(tuning=st.integers(0, 500), fresh=st.integers(0, 500), study=st.sampled_from(["", "tuning"]))
def test_tuning_seeds_and_other_seeds_give_different_streams(tuning: int, fresh: int, study: str) -> None:
    """One seed table: streams are equal only for the same replicate of the same run in the same study."""
    first = make_plan(small_spec(seeds=[tuning], study=study))
    second = make_plan(small_spec(seeds=[1000 + fresh]))
    streams = [entropy(run, plan.tasks[run.task]) for plan in (first, second) for run in plan.runs]
    assert len(set(streams)) == len(streams)


def test_agents_with_the_same_seed_do_not_start_alike() -> None:
    plan = make_plan(small_spec(seeds=1))
    assert len({entropy(run, plan.tasks[run.task]) for run in plan.runs}) == len(plan.runs)


def test_a_plan_is_described_in_numbers() -> None:
    spec = small_spec(agent=[{"name": "genetic", "tickets": {"random": 3}}, {"name": "random_walk", "budget": 20, "seeds": 5}])
    found = describe_plan(spec, make_plan(spec))
    assert found["runs"] == 8 + 5 and found["trials"] == 8 * 8 + 5 * 20 and found["tasks"] == 2
    assert [(row["label"], row["runs"], row["trials"]) for row in found["by_agent"]] == [
        ("genetic", 8, 64),
        ("random_walk", 5, 100),
    ]
    assert sum(row["runs"] for row in found["by_task"]) == 13
