"""A worker process: executes packs of runs that its parent sends, until the parent closes the connection or is gone.

    python -m archgym.sweep.child FILE_DESCRIPTOR

The parent (``archgym.sweep.workers``) starts it, is told what it is doing, and kills it where a run breaks a limit.
"""

from __future__ import annotations

import faulthandler
import hashlib
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from archgym.errors import ArchGymError
from archgym.sweep.execute import Outcome, execute
from archgym.sweep.plan import PlannedRun
from archgym.sweep.prepared import find_agent, prepare
from archgym.sweep.recording import discard, lock_file
from archgym.sweep.store import Store

WATCH_SECONDS = 0.5
FULL = 0.75
"""A worker that holds this share of its memory limit between two runs hands in what it has, and is replaced."""


@dataclass(frozen=True)
class Setup:
    """The first message to a worker.

    Attributes:
        location: of the store.
        memory_limit: bytes, or None.
        parent: its process id.
    """

    location: str
    memory_limit: int | None
    parent: int


class Desk:
    """Works off packs and tells the parent about each step.

    Messages: ("ready",); then per pack ("build", i) and ("run", i) for each run, ("write",), and ("done", summaries, seconds)
    or ("error", message).
    """

    def __init__(self, connection: Connection, setup: Setup) -> None:
        self._connection, self._limit = connection, setup.memory_limit
        self._store = Store.open(setup.location)

    def work(self) -> None:
        """Until there is nothing more to do."""
        self._connection.send(("ready",))
        while True:
            try:
                runs: Sequence[PlannedRun] = self._connection.recv()
            except EOFError:
                return
            try:
                self._connection.send(self._pack(runs))
            except ArchGymError as error:
                self._connection.send(("error", str(error)))

    def _pack(self, runs: Sequence[PlannedRun]) -> tuple[str, list[dict[str, Any]], float]:
        since = time.perf_counter()
        outcomes: list[Outcome] = []
        for number, run in enumerate(runs):
            self._connection.send(("build", number))
            prepare(run)
            find_agent(run.agent)
            spare_threads()
            self._connection.send(("run", number))
            outcomes.append(execute(run, scratch_folder(self._store, run.id)))
            if self._limit is not None and memory(os.getpid()) > FULL * self._limit:
                break
        summaries = [outcome.summary for outcome in outcomes]
        self._connection.send(("write",))
        self._store.write_part(runs[0].task, summaries, [outcome.trials for outcome in outcomes])
        for summary in summaries:
            clear(scratch_folder(self._store, summary["id"]))
        return "done", summaries, time.perf_counter() - since


def scratch_folder(store: Store, run: str) -> Path:
    """Where the trials of a run go while it is going on: in the store, or on this machine if the store is remote."""
    name = hashlib.sha256(store.root.encode()).hexdigest()[:16]
    return store.running(run) or Path(tempfile.gettempdir()) / f"archgym-sweep-{name}" / run


def clear(folder: Path) -> None:
    """Removes what a run left in its folder, now that a part holds its trials."""
    if lock_file(folder).exists() or folder.exists():
        discard(folder)


def memory(process: int) -> int:
    """Bytes of memory that a process occupies; zero where the system does not tell."""
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def spare_threads() -> None:
    """One thread for torch, if an agent has loaded it: many workers share the machine."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def watch(parent: int) -> None:
    """Ends this process, and what it has started, as soon as its parent is gone."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        if os.getpgrp() == os.getpid():  # also what a simulator has started
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def main() -> None:
    """The process."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    connection: Connection = Connection(int(sys.argv[1]))
    setup: Setup = connection.recv()
    watch(setup.parent)
    Desk(connection, setup).work()


if __name__ == "__main__":
    main()
