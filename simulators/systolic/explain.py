"""Where the time, the energy and the area of one design go, layer by layer, and a roofline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym import Breakdown, Designs, Explanation
from archgym.charts import Roofline
from simulators.systolic import batch, energy, numbers, physical
from simulators.systolic.prepared import Prepared

if TYPE_CHECKING:
    from simulators.systolic.array_model import ArrayModel

Floats = NDArray[np.float64]

TIME = {
    "useful work": "multiply-accumulates, had every cell one in every cycle",
    "folding": "cells without work: partly filled folds, skew, loading and draining",
    "SRAM ports": "the array waits for the banks of the buffers",
    "DRAM": "the array waits for the memory, first and last words of a layer included",
}
ADVICE = {
    "useful work": "The array is the limit: more rows and columns or a faster clock.",
    "folding": "Layers do not fill the array: a smaller array, another dataflow or a larger batch.",
    "SRAM ports": "The buffers are too narrow for the array: more banks.",
    "DRAM": "The memory is the limit: a faster type, more channels, or larger buffers.",
}
ENERGY = {
    "mac": "multiply-accumulate",
    "registers": "registers of the cells",
    "noc": "wires between cells, and between buffers and array",
    "sram": "buffers",
    "dram": "off-chip memory",
    "standing": "clock and control of all cells in every cycle, busy or not",
    "leakage": "of the buffers",
}


def explain(model: ArrayModel, design: Designs) -> Explanation:
    """Explains one design, (1, D).

    Several networks are explained together, each by its share of the workload ("worst": each counts once).
    """
    columns = model.space.decode(design)
    row = model.numbers(columns)
    metrics = model.evaluate(columns)
    priced = model.needs(row, model.networks[0]).prices[0]
    cells, hertz = row[0, batch.ROWS] * row[0, batch.COLUMNS], row[0, batch.CLOCK_MHZ] * 1e6
    time, terms, table = dict.fromkeys(TIME, 0.0), dict.fromkeys(energy.TERMS, 0.0), []
    for network, share in zip(model.networks, model.shares, strict=True):
        needs = model.layer_needs(row[0], network)
        split = _time(needs, cells)
        spent = _energy(needs, row[0, batch.DATAFLOW], priced)
        for name in time:
            time[name] += share * split[name].sum()
        for term, name in enumerate(energy.TERMS):
            terms[name] += share * spent[:, term].sum()
        table.extend(_layers(network, needs, split, spent, cells, _word(row[0]), several=len(model.networks) > 1))
    worst = max(time, key=lambda name: time[name])
    total = sum(time.values())
    area = (
        ("cells", priced[energy.CELLS_MM2], "multipliers, adders and registers"),
        ("buffers", priced[energy.SRAM_MM2], "SRAM of the three buffers"),
        ("other", priced[energy.OTHER_MM2], "control and wiring beside these"),
    )
    bandwidth = float(priced[energy.DRAM_WORDS_PER_CYCLE] * row[0, batch.CHANNELS] * _word(row[0]) * hertz)
    return Explanation(
        design=model.space.describe(design),
        metrics=metrics.row(0),
        breakdowns=(
            Breakdown("Time", "cycles", tuple((name, time[name], doc) for name, doc in TIME.items())),
            Breakdown("Energy", "pJ", tuple((name, terms[name], ENERGY[name]) for name in energy.TERMS)),
            Breakdown("Area", "mm2", tuple((name, float(value), doc) for name, value, doc in area)),
        ),
        bottleneck=f"{worst[0].upper()}{worst[1:]} takes {time[worst] / total:.0%} of the time. {ADVICE[worst]}",
        details={"Layers": table},
        charts=(_roofline(table, cells * hertz, bandwidth, hertz),),
    )


def _word(design: Floats) -> float:
    return 1.0 if design[batch.FORMAT] == numbers.INT8 else 2.0


def _time(needs: Floats, cells: float) -> dict[str, Floats]:
    """Cycles of each layer by cause, (L,) each; they add up to the layer's cycles."""
    compute, stalls = needs[:, physical.COMPUTE_CYCLES], needs[:, physical.PORT_STALLS]
    useful = needs[:, physical.MACS] / cells
    return {
        "useful work": useful,
        "folding": compute - useful,
        "SRAM ports": stalls,
        "DRAM": needs[:, physical.CYCLES] - compute - stalls,
    }


def _energy(needs: Floats, dataflow: float, prices: Floats) -> Floats:
    """Energy of each layer by term in pJ, (L, NUM_TERMS)."""
    spent = np.empty((len(needs), energy.NUM_TERMS))
    batch.pay(needs, np.array([dataflow]), prices[None], spent)
    return spent


def _layers(
    network: Prepared, needs: Floats, split: Mapping[str, Floats], spent: Floats, cells: float, word: float, several: bool
) -> Iterator[dict[str, Any]]:
    for index, (name, times) in enumerate(_names(network)):
        need = needs[index]
        words = need[physical.IFMAP_DRAM] + need[physical.FILTER_DRAM] + need[physical.OFMAP_DRAM]
        yield {
            "layer": f"{network.network.name}: {name}" if several else name,
            "times": times,
            "macs": float(need[physical.MACS]),
            "cycles": float(need[physical.CYCLES]),
            "utilization": float(need[physical.MACS] / (cells * need[physical.CYCLES])),
            "limit": max(split, key=lambda cause: split[cause][index]),
            "dram_bytes": float(words) * word,
            "energy_pj": float(spent[index].sum()),
        }


def _names(network: Prepared) -> list[tuple[str, int]]:
    """Name of the first layer of each distinct kind, and how many there are, in the order of the table."""
    found: dict[tuple[int, ...], tuple[str, int]] = {}
    for layer in network.network.layers:
        first, times = found.get(layer.kind(), (layer.name, 0))
        found[layer.kind()] = (first, times + 1)
    return list(found.values())


def _roofline(table: Sequence[Mapping[str, Any]], peak: float, bandwidth: float, hertz: float) -> Roofline:
    points = tuple((row["layer"], row["macs"] / row["dram_bytes"], row["macs"] / (row["cycles"] / hertz)) for row in table)
    return Roofline("Roofline: each layer under the array and the memory", peak, bandwidth, points, unit="MAC")
