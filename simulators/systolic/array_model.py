"""The ``systolic`` space priced by the physical or by the exact model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from archgym import Columns, Designs, Explanation, Metric, Metrics, Status
from simulators.systolic import batch, energy, numbers, physical
from simulators.systolic.combining import combine, shares
from simulators.systolic.layers import Network
from simulators.systolic.memory import Memory
from simulators.systolic.prepared import Prepared, prepare
from simulators.systolic.rules import make_rules
from simulators.systolic.space import CLOCKS_MHZ, DRAM_TYPES, SIDES, make_space
from simulators.systolic.switches import Switches
from simulators.systolic.technology import DRAMS, technology

Floats = NDArray[np.float64]

GIVEN = "given"
"""The only type of DRAM where a DRAM simulator prices the memory."""


@dataclass(frozen=True)
class Budgets:
    """Limits that make a design INVALID; None: no limit.

    Attributes:
        area_mm2: of the chip.
        power_w: average while the workload runs, DRAM included.
        bandwidth_gbps: of the DRAM, GB/s.
    """

    area_mm2: float | None = None
    power_w: float | None = None
    bandwidth_gbps: float | None = None


class ArrayModel:
    """Prices designs of the ``systolic`` space on networks.

    Attributes:
        workload: the networks as they were given.
        space: with the rules of the technology and the budgets.
        metrics: what is measured.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        batch_size: int,
        combination: str,
        weights: Sequence[float] | None,
        node_nm: int,
        constants: str,
        budgets: Budgets,
        switches: Switches,
        memory: Memory | None = None,
    ) -> None:
        self.workload = tuple(networks)
        self.networks: tuple[Prepared, ...] = tuple(prepare(network, batch_size, memory) for network in networks)
        self.combination, self.shares = combination, shares(combination, weights, len(networks))
        self.tables = technology(node_nm, constants).tables
        self.dram_types: tuple[str, ...] = DRAMS
        if memory is not None:
            self.dram_types = (GIVEN,)
            self.tables = self.tables._replace(drams=np.array([[memory.pj_per_bit, memory.gb_per_s]]))
        self.budgets = budgets
        self.switches = np.array(astuple(switches))
        rules = make_rules(node_nm, constants, self.tables, self.dram_types, budgets.area_mm2, budgets.bandwidth_gbps)
        self.space = make_space(rules, DRAM_TYPES if memory is None else self.dram_types)
        self.metrics = self._declare()

    def numbers(self, columns: Columns) -> Floats:
        """Decoded designs as the kernels read them, (N, 11)."""
        return numbers.from_columns(columns, self.dram_types)

    def needs(self, designs: Floats, network: Prepared) -> batch.Priced:
        """What designs (N, 11) need for one network."""
        return batch.price(designs, network, self.switches, self.tables)

    def layer_needs(self, design: Floats, network: Prepared) -> Floats:
        """What one design (11,) needs for each distinct layer, (L, QUANTITIES)."""
        return batch.layers_needs(design, network, self.switches, self.tables)

    def evaluate(self, columns: Columns) -> Metrics:
        """Prices decoded designs that keep the space's rules."""
        designs = self.numbers(columns)
        each = [self._measure(designs, network) for network in self.networks]
        values = combine(self.combination, self.shares, each, self.metrics)
        result = Metrics(dict(values), np.zeros(len(designs), np.uint8), np.zeros(len(designs)))
        self._reject(result)
        return result

    def explain(self, design: Designs) -> Explanation:
        """Where time and energy of one design, (1, D), go; see ``explain``."""
        from simulators.systolic.explain import explain

        return explain(self, design)

    def _measure(self, designs: Floats, network: Prepared) -> dict[str, Floats]:
        priced = self.needs(designs, network)
        needs, figures = priced.needs, priced.prices
        cycles = needs[:, physical.CYCLES]
        latency_ns = cycles * (1e3 / designs[:, batch.CLOCK_MHZ])
        energy_pj = priced.terms.sum(axis=1)
        moved = needs[:, physical.IFMAP_DRAM] + needs[:, physical.FILTER_DRAM] + needs[:, physical.OFMAP_DRAM]
        word = np.where(designs[:, batch.FORMAT] == numbers.INT8, 1.0, 2.0)
        return {
            "latency_ns": latency_ns,
            "energy_pj": energy_pj,
            "power_mw": energy_pj / latency_ns,
            "area_mm2": energy.area(figures),
            "utilization": needs[:, physical.MACS] / (cycles * designs[:, batch.ROWS] * designs[:, batch.COLUMNS]),
            "dram_bytes": moved * word,
            "cycles": cycles,
            "compute_cycles": needs[:, physical.COMPUTE_CYCLES],
            "sram_energy_pj": priced.terms[:, energy.TERMS.index("sram")],
            "dram_energy_pj": priced.terms[:, energy.TERMS.index("dram")],
            "standing_energy_pj": priced.terms[:, energy.TERMS.index("standing")],
        }

    def _reject(self, result: Metrics) -> None:
        """Marks designs INVALID that show only now that they break a rule: no tile fits, too much power."""
        too_small = np.flatnonzero(np.isinf(result.columns["cycles"]))
        result.status[too_small] = Status.INVALID
        result.violation[too_small] = 1.0
        for row in too_small:
            result.reasons[int(row)] = "buffer_size: not even the smallest tile of some layer fits into the buffers"
        if self.budgets.power_w is None:
            return
        excess = result.columns["power_mw"] / (1e3 * self.budgets.power_w) - 1.0
        for row in np.flatnonzero(excess > 0):
            result.status[row], result.violation[row] = Status.INVALID, excess[row]
            result.reasons[int(row)] = f"power_budget: at most {self.budgets.power_w:g} W (violation: share of the budget)"

    def _declare(self) -> tuple[Metric, ...]:
        fewest = min(network.macs for network in self.networks)
        shortest_ns = fewest / max(SIDES) ** 2 * 1e3 / max(CLOCKS_MHZ)
        least_pj = fewest * self.tables.formats[numbers.INT8, 1]
        endless = float("inf")
        return (
            Metric("latency_ns", "min", (shortest_ns, endless), "time for one batch of inputs"),
            Metric("energy_pj", "min", (least_pj, endless), "energy for one batch, DRAM and standing power included"),
            Metric("power_mw", "min", (0.0, endless), "energy over time"),
            Metric("area_mm2", "min", (0.0, endless), "cells, buffers and control"),
            Metric("utilization", "max", (0.0, 1.0), "multiply-accumulates done over those the array could have done"),
            Metric("dram_bytes", "min", (0.0, endless), "moved from and to DRAM"),
            Metric("cycles", "min", (fewest / max(SIDES) ** 2, endless), "of the array's clock, stalls included"),
            Metric("compute_cycles", "info", (0.0, endless), "cycles that the folds take without stalls"),
            Metric("sram_energy_pj", "info", (0.0, endless), "part of the energy: buffers"),
            Metric("dram_energy_pj", "info", (0.0, endless), "part of the energy: DRAM"),
            Metric("standing_energy_pj", "info", (0.0, endless), "part of the energy: clock, control, idle cells"),
        )
