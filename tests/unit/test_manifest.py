"""Manifests: enough to read a log without the code, and to run it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from archgym import Columns, DesignSpace, Metric, Parameter, Simulator, make_objective, make_simulator
from archgym.errors import ContractError
from archgym.manifest import LOG_COLUMNS, describe_run, describe_task, task_digest
from archgym.space import space_from_record
from archgym.testing.problems import Mixture, Sphere


def describe(simulator: Simulator, budget: float | None = 100) -> dict[str, Any]:
    return describe_task(simulator, make_objective(simulator.metric_names[0], simulator), budget)


def test_a_task_is_json_and_complete() -> None:
    task = describe(make_simulator("synthetic", workload="needle", seed=3))
    assert json.loads(json.dumps(task)) == task
    assert task["simulator"] == {
        "name": "synthetic",
        "version": "1",
        "arguments": {"workload": "needle", "parameters": 8, "levels": 6, "seed": 3},
    }
    assert task["workload"]["name"] == "needle" and len(task["workload"]["digest"]) == 64
    assert [metric["name"] for metric in task["metrics"]] == ["distance", "area"]
    assert task["fidelities"] == {"full": 1.0, "coarse": 0.1}
    assert (task["objective"], task["budget"]) == ("distance", 100)


def test_a_space_survives_json() -> None:
    record = json.loads(json.dumps(describe(Mixture())["space"]))
    assert space_from_record(record).digest == Mixture.space.digest


def test_a_run_adds_who_when_and_on_what() -> None:
    run = describe_run(describe(Sphere()), "genetic", {"population": 8}, 5)
    assert (run["agent"], run["hyperparameters"], run["seed"]) == ("genetic", {"population": 8}, 5)
    assert run["packages"]["archgym"] and {"system", "machine", "python"} <= set(run["host"])
    assert json.loads(json.dumps(run)) == run
    run["packages"].clear()
    assert describe_run(describe(Sphere()), "genetic", {}, 5)["packages"]  # each manifest has its own copy


def test_a_digest_follows_what_decides_scores_only() -> None:
    task = describe(Sphere())
    changed = {
        **{"simulator": {**task["simulator"], "version": "2"}, "workload": {"name": "", "digest": "other"}},
        **{"space": {**task["space"], "digest": "other"}, "objective": "other", "budget": 50},
    }
    assert len({task_digest({**task, part: value}) for part, value in changed.items()} | {task_digest(task)}) == 6
    assert task_digest({**task, "metrics": []}) == task_digest(task)


class Named(Simulator):
    """Takes its names from the test."""

    name, version = "named", "1"

    def __init__(self, parameters: tuple[str, ...], metrics: tuple[str, ...]) -> None:
        self.space = DesignSpace(tuple(Parameter(name, (0, 1)) for name in parameters))
        self.metrics = tuple(Metric(name) for name in metrics)

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, Any]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("parameters", "metrics", "twice"),
    [
        *(((name,), ("latency_ns",), name) for name in LOG_COLUMNS),
        (("size",), ("score",), "score"),
        (("size",), ("size",), "size"),
        (("size", "size_level"), ("latency_ns",), "size_level"),
        (("size",), ("size_level",), "size_level"),
    ],
)
def test_names_that_would_stand_twice_in_the_log_are_refused(
    parameters: tuple[str, ...], metrics: tuple[str, ...], twice: str
) -> None:
    with pytest.raises(ContractError, match=rf"named: these names .* taken by other log columns: \['{twice}'\]"):
        describe(Named(parameters, metrics))
    assert describe(Named(("size",), ("latency_ns",)))["objective"] == "latency_ns"


class Secretive(Sphere):
    """Has an argument that no manifest can hold."""

    arguments: ClassVar[Mapping[str, Any]] = MappingProxyType({"trace": {1, 2}})


def test_arguments_must_be_json() -> None:
    with pytest.raises(ContractError, match=r"sphere: Simulator\.arguments must be JSON-able: .*set"):
        describe(Secretive())
