"""The answers of an interrupted run, given again in the order in which its log holds them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archgym.errors import ReplayError
from archgym.flights import Flight
from archgym.space import Designs
from archgym.trials import Chunk, Log


class Replay:
    """What a log held when the run was taken up again.

    Attributes:
        trials: how many; after so many it has no answers left.
    """

    def __init__(self, log: Log | None) -> None:
        self.trials = log.trials if log else 0
        self._chunks: Iterator[Chunk] = log.chunks() if log and self.trials else iter(())
        self._held: Chunk | None = None

    def leading(self, designs: Designs, fidelity: str) -> Chunk:
        """As many of the leading designs of a batch, (N, D), as the log holds in one piece.

        Raises:
            ReplayError: it goes on with another design.
        """
        held = self._next()
        n = min(len(held), len(designs))
        differs = (held.designs[:n] != designs[:n]).any(axis=1)
        if differs.any() or held.fidelity != fidelity:
            raise _other_design(held.first + int(np.argmax(differs)))
        self._held = _part(held, slice(n, None)) if n < len(held) else None
        return _part(held, slice(0, n))

    def any_of(self, pending: list[Flight]) -> Chunk:
        """The results that were told together next; takes their designs out of those in flight.

        Raises:
            ReplayError: one of them is not in flight.
        """
        held = self._next()
        for row, design in enumerate(held.designs):
            for flight in pending:
                if flight.fidelity == held.fidelity and (flight.design == design).all():
                    pending.remove(flight)
                    break
            else:
                raise _other_design(held.first + row)
        return held

    def _next(self) -> Chunk:
        held, self._held = self._held, None
        return next(self._chunks) if held is None else held


def _other_design(trial: int) -> ReplayError:
    return ReplayError(
        f"cannot resume: trial {trial} of the log holds another design than this run proposes. "
        f"The agent, the simulator or a library has changed since; start the run anew in another folder."
    )


def _part(chunk: Chunk, rows: slice) -> Chunk:
    start = rows.start or 0
    kept = np.arange(len(chunk))[rows]
    metrics, scores = chunk.metrics.take(kept), chunk.scores[rows]
    return Chunk(chunk.first + start, chunk.batch, chunk.fidelity, chunk.cost, chunk.designs[rows], metrics, scores)
