from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from stores import BASE, small_spec

from archgym.errors import SpecError
from archgym.sweep.comparing import difference
from archgym.sweep.spec import load_spec, spec_from_record

TEXT = """
name = "lottery"
budget = 500
seeds = {first = 1000, count = 3}
time_limit = 60.0
[protocol]
primary = "quantile"
[[task]]
simulator = "synthetic"
workloads = ["sphere", "needle"]
arguments = {parameters = 4}
tabulated = true
[[agent]]
name = "genetic"
set = {population = 16}
tickets = {grid = {mutation = [0.01, 0.03], crossover = [0.5]}}
[[agent]]
name = "genetic"
label = "drawn"
tickets = {random = 4}
budget = 100
seeds = [5]
"""


def test_a_file_becomes_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(TEXT)
    spec = load_spec(path)
    assert spec.seeds == (1000, 1001, 1002) and spec.budget == 500 and spec.time_limit == 60
    assert spec.tasks[0].workloads == ("sphere", "needle") and spec.tasks[0].objectives == ("distance",)
    assert [agent.label for agent in spec.agents] == ["genetic", "drawn"]
    assert spec.agents[0].settings == {"population": 16} and spec.agents[1].seeds == (5,)
    assert spec.protocol == {"primary": "quantile"}


def test_a_record_is_a_spec_again(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(TEXT)
    spec = load_spec(path)
    assert spec_from_record(spec.record()) == spec
    assert spec_from_record(spec.record()).digest == spec.digest


def test_a_task_takes_the_first_workload_and_metric() -> None:
    (task,) = small_spec().tasks
    assert task.workloads == ("sphere",) and task.objectives == ("distance",)


def test_syntax_errors_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text('name = "x"\nbudget = = 3\n')
    with pytest.raises(SpecError, match=r"broken\.toml.*line 2"):
        load_spec(path)
    with pytest.raises(SpecError, match="absent"):
        load_spec(tmp_path / "absent.toml")


AGENT = {"name": "genetic"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budgte": 3}, r"Did you mean 'budget'"),
        ({"budget": -5}, r"budget must be a positive number, got -5"),
        ({"budget": "many"}, r"budget must be a positive number"),
        ({"budget": True}, r"budget must be a positive number"),
        ({"name": 3}, r"name must be a text"),
        ({"retries": -1}, r"retries must be a whole number"),
        ({"time_limit": 0}, r"time_limit must be a positive number"),
        ({"seeds": []}, r"seeds must be"),
        ({"seeds": 0}, r"seeds must be"),
        ({"seeds": [1, 1]}, r"seeds holds 1 twice"),
        ({"seeds": [-1]}, r"seeds must be"),
        ({"seeds": {"first": 3}}, r"count is missing"),
        ({"seeds": "4"}, r"seeds must be"),
        ({"protocol": []}, r"protocol must be a table"),
        ({"objectives": []}, r"objectives must be a list of texts"),
        ({"objectives": ["distnce"]}, r"Did you mean 'distance'"),
        ({"task": []}, r"at least one table \[\[task\]\]"),
        ({"agent": {"name": "genetic"}}, r"at least one table \[\[agent\]\]"),
        ({"task": [{}]}, r"\[\[task\]\] 1: simulator is missing"),
        ({"task": [{"simulator": "synthetc"}]}, r"\[\[task\]\] 1: .*Did you mean 'synthetic'"),
        ({"task": [{"simulator": "synthetic", "workloads": ["spher"]}]}, r"Did you mean 'sphere'"),
        ({"task": [{"simulator": "synthetic", "workloads": ["sphere", "sphere"]}]}, r"names 'sphere' twice"),
        ({"task": [{"simulator": "synthetic", "arguments": {"level": 3}}]}, r"Did you mean 'levels'"),
        ({"task": [{"simulator": "synthetic", "arguments": {"workload": "sphere"}}]}, r"workloads = \['sphere'\]"),
        ({"task": [{"simulator": "synthetic"}] * 2}, r"\[\[task\]\] 2 is \[\[task\]\] 1 again"),
        ({"agent": [{"name": "genetc"}]}, r"\[\[agent\]\] 1: .*Did you mean 'genetic'"),
        ({"agent": [AGENT, AGENT]}, r"two agents are called 'genetic'"),
        ({"agent": [{**AGENT, "default": False}]}, r"there is nothing to run"),
        ({"agent": [{**AGENT, "default": "no"}]}, r"default must be true or false"),
        ({"agent": [{**AGENT, "set": {"populaton": 4}}]}, r"Did you mean 'population'"),
        ({"agent": [{**AGENT, "set": {"population": 4000}}]}, r"population must be a whole number from 2 to 64"),
        ({"agent": [{**AGENT, "set": {"seed": 4}}]}, r"seed is no hyper-parameter"),
        ({"agent": [{**AGENT, "tickets": {}}]}, r"tickets must have one of random, grid, list"),
        ({"agent": [{**AGENT, "tickets": {"random": 3, "grid": {}}}]}, r"tickets must have one of"),
        ({"agent": [{**AGENT, "tickets": {"random": 0}}]}, r"tickets.random must be a whole number from 1"),
        ({"agent": [{**AGENT, "tickets": {"random": 3, "sed": 1}}]}, r"Did you mean 'seed'"),
        ({"agent": [{**AGENT, "tickets": {"grid": {"population": []}}}]}, r"lists of values"),
        ({"agent": [{**AGENT, "tickets": {"grid": {"population": [4, 4]}}}]}, r"tickets 0 and 1 are the same"),
        ({"agent": [{**AGENT, "tickets": {"list": [{"budget": 4}]}}]}, r"budget is no hyper-parameter"),
        ({"agent": [{**AGENT, "tickets": {"list": []}}]}, r"list of tables"),
        ({"agent": [{**AGENT, "set": {"elite": 0.1}, "tickets": {"list": [{"elite": 0.2}]}}]}, r"elite is held by set"),
    ],
)
def test_what_cannot_be_run_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        spec_from_record({**BASE, **changes}, where="spec.toml")


def test_a_name_is_needed() -> None:
    with pytest.raises(SpecError, match="name is missing"):
        spec_from_record({key: value for key, value in BASE.items() if key != "name"})


def test_a_difference_is_shown_in_lines() -> None:
    old = small_spec(time_limit=5)
    agents = [{"name": "genetic", "tickets": {"random": 5}}, {"name": "annealing"}]
    new = small_spec(budget=16, agent=agents)
    lines = difference(old.record(), new.record())
    assert "changed budget: 8 -> 16" in lines
    assert "removed time_limit = 5" in lines
    assert "changed agent.genetic.tickets.random: 3 -> 5" in lines
    assert any(line.startswith("added agent.annealing") for line in lines)
    assert any(line.startswith("removed agent.random_walk") for line in lines)
    assert not difference(old.record(), old.record())
