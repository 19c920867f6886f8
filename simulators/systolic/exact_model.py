"""The ``systolic`` space priced by SCALE-Sim's counts: exact cycles and words, energy and area as in the physical model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import UnknownNameError
from simulators.systolic import batch, energy, layers, physical
from simulators.systolic.array_model import ArrayModel, Budgets
from simulators.systolic.batch import Priced
from simulators.systolic.exact import batch as exact
from simulators.systolic.exact.lowering import check
from simulators.systolic.exact.profiles import Profiles
from simulators.systolic.layers import Network
from simulators.systolic.memory import Memory
from simulators.systolic.prepared import Prepared
from simulators.systolic.switches import SCALESIM_LIKE
from simulators.systolic.technology import INT8

Floats = NDArray[np.float64]

BANDWIDTHS = ("calc", "user")
OPERANDS = 3
"""Inputs, weights and outputs share the DRAM's bandwidth."""


class ExactModel(ArrayModel):
    """As ``ArrayModel``, with SCALE-Sim's cycles, buffer accesses and DRAM words.

    SCALE-Sim's word is a byte: with 16-bit words a buffer holds half as many, and the DRAM moves half as many a cycle.  Words
    that move between cells, which SCALE-Sim does not count, are those of the physical model without its departures.
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
        bandwidth: str,
        memory: Memory | None = None,
    ) -> None:
        if bandwidth not in BANDWIDTHS:
            raise UnknownNameError("bandwidth mode", bandwidth, BANDWIDTHS, owner="systolic")
        super().__init__(networks, batch_size, combination, weights, node_nm, constants, budgets, SCALESIM_LIKE, memory)
        for network in self.networks:
            check(network.network.table)
        self.user = bandwidth == "user"
        self.profiles = Profiles()

    def needs(self, designs: Floats, network: Prepared) -> Priced:
        """What designs (N, 11) need for one network."""
        priced = super().needs(designs, network)
        table = network.network.table.copy()
        table[:, layers.REPEATS] *= network.batch
        figures = exact.evaluate(table, self._pack(designs, priced.prices), self.profiles)
        runs = table[:, layers.REPEATS].sum()
        _overwrite(priced.needs, figures, runs)
        batch.pay(priced.needs, designs[:, batch.DATAFLOW], priced.prices, priced.terms)
        return priced

    def layer_needs(self, design: Floats, network: Prepared) -> Floats:
        """What one design (11,) needs for each distinct layer, (L, QUANTITIES)."""
        needs = super().layer_needs(design, network)
        prices = batch.figures(design[None], self.tables)
        figures = exact.per_layer(network.network.table, self._pack(design[None], prices), self.profiles)
        runs = network.network.table[:, layers.REPEATS] * network.batch
        _overwrite(needs, {name: values[0] * runs for name, values in figures.items()}, runs)
        return needs

    def _pack(self, designs: Floats, prices: Floats) -> NDArray[np.int64]:
        word = np.where(designs[:, batch.FORMAT] == INT8, 1, 2)
        per_cycle = prices[:, energy.DRAM_WORDS_PER_CYCLE] * designs[:, batch.CHANNELS]
        width = np.maximum(1, per_cycle // OPERANDS)
        return exact.pack(
            rows=designs[:, batch.ROWS],
            columns=designs[:, batch.COLUMNS],
            dataflow=designs[:, batch.DATAFLOW],
            ifmap_kb=designs[:, batch.IFMAP_KB] // word,
            filter_kb=designs[:, batch.FILTER_KB] // word,
            ofmap_kb=designs[:, batch.OFMAP_KB] // word,
            user=int(self.user),
            bw_ifmap=width,
            bw_filter=width,
            bw_ofmap=width,
        )


_FIGURES = {
    physical.MACS: "macs",
    physical.CYCLES: "total_cycles",
    physical.IFMAP_READS: "sram_ifmap_n",
    physical.FILTER_READS: "sram_filter_n",
    physical.OUTPUT_WRITES: "sram_ofmap_n",
    physical.IFMAP_DRAM: "dram_ifmap_n",
    physical.FILTER_DRAM: "dram_filter_n",
    physical.OFMAP_DRAM: "dram_ofmap_n",
}


def _overwrite(needs: Floats, figures: Mapping[str, NDArray[Any]], runs: NDArray[np.int64] | int) -> None:
    """Puts SCALE-Sim's figures in place of the physical model's; rows of ``needs`` are designs or layers."""
    for quantity, name in _FIGURES.items():
        needs[:, quantity] = figures[name]
    # SCALE-Sim gives the index of a layer's last line, which is one less than the number of lines.
    needs[:, physical.COMPUTE_CYCLES] = figures["compute_cycles"] - runs
    needs[:, physical.PORT_STALLS] = needs[:, physical.PSUM_WRITES] = needs[:, physical.PSUM_READS] = 0.0
    needs[:, physical.DRAM_PAID] = sum(
        needs[:, moved] for moved in (physical.IFMAP_DRAM, physical.FILTER_DRAM, physical.OFMAP_DRAM)
    )
