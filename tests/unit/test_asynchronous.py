"""Results told as designs finish: a slow one holds up nobody, and a run resumes wherever it was ended."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym import Agent, BudgetExhausted, Dataset, Designs, Evaluator, Metrics, Scores, resume, search
from archgym.errors import ContractError, ReplayError
from archgym.registry import agent_class
from archgym.testing.problems import Sphere
from archgym.trials import read_chunks, read_manifest
from unit.lanes import Laned, Memory, await_it, ended, evaluator, jumble, left_after, logged, own_threads, threads

__all__ = ["own_threads"]

AGENTS = ["random_walk", "grid", "genetic"]
SLOW_AGENTS = [pytest.param(name, marks=pytest.mark.slow) for name in ("bayes_gp", "bayes_tpe")]


def designs(n: int, seed: int = 0) -> Designs:
    return Sphere.space.sample(n, seed)


def known(agent: str) -> type[Agent]:
    if agent.startswith("bayes"):
        pytest.importorskip({"bayes_gp": "skopt", "bayes_tpe": "optuna"}[agent])
    return agent_class(agent)


@pytest.mark.parametrize("agent", [*AGENTS, *SLOW_AGENTS])
def test_a_slow_design_holds_up_nobody(agent: str) -> None:
    others = threading.Event()
    log = Memory(grown=lambda trials: others.set() if trials == 39 else None)
    simulator = Laned(4, in_order=False)
    simulator.each = lambda design: await_it(others) if len(simulator.seen) == 1 else None
    door = evaluator(simulator, budget=40, log=log)
    known(agent)(Sphere.space, seed=0).drive(door)
    assert door.trials == 40 and door.remaining == 0
    assert log.designs[-1] == simulator.seen[0] and Counter(map(tuple, log.designs)) == Counter(map(tuple, simulator.seen))


@pytest.mark.parametrize(("agent", "in_order"), [("genetic", True), ("annealing", False)])
def test_agents_that_must_be_told_in_order_are(agent: str, in_order: bool, tmp_path: Path) -> None:
    search(agent, Laned(1), budget=60, log=tmp_path / "one")
    search(agent, Laned(4, in_order, jumble), budget=60, log=tmp_path / "four")
    one, four = (Dataset.open(tmp_path / name).to_arrow()["score"].to_pylist() for name in ("one", "four"))
    assert one == four and "in_flight" not in read_manifest(tmp_path / "four")


def test_the_log_holds_the_order_in_which_designs_finish_and_the_agent_hears_them_so() -> None:
    batch, second = designs(3), threading.Event()
    log = Memory(grown=lambda trials: second.set())
    held = [row.tolist() for row in batch[[0, 2]]]
    door = evaluator(Laned(4, False, lambda design: await_it(second) if list(design.values()) in held else None), log=log)
    door.submit(batch)
    assert door.in_flight == 3 and door.trials == 0
    told, metrics, scores = door.collect()
    assert told.tolist() == [batch[1].tolist()] and scores[0] == -metrics["distance"][0]
    rest = []
    while door.in_flight:
        rest += door.collect()[0].tolist()
    assert sorted(rest) == sorted(held) and log.designs == [batch[1].tolist(), *rest]
    assert door.trials == 3 and [chunk.batch for chunk in log.kept] == list(range(len(log.kept)))
    assert np.array_equal(door.scores, np.concatenate([chunk.scores for chunk in log.kept]))
    with pytest.raises(ContractError, match="no design is in flight"):
        door.collect()


def test_what_is_in_flight_counts_against_the_budget() -> None:
    go = threading.Event()
    door = evaluator(Laned(4, False, lambda design: await_it(go)), budget=4)
    door.submit(designs(2))
    assert (door.remaining, door.affordable(9), door.spent) == (2, 2, 0)
    door.submit(designs(3, 1), "quick")
    assert door.remaining == pytest.approx(1.7) and door.affordable(9) == 1 and door.affordable(99, "quick") == 17
    go.set()
    while door.in_flight:
        told, metrics, _ = door.collect()
        assert len(told) == len(metrics) in (1, 2, 3)
    assert door.spent == pytest.approx(2.3) and door.affordable(9) == 1
    assert int(np.isnan(door.scores).sum()) == 3  # scores of another fidelity are not mixed in


def test_a_budget_that_ends_within_a_submission_lands_everything_first() -> None:
    log = Memory()
    door = evaluator(Laned(4, False, jumble), budget=5, log=log)
    door.submit(designs(3))
    with pytest.raises(BudgetExhausted) as caught:
        door.submit(designs(4, 1))
    assert door.trials == len(caught.value.scores) == len(log.designs) == 5 and door.in_flight == 0
    assert sorted(log.designs) == sorted([*designs(3).tolist(), *designs(4, 1)[:2].tolist()])


def test_one_lane_finishes_designs_in_order_and_without_threads() -> None:
    log = Memory()
    door = evaluator(Laned(1, False), log=log)
    door.submit(designs(5))
    while door.in_flight:
        door.collect()
        assert not threads()
    assert log.designs == designs(5).tolist()


def test_a_batch_may_be_evaluated_while_others_are_in_flight() -> None:
    log = Memory()
    door = evaluator(Laned(2, False, jumble), log=log)
    door.submit(designs(4))
    _, scores = door.evaluate(designs(3, 1))
    assert np.array_equal(scores, -Sphere().evaluate(designs(3, 1))["distance"]) and door.in_flight == 4
    while door.in_flight:
        door.collect()
    assert log.designs[:3] == designs(3, 1).tolist() and sorted(log.designs[3:]) == sorted(designs(4).tolist())


def stop_at(trials: int) -> Callable[[Evaluator], None]:
    def progress(door: Evaluator) -> None:
        if door.trials >= trials:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("agent", [*AGENTS, *SLOW_AGENTS])
@pytest.mark.parametrize("stops", [(1,), (7, 8, 30), (50,)])
def test_an_interrupted_run_goes_on_with_what_its_log_held(agent: str, stops: tuple[int, ...], tmp_path: Path) -> None:
    kind = known(agent)
    before: list[list[int]] = []
    for number, trials in enumerate(stops):
        simulator = Laned(4, False, jumble)
        with pytest.raises(KeyboardInterrupt):
            if number == 0:
                search(kind, simulator, budget=50, seed=1, log=tmp_path / "run", progress=stop_at(trials))
            else:
                resume(tmp_path / "run", simulator=simulator, agent=kind, progress=stop_at(trials))
        assert ended()
        held = logged(tmp_path / "run")
        assert held[: len(before)] == before and len(held) >= trials
        before = held
    simulator = Laned(2, False, jumble)  # fewer lanes than before: as many in flight as the log was made with
    result = resume(tmp_path / "run", simulator=simulator, agent=kind)
    table = Dataset.open(tmp_path / "run").to_arrow()
    got = np.stack([table[f"x{i}_level"].to_numpy() for i in range(8)], axis=1).tolist()
    assert got[: len(before)] == before and len(got) == result.trials == 50
    assert result.simulated == len(simulator.seen) <= 50 - len(before)
    assert table["cost"].to_numpy().sum() == 50 and read_manifest(tmp_path / "run")["in_flight"] == 4


def test_a_run_that_is_killed_after_any_result_can_be_resumed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search("genetic", Laned(4, False, jumble), budget=40, log=tmp_path / "whole", progress=stop_at(40))
    whole = logged(tmp_path / "whole")
    assert len(whole) == 40
    for trials in range(41):
        folder = tmp_path / f"after-{trials}"
        left_after(folder, trials, tmp_path / "whole")
        held = sum(map(len, read_chunks(folder, read_manifest(folder))))
        simulator = Laned(4, False, jumble)
        assert resume(folder, simulator=simulator).trials == 40
        got = Dataset.open(folder).to_arrow()["x3_level"].to_pylist()
        assert got[:held] == [design[3] for design in whole[:held]] and len(simulator.seen) <= 40 - held


def test_what_was_in_flight_is_simulated_again_first() -> None:
    log, agent = Memory(), agent_class("random_walk")
    agent(Sphere.space, seed=0).drive(evaluator(Laned(3, False, jumble), budget=20, log=log))
    kept, logged_then = log.kept[:2], sum(map(len, log.kept[:2]))
    simulator, gate = Laned(3, False), threading.Event()
    simulator.each = lambda design: gate.set()
    again = Memory(kept)
    agent(Sphere.space, seed=0).drive(evaluator(simulator, budget=20, log=again))
    stream = agent(Sphere.space, seed=0).ask(20).tolist()
    flying = [design for design in stream[: logged_then + 3] if design not in again.designs[:logged_then]]
    assert sorted(simulator.seen[:3]) == sorted(flying) and gate.is_set()
    assert sorted(again.designs) == sorted(stream) and len(simulator.seen) == 20 - logged_then


def test_a_log_that_goes_on_with_a_design_that_is_not_in_flight_is_refused() -> None:
    log, agent = Memory(), agent_class("random_walk")
    agent(Sphere.space, seed=0).drive(evaluator(Laned(3, False, jumble), budget=20, log=log))
    last = log.kept[-1]
    last.designs[-1, 0] = (last.designs[-1, 0] + 1) % 12
    simulator = Laned(3, False)
    with pytest.raises(ReplayError, match="trial 19 of the log holds another design"):
        agent(Sphere.space, seed=0).drive(evaluator(simulator, budget=20, log=Memory(log.kept)))
    assert simulator.seen == []
    with pytest.raises(ReplayError, match="trial 0 of the log"):
        agent(Sphere.space, seed=1).drive(evaluator(simulator, budget=20, log=Memory(log.kept)))


class Failing(Agent):
    """Breaks down when it has been told three times."""

    name = "failing"
    asynchronous = True
    told = 0

    def ask(self, n: int) -> Designs:
        return self.space.sample(n, self.rng)

    def tell(self, designs: Designs, scores: Scores, metrics: Metrics) -> None:
        self.told += len(designs)
        if self.told > 2:
            raise ValueError("enough")


class TooFew(Failing):
    """Proposes one design whatever it is asked for."""

    def ask(self, n: int) -> Designs:
        return super().ask(1)


def test_an_agent_that_breaks_down_leaves_nothing_running(tmp_path: Path) -> None:
    simulator = Laned(4, False)
    simulator.each = lambda design: await_it(simulator.closed) if len(simulator.seen) > 6 else None
    with pytest.raises(ValueError, match="enough"):
        search(Failing, simulator, budget=60, log=tmp_path / "run")
    assert simulator.closed.is_set() and ended()
    assert 3 <= len(logged(tmp_path / "run")) <= 6 and read_manifest(tmp_path / "run")["state"] == "interrupted"
    with pytest.raises(ContractError, match=r"agent failing: ask\(4\) must propose 4 designs, got 1"):
        search(TooFew, Laned(4, False), budget=60)


def test_a_closed_evaluator_forgets_what_was_in_flight() -> None:
    simulator = Laned(2, False)
    simulator.each = lambda design: await_it(simulator.closed)
    door = evaluator(simulator, budget=10)
    door.submit(designs(3))
    door.close()
    assert (door.in_flight, door.trials, door.remaining) == (0, 0, 10) and ended()
    assert len(door.evaluate(designs(2))[1]) == 2 and door.trials == 2


def test_seconds_are_those_of_the_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock: dict[str, Any] = {"now": 0.0}
    monkeypatch.setattr("archgym.flights.perf_counter", lambda: clock["now"])

    def each(design: dict[str, Any]) -> None:
        clock["now"] += 2.0

    log = Memory()
    door = evaluator(Laned(1, False, each), log=log)
    door.submit(designs(3))
    while door.in_flight:
        door.collect()
    assert door.simulator_seconds == 6.0 and [chunk.simulator_seconds for chunk in log.kept] == [2.0, 2.0, 2.0]
