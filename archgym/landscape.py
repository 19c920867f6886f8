"""What a task looks like before any agent runs: its landscape card, from the table of its whole space.

A task that random search solves in a few designs ranks nobody; one whose metric is a sum of main effects asks for no
search at all.  Both show on the card.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.objective import Objective
from archgym.optimum import Landscape, Table
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace

MARGINS = (0.0, 0.001, 0.01, 0.05, 0.1)
"""Relative regrets at which a card counts designs."""

CEILING = 20
"""A task is a ceiling task if random search gets within 1 % of the optimum in fewer designs than this (median)."""

CEILING_MARGIN = 0.01

LARGEST_FIT = 500_000
"""Designs that the additive model is fitted to, at most; of a larger space a uniform sample."""

FIT_BATCH = 65_536


@dataclass(frozen=True)
class Card:
    """Landscape of one task.

    Attributes:
        simulator, workload, objective: the task.
        designs: in the space, N.
        classes: of designs that cannot differ (canonical representatives).
        outcomes: distinct scores among designs that are OK.
        ok: share of designs that are OK.
        shares: share of all designs whose relative regret is at most each of ``MARGINS``; the first is at the optimum.
        needed: designs with which half of all random searches have found one of them, by margin.
        additive_r2: share of the variance of the log cost that main effects explain, over OK designs; of the cost itself if
            ``log`` is false; None where all OK designs cost the same.
        log: whether all costs are positive, so that they have a logarithm.
        fitted: designs that the additive model saw.
        ceiling: whether random search solves the task so soon that it ranks nobody.
    """

    simulator: str
    workload: str
    objective: str
    designs: int
    classes: int
    outcomes: int
    ok: float
    shares: tuple[float, ...]
    needed: tuple[float, ...]
    additive_r2: float | None
    log: bool
    fitted: int
    ceiling: bool

    def record(self) -> dict[str, Any]:
        """JSON-able, margins included."""
        return {**asdict(self), "margins": list(MARGINS), "shares": list(self.shares), "needed": list(self.needed)}


def landscape_card(simulator: Simulator, table: Table, objective: Objective) -> Card:
    """The card of one task.

    Args:
        simulator: the problem that the table belongs to.
        table: from ``archgym.optimum``.
        objective: what to optimise.
    """
    landscape = table.landscape(objective)
    ok, size = table.metrics.ok, table.space.size
    regrets = np.where(ok, landscape.regret(landscape.scores), np.inf)
    shares = [float(table.counts[regrets <= margin].sum() / size) for margin in MARGINS]
    needed = [random_designs_needed(share) for share in shares]
    r2, log, fitted = _additivity(simulator, landscape)
    return Card(
        simulator=simulator.name,
        workload=simulator.workload,
        objective=objective.text,
        designs=size,
        classes=len(table),
        outcomes=len(np.unique(landscape.scores[ok])),
        ok=float(table.counts[ok].sum() / size),
        shares=tuple(shares),
        needed=tuple(needed),
        additive_r2=r2,
        log=log,
        fitted=fitted,
        ceiling=needed[MARGINS.index(CEILING_MARGIN)] < CEILING,
    )


def random_designs_needed(share: float) -> float:
    """Designs after which half of all random searches have met one of the given share of a space; infinite for none."""
    if share >= 1:
        return 1.0
    return float(np.log(0.5) / np.log1p(-share)) if share > 0 else float("inf")


def additive_fit(space: DesignSpace, designs: Designs, values: NDArray[np.float64]) -> float | None:
    """Share of the variance of ``values`` that a sum of one effect per level of each parameter explains.

    Args:
        space: of the designs.
        designs: (N, D) levels.
        values: (N,).

    Returns:
        R2 of least squares, or None where the values do not vary.
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    if total <= 1e-24 * float(values @ values):
        return None
    width = int(space.nvec.sum()) + 1
    gram, moment = np.zeros((width, width)), np.zeros(width)
    for start in range(0, len(designs), FIT_BATCH):
        hot = space.one_hot(designs[start : start + FIT_BATCH]).astype(np.float64)
        rows = np.column_stack([np.ones(len(hot)), hot])
        gram += rows.T @ rows
        moment += rows.T @ centred[start : start + FIT_BATCH]
    # The columns of each parameter sum to one, so the effects are not unique; what they explain is.
    effects = np.linalg.lstsq(gram, moment, rcond=1e-10)[0]
    return float(np.clip(effects @ moment / total, 0.0, 1.0))


def _additivity(simulator: Simulator, landscape: Landscape) -> tuple[float | None, bool, int]:
    """R2 of the additive model over the OK designs, whether it is of the log cost, and how many designs it saw."""
    table, space = landscape.table, landscape.table.space
    if space.size <= LARGEST_FIT:
        designs = space.unrank(np.arange(space.size))
    else:
        designs = space.sample(LARGEST_FIT, 0)
    # Members of a class score alike but have other levels, so the model has to see all of them, not the representative.
    rows = table.rows(simulator.canonical(designs))
    ok = table.metrics.ok[rows]
    designs, costs = designs[ok], -landscape.scores[rows[ok]]
    if not len(costs):
        return None, False, 0
    if (costs < 0).all():  # a metric to maximise
        costs = -costs
    log = bool((costs > 0).all())
    return additive_fit(space, designs, np.log(costs) if log else costs), log, len(costs)
