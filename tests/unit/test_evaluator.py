"""The one door: counting, budget, pieces of slow batches, replay."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from archgym import BudgetExhausted, Cached, Designs, Evaluator, Faulty, Status, TrialLog
from archgym.errors import BudgetError, DesignError, ReplayError, UnknownNameError
from archgym.testing.problems import Constrained, NothingValid, Sphere
from unit.problems import Clock, Slow, make_evaluator, make_manifest


def designs(n: int, seed: int = 0) -> Designs:
    return Sphere.space.sample(n, seed)


def test_results_are_the_simulators_and_the_objectives() -> None:
    evaluator = make_evaluator(Sphere())
    metrics, scores = evaluator.evaluate(designs(10))
    assert np.array_equal(metrics["distance"], Sphere().evaluate(designs(10))["distance"])
    assert np.array_equal(scores, -metrics["distance"])
    assert (evaluator.trials, evaluator.spent, evaluator.remaining) == (10, 10.0, math.inf)


def test_the_incumbent_is_the_first_of_the_best() -> None:
    evaluator = make_evaluator(Sphere())
    best = Sphere().optimum
    evaluator.evaluate(np.concatenate([designs(3), best, designs(2, 1), best]))
    evaluator.evaluate(best)
    assert evaluator.best_design is not None and evaluator.best_design.tolist() == best[0].tolist()
    assert evaluator.best_score == 0 and evaluator.best_metrics == {"distance": 0.0}
    summary = evaluator.summary()
    assert summary["best"]["design"] == Sphere.best and summary["counts"]["OK"] == 8 and summary["distinct"] == 6


def test_without_an_ok_design_there_is_no_incumbent() -> None:
    evaluator = make_evaluator(NothingValid())
    evaluator.evaluate(NothingValid.space.sample(5, 0))
    assert evaluator.best_design is None and evaluator.best_score == -math.inf
    assert evaluator.counts == {**dict.fromkeys(Status, 0), Status.INVALID: 5}
    assert evaluator.summary()["best"] == {"design": {}, "score": None, "metrics": {}}


def test_every_status_is_counted_and_costs_budget() -> None:
    evaluator = make_evaluator(Faulty(Constrained(), share=0.5), budget=400)
    evaluator.evaluate(Constrained.space.sample(400, 0))
    assert sum(evaluator.counts.values()) == 400 and evaluator.remaining == 0
    assert all(evaluator.counts[status] > 0 for status in Status)


def test_distinct_designs_are_counted_in_any_space() -> None:
    evaluator = make_evaluator(Sphere())
    assert evaluator.distinct == 0
    evaluator.evaluate(designs(10))
    evaluator.evaluate(np.concatenate([designs(10), designs(4, 1)]))
    assert evaluator.distinct == 14


@pytest.mark.parametrize("budget", [0, -1, math.inf, math.nan, True, "100", None])
def test_a_budget_is_a_positive_number(budget: object) -> None:
    if budget is None:
        assert make_evaluator(Sphere(), budget=None).remaining == math.inf
        return
    with pytest.raises(BudgetError, match="must be a positive number of designs"):
        make_evaluator(Sphere(), budget=budget)  # type: ignore[arg-type]


def test_a_batch_beyond_the_budget_gives_its_affordable_part() -> None:
    evaluator = make_evaluator(Sphere(), budget=8)
    evaluator.evaluate(designs(5))
    assert evaluator.affordable(10) == 3
    with pytest.raises(BudgetExhausted, match="3 designs of the last batch") as caught:
        evaluator.evaluate(designs(6, 1))
    assert np.array_equal(caught.value.scores, -Sphere().evaluate(designs(6, 1)[:3])["distance"])
    assert len(caught.value.metrics) == 3 and evaluator.trials == 8
    with pytest.raises(BudgetExhausted) as caught:
        evaluator.evaluate(designs(1))
    assert len(caught.value.scores) == 0 and evaluator.trials == 8


def test_fidelities_cost_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = make_evaluator(Slow(Clock(monkeypatch), 0.0), budget=2)
    assert evaluator.affordable(100, "quick") == 20 and evaluator.affordable(100) == 2
    evaluator.evaluate(designs(9), "quick")
    assert evaluator.spent == pytest.approx(0.9) and evaluator.best_design is None  # only full fidelity makes an incumbent
    assert evaluator.affordable(100) == 1
    evaluator.evaluate(designs(1))
    assert evaluator.best_design is not None and evaluator.affordable(100, "quick") == 1
    evaluator.evaluate(designs(1), "quick")
    assert evaluator.affordable(1, "quick") == 0 and evaluator.trials == 11
    with pytest.raises(UnknownNameError, match="no fidelity named 'quik'"):
        evaluator.evaluate(designs(1), "quik")


def test_wrong_designs_cost_nothing() -> None:
    evaluator = make_evaluator(Sphere(), budget=5)
    with pytest.raises(DesignError):
        evaluator.evaluate(designs(2)[:, :-1])
    assert evaluator.trials == 0 and evaluator.remaining == 5


def test_time_is_split_between_agent_and_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    evaluator = make_evaluator(Slow(clock, 0.01))
    clock.now += 3
    evaluator.evaluate(designs(5))
    clock.now += 2
    evaluator.evaluate(designs(5))
    assert evaluator.agent_seconds == pytest.approx(5) and evaluator.simulator_seconds == pytest.approx(0.1)


def test_batches_of_a_slow_simulator_are_cut_into_pieces_of_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(Clock(monkeypatch), 0.125)
    make_evaluator(slow).evaluate(designs(18))
    assert slow.batches == [1, 4, 4, 4, 4, 1]
    slower = Slow(Clock(monkeypatch), 10.0)
    make_evaluator(slower).evaluate(designs(3))
    assert slower.batches == [1, 1, 1]


def test_batches_of_a_fast_simulator_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = Slow(Clock(monkeypatch), 1e-6)
    evaluator = make_evaluator(fast)
    for _ in range(2):
        evaluator.evaluate(designs(4096))
    assert fast.batches == [1, 4095, 4096]


def test_caution_after_a_compilation_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = Slow(Clock(monkeypatch), 1e-4, first=40.0)
    make_evaluator(compiled).evaluate(designs(4096))
    assert compiled.batches[:6] == [1, 1, 1, 1, 1, 1] and len(compiled.batches) < 25
    assert sum(compiled.batches) == 4096


def test_answers_from_the_cache_do_not_make_a_slow_simulator_look_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(Clock(monkeypatch), 1.0)
    evaluator = make_evaluator(Cached(slow))
    evaluator.evaluate(designs(3))
    for _ in range(20):
        evaluator.evaluate(designs(3))  # hits only
    evaluator.evaluate(designs(4, 1))
    assert slow.batches == [1] * 7


def test_every_finished_piece_is_logged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = Slow(Clock(monkeypatch), 0.125)
    log = TrialLog.create(tmp_path / "run", make_manifest(slow))
    evaluator = make_evaluator(slow, log=log)
    evaluator.evaluate(designs(8))
    evaluator.evaluate(designs(2, 1))
    chunks = list(log.chunks())
    assert [(chunk.first, len(chunk), chunk.batch) for chunk in chunks] == [(0, 1, 0), (1, 4, 0), (5, 3, 0), (8, 2, 1)]
    assert np.array_equal(np.concatenate([chunk.designs for chunk in chunks[:3]]), designs(8))
    assert [chunk.simulator_seconds for chunk in chunks] == [0.125, 0.5, 0.375, 0.25]


def test_progress_is_told_after_every_batch() -> None:
    told: list[int] = []
    evaluator = Evaluator(Sphere(), make_evaluator(Sphere()).objective, budget=5, progress=lambda e: told.append(e.trials))
    evaluator.evaluate(designs(2))
    with pytest.raises(BudgetExhausted):
        evaluator.evaluate(designs(9))
    assert told == [2, 5]


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    """A run that was left after batches of 5 and 3 designs."""
    log = TrialLog.create(tmp_path / "run", make_manifest(Sphere()))
    evaluator = make_evaluator(Sphere(), log=log)
    evaluator.evaluate(designs(5))
    evaluator.evaluate(designs(3, 1))
    log.close("interrupted")
    return tmp_path / "run"


@pytest.mark.parametrize("cut", [(5, 3, 4), (1, 11), (8, 4), (12,), (4, 3, 2, 3)])
def test_replay_answers_from_the_log_then_simulates(
    interrupted: Path, cut: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = Slow(Clock(monkeypatch), 0.0)
    log = TrialLog.reopen(interrupted)
    evaluator = make_evaluator(simulator, log=log, budget=12)
    asked = np.concatenate([designs(5), designs(3, 1), designs(4, 2)])
    assert not evaluator.replayed
    answers = [evaluator.evaluate(part)[1] for part in np.split(asked, np.cumsum(cut)[:-1])]
    assert np.array_equal(np.concatenate(answers), -Sphere().evaluate(asked)["distance"])
    assert sum(simulator.batches) == 4 and evaluator.replayed and evaluator.trials == 12 and evaluator.remaining == 0
    assert np.array_equal(np.concatenate([chunk.designs for chunk in log.chunks()]), asked)
    assert evaluator.distinct == 12 and evaluator.best_score == max(np.concatenate(answers))


def test_a_replay_that_proposes_other_designs_names_the_trial(interrupted: Path) -> None:
    evaluator = make_evaluator(Sphere(), log=TrialLog.reopen(interrupted))
    evaluator.evaluate(designs(5))
    other = designs(3, 1).copy()
    other[2, 0] = (other[2, 0] + 1) % 12
    with pytest.raises(ReplayError, match="trial 7 of the log holds another design"):
        evaluator.evaluate(other)


def test_a_replay_at_another_fidelity_is_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluator = make_evaluator(Slow(Clock(monkeypatch), 0.0), log=TrialLog.reopen(interrupted))
    with pytest.raises(ReplayError, match="trial 0"):
        evaluator.evaluate(designs(5), "quick")
