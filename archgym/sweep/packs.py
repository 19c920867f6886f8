"""What is handed to workers: packs of runs, as many as take a few seconds, and what becomes of them.

A worker keeps a pack's runs together as one part.  A pack that is lost costs a few seconds; runs one by one would cost a file
each.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archgym.sweep.plan import PlannedRun

PACK_SECONDS = 5.0
LARGEST = 200
"""Runs in a pack, at most."""

LOSSES = 2
"""Beyond a spec's retries: how often a run may be lost together with its machine before it is recorded as failed."""


@dataclass(frozen=True)
class Pack:
    """Runs of one task and one label for one worker.

    Attributes:
        runs: at least one.
        alone: a run whose last attempt ended badly: it gets a worker that has done nothing before, so that the blame is clear.
    """

    runs: tuple[PlannedRun, ...]
    alone: bool = False


@dataclass(frozen=True)
class Report:
    """What became of a pack.

    Attributes:
        pack: which one.
        kept: summaries of the runs that are written to the store.
        seconds: how long they took.
        lost: why the worker is gone, or empty.
        culprit: the run that it was executing and that is to blame, or None.
        error: what the caller has to mend before the sweep can go on, or empty.
    """

    pack: Pack
    kept: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    lost: str = ""
    culprit: PlannedRun | None = None
    error: str = ""


@dataclass
class _Group:
    runs: deque[PlannedRun] = field(default_factory=deque)
    seconds: float | None = None  # per run, of the last pack


class Queue:
    """The runs that are still to be done.

    Args:
        runs: in the order in which they are to be done.
        retries: how often a run is tried again whose worker died.
    """

    def __init__(self, runs: Iterable[PlannedRun], retries: int) -> None:
        self._groups: dict[tuple[str, str], _Group] = {}
        for run in runs:
            self._groups.setdefault((run.task, run.label), _Group()).runs.append(run)
        self._alone: deque[PlannedRun] = deque()
        self._retries = retries
        self._blamed: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._alone) + sum(len(group.runs) for group in self._groups.values())

    @property
    def seconds(self) -> float | None:
        """How long what waits will take one worker, by the last pack of each task and label; None before the first."""
        known = [group.seconds for group in self._groups.values() if group.seconds is not None]
        if not known:
            return None
        usual = sum(known) / len(known)
        waiting = sum(len(group.runs) * (usual if group.seconds is None else group.seconds) for group in self._groups.values())
        return waiting + len(self._alone) * usual

    def next(self, workers: int) -> Pack | None:
        """The next pack, for one of so many workers; None if nothing is waiting."""
        if self._alone:
            return Pack((self._alone.popleft(),), alone=True)
        for group in self._groups.values():
            if group.runs:
                size = self._size(group, workers)
                return Pack(tuple(group.runs.popleft() for _ in range(size)))
        return None

    def settle(self, report: Report) -> list[tuple[PlannedRun, str]]:
        """Takes note of a report; what was not kept waits again.

        Returns:
            Runs that have been tried often enough, with the reason why they failed.
        """
        pack = report.pack
        group = self._groups[(pack.runs[0].task, pack.runs[0].label)]
        if report.kept and report.seconds:
            group.seconds = report.seconds / len(report.kept)
        kept = {summary["id"] for summary in report.kept}
        given_up = []
        for run in reversed([run for run in pack.runs if run.id not in kept]):
            blamed = report.culprit is not None and run.id == report.culprit.id
            if blamed:
                self._blamed[run.id] += 1
            elif report.lost and report.culprit is None:
                self._lost[run.id] += 1
            if self._blamed[run.id] > self._retries or self._lost[run.id] > self._retries + LOSSES:
                given_up.append((run, report.lost))
            elif blamed or pack.alone or self._lost[run.id] >= LOSSES:
                self._alone.append(run)
            else:
                group.runs.appendleft(run)
        return given_up

    def _size(self, group: _Group, workers: int) -> int:
        if group.seconds is None:
            return 1
        fair = -(-len(self) // workers)  # at the end no worker should have much while others have nothing
        return max(1, min(int(PACK_SECONDS / max(group.seconds, 1e-6)), LARGEST, fair, len(group.runs)))
