"""A simulator that answers from a table of its whole space: identical to the real one, at the cost of a look-up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from archgym.errors import UnknownNameError
from archgym.metrics import Metrics, Status
from archgym.optimum import Table
from archgym.simulator import Simulator
from archgym.wrappers import Wrapper


class Tabulated(Wrapper):
    """Stands in for ``inner`` at full fidelity.

    Args:
        inner: the simulator that the table was made with.
        table: from ``archgym.optimum.enumerate_space`` or ``find_table``.
    """

    def __init__(self, inner: Simulator, table: Table) -> None:
        super().__init__(inner)
        self.table = table
        self.lanes, self.in_order = 1, True  # a look-up takes whole batches

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.inner, self.table)

    def evaluate(self, designs: ArrayLike, fidelity: str = "full") -> Metrics:
        """As the wrapped simulator.

        Raises:
            UnknownNameError: a fidelity other than "full"; the table holds no other.
        """
        if fidelity != "full":
            raise UnknownNameError("fidelity", fidelity, ["full"], owner=f"{self.name} (tabulated)")
        array = self.space.check(designs, who=self.name)
        if not len(array):
            return Metrics.empty(self.metric_names)
        found = self.table.metrics.take(self.table.rows(self.inner.canonical(array)))
        broken = np.flatnonzero(found.status == Status.INVALID)
        if len(broken):
            # A class shares its verdict; the amount and the reason are those of the design itself.
            found.violation[broken] = np.maximum(self.space.violation(array[broken]), found.violation[broken])
            for row, reason in zip(broken, self.space.broken_rules(array[broken]), strict=True):
                found.reasons[int(row)] = reason
        for row in np.flatnonzero((found.status != Status.OK) & (found.status != Status.INVALID)):
            found.reasons[int(row)] = f"{Status(found.status[row]).name} when the table was made"
        return found
