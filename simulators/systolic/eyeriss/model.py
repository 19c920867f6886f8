"""The row-stationary model as one of the models of the systolic simulator."""

from __future__ import annotations

from archgym import Columns, Designs, Explanation, Metrics
from simulators.systolic.eyeriss.simulator import EyerissSystolic


class EyerissModel:
    """Prices designs of ArchGym's space.

    Attributes:
        workload: the networks.
        space: 26 parameters.
        metrics: what is measured.
    """

    def __init__(self, workload: str) -> None:
        self._simulator = EyerissSystolic(workload)
        self.workload = self._simulator.networks
        self.space, self.metrics = self._simulator.space, self._simulator.metrics

    def evaluate(self, columns: Columns) -> Metrics:
        """Prices decoded designs that keep the space's rules."""
        return self._simulator._evaluate(columns, "full")

    def canonical(self, designs: Designs) -> Designs:
        """Maps designs that cannot differ onto one."""
        return self._simulator.canonical(designs)

    def explain(self, design: Designs) -> Explanation:
        """Where time, energy and area of one design, (1, D), go."""
        return self._simulator.explain(design)
