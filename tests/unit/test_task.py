"""Tasks and suites: small records that build problems."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgym import Task
from archgym.errors import BudgetError, ContractError, UnknownNameError
from archgym.task import load_suite
from archgym.testing import in_another_process

SUITE = """
[task.easy]
simulator = "synthetic"
parameters = 4
budget = 50

[task.hard]
simulator = "synthetic"
workload = "interaction"
objective = "weighted:distance=1,area=0.5"
"""


def test_a_task_builds_its_problem() -> None:
    simulator, objective = Task("synthetic", {"workload": "needle", "parameters": 3}, "area", 20).make()
    assert simulator.workload == "needle" and simulator.space.dimensions == 3 and objective.text == "area"
    assert Task("synthetic").make()[1].text == "distance"


def test_a_record_rebuilds_the_task() -> None:
    task = Task("synthetic", {"workload": "needle"}, "area", 20)
    assert task.record() == {"simulator": "synthetic", "workload": "needle", "objective": "area", "budget": 20}
    assert Task.from_record(task.record()) == task
    assert Task.from_record({"simulator": "synthetic"}) == Task("synthetic")
    with pytest.raises(ContractError, match="a task needs a 'simulator'"):
        Task.from_record({"objective": "area"})


def _digest(task: Task) -> str:
    return task.digest


def test_a_digest_covers_what_decides_scores() -> None:
    base = Task("synthetic")
    others = [
        Task("synthetic", {"workload": "needle"}),
        Task("synthetic", {"levels": 3}),
        Task("synthetic", {"seed": 3}),
        Task("synthetic", {}, "area"),
        Task("synthetic", {}, "", 500),
    ]
    assert len({base.digest, *(task.digest for task in others)}) == 6
    assert Task("synthetic", {}, "distance").digest == base.digest == in_another_process(_digest, base)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(BudgetError, match="got 0"):
        Task("synthetic", budget=0)
    with pytest.raises(UnknownNameError, match="synthetic: no argument named 'workloat'"):
        Task("synthetic", {"workloat": "needle"}).make()


def test_a_suite_is_a_toml_file(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(SUITE)
    suite = load_suite(path)
    assert suite == {
        "easy": Task("synthetic", {"parameters": 4}, "", 50),
        "hard": Task("synthetic", {"workload": "interaction"}, "weighted:distance=1,area=0.5", 1000),
    }
    assert suite["hard"].make()[0].workload == "interaction"


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, ContractError, "cannot be read as a suite"),
        ("[task", ContractError, "cannot be read as a suite"),
        ("", ContractError, "holds no task"),
        ("task = 3", ContractError, "holds no task"),
        ("[task]\na = 3", ContractError, "task.a must be a table, got 3"),
        ("[tasks.a]\nsimulator = 'synthetic'", UnknownNameError, "no table named 'tasks'. Did you mean 'task'"),
        ("[task.a]\nobjective = 'area'", ContractError, "needs a 'simulator'"),
        ("[task.a]\nsimulator = 'synthetic'\nbudget = -1", BudgetError, "got -1"),
    ],
)
def test_a_suite_that_cannot_be_read_is_named(
    tmp_path: Path, content: str | None, kind: type[Exception], message: str
) -> None:
    path = tmp_path / "suite.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(kind) as caught:
        load_suite(path)
    assert message in str(caught.value)
