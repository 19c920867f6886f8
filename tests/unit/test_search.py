"""Runs: results, determinism, resuming, refusing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym import Agent, Dataset, Designs, DesignSpace, Evaluator, Faulty, Parameter, Result, Simulator, resume, search
from archgym.errors import (
    ArchGymError,
    BudgetError,
    HyperparameterError,
    LogError,
    ReplayError,
    RunExistsError,
    UnknownNameError,
)
from archgym.manifest import describe_task, run_entropy
from archgym.objective import make_objective
from archgym.search import resumable
from archgym.testing import in_another_process
from archgym.testing.problems import Mixture, NothingValid, OnePoint, Sphere
from archgym.trials import read_manifest

SECONDS = ["run", "agent_seconds", "simulator_seconds"]


class Stepper(Agent):
    """Walks through the space in rank order; a setting says how far each step goes."""

    name = "stepper"
    hyperparameters = DesignSpace((Parameter("stride", (1, 2, 3)),))
    batch = 5
    at = 0

    def ask(self, n: int) -> Designs:
        ranks = self.at + self.settings["stride"] * np.arange(n)
        self.at += self.settings["stride"] * n
        return self.space.unrank(ranks % self.space.size)


def levels(folder: Path) -> np.ndarray:
    table = Dataset.open(folder).to_arrow()
    names = [name for name in table.column_names if name.endswith("_level")]
    return np.stack([table[name].to_numpy() for name in names], axis=1)


def stop_at(trials: int, error: type[BaseException] = KeyboardInterrupt) -> Callable[[Evaluator], None]:
    def progress(evaluator: Evaluator) -> None:
        if evaluator.trials >= trials:
            raise error

    return progress


def test_a_result_says_what_was_found() -> None:
    result = search(Stepper, Sphere(), budget=23, seed=4)
    assert (result.trials, result.distinct, result.simulated) == (23, 23, 23)
    assert result.counts == {"OK": 23, "INVALID": 0, "FAILED": 0, "TIMEOUT": 0, "SUSPECT": 0}
    assert result.best_levels is not None
    assert Sphere.space.describe(result.best_levels) == result.best_design
    assert result.best_metrics == {"distance": -result.best_score}
    everything = Sphere().evaluate(Sphere.space.unrank(np.arange(23)))["distance"]
    assert result.best_score == -everything.min() and result.folder is None and result.regret is None
    assert result.task["simulator"]["name"] == "sphere"


def test_designs_that_were_seen_are_not_simulated_again() -> None:
    result = search(Stepper, OnePoint(), budget=23)
    assert (result.trials, result.distinct, result.simulated) == (23, 1, 1)


def test_without_an_ok_design_there_is_no_best() -> None:
    result = search("random_walk", NothingValid(), budget=10)
    assert result.best_design == {} and result.best_levels is None and result.best_score == -np.inf
    assert result.counts["INVALID"] == 10


def test_names_work_as_well_as_objects() -> None:
    by_name = search("random_walk", "synthetic", objective="area", budget=20)
    assert by_name.task["objective"] == "area" and by_name.task["workload"]["name"] == "sphere"
    assert search("random_walk", "synthetic", budget=5).task["objective"] == "distance"


def _plain(result: Result) -> dict[str, Any]:
    fields = vars(replace(result, agent_seconds=0, simulator_seconds=0))
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in fields.items()}


def _run(agent: str, seed: int) -> dict[str, Any]:
    return _plain(search(agent, Mixture(), budget=150, seed=seed))


@pytest.mark.parametrize("agent", ["random_walk", "genetic"])
def test_a_seed_decides_a_run_in_every_process(agent: str) -> None:
    here = _run(agent, 3)
    assert _run(agent, 3) == here == in_another_process(_run, agent, 3)
    assert _run(agent, 4) != here


def test_runs_that_differ_in_anything_do_not_share_their_random_stream() -> None:
    simulator = Sphere()
    task = describe_task(simulator, make_objective("distance", simulator), 100)
    streams = {
        run_entropy(task, "genetic", {"population": 8}, 0),
        run_entropy(task, "genetic", {"population": 16}, 0),
        run_entropy(task, "genetic", {"population": 8}, 1),
        run_entropy(task, "random_walk", {"population": 8}, 0),
        run_entropy(task, "genetic", {"population": 8}, 0, study="second"),
        run_entropy({**task, "objective": "edp"}, "genetic", {"population": 8}, 0),
        run_entropy({**task, "budget": 200}, "genetic", {"population": 8}, 0),
    }
    assert len(streams) == 7
    assert run_entropy(task, "a", {"x": 1, "y": 2}, 0) == run_entropy(task, "a", {"y": 2, "x": 1}, 0)


def test_agents_with_the_same_seed_start_from_different_designs(tmp_path: Path) -> None:
    for agent in ("random_walk", "genetic"):
        search(agent, Sphere(), budget=10, seed=0, log=tmp_path / agent)
    assert not (levels(tmp_path / "random_walk") == levels(tmp_path / "genetic")).all(axis=1).any()


def test_the_manifest_says_what_was_run_and_found(tmp_path: Path) -> None:
    result = search("genetic", Mixture(), budget=40, seed=7, log=tmp_path / "run", hyperparameters={"population": 8})
    manifest = read_manifest(tmp_path / "run")
    assert manifest["agent"] == "genetic" and manifest["seed"] == 7 and manifest["state"] == "finished"
    assert manifest["hyperparameters"]["population"] == 8 and manifest["hyperparameters"]["elite"] == 0.1
    assert manifest["trials"] == 40 and manifest["counts"]["OK"] == 40 and manifest["distinct"] == result.distinct
    assert manifest["best"] == {"design": result.best_design, "score": result.best_score, "metrics": result.best_metrics}
    assert manifest["packages"]["numpy"] == np.__version__ and result.folder == tmp_path / "run"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@pytest.mark.parametrize("stops", [(1,), (33, 64, 65), (149,)])
def test_an_interrupted_run_resumes_to_the_same_log(
    tmp_path: Path, stops: tuple[int, ...], error: type[BaseException]
) -> None:
    simulator = Faulty(Mixture(), share=0.3)
    settings: dict[str, Any] = {"objective": "distance", "budget": 150, "seed": 1}
    whole = search("genetic", simulator, log=tmp_path / "whole", **settings)
    with pytest.raises(error):
        search("genetic", simulator, log=tmp_path / "broken", progress=stop_at(stops[0], error), **settings)
    for trials in stops[1:]:
        with pytest.raises(error):
            resume(tmp_path / "broken", simulator=simulator, progress=stop_at(trials, error))
    assert read_manifest(tmp_path / "broken")["state"] == "interrupted"
    resumed = resume(tmp_path / "broken", simulator=simulator)
    expected, got = (Dataset.open(tmp_path / name).to_arrow().drop_columns(SECONDS) for name in ("whole", "broken"))
    assert got.schema == expected.schema and got.to_pandas().equals(expected.to_pandas())
    assert resumed.best_score == whole.best_score and resumed.counts == whole.counts and resumed.distinct == whole.distinct


def test_resuming_simulates_only_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search("random_walk", "synthetic", budget=200, log=tmp_path / "run", progress=stop_at(100))
    logged = len(Dataset.open(tmp_path / "run"))
    result = resume(tmp_path / "run")
    assert result.trials == 200 and result.simulated <= 200 - logged < 200


def test_a_run_whose_budget_was_spent_when_it_was_interrupted_is_finished_by_resuming(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search("random_walk", "synthetic", budget=10, log=tmp_path / "run", progress=stop_at(10))
    result = resume(tmp_path / "run")
    assert (result.trials, result.simulated) == (10, 0) and read_manifest(tmp_path / "run")["state"] == "finished"


def test_an_agent_that_is_not_registered_resumes_with_its_class(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(Stepper, Sphere(), budget=20, log=tmp_path / "run", hyperparameters={"stride": 2}, progress=stop_at(10))
    with pytest.raises(UnknownNameError, match="no agent named 'stepper'"):
        resume(tmp_path / "run", simulator=Sphere())
    with pytest.raises(UnknownNameError, match="no simulator named 'sphere'"):
        resume(tmp_path / "run", agent=Stepper)
    assert resume(tmp_path / "run", simulator=Sphere(), agent=Stepper).trials == 20
    assert np.array_equal(levels(tmp_path / "run"), Sphere.space.unrank(2 * np.arange(20)))


class Newer(Sphere):
    """The next version of the sphere."""

    version = "2"


class Hasty(Stepper):
    """The agent after a change: it gives up early, or starts elsewhere."""

    start, turns = 0, 1000

    def drive(self, evaluator: Evaluator) -> None:
        self.at = self.start
        for _ in range(self.turns):
            if n := evaluator.affordable(self.batch):
                evaluator.evaluate(self.ask(n))


@pytest.mark.parametrize(
    ("simulator", "change", "message"),
    [
        (Newer(), {}, "the simulator was name sphere, version 1, .* and is now name sphere, version 2"),
        (Mixture(), {}, "the simulator was name sphere"),
        (Sphere(), {"start": 1}, "trial 0 of the log holds another design"),
        (Sphere(), {"turns": 1}, "the log holds more trials than the agent proposes"),
    ],
)
def test_a_run_of_something_else_is_not_resumed(
    tmp_path: Path, simulator: Simulator, change: dict[str, int], message: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(Stepper, Sphere(), budget=20, log=tmp_path / "run", progress=stop_at(10))
    with pytest.raises(ReplayError, match=message):
        resume(tmp_path / "run", simulator=simulator, agent=type("Changed", (Hasty,), change))
    assert resume(tmp_path / "run", simulator=Sphere(), agent=Stepper).trials == 20


def test_finished_runs_and_other_folders_are_refused(tmp_path: Path) -> None:
    search("random_walk", "synthetic", budget=5, log=tmp_path / "run")
    with pytest.raises(RunExistsError, match="holds a finished run"):
        resume(tmp_path / "run")
    with pytest.raises(RunExistsError, match="already holds a run"):
        search("random_walk", "synthetic", budget=5, log=tmp_path / "run")
    with pytest.raises(LogError, match="holds no run"):
        resume(tmp_path)


def test_unfinished_runs_are_found(tmp_path: Path) -> None:
    search("random_walk", "synthetic", budget=5, log=tmp_path / "a")
    for name in ("c", "b"):
        with pytest.raises(KeyboardInterrupt):
            search("random_walk", "synthetic", budget=5, log=tmp_path / "deep" / name, progress=stop_at(1))
    assert resumable(tmp_path) == [tmp_path / "deep" / "b", tmp_path / "deep" / "c"]
    assert resumable(tmp_path / "a") == [] and resumable(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"agent": "genetik"}, UnknownNameError, "no agent named 'genetik'. Did you mean 'genetic'"),
        ({"simulator": "sintetic"}, UnknownNameError, "no simulator named 'sintetic'. Did you mean 'synthetic'"),
        ({"objective": "areas"}, UnknownNameError, "Did you mean 'area'"),
        ({"budget": 0}, BudgetError, "positive number of designs, got 0"),
        ({"seed": -1}, HyperparameterError, "seed must be a whole number from 0 to"),
        ({"seed": 2**63}, HyperparameterError, "seed must be a whole number"),
        ({"seed": 1.5}, HyperparameterError, "got 1.5"),
        ({"hyperparameters": {"populaton": 8}}, HyperparameterError, "Did you mean 'population'"),
        ({"hyperparameters": {"population": 1}}, HyperparameterError, "a whole number from 2 to 64, got 1"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_written(
    tmp_path: Path, change: dict[str, Any], kind: type[ArchGymError], message: str
) -> None:
    settings = {"agent": "genetic", "simulator": "synthetic", "budget": 10, "log": tmp_path / "run", **change}
    with pytest.raises(kind) as caught:
        search(**settings)
    assert message in str(caught.value) and not (tmp_path / "run").exists()
