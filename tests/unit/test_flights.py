"""Several lanes: the same results as one, sooner; nothing left behind when a run breaks off."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from logs import contents

from archgym import BudgetExhausted, Cached, Columns, Designs, Faulty, Status, search
from archgym.errors import ContractError
from archgym.evaluator import default_window
from archgym.flights import Flight, Flights
from archgym.metrics import Metrics
from archgym.proxy.simulator import WithProxy
from archgym.testing.problems import Sphere
from archgym.vector_env import make_vector_env
from unit.lanes import PATIENCE, Laned, Memory, await_it, ended, evaluator, jumble, own_threads, threads

__all__ = ["own_threads"]


def designs(n: int, seed: int = 0) -> Designs:
    return Sphere.space.sample(n, seed)


@pytest.mark.parametrize("agent", ["genetic", "annealing"])
def test_in_order_a_log_does_not_depend_on_lanes(tmp_path: Path, agent: str) -> None:
    for lanes in (1, 4):
        search(agent, Laned(lanes, each=jumble), budget=100, seed=1, log=tmp_path / f"{lanes}")
    assert contents(tmp_path / "1") == contents(tmp_path / "4") and ended()


def test_all_lanes_work_on_a_batch_at_once() -> None:
    barrier = threading.Barrier(4, timeout=PATIENCE)
    simulator = Laned(4, each=lambda design: barrier.wait() and None)
    metrics, _ = evaluator(simulator).evaluate(designs(8))
    assert np.array_equal(metrics["distance"], Sphere().evaluate(designs(8))["distance"]) and metrics.ok.all()


def test_a_slow_design_does_not_keep_the_others_of_its_batch_waiting() -> None:
    batch, others = designs(9), threading.Semaphore(0)

    def each(design: dict[str, Any]) -> None:
        if list(design.values()) != batch[0].tolist():
            others.release()
            return
        for _ in range(8):
            assert others.acquire(timeout=PATIENCE)

    metrics, _ = evaluator(Laned(2, each=each)).evaluate(batch)
    assert metrics.ok.all()


def test_leading_designs_are_logged_while_others_still_run() -> None:
    batch, two = designs(6), threading.Event()
    log = Memory(grown=lambda trials: two.set() if trials >= 2 else None)
    last = [row.tolist() for row in batch[2:]]
    simulator = Laned(4, each=lambda design: await_it(two) if list(design.values()) in last else None)
    told: list[int] = []
    evaluator(simulator, log=log, progress=lambda e: told.append(e.trials)).evaluate(batch)
    assert log.designs == batch.tolist() and len(log.kept[0]) <= 2
    assert told[0] <= 2 and told[-1] == 6
    assert {chunk.batch for chunk in log.kept} == {0} and log.kept[0].first == 0


def test_a_batch_that_the_log_holds_in_part_is_simulated_in_part() -> None:
    log = Memory()
    evaluator(Laned(), log=log).evaluate(designs(5))
    simulator = Laned()
    again = evaluator(simulator, log=Memory(log.kept))
    _, scores = again.evaluate(np.concatenate([designs(5), designs(3, 1)]))
    assert sorted(simulator.seen) == sorted(designs(3, 1).tolist()) and again.trials == len(scores) == 8


def test_equal_designs_in_flight_are_evaluated_once() -> None:
    simulator = Laned()
    cached = Cached(simulator)
    door = evaluator(cached)  # type: ignore[arg-type]
    batch = designs(3)[[0, 1, 0, 2, 1, 0]]
    metrics, _ = door.evaluate(batch)
    assert sorted(simulator.seen) == sorted(designs(3).tolist()) and (cached.misses, cached.hits) == (3, 3)
    assert np.array_equal(metrics["distance"], Sphere().evaluate(batch)["distance"])
    metrics["distance"][:] = 0  # results are the caller's own
    again, _ = door.evaluate(batch)
    assert (cached.misses, cached.hits) == (3, 9) and len(simulator.seen) == 3
    assert np.array_equal(again["distance"], Sphere().evaluate(batch)["distance"])
    simulator.deterministic = False
    evaluator(simulator).evaluate(batch)
    assert len(simulator.seen) == 9


def test_the_cache_is_used_from_one_thread_only() -> None:
    used: set[int] = set()

    class Watchful(Cached):
        def recall(self, key: int, fidelity: str) -> Metrics | None:
            used.add(threading.get_ident())
            return super().recall(key, fidelity)

        def learn(self, key: int, priced: Metrics, fidelity: str) -> None:
            used.add(threading.get_ident())
            super().learn(key, priced, fidelity)

        def evaluate(self, designs: Any, fidelity: str = "full") -> Metrics:
            used.add(threading.get_ident())
            return super().evaluate(designs, fidelity)

    door = evaluator(Watchful(Laned(each=jumble), limit=10))  # type: ignore[arg-type]
    for seed in range(3):
        door.evaluate(designs(8, seed))
    assert used == {threading.get_ident()} and door.trials == 24


def test_wrappers_have_the_lanes_of_what_they_wrap_unless_they_stand_around_a_cache() -> None:
    simulator = Laned(4, in_order=False)
    assert (Faulty(simulator).lanes, Cached(Faulty(simulator)).in_order) == (4, False)
    assert Faulty(Cached(simulator)).lanes == Cached(Cached(simulator)).lanes == WithProxy(simulator).lanes == 1
    assert (default_window(simulator), default_window(Laned(4)), default_window(Sphere())) == (4, 1, 1)
    Cached(simulator).close()
    assert simulator.closed.is_set()


def test_bad_designs_keep_their_status_and_reason() -> None:
    def each(design: dict[str, Any]) -> None:
        if design["x0"] % 2:
            raise TimeoutError("too slow")

    plain, several = (evaluator(Laned(lanes, each=each)).evaluate(designs(20))[0] for lanes in (1, 4))
    assert np.array_equal(plain.status, several.status) and plain.reasons == several.reasons
    assert Status.TIMEOUT in several.status and len(several.reasons) < 20


def test_the_budget_ends_within_a_batch_as_with_one_lane() -> None:
    door = evaluator(Laned(each=jumble), budget=8)
    door.evaluate(designs(5))
    with pytest.raises(BudgetExhausted) as caught:
        door.evaluate(designs(6, 1))
    assert np.array_equal(caught.value.scores, -Sphere().evaluate(designs(6, 1)[:3])["distance"])
    assert door.trials == 8 and door.remaining == 0


class Broken(Laned):
    """Forgets its metric."""

    def _evaluate_point(self, design: dict[str, Any], fidelity: str) -> dict[str, float]:
        return {}


def test_a_broken_contract_reaches_the_caller_and_ends_the_lanes() -> None:
    simulator = Broken()
    with pytest.raises(ContractError, match="must return every declared metric"):
        evaluator(simulator).evaluate(designs(6))
    assert simulator.closed.is_set() and ended()


def test_an_interrupt_ends_evaluations_that_would_take_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Barrier(4, timeout=PATIENCE)  # three lanes, and who waits for them
    first = designs(1)[0].tolist()

    def each(design: dict[str, Any]) -> None:
        if list(design.values()) != first:
            begun.wait()
            await_it(simulator.closed)

    def interrupted(flights: Flights) -> None:
        begun.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(Flights, "wait", interrupted)
    simulator, log = Laned(3, each=each), Memory()
    batch = np.concatenate([designs(1), designs(6, 1)])
    with pytest.raises(KeyboardInterrupt):
        evaluator(simulator, log=log).evaluate(batch)
    assert ended() and len(simulator.seen) == 4  # those that waited for a lane never began


def test_an_evaluation_that_cannot_be_ended_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archgym.flights.GRACE_SECONDS", 0.01)
    release, begun = threading.Event(), threading.Event()

    def each(design: dict[str, Any]) -> None:
        begun.set()
        await_it(release)

    flights = Flights(Laned(2, each=each))
    flights.launch([Flight(designs(1)[0], "full", 1.0)])
    await_it(begun)
    flights.close()
    (left,) = threads()
    assert left.daemon  # so the process ends without it
    release.set()
    left.join(PATIENCE)
    assert ended()


def test_lanes_end_with_the_evaluator_that_is_forgotten() -> None:
    door = evaluator(Laned())
    door.evaluate(designs(4))
    lanes = threads()
    assert lanes
    del door
    gc.collect()
    for lane in lanes:
        lane.join(PATIENCE)
    assert ended()


def test_a_simulator_can_be_searched_again_after_it_was_closed() -> None:
    simulator = Laned()
    first, second = (search("genetic", simulator, budget=40, seed=2).best_score for _ in range(2))
    assert first == second and simulator.closed.is_set() and ended()


def test_vector_environments_step_in_lanes() -> None:
    barrier = threading.Barrier(4, timeout=PATIENCE)
    envs = make_vector_env(4, simulator=Laned(4, each=lambda design: barrier.wait() and None))
    envs.reset(seed=0)
    _, rewards, *_ = envs.step(designs(4))
    assert np.array_equal(rewards, -Sphere().evaluate(designs(4))["distance"])
    envs.close()
    assert ended()


class Ruled(Laned):
    """Maps designs that differ in the last parameter only onto one another."""

    def canonical(self, designs: Any) -> Designs:
        kept = super().canonical(designs).copy()
        kept[:, -1] = 0
        return kept

    def _evaluate(self, columns: Columns, fidelity: str) -> Any:
        return super()._evaluate({**columns, "x7": 0 * columns["x7"]}, fidelity)


def test_equivalent_designs_in_flight_are_evaluated_once() -> None:
    batch = np.repeat(designs(3), 4, axis=0)
    batch[:, -1] = np.arange(12) % 4
    simulator = Ruled()
    metrics, _ = evaluator(simulator).evaluate(batch)
    assert len(simulator.seen) == 3 and np.array_equal(metrics["distance"], Ruled(1).evaluate(batch)["distance"])


def test_an_evaluator_that_is_closed_by_its_own_progress_says_so() -> None:
    door = evaluator(Laned(each=jumble), progress=lambda door: door.close())
    with pytest.raises(ContractError, match="closed while its caller waited"):
        for seed in range(50):  # a batch that lands all at once tells of no progress within it
            door.evaluate(designs(16, seed))
    assert ended()


def test_guided_search_confirms_in_lanes_and_predicts_in_batches(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from archgym.proxy import Guided

    lanes: set[str] = set()
    hyperparameters = {"start": 16, "confirm": 8, "proposals": 500}
    for number in (1, 3):
        simulator = Laned(number, each=lambda design: lanes.add(threading.current_thread().name))
        search(Guided, simulator, budget=40, log=tmp_path / f"{number}", hyperparameters=hyperparameters)
    assert lanes == {"MainThread", "archgym-lane"} and contents(tmp_path / "1") == contents(tmp_path / "3")
