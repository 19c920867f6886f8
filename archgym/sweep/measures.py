"""What one run's trials say about it: the figures of a summary, none of them dependent on how the run was executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.metrics import Status
from archgym.sweep.prepared import Prepared
from archgym.trials import Chunk

STEPS = (1, 2, 3, 5, 7)
HITS = {"0": 0.0, "0.001": 0.001, "0.01": 0.01, "0.05": 0.05, "0.1": 0.1}
"""Relative regrets for which a run's first hit is kept."""


def marks_up_to(budget: float) -> list[int]:
    """Numbers of designs at which anytime curves are read: 1, 2, 3, 5, 7, 10, 20, 30, ... and the budget."""
    last = max(int(budget), 1)
    marks = [step * 10**power for power in range(len(str(last))) for step in STEPS]
    return [*(mark for mark in marks if mark < last), last]


def anytime(chunks: Sequence[Chunk], budget: float, prepared: Prepared) -> dict[str, Any]:
    """The anytime curve of a run that ended well.

    A design of lower fidelity is not a candidate for the best one; it moves the curve on by what it costs.

    Args:
        chunks: the run's trials.
        budget: cost units of the run.
        prepared: its task.

    Returns:
        marks; best, quantile and regret of the best OK design so far at each mark, None where there is none or where it is
        not known; optimum_at and hits: how many designs it took, None where never or not known.
    """
    marks = marks_up_to(budget)
    spent = np.cumsum(np.repeat([chunk.cost for chunk in chunks], [len(chunk) for chunk in chunks]))
    best = np.maximum.accumulate(_candidates(chunks)) if chunks else np.zeros(0)
    rows = np.searchsorted(spent, np.array(marks) * (1 + 1e-12), side="right") - 1
    reached = np.array([best[row] if row >= 0 else -np.inf for row in rows])
    found: dict[str, Any] = {"marks": marks, "best": _known(reached, reached)}
    found["quantile"] = _known(prepared.quantile(reached), reached)
    found["regret"] = _known(prepared.regret(reached), reached)
    found["hits"] = dict.fromkeys(HITS)
    regret = prepared.regret(best)
    if regret is not None:
        found["hits"] = {name: _first(regret <= limit, spent) for name, limit in HITS.items()}
    found["optimum_at"] = found["hits"]["0"]
    return found


def nothing(budget: float) -> dict[str, Any]:
    """As ``anytime``, of a run that failed: the worst there is, at every mark."""
    marks = marks_up_to(budget)
    unknown: list[None] = [None] * len(marks)
    curve = {"marks": marks, "best": unknown, "quantile": [1.0] * len(marks), "regret": unknown}
    return {**curve, "hits": dict.fromkeys(HITS), "optimum_at": None}


def counts(chunks: Sequence[Chunk]) -> dict[str, int]:
    """Trials per status name."""
    total = sum((np.bincount(chunk.metrics.status, minlength=len(Status)) for chunk in chunks), np.zeros(len(Status), int))
    return {status.name: int(total[status]) for status in Status}


def _candidates(chunks: Sequence[Chunk]) -> NDArray[np.float64]:
    """Score of every trial that may be the best one, minus infinity for all others."""
    parts = [
        np.where(chunk.metrics.ok, chunk.scores, -np.inf) if chunk.fidelity == "full" else np.full(len(chunk), -np.inf)
        for chunk in chunks
    ]
    return np.concatenate(parts)


def _known(values: NDArray[np.float64] | None, reached: NDArray[np.float64]) -> list[float | None]:
    if values is None:
        return [None] * len(reached)
    pairs = zip(values.tolist(), np.isfinite(reached).tolist(), strict=True)
    return [value if there else None for value, there in pairs]


def _first(reached: NDArray[np.bool_], spent: NDArray[np.float64]) -> int | None:
    """Designs (cost units, rounded up) until something is reached; None if it never is."""
    return int(np.ceil(spent[int(np.argmax(reached))] - 1e-9)) if reached.any() else None
