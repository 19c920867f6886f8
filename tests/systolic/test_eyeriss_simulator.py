"""The simulator on the Eyeriss space: contract, determinism, figures beside ArchGym's, rewards, reasons, explanations."""

from __future__ import annotations

import pickle
from functools import cache

import numpy as np
import pytest

from archgym import Simulator, Status, make_objective, make_simulator
from archgym.errors import UnknownNameError
from archgym.simulator import InvalidDesign
from archgym.testing import Check, in_another_process, simulator_checks
from archgym.testing.simulator_checks import same
from simulators.systolic.eyeriss import EyerissSystolic, batch, pricing
from simulators.systolic.eyeriss import slots as at

make = cache(EyerissSystolic)


def valid(n: int, seed: int) -> np.ndarray:
    """Random designs that keep the rules."""
    space = make().space
    designs = space.sample(40 * n, seed)
    return designs[space.violation(designs) == 0][:n]


def change(**values: object) -> np.ndarray:
    space = make().space
    return space.encode({name: [value] for name, value in {**space.describe(space.default), **values}.items()})


@pytest.mark.parametrize("check", simulator_checks(designs=64), ids=str)
@pytest.mark.parametrize("workload", ["alexnet-dense", "mobilenet-v1", "bert-base-128"])
def test_it_keeps_the_contract(workload: str, check: Check[Simulator]) -> None:
    check.run(make(workload))


def test_the_contract_holds_for_designs_that_keep_the_rules() -> None:
    """Of uniform samples few do."""
    simulator, designs = make(), valid(300, 1)
    result = simulator.evaluate(designs)
    assert result.ok.all() and all((values > 0).all() for values in result.columns.values())
    rows = [simulator.evaluate(designs[i : i + 1]).row(0) for i in range(100)]
    for name, values in result.columns.items():
        assert [row[name] for row in rows] == values[:100].tolist()
    hook = simulator._price
    canonical = simulator.canonical(designs)
    assert all(
        np.array_equal(a, b)
        for a, b in zip(hook(designs, "full").columns.values(), hook(canonical, "full").columns.values(), strict=True)
    )


def _bytes(seed: int) -> dict[str, bytes]:
    return {name: values.tobytes() for name, values in make().evaluate(valid(50, seed)).columns.items()}


def test_the_same_design_always_gets_the_same_mapping() -> None:
    """Loophole: ArchGym's mapper searches at random, so that a design gets other results from run to run."""
    assert _bytes(2) == _bytes(2) == in_another_process(_bytes, 2)
    priced = pricing.price(make().space.decode(valid(20, 2)))
    for design, prices in zip(priced.hardware, priced.prices, strict=True):
        assert np.array_equal(batch.map_design(design, prices, make().layers), batch.map_design(design, prices, make().layers))


def test_one_thread_gives_what_many_give() -> None:
    priced = pricing.price(make().space.decode(valid(40, 3)))
    together, _ = batch.map_designs(priced.hardware, priced.prices, make().layers)
    alone = [batch.map_designs(priced.hardware[i : i + 1], priced.prices[i : i + 1], make().layers)[0][0] for i in range(40)]
    assert np.array_equal(together, np.array(alone))


def test_the_default_design_beside_archgyms_figures() -> None:
    """ArchGym: 29,206 uJ, 2.03 mm2 and 7,885,704 cycles, of a random search for mappings and of weights spads of 192 words."""
    row = make().evaluate(make().space.default).row(0)
    assert row["cycles"] == 6_629_372
    assert row["energy_pj"] == pytest.approx(9.70e9, rel=2e-3)
    assert row["area_mm2"] == pytest.approx(2.600, rel=1e-3)
    assert row["utilization"] == pytest.approx(0.9667, abs=1e-4)
    assert row["dram_bytes"] == 22_642_808


def test_archgyms_template_beside_accelergys_area() -> None:
    """Depths of 12 and 192 are not on ArchGym's grid, but can be priced: Accelergy says 2.118 mm2 in all."""
    columns = dict(make().space.decode(make().space.default))
    columns["IFMAP_SPAD_ATRIBUTES_memory_depth"] = np.array([12])
    columns["WEIGHTS_SPAD_ATRIBUTES_memory_depth"] = np.array([192])
    priced = pricing.price(columns)
    assert priced.area_mm2[0] == pytest.approx(2.118, rel=0.1)
    parts = dict(zip(pricing.AREAS, priced.areas_um2[0], strict=True))
    assert parts["MACs"] == 168 * 1239.5 and parts["dummy buffers"] == pytest.approx(14 * 235.68, rel=1e-3)
    assert parts["global buffer"] == pytest.approx(1_162_549, rel=1e-3)
    assert parts["ifmap spads"] == pytest.approx(168 * 379.68, rel=1e-3)
    assert parts["psum spads"] == pytest.approx(168 * 414.68, rel=1e-3)


def test_energy_is_that_of_its_parts() -> None:
    result = make().evaluate(valid(50, 4))
    parts = sum(result[f"{part}_energy_pj"] for part in ("spad", "glb", "dram", "standing"))
    macs = 1_076_634_144 * 2.2
    assert (parts + macs < result["energy_pj"]).all()  # the network is not listed
    assert (parts + macs > 0.7 * result["energy_pj"]).all()
    assert np.allclose(result["power_mw"], result["energy_pj"] / result["latency_ns"])
    assert np.allclose(result["latency_ns"], 5 * result["cycles"])


@pytest.mark.parametrize("more", ["NUM_PEs", "SHARED_GLB_ATTRIBUTES_read_bandwidth", "SHARED_GLB_ATTRIBUTES_write_bandwidth"])
def test_more_pes_or_bandwidth_never_take_more_cycles(more: str) -> None:
    simulator, designs = make(), valid(150, 5)
    column = simulator.space.index(more)
    designs = designs[designs[:, column] < simulator.space.nvec[column] - 1]
    larger = designs.copy()
    larger[:, column] += 1
    assert (simulator.evaluate(larger)["cycles"] <= simulator.evaluate(designs)["cycles"]).all()


def test_idle_pes_cost_energy() -> None:
    """Standing power: without it a search would be rewarded for PEs that have nothing to do."""
    small, large = (make("bert-base-128").evaluate(change(NUM_PEs=pes)) for pes in (168, 182))
    assert large["standing_energy_pj"][0] / large["cycles"][0] > small["standing_energy_pj"][0] / small["cycles"][0]
    assert large["area_mm2"][0] > small["area_mm2"][0]


def test_what_cannot_hold_the_smallest_tile_is_invalid_and_says_why(tmp_path: object) -> None:
    path = f"{tmp_path}/wide.csv"
    with open(path, "w") as file:
        file.write("name,ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters\nwide,40,2000,3,33,1,4\n")
    simulator = EyerissSystolic(path)
    result = simulator.evaluate(
        np.concatenate(
            [
                change(SHARED_GLB_ATTRIBUTES_memory_depth=4096, SHARED_GLB_ATTRIBUTES_block_size=1),
                change(IFMAP_SPAD_ATRIBUTES_memory_depth=64),
            ]
        )
    )
    assert result.status.tolist() == [Status.INVALID, Status.OK]
    assert result.violation[0] == pytest.approx(np.log2(33 / 16))
    assert (
        result.reasons[0]
        == "smallest_tile: for a layer of wide the ifmap spad has 16 words and must hold a window of 33 words"
    )
    small = change(
        SHARED_GLB_ATTRIBUTES_memory_depth=2048, SHARED_GLB_ATTRIBUTES_block_size=1, IFMAP_SPAD_ATRIBUTES_memory_depth=64
    )
    reason = simulator.evaluate(small).reasons[0]
    assert reason.endswith("the global buffer has 2048 words and must hold an input row and an output row, 2000 + 1968 words")


@pytest.mark.parametrize("kind", ["energy", "area", "latency", "joint"])
def test_archgyms_rewards(kind: str) -> None:
    simulator = make()
    designs = np.concatenate([valid(30, 6), change(PSUM_SPAD_ATRIBUTES_memory_depth=2)])
    metrics = simulator.evaluate(designs)
    observed = np.stack([metrics["energy_pj"] / 1e6, metrics["area_mm2"], metrics["cycles"]], axis=1)
    away = np.maximum((observed - [20_444.2, 1.7255, 6_308_563.2]) / [20_444.2, 1.7255, 6_308_563.2], 0)
    costs = dict(zip(("energy", "area", "latency"), away.T, strict=True), joint=away.sum(axis=1) + 0.001)
    expected = np.where(costs[kind] == 0, 1e-5, costs[kind])
    expected[-1] = 1500
    assert np.allclose(make_objective(f"archgym-timeloop-{kind}", simulator).score(metrics), -expected, rtol=1e-12)


def test_the_targets_can_be_met() -> None:
    design = change(
        NUM_PEs=182,
        SHARED_GLB_ATTRIBUTES_memory_depth=8192,
        WEIGHTS_SPAD_ATRIBUTES_memory_depth=64,
        WEIGHTS_SPAD_CLASS="smartbuffer_RF",
    )
    metrics = make().evaluate(design)
    assert metrics.ok.all(), metrics.reasons
    assert make_objective("archgym-timeloop-joint", make()).score(metrics).tolist() == [-0.001], metrics.row(0)


def test_workloads_run_one_after_the_other() -> None:
    both = make("alexnet-dense+alexnet").evaluate(make().space.default)
    each = [make(name).evaluate(make().space.default) for name in ("alexnet-dense", "alexnet")]
    for name in ("cycles", "energy_pj", "dram_bytes"):
        assert both[name][0] == pytest.approx(sum(one[name][0] for one in each))
    assert both["area_mm2"][0] == each[0]["area_mm2"][0]
    assert "alexnet-dense" in EyerissSystolic.workloads() and "resnet50" in EyerissSystolic.workloads()
    with pytest.raises(UnknownNameError, match="no workload named 'alexnet-dens'"):
        EyerissSystolic("alexnet-dens")
    with pytest.raises(UnknownNameError, match="no space named 'systolic'"):
        EyerissSystolic(space="systolic")


def test_groups_and_repeats_multiply_everything() -> None:
    layers = make("mobilenet-v1").layers
    assert layers.repeats.max() > 100  # depthwise layers
    counts, short = batch.map_designs(
        *(table[:1] for table in pricing.price(make().space.decode(make().space.default))[:2]), layers
    )
    assert (short == 0).all()
    assert counts[0, :, at.MACS] == pytest.approx(layers.shape[:, :6].prod(axis=1) * layers.repeats[:, 0])


def test_it_is_reached_by_the_name_of_the_space() -> None:
    simulator = make_simulator("systolic", space="eyeriss", workload="alexnet-dense")
    assert simulator.space.digest == make().space.digest and simulator.metric_names == make().metric_names
    designs = valid(20, 8)
    assert not same(simulator.evaluate(designs), make().evaluate(designs))


def test_the_arguments_rebuild_it() -> None:
    simulator = make("alexnet-dense")
    again = type(simulator)(**simulator.arguments)
    copy = pickle.loads(pickle.dumps(simulator))
    assert again.workload_digest == copy.workload_digest == simulator.workload_digest
    assert again.space.digest == simulator.space.digest and simulator.arguments["space"] == "eyeriss"


@pytest.mark.parametrize("workload", ["alexnet-dense", "gpt2-small-decode"])
def test_explanations_add_up(workload: str) -> None:
    simulator = make(workload)
    for design in valid(8, 7):
        explanation = simulator.explain(design)
        cycles, energy, area = explanation.breakdowns
        assert cycles.total == pytest.approx(explanation.metrics["cycles"])
        assert energy.total == pytest.approx(explanation.metrics["energy_pj"])
        assert area.total == pytest.approx(explanation.metrics["area_mm2"])
        assert all(value >= 0 for _, value, _ in cycles.parts)
        layers = explanation.details["layers"]
        assert sum(row["cycles"] for row in layers) == explanation.metrics["cycles"]
    with pytest.raises(InvalidDesign, match="psum_spad_in_table"):
        simulator.explain(change(PSUM_SPAD_ATRIBUTES_memory_depth=2))


def test_the_bottleneck_is_named() -> None:
    assert "network" in make("gpt2-small-decode").explain(make().space.default).bottleneck
    assert "waiting" in make().explain(change(PSUM_SPAD_CLASS="regfile")).bottleneck
    single_port = change(PSUM_SPAD_CLASS="SRAM", PSUM_SPAD_ATRIBUTES_memory_depth=128)
    assert "idle PEs" in make().explain(single_port).bottleneck
    assert "Only more PEs" in make().explain(make().space.default).bottleneck
