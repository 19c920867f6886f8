"""Tuning: an agent's settings searched by another agent, in Python and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import archgym
from archgym import Agent, Dataset, DesignSpace, Parameter
from archgym.errors import HyperparameterError, UnknownNameError
from archgym.optimum import enumerate_space
from archgym.tuning import FRESH_SEED, Tuning, tune


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))


class Stubborn(Agent):
    """Proposes the design whose levels are all ``level``; level 4 makes it break down."""

    name = "stubborn"
    hyperparameters = DesignSpace((Parameter("level", (0, 1, 2, 3, 4), default=0), Parameter("idle", (1, 2))))

    def ask(self, n: int) -> np.ndarray:
        if self.settings["level"] == 4:
            raise RuntimeError("diverged")
        return np.full((n, self.space.dimensions), self.settings["level"], np.int32)


def sphere() -> archgym.Simulator:
    return archgym.make_simulator("synthetic", workload="sphere", parameters=3, levels=5)


def test_a_ticket_is_worth_the_mean_of_its_runs() -> None:
    tuning = Tuning("genetic", sphere(), budget=40, seeds=(7, 8))
    found = tuning.evaluate(tuning.space.default)
    runs = [archgym.search("genetic", sphere(), budget=40, seed=seed).best_score for seed in (7, 8)]
    assert found["mean_score"][0] == np.mean(runs)
    assert found["score_deviation"][0] == np.std(runs)
    assert found["seconds"][0] > 0


def test_regret_and_quantile_are_metrics_where_the_space_was_enumerated() -> None:
    assert "mean_quantile" not in Tuning("genetic", sphere(), budget=20).metric_names
    enumerate_space(sphere())
    tuning = Tuning("genetic", sphere(), budget=20)
    found = tuning.evaluate(tuning.space.default)
    assert 0 <= found["mean_quantile"][0] < 1 and found["mean_regret"][0] >= 0


def test_the_table_of_a_space_changes_no_score() -> None:
    before = Tuning("annealing", sphere(), budget=30)
    score = before.evaluate(before.space.default)["mean_score"]
    enumerate_space(sphere())
    after = Tuning("annealing", sphere(), budget=30)
    assert after.evaluate(after.space.default)["mean_score"] == score


def test_the_best_setting_is_found_and_reported_on_fresh_seeds() -> None:
    tuning = Tuning(Stubborn, sphere(), budget=3, seeds=(0, 1))
    whole = tuning.evaluate(tuning.space.unrank(np.arange(tuning.space.size)))
    assert [bool(ok) for ok in whole.ok] == [True] * 8 + [False] * 2
    assert "diverged" in whole.reasons[8]
    found = tune(tuning, tickets=80)
    assert found.result.best_score == np.nanmax(whole["mean_score"])
    assert found.best == found.result.best_score >= found.default
    assert found.fresh == (FRESH_SEED, FRESH_SEED + 1) and not set(found.fresh) & set(tuning.seeds)
    assert found.result.simulated == 10  # equal tickets are run once
    assert found.designs == (10 + 2) * 2 * 3


def test_what_is_held_is_no_parameter_and_reaches_every_run() -> None:
    tuning = Tuning("genetic", sphere(), budget=20, held={"population": 8, "elite": 0.2})
    assert not {"population", "elite"} & set(tuning.space.names)
    assert tuning.settings({"mutation": 0.1})["population"] == 8
    other = Tuning("genetic", sphere(), budget=20, held={"population": 16, "elite": 0.2})
    assert tuning.workload_digest != other.workload_digest


@pytest.mark.parametrize(
    ("agent", "options", "words"),
    [
        ("random_walk", {}, "no hyper-parameter to tune"),
        ("genetic", {"seeds": ()}, "at least one seed"),
        ("genetic", {"held": {"populatoin": 3}}, "population"),
    ],
)
def test_what_cannot_be_tuned_is_refused(agent: str, options: dict, words: str) -> None:
    with pytest.raises(HyperparameterError, match=words):
        Tuning(agent, sphere(), **options)
    with pytest.raises(UnknownNameError):
        Tuning("genetick", sphere())


def test_an_interrupted_search_of_tickets_goes_on_to_the_same_log(tmp_path: Path) -> None:
    tuning = Tuning("genetic", sphere(), budget=20, seeds=(0, 1))

    def stop(evaluator: archgym.Evaluator) -> None:
        if evaluator.trials >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(tuning, tuner="annealing", tickets=40, log=tmp_path / "cut", progress=stop)
    cut = tune(tuning, tuner="annealing", tickets=40, log=tmp_path / "cut")
    whole = tune(tuning, tuner="annealing", tickets=40, log=tmp_path / "whole")
    assert (cut.settings, cut.best) == (whole.settings, whole.best)
    logs = [Dataset.open(tmp_path / name).to_arrow() for name in ("cut", "whole")]
    assert logs[0]["mean_score"].equals(logs[1]["mean_score"]) and logs[0].num_rows == 40


def test_the_command_tunes_and_says_how_to_use_what_it_found(command: Callable, tmp_path: Path) -> None:
    answer = command(
        *("tune", "genetic", "synthetic", "--set", "parameters=3", "--budget", 30, "--seeds", 2, "--tickets", 6),
        *("--tuner", "genetic", "--hyper", "elite=0.2", "--out", "log"),
    )
    assert answer.code == 0, answer.err
    for part in (
        "best design",
        "mean_score",
        "fresh seeds (2000 to 2001)",
        "archgym run synthetic --set parameters=3 --agent genetic",
    ):
        assert part in answer.out, part
    assert "--hyper elite=0.2" in answer.out
    trials = Dataset.open(tmp_path / "log").to_arrow()
    assert trials.num_rows == 6 and "mutation" in trials.column_names
    assert command("tune", "random_walk", "synthetic").code == 2
