"""The physical model: what must hold for every layer and design."""

from __future__ import annotations

from itertools import product as pairs

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import columns, designs, layers, networks

from archgym import Metrics
from simulators.systolic import Layer, Network
from simulators.systolic.array_model import ArrayModel, Budgets
from simulators.systolic.folds import OS, fold_cycles, overlapped_cycles, spans
from simulators.systolic.prepared import prepare
from simulators.systolic.space import KILOBYTES
from simulators.systolic.switches import SCALESIM_LIKE, Switches
from simulators.systolic.tiling import least_channels, least_traffic, pixel_blocks

many = settings(max_examples=300, deadline=None)


def model(*found: Network, batch: int = 1, switches: Switches | None = None) -> ArrayModel:
    return ArrayModel(found, batch, "mean", None, 28, "calibrated", Budgets(), switches or Switches())


def priced(network: Network, *rows: dict, batch: int = 1, switches: Switches | None = None) -> Metrics:
    return model(network, batch=batch, switches=switches).evaluate(columns(*rows))


@many
@given(networks, designs, st.integers(1, 4))
def test_every_metric_is_positive_and_finite_and_macs_are_conserved(network: Network, design: dict, batch: int) -> None:
    metrics = priced(network, design, batch=batch)
    for name, (value,) in metrics.columns.items():
        assert np.isfinite(value) and value > 0, name
    cells = design["rows"] * design["columns"]
    assert metrics["utilization"] <= 1
    np.testing.assert_allclose(metrics["utilization"] * metrics["cycles"] * cells, batch * network.macs)
    assert model(network, batch=batch).networks[0].macs == batch * network.macs
    assert metrics["compute_cycles"] <= metrics["cycles"] <= metrics["cycles"].round()


@many
@given(networks, designs)
def test_more_bandwidth_is_never_slower(network: Network, design: dict) -> None:
    metrics = priced(network, {**design, "dram_channels": 1}, {**design, "dram_channels": 2})
    assert metrics["cycles"][1] <= metrics["cycles"][0]
    wider = priced(network, {**design, "banks": 4}, {**design, "banks": 16})
    assert wider["cycles"][1] <= wider["cycles"][0]


@many
@given(networks, designs, st.sampled_from(["ifmap_kb", "filter_kb", "ofmap_kb"]))
def test_a_larger_buffer_never_has_more_dram_traffic(network: Network, design: dict, buffer: str) -> None:
    metrics = priced(network, *({**design, buffer: size} for size in KILOBYTES))
    assert (np.diff(metrics["dram_bytes"]) <= 0).all()


@many
@given(networks, designs, st.sampled_from(["rows", "columns"]))
def test_twice_the_array_never_takes_more_compute_cycles(network: Network, design: dict, side: str) -> None:
    metrics = priced(network, *({**design, side: size} for size in (8, 16, 32, 64, 128, 256)))
    assert (np.diff(metrics["compute_cycles"]) <= 0).all()


@many
@given(st.lists(layers, min_size=2, max_size=4), designs)
def test_totals_are_the_sums_of_layers(found: list[Layer], design: dict) -> None:
    whole = priced(Network("all", tuple(found)), design)
    each = [priced(Network("one", (layer,)), design) for layer in found]
    for name in ("energy_pj", "dram_bytes", "cycles", "compute_cycles"):
        np.testing.assert_allclose(whole[name], sum(part[name] for part in each), rtol=1e-12)


@many
@given(networks, designs)
def test_traffic_is_at_least_every_word_once(network: Network, design: dict) -> None:
    metrics = priced(network, {**design, "precision_bits": 8})
    least = 0
    for layer in network.layers:
        once = layer.k * layer.n + layer.m * layer.n
        least += layer.groups * layer.count * once
    assert metrics["dram_bytes"] > least  # and some inputs


@many
@given(networks, designs)
def test_sixteen_bits_cost_more_than_eight(network: Network, design: dict) -> None:
    metrics = priced(network, {**design, "precision_bits": 8}, {**design, "precision_bits": 16})
    for name in ("energy_pj", "dram_bytes", "area_mm2", "cycles"):
        assert metrics[name][1] >= metrics[name][0]


@many
@given(networks, designs)
def test_every_switch_goes_the_way_it_says(network: Network, design: dict) -> None:
    def with_(**changes: bool) -> Metrics:
        return priced(network, design, switches=Switches(**changes))

    default = with_()
    assert with_(partial_folds=False)["compute_cycles"] >= default["compute_cycles"]
    assert with_(overlap_folds=True)["compute_cycles"] <= default["compute_cycles"]
    assert with_(sram_ports=False)["cycles"] <= default["cycles"]
    assert with_(double_buffering=False)["dram_bytes"] <= default["dram_bytes"]  # the whole buffer holds tiles
    assert with_(reuse=False)["compute_cycles"] == default["compute_cycles"]


@many
@given(layers, designs)
def test_with_all_switches_off_compute_cycles_are_scalesims(layer: Layer, design: dict) -> None:
    metrics = priced(Network("one", (layer,)), design, switches=SCALESIM_LIKE)
    m, n, k = layer.m, layer.n, layer.k
    s_r, s_c, t = {"os": (m, n, k), "ws": (k, n, m), "is": (k, m, n)}[design["dataflow"]]
    rows, cells = design["rows"], design["columns"]
    fold = (rows if design["dataflow"] == "os" else 2 * rows) + cells + t - 2
    folds = -(-s_r // rows) * -(-s_c // cells)
    assert metrics["compute_cycles"] == fold * folds * layer.groups * layer.count


@many
@given(st.integers(0, 2), *[st.integers(1, 300)] * 5)
def test_fold_cycles_equal_a_walk_over_the_folds(dataflow: int, m: int, n: int, k: int, rows: int, cells: int) -> None:
    s_r, s_c, t = (int(span) for span in spans(dataflow, m, n, k))
    used_rows = [min(rows, s_r - start) for start in range(0, s_r, rows)]
    used_columns = [min(cells, s_c - start) for start in range(0, s_c, cells)]
    loads = 0 if dataflow == OS else 1
    walked = sum(loads * r + r + c + t - 2 for r, c in pairs(used_rows, used_columns))
    assert fold_cycles(dataflow, s_r, s_c, t, rows, cells, True) == walked
    hidden = sum(max(t, r) for r, _ in pairs(used_rows, used_columns)) + loads * used_rows[0]
    assert overlapped_cycles(dataflow, s_r, s_c, t, rows, cells) == hidden + used_rows[-1] + used_columns[-1] - 2


def literal_traffic(layer: Layer, held: tuple[int, int, int], word: int, output: int) -> float:
    """Least traffic of inputs and weights of a product over all blocks, by walking the tile loops with real buffers."""
    ifmap, filters, ofmap = held
    best = np.inf
    sizes = [int(size) for size in pixel_blocks(prepare(Network("n", (layer,))).network.table[0], 1)[:, 0]]
    for rows in sizes:
        for block in range(1, layer.n + 1):
            if rows * block * output > ofmap:
                continue
            for deep_a, deep_b, order in pairs((1, layer.k), (1, layer.k), ("mnk", "nmk")):
                whole_a, whole_b = layer.m * layer.k * word <= ifmap, layer.n * layer.k * word <= filters
                if (rows * deep_a * word > ifmap and not whole_a) or (block * deep_b * word > filters and not whole_b):
                    continue
                best = min(best, walk(layer, rows, block, deep_a, deep_b, order, whole_a, whole_b) * word)
    return best


def walk(layer: Layer, rows: int, block: int, deep_a: int, deep_b: int, order: str, whole_a: bool, whole_b: bool) -> int:
    """Words fetched if a buffer holds one tile (or the whole operand) and fetches a tile when another one is asked for."""
    steps = {"m": range(0, layer.m, rows), "n": range(0, layer.n, block)}
    held_a = held_b = None
    words = (layer.m * layer.k if whole_a else 0) + (layer.n * layer.k if whole_b else 0)
    for first in steps[order[0]]:
        for second in steps[order[1]]:
            for k in range(layer.k):
                m, n = (first, second) if order == "mnk" else (second, first)
                if not whole_a and held_a != (m, k // deep_a):
                    words, held_a = words + min(rows, layer.m - m) * deep_a, (m, k // deep_a)
                if not whole_b and held_b != (n, k // deep_b):
                    words, held_b = words + min(block, layer.n - n) * deep_b, (n, k // deep_b)
    return words


@settings(max_examples=150, deadline=None)
@given(*[st.integers(1, 9)] * 3, *[st.integers(8, 60)] * 3, st.sampled_from((1, 2)), st.sampled_from((1, 4)))
def test_tiling_finds_what_walking_all_tile_loops_finds(
    m: int, n: int, k: int, ifmap: int, filters: int, ofmap: int, word: int, output: int
) -> None:
    layer = Layer.gemm("p", m, n, k)
    prepared = prepare(Network("n", (layer,)))
    shape, blocks = prepared.shapes[0], prepared.blocks[0]
    found = least_traffic(blocks, int(shape[6]), k, 1.0, n, 1.0, word, output, ifmap, filters, ofmap)
    walked = literal_traffic(Layer("p", m, 1, 1, 1, k, n), (ifmap, filters, ofmap), word, output)
    assert found[0] + found[1] == walked


def test_a_tile_that_fits_nowhere_is_infinite_traffic() -> None:
    blocks = pixel_blocks(Network("n", (Layer("c", 8, 8, 3, 3, 4, 4),)).table[0], 1)
    assert np.isinf(least_traffic(blocks, len(blocks), 4, 9, 4, 1, 1, 1, 8, 100, 100)[0])  # nine words of one window
    assert np.isfinite(least_traffic(blocks, len(blocks), 4, 9, 4, 1, 1, 1, 9, 100, 100)[0])


def test_blocks_of_pixels_fetch_overlaps_and_leave_padding_out() -> None:
    blocks = pixel_blocks(Network("n", (Layer("c", 8, 8, 3, 3, 4, 4, pad_h=2, pad_w=2),)).table[0], 2)
    whole, image, half = blocks[:3]
    assert list(whole) == [2 * 64, 2 * 100, 1, 2 * 64] and list(image) == [64, 100, 2, 2 * 64]
    assert list(half) == [32, 6 * 10, 4, 2 * 10 * 8]  # rows 0..4 and 3..7 of the eight real ones


def test_a_batch_shares_weights_but_not_attention() -> None:
    design = {"rows": 32, "columns": 32, "dataflow": "ws", "precision_bits": 8, "clock_mhz": 700, "banks": 16}
    design |= {"ifmap_kb": 1024, "filter_kb": 1024, "ofmap_kb": 1024, "dram_type": "hbm2", "dram_channels": 1}
    shared, apart = Layer.gemm("w", 64, 512, 512), Layer.gemm("a", 64, 512, 512, activations=True)
    once = priced(Network("n", (shared,)), design)["dram_bytes"]
    four = priced(Network("n", (shared,)), design, batch=4)["dram_bytes"]
    assert four - once == 3 * (64 * 512 + 64 * 512)  # inputs and outputs, not weights
    assert priced(Network("n", (apart,)), design, batch=4)["dram_bytes"] == 4 * once


@pytest.mark.parametrize("dataflow", [0, 1, 2])
def test_slices_feed_the_rows_of_the_array(dataflow: int) -> None:
    assert least_channels(dataflow, 256, 9, 512) == (1 if dataflow == OS else 29)
    assert least_channels(dataflow, 256, 9, 4) == (1 if dataflow == OS else 4)
