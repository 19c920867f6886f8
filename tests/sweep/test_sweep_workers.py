"""Workers: what a run does to its process is put down to that run, and to no other."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sweeping import make_spec, troubled, wait_until

from archgym.errors import ArchGymError
from archgym.sweep import PlannedRun, Spec, make_plan
from archgym.sweep.child import memory
from archgym.sweep.packs import LARGEST, LOSSES, PACK_SECONDS, Pack, Queue, Report
from archgym.sweep.store import Store
from archgym.sweep.workers import Crew

Begin = Callable[..., tuple[Crew, list[PlannedRun]]]


def planned(count: int, *agents: str) -> list[PlannedRun]:
    return list(make_plan(make_spec(*agents or ("random_walk",), seeds=count)).runs)


def done(pack: Pack, seconds: float = 0.1, kept: int | None = None) -> Report:
    return Report(pack, tuple({"id": run.id} for run in pack.runs[:kept]), seconds)


def drained(queue: Queue, workers: int = 2) -> list[Pack]:
    packs = []
    while (pack := queue.next(workers)) is not None:
        packs.append(pack)
    return packs


def test_the_first_pack_is_one_run_and_later_ones_take_a_few_seconds() -> None:
    queue = Queue(planned(1000), retries=1)
    first = queue.next(2)
    assert first is not None and len(first.runs) == 1
    queue.settle(done(first, seconds=0.1))
    second = queue.next(2)
    assert second is not None and len(second.runs) == int(PACK_SECONDS / 0.1)
    queue.settle(done(second, seconds=1e-3))
    third = queue.next(2)
    assert third is not None and len(third.runs) == LARGEST


def test_packs_hold_one_task_and_one_label_and_every_run_once() -> None:
    runs = planned(30, "random_walk", "genetic")
    queue = Queue(runs, retries=1)
    packs = []
    while (pack := queue.next(3)) is not None:
        packs.append(pack)
        queue.settle(done(pack))
    assert all(len({(run.task, run.label) for run in pack.runs}) == 1 for pack in packs)
    assert sorted(run.id for pack in packs for run in pack.runs) == sorted(run.id for run in runs)


def test_the_last_runs_are_shared_out() -> None:
    queue = Queue(planned(21), retries=1)
    first = queue.next(2)
    assert first is not None
    queue.settle(done(first, 1e-3))
    assert [len(pack.runs) for pack in drained(queue)] == [10, 5, 3, 1, 1]


def test_what_was_not_kept_waits_again_in_order() -> None:
    runs = planned(10)
    queue = Queue(runs[6:], retries=1)
    queue.settle(done(Pack(tuple(runs[:6])), kept=2))
    assert [run.id for pack in drained(queue) for run in pack.runs] == [run.id for run in runs[2:]]


def test_the_culprit_runs_alone_until_its_retries_are_used_up() -> None:
    runs = planned(4)
    queue = Queue(runs, retries=2)
    drained(queue)
    assert queue.settle(Report(Pack(tuple(runs)), lost="crash", culprit=runs[1])) == []
    for attempt in range(2):
        pack = queue.next(2)
        assert pack == Pack((runs[1],), alone=True)
        given_up = queue.settle(Report(pack, lost=f"crash {attempt}", culprit=runs[1]))
    assert [(run.id, reason) for run, reason in given_up] == [(runs[1].id, "crash 1")]
    assert sorted(run.id for pack in drained(queue) for run in pack.runs) == sorted(runs[i].id for i in (0, 2, 3))


def test_runs_of_packs_that_are_lost_again_and_again_are_split_then_given_up() -> None:
    runs = planned(3)
    queue = Queue(runs, retries=1)
    drained(queue)
    pack: Pack | None = Pack(tuple(runs))
    given_up: list[str] = []
    sizes = []
    while pack is not None:
        sizes.append(len(pack.runs))
        given_up += [run.id for run, _ in queue.settle(Report(pack, lost="the node died"))]
        pack = queue.next(1)
    assert sorted(given_up) == sorted(run.id for run in runs)
    assert max(sizes[1:]) == 1 and len(sizes) == 1 + 3 * (1 + LOSSES)


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Begin]:
    started: list[Crew] = []

    def begin(spec: Spec, count: int = 1) -> tuple[Crew, list[PlannedRun]]:
        plan = make_plan(spec)
        Store.create(tmp_path / "out", spec, plan)
        started.append(Crew(count, str(tmp_path / "out"), spec.memory_limit))
        return started[-1], list(plan.runs)

    yield begin
    for one in started:
        one.close()


def report_of(crew: Crew, runs: Sequence[PlannedRun], alone: bool = False) -> Report:
    crew.give(Pack(tuple(runs), alone))
    while True:
        for report in crew.collect(5.0):
            return report


def test_a_worker_keeps_a_pack_as_one_part(crew: Begin, tmp_path: Path) -> None:
    workers, runs = crew(troubled("none"))
    report = report_of(workers, runs)
    assert [summary["id"] for summary in report.kept] == [run.id for run in runs] and report.seconds > 0
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 1
    assert Store.open(tmp_path / "out").completed() == {run.id for run in runs}


@pytest.mark.parametrize(("trouble", "words"), [("exit", "exit code 7"), ("segv", "SIGSEGV"), ("hang", "time limit")])
def test_the_run_that_ends_its_worker_is_named(crew: Begin, trouble: str, words: str) -> None:
    workers, runs = crew(troubled(trouble, budget=400, seeds=2, time_limit=2.0 if trouble == "hang" else 100.0))
    report = report_of(workers, runs)  # 400 designs: the first run comes across the trouble
    assert report.culprit == runs[0] and words in report.lost and not report.kept
    assert workers.free == 1


def test_a_run_that_takes_too_much_memory_is_named_by_a_fresh_worker(crew: Begin) -> None:
    workers, runs = crew(troubled("hog", budget=400, seeds=2, memory_limit=1.0))
    report = report_of(workers, runs)
    assert report.culprit == runs[0] and "memory limit" in report.lost


def test_memory_that_leaks_over_many_runs_costs_the_worker_not_the_run(crew: Begin) -> None:
    workers, runs = crew(troubled("leak", seeds=20, budget=1, memory_limit=1.0))
    kept: list[str] = []
    reports = 0
    while len(kept) < len(runs):
        report = report_of(workers, runs[len(kept) :])
        assert not report.lost and report.kept
        kept += [summary["id"] for summary in report.kept]
        reports += 1
    assert kept == [run.id for run in runs] and reports > 1


def test_a_killed_worker_is_replaced(crew: Begin) -> None:
    workers, runs = crew(troubled("none", pause=0.05))
    workers.give(Pack(tuple(runs)))
    (worker,) = workers._workers
    wait_until(lambda: worker._current() is not None or bool(workers.collect(0.1)))
    os.kill(worker._process.pid, signal.SIGKILL)
    (report,) = workers.collect(60.0)
    assert "SIGKILL" in report.lost and report.culprit in runs
    assert report_of(workers, runs[:1], alone=True).kept


def test_a_callers_mistake_stops_the_pack_with_its_message(crew: Begin) -> None:
    workers, runs = crew(troubled("none"))
    report = report_of(workers, [replace(runs[0], agent="nobody")])
    assert "no agent named 'nobody'" in report.error


def test_workers_that_cannot_begin_are_an_error(crew: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    workers, runs = crew(troubled("none"))
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(ArchGymError, match="end before they begin to work"):
        for _ in range(10):
            report_of(workers, runs)


def test_a_run_that_is_tried_again_gets_a_fresh_worker(crew: Begin) -> None:
    workers, runs = crew(troubled("none"))
    report_of(workers, runs[:1])
    (first,) = workers._workers
    report_of(workers, runs[1:2])
    assert workers._workers == [first]
    report_of(workers, runs[2:3], alone=True)
    assert workers._workers != [first] and len(workers._workers) == 1


def test_memory_of_this_process_is_known() -> None:
    assert memory(os.getpid()) > 10_000_000 and memory(2**30) == 0
