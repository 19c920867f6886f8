"""Where cycles, energy and area of one design go, layer by layer, and under which mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from archgym import Breakdown, Designs, Explanation
from archgym.simulator import InvalidDesign
from simulators.systolic.eyeriss import batch, pricing
from simulators.systolic.eyeriss import slots as at

if TYPE_CHECKING:
    from simulators.systolic.eyeriss.simulator import EyerissSystolic

Counts = NDArray[np.float64]

CAUSES = {
    "computing": "multiply-accumulates, as if all PEs had work all the time",
    "idle PEs": "PEs left over because the layer does not divide, or waiting for a port of a scratchpad",
    "waiting": "plain storages being filled and drained",
    "network": "more words to send to the PEs than the buffer's read port passes",
    "global buffer": "its ports or banks are busy",
    "DRAM": "more words to move than its bandwidth allows",
}

ADVICE = {
    "computing": "Only more PEs would make it faster.",
    "idle PEs": "Another number or arrangement of PEs, or partial sums in a storage with two ports, would use more of them.",
    "waiting": "Smart buffers would fill while the PEs compute.",
    "network": "A wider read port of the global buffer would help, or deeper scratchpads, which have words sent less often.",
    "global buffer": "More banks, a wider write port or larger blocks would help.",
    "DRAM": "A larger global buffer would fetch less.",
}

TERMS = {
    "MACs": "multiply-accumulates",
    "ifmap spads": "scratchpads of inputs, read once per multiply-accumulate",
    "psum spads": "scratchpads of partial sums, read and written once per multiply-accumulate",
    "weights spads": "scratchpads of weights, read once per multiply-accumulate",
    "network": "wires and registers between buffer and PEs and along chains of PEs",
    "global buffer": "inputs and partial sums",
    "DRAM": "LPDDR4, off the chip",
    "standing": "clock and control of every PE, leakage of every storage",
}


def explain(simulator: EyerissSystolic, design: Designs) -> Explanation:
    """Explains one design.

    Args:
        simulator: with the workload.
        design: (1, 26) levels.

    Raises:
        InvalidDesign: the design breaks a rule, or does not hold the smallest tile of a layer.
    """
    evaluated = simulator.evaluate(design)
    if not evaluated.ok[0]:
        raise InvalidDesign(evaluated.reasons[0], evaluated.violation[0])
    columns = simulator.space.decode(design)
    priced = pricing.price(columns)
    counts = batch.map_designs(priced.hardware, priced.prices, simulator.layers)[0][0]
    factors = batch.map_design(priced.hardware[0], priced.prices[0], simulator.layers)
    cycles = _cycles(counts, float(columns["NUM_PEs"][0]))
    terms = pricing.energy_terms(counts.sum(axis=0), priced.prices[0])
    energy = tuple((name, float(terms[name]), meaning) for name, meaning in TERMS.items())
    areas = tuple((name, float(um2) * 1e-6, "") for name, um2 in zip(pricing.AREAS, priced.areas_um2[0], strict=True))
    return Explanation(
        design=simulator.space.describe(design),
        metrics=evaluated.row(0),
        breakdowns=(cycles, Breakdown("Energy", "pJ", energy), Breakdown("Area", "mm2", areas)),
        bottleneck=_bottleneck(cycles),
        details={"layers": [_row(*each) for each in zip(simulator.layers.shape, counts, factors, strict=True)]},
    )


def _cycles(counts: Counts, pes: float) -> Breakdown:
    spent = dict.fromkeys(CAUSES, 0.0)
    for layer in counts:
        spent["waiting"] += layer[at.WAIT_CYCLES]
        rest = layer[at.CYCLES] - layer[at.WAIT_CYCLES]
        cause = busiest(layer)
        if cause == "idle PEs":
            spent["computing"] += layer[at.MACS] / pes
            rest -= layer[at.MACS] / pes
        spent[cause] += rest
    return Breakdown("Cycles", "cycles", tuple((name, float(spent[name]), meaning) for name, meaning in CAUSES.items()))


def busiest(layer: Counts) -> str:
    """What a layer's time is that of, waiting aside; "idle PEs" stands for the PEs, which are rarely all at work."""
    limits = {
        "idle PEs": layer[at.PE_CYCLES],
        "network": layer[at.NETWORK_CYCLES],
        "global buffer": layer[at.GLB_CYCLES],
        "DRAM": layer[at.DRAM_CYCLES],
    }
    return max(limits, key=lambda name: limits[name])


def _bottleneck(cycles: Breakdown) -> str:
    shares = {name: share for (name, _, _), share in zip(cycles.parts, cycles.shares(), strict=True)}
    cause = max((name for name in shares if name != "computing"), key=lambda name: shares[name])
    computing = f"{100 * shares['computing']:.0f} % of the time is computing"
    if shares[cause] < 0.05:
        return f"{computing}. {ADVICE['computing']}"
    return f"{computing}; of the rest most is {cause} ({100 * shares[cause]:.0f} %). {ADVICE[cause]}"


def _row(shape: Counts, counts: Counts, factors: Counts) -> dict[str, Any]:
    sizes = {"filters": at.FILTERS, "channels": at.CHANNELS, "taps_h": at.TAPS_H, "taps_w": at.TAPS_W, "out_h": at.OUT_H}
    row: dict[str, Any] = {name: int(shape[slot - at.SHAPE]) for name, slot in sizes.items()}
    row["limited_by"] = busiest(counts).replace("idle PEs", "PEs")
    row.update({name: float(counts[at.COUNTS.index(name)]) for name in ("macs", "cycles", "wait_cycles", "dram_words")})
    row.update({f"mapping_{name}": int(value) for name, value in zip(at.FACTORS, factors, strict=True)})
    return row
