"""Past trials are told to agents that can use them, cost nothing, and leave resuming exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym import Agent, Designs, Metrics, Scores
from archgym.errors import ContractError, LogError, MissingExtraError, ReplayError
from archgym.registry import agent_class
from archgym.search import Progress
from archgym.trials import read_manifest


class Listener(Agent):
    """Proposes at random and remembers what it was told."""

    name = "listener"
    learns_from_past = True
    told: tuple[tuple[Designs, Scores, Metrics], ...] = ()

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, self.rng)

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        type(self).told = (*self.told, (designs.copy(), scores.copy(), metrics))


@pytest.fixture
def past(tmp_path: Path) -> Path:
    archgym.search("random_walk", "synthetic", objective="area", budget=150, seed=1, log=tmp_path / "past/one")
    archgym.search("random_walk", "synthetic", objective="area", budget=150, seed=2, log=tmp_path / "past/two")
    other = archgym.make_simulator("synthetic", workload="needle")
    archgym.search("random_walk", other, budget=150, log=tmp_path / "past/other")
    return tmp_path / "past"


def test_trials_of_the_task_are_told_once_with_the_new_score(past: Path) -> None:
    Listener.told = ()
    simulator = archgym.make_simulator("synthetic")
    result = archgym.search(Listener, simulator, objective="distance", budget=64, warm_start=past)
    designs, scores, metrics = Listener.told[0]
    assert (
        len(designs)
        == len(np.unique(designs, axis=0))
        == archgym.Dataset.open(past / "one", past / "two")
        .to_arrow()
        .select([f"{name}_level" for name in simulator.space.names])
        .group_by([f"{name}_level" for name in simulator.space.names])
        .aggregate([])
        .num_rows
    )
    np.testing.assert_array_equal(scores, -simulator.evaluate(designs)["distance"])
    np.testing.assert_array_equal(metrics["area"], simulator.evaluate(designs)["area"])
    assert result.trials == 64


def test_a_head_start_helps(past: Path) -> None:
    def best(warm_start: Path | None) -> float:
        runs = [archgym.search("genetic", "synthetic", budget=64, seed=seed, warm_start=warm_start) for seed in range(10)]
        return float(np.mean([run.best_score for run in runs]))

    assert best(past) > best(None)


def test_an_agent_that_cannot_use_them_says_so(past: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="random_walk cannot use past trials"):
        archgym.search("random_walk", "synthetic", budget=10, warm_start=past, log=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_no_run_of_the_task(past: Path) -> None:
    simulator = archgym.make_simulator("synthetic", parameters=3)
    with pytest.raises(LogError, match="no finished run of synthetic"):
        archgym.search("genetic", simulator, budget=10, warm_start=past)


class Stops(Exception):
    """Ends a run in the middle."""


def _stop_after(trials: int) -> Progress:
    def progress(evaluator: archgym.Evaluator) -> None:
        if evaluator.trials >= trials:
            raise Stops

    return progress


def test_resuming_is_exact(past: Path, tmp_path: Path) -> None:
    arguments = {"budget": 200, "warm_start": past}
    archgym.search("genetic", "synthetic", log=tmp_path / "whole", **arguments)
    with pytest.raises(Stops):
        archgym.search("genetic", "synthetic", log=tmp_path / "cut", progress=_stop_after(100), **arguments)
    archgym.resume(tmp_path / "cut")
    tables = [archgym.Dataset.open(tmp_path / name).runs[0].to_arrow() for name in ("whole", "cut")]
    names = [name for name in tables[0].column_names if not name.endswith("_seconds")]
    assert tables[0].select(names).equals(tables[1].select(names))
    assert read_manifest(tmp_path / "cut")["warm_start"]["designs"] > 0


def test_resuming_after_the_past_has_changed_is_refused(past: Path, tmp_path: Path) -> None:
    with pytest.raises(Stops):
        archgym.search("genetic", "synthetic", budget=200, warm_start=past, log=tmp_path / "cut", progress=_stop_after(100))
    archgym.search("random_walk", "synthetic", budget=50, seed=9, log=past / "three")
    with pytest.raises(ReplayError, match="Put the folder back"):
        archgym.resume(tmp_path / "cut")


@pytest.mark.parametrize("name", archgym.list_agents())
def test_every_agent_that_says_so_can_use_past_trials(name: str, past: Path) -> None:
    agent = agent_class(name)
    if not agent.learns_from_past:
        with pytest.raises(ContractError, match="cannot use past trials"):
            archgym.search(agent, "synthetic", budget=10, warm_start=past)
        return
    try:
        result = archgym.search(agent, "synthetic", budget=60, warm_start=past)
    except MissingExtraError as missing:
        pytest.skip(str(missing))
    assert result.trials == 60
