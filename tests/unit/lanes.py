"""Simulators with lanes whose designs finish when a test wants them to; nothing here depends on how fast a machine is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archgym import Evaluator, PointSimulator, make_objective
from archgym.testing.problems import Sphere
from archgym.trials import Chunk, TrialLog, read_chunks, read_manifest

PATIENCE = 60.0
"""Seconds after which a test that hangs fails instead."""


class Laned(PointSimulator):
    """The sphere, a design at a time.

    Args:
        lanes: how many at once.
        in_order: whether agents must be told in order.
        each: called in the lane before a design is priced.

    Attributes:
        seen: the designs that were begun, as lists of levels.
        closed: set by ``close``.
    """

    name, version = "laned", "1"
    space, metrics = Sphere.space, Sphere.metrics
    fidelities: Mapping[str, float] = {"full": 1.0, "quick": 0.1}

    def __init__(
        self, lanes: int = 4, in_order: bool = True, each: Callable[[dict[str, Any]], None] = lambda design: None
    ) -> None:
        self.lanes, self.in_order, self.each = lanes, in_order, each
        self.seen: list[list[int]] = []
        self.closed = threading.Event()

    def _evaluate_point(self, design: dict[str, Any], fidelity: str) -> Mapping[str, float]:
        self.seen.append(list(design.values()))
        self.each(design)
        return {"distance": sum((design[name] - value) ** 2.0 for name, value in Sphere.best.items())}

    def close(self) -> None:
        self.closed.set()


def jumble(design: dict[str, Any]) -> None:
    """Lets designs finish in another order than they were begun in."""
    time.sleep(hash(tuple(design.values())) % 5 / 1000)


def await_it(event: threading.Event) -> None:
    assert event.wait(PATIENCE), "waited in vain"


_before: list[threading.Thread] = []


@pytest.fixture(autouse=True)
def own_threads() -> None:
    """Leaves out of ``threads`` those that other tests left behind."""
    _before[:] = [thread for thread in threading.enumerate() if thread.name == "archgym-lane"]


def threads() -> list[threading.Thread]:
    """The lanes that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "archgym-lane" and thread not in _before]


def evaluator(simulator: PointSimulator, **options: Any) -> Evaluator:
    return Evaluator(simulator, make_objective("distance", simulator), **options)


def ended() -> bool:
    """Whether all lanes have ended, or do so as soon as this busy machine lets them."""
    for thread in threads():
        thread.join(PATIENCE)
    return not threads()


class Memory:
    """A log in memory that tells when it grows."""

    def __init__(self, chunks: list[Chunk] | None = None, grown: Callable[[int], None] = lambda trials: None) -> None:
        self.kept = chunks or []
        self.trials = sum(map(len, self.kept))
        self.grown = grown

    def append(self, chunk: Chunk) -> None:
        self.kept.append(chunk)
        self.trials += len(chunk)
        self.grown(self.trials)

    def chunks(self) -> Iterator[Chunk]:
        return iter(tuple(self.kept))

    def close(self, state: str = "finished", summary: Mapping[str, Any] | None = None) -> None:
        pass

    @property
    def designs(self) -> list[list[int]]:
        return [design for chunk in self.kept for design in chunk.designs.tolist()]


def logged(folder: Path) -> list[list[int]]:
    """The designs in the log of a run that was interrupted, in order."""
    return np.concatenate([chunk.designs for chunk in read_chunks(folder, read_manifest(folder))]).tolist()


def left_after(folder: Path, trials: int, whole: Path) -> None:
    """Writes to ``folder`` what a run would have left that was killed after so many trials, or a few more, of ``whole``."""
    manifest = read_manifest(whole)
    log = TrialLog.create(folder, manifest)
    for chunk in read_chunks(whole, manifest):
        if log.trials >= trials:
            break
        log.append(chunk)
    log.close("interrupted")
