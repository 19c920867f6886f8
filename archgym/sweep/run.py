"""Runs a sweep: locks the store, plans, skips what is complete, hands out the rest, survives what happens to workers."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from archgym.errors import ArchGymError
from archgym.registry import make_simulator
from archgym.sweep.child import clear, scratch_folder
from archgym.sweep.execute import failed
from archgym.sweep.locking import SweepLock
from archgym.sweep.packs import Queue, Report
from archgym.sweep.plan import Plan, PlannedRun, make_plan
from archgym.sweep.prepared import make_table
from archgym.sweep.progress import Tally
from archgym.sweep.spec import Spec, load_spec
from archgym.sweep.store import Store
from archgym.sweep.workers import Crew, Workforce

COLLECT_SECONDS = 0.5


@dataclass(frozen=True)
class SweepResult:
    """What a call of ``run_sweep`` did.

    Attributes:
        location: where the results are.
        runs: of the whole sweep.
        executed: by this call; complete ones from earlier calls are skipped.
        failed: of the executed ones, those that did not end well; they are kept and count as the worst there is.
        trials: made by this call.
        seconds: it took.
    """

    location: str
    runs: int
    executed: int
    failed: int
    trials: int
    seconds: float


def run_sweep(
    spec: Spec | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    ray: str | None = None,
    extend: bool = False,
    progress: Callable[[Tally], None] | None = None,
) -> SweepResult:
    """Runs a sweep, or goes on with one; the same call after any interruption finishes it.

    Args:
        spec: what to run, or the file that says so.
        out: folder or URL of the results.
        workers: processes; one per core by default, and with Ray as many as the cluster has cores.
        ray: "local" for a Ray cluster on this machine, or the address of one; processes of this machine without it.
        extend: whether the sweep that ``out`` holds may become a larger one.
        progress: called whenever runs end.

    Raises:
        SpecError: the spec cannot be run, or ``out`` holds a sweep of another one.
        SweepRunningError: another process is at it.
        ArchGymError: a name, a library or space on the disk is missing; what was kept stays, and the same call goes on.
        KeyboardInterrupt: passed on after the workers were ended; at most the runs of some seconds are lost.
    """
    since = perf_counter()
    wanted = spec if isinstance(spec, Spec) else load_spec(spec)
    plan = make_plan(wanted)
    with Store.lock(out) as lock:
        store = Store.create(out, wanted, plan, extend=extend)
        waiting = _waiting(plan, store)
        tally = Tally(wanted.name, plan, waiting)
        queue = Queue(waiting, wanted.retries)
        if progress is not None:
            progress(tally)
        if waiting:
            _make_tables(waiting)
            workforce = _workforce(ray, workers, str(store.local or store.location), wanted)
            try:
                _work_off(queue, workforce, store, lock, tally, progress)
            finally:
                workforce.close()
    return SweepResult(store.location, len(plan.unique), tally.done, tally.failed, tally.trials, perf_counter() - since)


def _waiting(plan: Plan, store: Store) -> list[PlannedRun]:
    # A store of its own: the summaries that it reads are large, and only their ids are of interest.
    kept = Store.open(store.location)
    kept.mend()
    complete = kept.completed()
    return [run for key, run in plan.unique.items() if key not in complete]


def _make_tables(runs: list[PlannedRun]) -> None:
    """Enumerates the spaces that runs are answered from, here, so that workers only read the tables."""
    problems = {(run.simulator, str(sorted(run.arguments.items()))): run for run in runs if run.tabulated}
    for run in problems.values():
        make_table(make_simulator(run.simulator, **run.arguments))


def _workforce(ray: str | None, workers: int | None, location: str, spec: Spec) -> Workforce:
    if ray is None:
        return Crew(workers or len(os.sched_getaffinity(0)), location, spec.memory_limit)
    from archgym.sweep.cluster import Cluster

    return Cluster(ray, location, spec.memory_limit, workers)


def _work_off(
    queue: Queue,
    workforce: Workforce,
    store: Store,
    lock: SweepLock,
    tally: Tally,
    progress: Callable[[Tally], None] | None,
) -> None:
    busy = 0
    while busy or len(queue):
        while workforce.free and (pack := queue.next(workforce.size)) is not None:
            workforce.give(pack)
            busy += 1
        for report in workforce.collect(COLLECT_SECONDS):
            busy -= 1
            _settle(report, queue, store, tally)
        tally.look(queue.seconds, workforce.size)
        if progress is not None:
            progress(tally)
        if lock.lost.is_set():
            raise ArchGymError(f"{store.location} was taken over by another sweep; this one stops, everything kept is safe")


def _settle(report: Report, queue: Queue, store: Store, tally: Tally) -> None:
    if report.error:
        raise ArchGymError(report.error)
    for summary in report.kept:
        tally.take(summary)
    if report.lost:
        tally.lost += 1
    for run, reason in queue.settle(report):
        scratch = scratch_folder(store, run.id)
        outcome = failed(run, reason, scratch)
        store.write_part(run.task, [outcome.summary], [outcome.trials])
        clear(scratch)
        tally.take(outcome.summary)
