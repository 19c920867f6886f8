"""Worker processes on this machine, supervised: limits of time and memory, crashes put down to the run that caused them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import IO, Any, Protocol

from archgym.errors import ArchGymError
from archgym.sweep.child import Setup, memory
from archgym.sweep.packs import Pack, Report
from archgym.sweep.plan import PlannedRun

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
LOOK_SECONDS = 0.2
BUILD_SECONDS = 300.0
"""Building a simulator for the first time, compiling it and loading libraries may take so much longer than a run may."""

STILLBORN = 3
"""Workers in a row that may die before they have begun to work."""


class Workforce(Protocol):
    """Whoever executes packs: processes of this machine, or tasks of a Ray cluster."""

    @property
    def size(self) -> int:
        """Packs that are executed at the same time."""

    @property
    def free(self) -> int:
        """Packs that can be given now."""

    def give(self, pack: Pack) -> None:
        """Starts a pack."""

    def collect(self, timeout: float) -> list[Report]:
        """What has become of packs since the last call; waits for the first news at most ``timeout`` seconds."""

    def close(self) -> None:
        """Ends everything; packs that were going on are lost."""


class Crew:
    """Worker processes of this machine.

    Args:
        count: how many.
        location: of the store.
        memory_limit: GB per process, or None.
    """

    def __init__(self, count: int, location: str, memory_limit: float | None = None) -> None:
        self.size = count
        limit = None if memory_limit is None else int(memory_limit * 1e9)
        self._setup = Setup(location, limit, os.getpid())
        self._workers: list[_Worker] = []
        self._stillborn = 0
        self._looked = 0.0

    @property
    def free(self) -> int:
        """Packs that can be given now."""
        return self.size - sum(worker.pack is not None for worker in self._workers)

    def give(self, pack: Pack) -> None:
        """Hands a pack to an idle worker, or to a new one."""
        idle = [worker for worker in self._workers if worker.pack is None]
        if idle and (worn := [worker for worker in idle if worker.full or (pack.alone and worker.used)]) == idle:
            self._dismiss(worn[0])
            idle = []
        fitting = [worker for worker in idle if not (worker.full or (pack.alone and worker.used))]
        if not fitting:
            self._workers.append(_Worker(self._setup))
            fitting = self._workers[-1:]
        fitting[0].give(pack)

    def collect(self, timeout: float) -> list[Report]:
        """What has become of packs since the last call; waits for the first news at most ``timeout`` seconds.

        Raises:
            ArchGymError: workers die before they begin to work.
        """
        until = monotonic() + timeout
        while True:
            busy = [worker for worker in self._workers if worker.pack is not None]
            if not busy:
                return []
            wait([worker.connection for worker in busy], max(0.0, min(LOOK_SECONDS, until - monotonic())))
            reports = [report for worker in busy if (report := self._look(worker)) is not None]
            if reports or monotonic() >= until:
                return reports

    def close(self) -> None:
        """Ends all workers."""
        for worker in tuple(self._workers):
            self._dismiss(worker)

    def _look(self, worker: _Worker) -> Report | None:
        report = worker.listen()
        if report is None and (reason := worker.excess()):
            worker.kill()
            # What was sent in the meantime counts: the run may just have ended.
            report = worker.listen(reason)
        if worker.gone:
            self._stillborn = 0 if worker.ready else self._stillborn + 1
            said = worker.said()
            self._dismiss(worker)
            if self._stillborn >= STILLBORN:
                raise ArchGymError(f"workers of the sweep end before they begin to work. The last one said: {said}")
        return report

    def _dismiss(self, worker: _Worker) -> None:
        worker.kill()
        worker.end()
        self._workers.remove(worker)


class _Worker:
    """One child process, from the outside."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.pack: Pack | None = None
        self.ready = self.gone = self.full = False
        self.used = False  # whether it has executed anything
        self._step: tuple[Any, ...] = ()
        self._since = monotonic()
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        ours, theirs = socket.socketpair()
        environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "archgym.sweep.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            env=environment,
            start_new_session=True,  # Ctrl-C does not reach it, and killing its group takes along what it has started
        )
        theirs.close()
        self.connection: Connection = Connection(ours.detach())
        self._send(setup)

    def give(self, pack: Pack) -> None:
        """Starts a pack."""
        self.pack, self._step, self._since = pack, (), monotonic()
        self._errors.seek(0)
        self._errors.truncate()
        self._send(pack.runs)

    def listen(self, reason: str = "") -> Report | None:
        """Takes what the worker has sent; a report if its pack is over.

        Args:
            reason: why it has been killed, if it has been.
        """
        try:
            while self.connection.poll():
                message = self.connection.recv()
                self._since = monotonic()
                if message[0] == "ready":
                    self.ready = True
                elif message[0] in ("done", "error"):
                    return self._over(message)
                else:
                    self._step = message
        except (EOFError, OSError):
            self.gone = True
            return self._lost(reason)
        return None

    def excess(self) -> str:
        """Which limit the worker breaks at the moment, in words; empty if none."""
        run = self._current()
        limit = self._setup.memory_limit
        if limit is not None and (held := memory(self._process.pid)) > limit:
            return f"memory limit: {held / 1e9:.2f} GB is more than {limit / 1e9:.2f} GB"
        if run is None or run.time_limit is None:
            return ""
        allowed = run.time_limit + (BUILD_SECONDS if self._step[0] == "build" else 0.0)
        return f"time limit: more than {run.time_limit:g} s" if monotonic() - self._since > allowed else ""

    def said(self) -> str:
        """The last line that the worker wrote to its error output."""
        self._errors.seek(max(0, self._errors.seek(0, os.SEEK_END) - 4096))
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "nothing"

    def kill(self) -> None:
        """Ends the process and what it has started."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait()
        self.gone = True

    def end(self) -> None:
        """Lets go of what belongs to the process."""
        self.connection.close()
        self._errors.close()

    def _current(self) -> PlannedRun | None:
        """The run that is being executed."""
        if self.pack is None or not self._step or self._step[0] not in ("build", "run"):
            return None
        number: int = self._step[1]
        return self.pack.runs[number]

    def _over(self, message: Sequence[Any]) -> Report:
        assert self.pack is not None
        pack, self.pack, self.used = self.pack, None, True
        if message[0] == "error":
            return Report(pack, error=message[1])
        _, summaries, seconds = message
        self.full = len(summaries) < len(pack.runs)
        return Report(pack, tuple(summaries), seconds)

    def _lost(self, reason: str) -> Report | None:
        pack, run = self.pack, self._current()
        self.pack = None
        self._process.wait()
        if pack is None:
            return None
        # Memory that earlier runs took is not this one's fault: it is tried again in a process of its own.
        alone = pack.alone or (pack.runs[0] is run and not self.used)
        culprit = run if alone or not reason.startswith("memory") else None
        return Report(pack, lost=reason or _death(self._process.returncode, self.said()), culprit=culprit)

    def _send(self, message: object) -> None:
        try:
            self.connection.send(message)
        except OSError:
            pass  # it has died; the next look finds out


def _death(code: int, said: str) -> str:
    if code < 0:
        return f"the worker process was killed by {signal.Signals(-code).name}"
    return f"the worker process ended with exit code {code}; it said: {said}"
