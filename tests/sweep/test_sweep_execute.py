"""One run: equal to ``archgym.search``, measured against the optimum, kept through interruptions, failed without harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sweeping import make_spec, plain, troubled

from archgym import Agent, Designs, make_objective, search
from archgym.errors import ArchGymError, UnknownNameError
from archgym.optimum import enumerate_space
from archgym.registry import make_simulator
from archgym.sweep import PlannedRun, plan_runs, recording
from archgym.sweep.execute import execute, failed
from archgym.sweep.measures import HITS, marks_up_to
from archgym.trials import RUNNING, read_manifest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archgym.sweep.prepared import _prepared, _simulator

    monkeypatch.setenv("ARCHGYM_CACHE", str(tmp_path / "cache"))
    _prepared.cache_clear()
    _simulator.cache_clear()


def planned(agent: str = "genetic", **content: object) -> PlannedRun:
    return plan_runs(make_spec(agent, **content))[0]


@pytest.mark.parametrize("tabulated", [False, True])
@pytest.mark.parametrize("agent", ["genetic", "annealing"])
def test_a_run_finds_what_a_search_finds(agent: str, tabulated: bool) -> None:
    run = planned(agent, arguments={"parameters": 4}, tabulated=tabulated)
    outcome = execute(run)
    result = search(agent, make_simulator("synthetic", **run.arguments), objective="distance", budget=60, seed=0)
    summary = outcome.summary
    assert summary["state"] == "finished" and summary["reason"] == ""
    assert summary["best_score"] == result.best_score and summary["best_design"] == result.best_design
    assert summary["best_levels"] == result.best_levels.tolist() and summary["best_metrics"] == result.best_metrics
    assert summary["trials"] == 60 and summary["distinct"] == result.distinct and summary["counts"] == result.counts
    np.testing.assert_array_equal(outcome.trials["score"], result.scores)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_another_study_is_another_random_stream() -> None:
    one, other = planned(), planned(study="another")
    assert one.id != other.id
    assert execute(one).trials["score"] != execute(other).trials["score"]


def test_the_curve_is_that_of_the_trials() -> None:
    run = planned("random_walk", arguments={"parameters": 3, "levels": 4}, budget=50, tabulated=True)
    outcome = execute(run)
    simulator = make_simulator("synthetic", **run.arguments)
    landscape = enumerate_space(simulator).landscape(make_objective("distance", simulator))
    best = np.maximum.accumulate(outcome.trials["score"].to_numpy())
    summary = outcome.summary
    assert summary["marks"] == [1, 2, 3, 5, 7, 10, 20, 30, 50] == marks_up_to(50)
    assert summary["best"] == best[np.array(summary["marks"]) - 1].tolist()
    assert summary["quantile"] == landscape.quantile(summary["best"]).tolist()
    regret = landscape.regret(best)
    for name, limit in HITS.items():
        expected = int(np.flatnonzero(regret <= limit)[0]) + 1 if (regret <= limit).any() else None
        assert summary["hits"][name] == expected
    assert summary["optimum_at"] == summary["hits"]["0"]


def test_what_is_not_known_is_not_claimed() -> None:
    summary = execute(planned("random_walk")).summary
    assert summary["quantile"] == summary["regret"] == [None] * len(summary["marks"])
    assert set(summary["hits"].values()) == {None} and summary["hypervolume"] is None


def test_the_hypervolume_is_a_share_of_the_true_fronts() -> None:
    many = {"arguments": {"parameters": 3, "levels": 4}, "objectives": ["weighted:distance=1,area=1"], "tabulated": True}
    shares = [execute(planned("random_walk", budget=budget, **many)).summary["hypervolume"] for budget in (5, 2000)]
    assert 0 < shares[0] < shares[1] == pytest.approx(1.0)


@pytest.mark.parametrize("trials", [1, 100, 250])
def test_a_run_that_was_cut_goes_on_to_the_same_trials(trials: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SPILL_SECONDS", -1.0)
    run = planned(budget=300)
    whole = execute(run)
    with pytest.raises(KeyboardInterrupt):
        execute_and_stop(run, tmp_path / "run", trials)
    assert (tmp_path / "run" / RUNNING).exists()
    resumed = execute(run, tmp_path / "run")
    assert plain(resumed.trials) == plain(whole.trials)
    assert resumed.summary["best"] == whole.summary["best"]


def execute_and_stop(run: PlannedRun, folder: Path, trials: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        append = recording.Recording.append

        def stop(self: recording.Recording, chunk: object) -> None:
            append(self, chunk)  # type: ignore[arg-type]
            if self.trials >= trials:
                raise KeyboardInterrupt

        patch.setattr(recording.Recording, "append", stop)
        execute(run, folder)


def test_what_cannot_be_replayed_is_done_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SPILL_SECONDS", -1.0)
    run, other = planned(budget=300), planned("random_walk", budget=300)
    with pytest.raises(KeyboardInterrupt):
        execute_and_stop(other, tmp_path / "run", 50)  # the log of another agent lies where this run's should be
    assert plain(execute(run, tmp_path / "run").trials) == plain(execute(run).trials)
    (tmp_path / "run" / RUNNING).write_bytes(b"not a database")
    assert plain(execute(run, tmp_path / "run").trials) == plain(execute(run).trials)


def test_a_run_that_another_process_is_at_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SPILL_SECONDS", -1.0)
    run, folder = planned(budget=300), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        execute_and_stop(run, folder, 100)
    other, manifest = recording.Recording(folder, dict), read_manifest(folder)
    before = other.trials
    assert before >= 100
    assert plain(execute(run, folder).trials) == plain(execute(run).trials)
    recording.discard(folder)
    assert (folder / RUNNING).exists() and recording.leftover(folder)[-1].first < before
    late = recording.Recording(folder, lambda: manifest)  # begins while the other one is still there
    other.close()
    late.append(other.kept[0])
    late.close()
    assert [len(chunk) for chunk in recording.leftover(folder)] == [len(other.kept[0])]
    recording.discard(folder)
    assert list(tmp_path.glob("run*")) == []


def test_a_short_run_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    execute(planned(), tmp_path / "run")
    assert list(tmp_path.glob("run*")) == []


class Diverging(Agent):
    """Breaks down after 30 designs."""

    name = "diverging"

    def ask(self, n: int) -> Designs:
        if getattr(self, "asked", 0) >= 30:
            raise FloatingPointError("the network has diverged")
        self.asked = getattr(self, "asked", 0) + 10
        return self.space.sample(n, self.rng)

    batch = 10


def test_a_learner_that_breaks_down_fails_its_run_only() -> None:
    run = replace(planned("random_walk"), agent=f"{__name__}:Diverging", hyperparameters={})
    outcome = execute(run)
    assert outcome.summary["state"] == "failed" and "diverged" in outcome.summary["reason"]
    assert outcome.summary["trials"] == len(outcome.trials) == 30
    assert set(outcome.summary["quantile"]) == {1.0} and set(outcome.summary["best"]) == {None}


def test_a_callers_mistake_is_raised() -> None:
    with pytest.raises(UnknownNameError):
        execute(replace(planned(), agent="nobody"))
    with pytest.raises(ArchGymError):
        execute(replace(planned(), objective="latency_of_nothing"))


def test_a_failed_run_keeps_the_trials_it_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SPILL_SECONDS", -1.0)
    run = planned(budget=300)
    with pytest.raises(KeyboardInterrupt):
        execute_and_stop(run, tmp_path / "run", 100)
    outcome = failed(run, "time limit", tmp_path / "run")
    assert outcome.summary["state"] == "failed" and outcome.summary["reason"] == "time limit"
    assert 100 <= outcome.summary["trials"] == len(outcome.trials) < 300
    assert set(outcome.summary) == set(execute(run).summary)
    assert len(failed(run, "crash").trials) == 0


def test_bad_designs_are_counted_not_raised() -> None:
    run = plan_runs(troubled("raise", seeds=1, budget=100))[0]
    summary = execute(run).summary
    assert summary["state"] == "finished" and summary["counts"]["FAILED"] > 0
    assert sum(summary["counts"].values()) == summary["trials"] == 100
