"""The exact model behind the simulator: SCALE-Sim's counts in the project's metrics."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from archgym.errors import UnknownNameError, WorkloadError
from simulators.systolic import Layer, Network, Systolic, reference

CONVOLUTION = Layer("c", 16, 16, 3, 3, 16, 32)
NETWORK = Network("two", (CONVOLUTION, Layer("d", 14, 14, 3, 3, 8, 8, groups=8), Layer("e", 8, 8, 1, 1, 4, 12)))
DESIGN = {"rows": 8, "columns": 16, "ifmap_kb": 16, "filter_kb": 32, "ofmap_kb": 16, "banks": 4}


def predicted(layer: Layer, dataflow: str, mode: str, width: int) -> dict[str, np.ndarray]:
    """The reference table's columns for one group of a layer on ``DESIGN``."""
    row = {"network": "n", "layer": layer.name, "is_gemm": 0, "is_depthwise": 0, "groups": 1, "stride": 1}
    row |= {"ifmap_h": layer.padded_h, "ifmap_w": layer.padded_w, "filter_h": layer.filter_h, "filter_w": layer.filter_w}
    row |= {"channels": layer.channels // layer.groups, "num_filters": layer.n, "dataflow": dataflow, "bw_mode": mode}
    row |= {"array_h": 8, "array_w": 16, "ifmap_sram_kb": 16, "filter_sram_kb": 32, "ofmap_sram_kb": 16}
    row |= dict.fromkeys(("bw_ifmap", "bw_filter", "bw_ofmap"), width)
    return reference.predict({name: np.array([value]) for name, value in row.items()})


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("mode", ["calc", "user"])
def test_metrics_are_the_references_summed_over_layers_and_groups(dataflow: str, mode: str) -> None:
    simulator = Systolic(NETWORK, model="scalesim3", bandwidth=mode)
    design = simulator.space.encode({**DESIGN, "dataflow": dataflow, "dram_type": "lpddr4-3200", "clock_mhz": 700})
    metrics = simulator.evaluate(design).row(0)
    width = int(12.8e9 / 700e6) // 3  # LPDDR4-3200 on 32 bits, a third for each operand
    each = [(layer.groups, predicted(layer, dataflow, mode.upper(), width)) for layer in NETWORK.layers]
    total = sum(runs * int(found["total_cycles"][0]) for runs, found in each)
    moved = sum(runs * int(found["dram_read_bytes"][0] + found["dram_write_bytes"][0]) for runs, found in each)
    stalls = sum(runs * int(found["stall_cycles"][0]) for runs, found in each)
    assert metrics["cycles"] == total and metrics["dram_bytes"] == moved
    assert metrics["compute_cycles"] == total - stalls
    assert metrics["utilization"] == pytest.approx(NETWORK.macs / (128 * total))
    assert metrics["latency_ns"] == pytest.approx(total / 0.7)


def test_the_explanation_adds_up_and_names_stalls() -> None:
    simulator = Systolic(NETWORK, model="scalesim3", bandwidth="user")
    design = simulator.space.encode(DESIGN)
    explained, metrics = simulator.explain(design), simulator.evaluate(design).row(0)
    time, energy, _ = explained.breakdowns
    assert time.total == pytest.approx(metrics["cycles"]) and energy.total == pytest.approx(metrics["energy_pj"])
    assert dict(part[:2] for part in time.parts)["DRAM"] == metrics["cycles"] - metrics["compute_cycles"] > 0


def test_sixteen_bits_halve_what_a_buffer_holds() -> None:
    simulator = Systolic(Network("one", (CONVOLUTION,)), model="scalesim3")
    narrow = simulator.space.encode({**DESIGN, "precision_bits": 8, "ifmap_kb": 16})
    wide = simulator.space.encode({**DESIGN, "precision_bits": 16, "ifmap_kb": 32, "filter_kb": 64, "ofmap_kb": 32})
    found = simulator.evaluate(np.concatenate([narrow, wide]))
    assert found["cycles"][0] == found["cycles"][1] and found["dram_bytes"][1] == 2 * found["dram_bytes"][0]


def test_a_batch_runs_the_network_again() -> None:
    design = Systolic(NETWORK).space.encode(DESIGN)
    once, thrice = (Systolic(NETWORK, model="scalesim3", batch=n).evaluate(design)["cycles"] for n in (1, 3))
    assert thrice == 3 * once


def test_it_survives_pickling_with_empty_profiles() -> None:
    simulator = Systolic(NETWORK, model="scalesim3", bandwidth="user")
    design = simulator.space.encode(DESIGN)
    expected = simulator.evaluate(design)["cycles"]
    copy = pickle.loads(pickle.dumps(simulator))
    assert len(copy.pricer.profiles) == 0 and copy.evaluate(design)["cycles"] == expected


def test_what_scalesim_cannot_express_is_refused() -> None:
    with pytest.raises(WorkloadError, match="stride"):
        Systolic(Network("n", (Layer("c", 9, 9, 3, 3, 1, 1, 1, 2),)), model="scalesim3")
    with pytest.raises(UnknownNameError, match="Known: calc, user"):
        Systolic(NETWORK, model="scalesim3", bandwidth="all")
