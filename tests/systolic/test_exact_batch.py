"""Batches: the same figures as one by one, profiles that are built once and stay within their limit."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numba import get_num_threads, set_num_threads

from archgym.errors import DesignError, WorkloadError
from simulators.systolic import layers
from simulators.systolic.exact import batch, closed, layout, placing, profiles, single
from simulators.systolic.exact.lowering import folds, shape
from simulators.systolic.exact.profiles import Profiles
from simulators.systolic.layers import Layer, Network

NETWORK = Network(
    "small",
    (
        Layer("c1", 18, 17, 3, 3, 6, 20, count=2),
        Layer("c2", 12, 12, 3, 3, 8, 8, 2, 2, groups=8),
        Layer("c3", 13, 13, 1, 1, 24, 16, 2, 2),
        Layer.gemm("fc", 3, 40, 500),
    ),
)
TABLE = NETWORK.table


def designs(count: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed).choice
    arrays, kilobytes, widths = (2, 4, 8, 16), (1, 2, 4), (1, 2, 4, 8, 32)
    columns: dict[str, Any] = {"rows": draw(arrays, count), "columns": draw(arrays, count), "dataflow": draw(3, count)}
    columns |= {name: draw(kilobytes, count) for name in ("ifmap_kb", "filter_kb", "ofmap_kb")}
    columns |= {name: draw(widths, count) for name in ("bw_ifmap", "bw_filter", "bw_ofmap")}
    return batch.pack(**columns, user=draw(2, count))


def one_by_one(packed: np.ndarray) -> np.ndarray:
    """Figures of each design and layer, (N, L, ``layout.FIGURES``)."""
    return np.array([[single.report(layer, design)[: len(layout.FIGURES)] for layer in TABLE] for design in packed])


def test_sums_over_layers_and_repeats() -> None:
    packed = designs(60)
    expected = (one_by_one(packed) * TABLE[:, layers.REPEATS, None]).sum(axis=1)
    found = batch.evaluate(TABLE, packed, Profiles())
    for place, name in enumerate(layout.FIGURES):
        np.testing.assert_array_equal(found[name], expected[:, place], err_msg=name)
    elements = packed[:, layout.ROWS] * packed[:, layout.COLUMNS]
    np.testing.assert_allclose(found["overall_util"], 100 * found["macs"] / (found["total_cycles"] * elements))


def test_each_layer() -> None:
    packed = designs(30, seed=1)
    expected, found = one_by_one(packed), batch.per_layer(TABLE, packed, Profiles())
    for place, name in enumerate(layout.FIGURES):
        np.testing.assert_array_equal(found[name], expected[:, :, place], err_msg=name)
    assert found["mapping_eff"].shape == (30, len(TABLE)) and (found["mapping_eff"] <= 100).all()


def test_closed_forms_are_exact_without_stalls() -> None:
    packed = designs(200, seed=2)
    packed[:, layout.USER] = 0
    found, exact = batch.closed(TABLE, packed), batch.evaluate(TABLE, packed, Profiles())
    for name in (
        *layout.FIGURES[layout.SRAM_IFMAP : layout.DRAM_IFMAP],
        "compute_cycles",
        "total_cycles",
        "dram_filter_n",
        "macs",
    ):
        np.testing.assert_array_equal(found[name], exact[name], err_msg=name)
    for name in ("overall_util", "mapping_eff", "compute_util"):
        np.testing.assert_allclose(found[name], exact[name])
    assert "total_cycles_incl_prefetch" not in found and (found["dram_ofmap_n"] <= exact["dram_ofmap_n"]).all()
    known = [[closed.ifmap_reads(of, cut(of, d), d[layout.IFMAP_KB]) >= 0 for of in map(shape, TABLE)] for d in packed]
    complete = np.all(known, axis=1)
    assert 0 < complete.sum() < len(packed)
    np.testing.assert_array_equal(found["dram_ifmap_n"][complete], exact["dram_ifmap_n"][complete])


def cut(of: Any, design: np.ndarray) -> Any:
    return folds(of, design[layout.DATAFLOW], design[layout.ROWS], design[layout.COLUMNS])


def test_the_order_of_designs_and_the_number_of_threads_do_not_matter() -> None:
    packed, store = designs(40, seed=3), Profiles()
    expected = batch.evaluate(TABLE, packed, store)
    order = np.random.default_rng(0).permutation(40)
    threads = get_num_threads()
    set_num_threads(1)
    try:
        found = batch.evaluate(TABLE, packed[order], store)
    finally:
        set_num_threads(threads)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name][order])


def test_no_designs_and_one() -> None:
    packed = designs(1)
    assert all(len(column) == 0 for column in batch.evaluate(TABLE, packed[:0], Profiles()).values())
    assert all(column.shape == (1,) for column in batch.evaluate(TABLE, packed, Profiles()).values())


def test_what_is_wanted_twice_is_built_once() -> None:
    packed, store = np.repeat(designs(5), 20, axis=0), Profiles()
    batch.evaluate(TABLE, packed, store)
    combinations = {
        (is_ifmap, *design[[layout.DATAFLOW, layout.ROWS, layout.COLUMNS, kb, layout.USER]].tolist())
        for design in packed
        for is_ifmap, kb in ((True, layout.IFMAP_KB), (False, layout.FILTER_KB))
    }
    assert 0 < store.built <= len(combinations) * len(TABLE) and len(store) == store.built
    built = store.built
    packed[:, [layout.BW_IFMAP, layout.BW_FILTER, layout.BW_OFMAP, layout.OFMAP_KB]] = 7  # misses do not depend on these
    batch.evaluate(TABLE, packed, store)
    assert store.built == built


def test_the_limit_of_profiles_holds_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "MOST_AT_ONCE", 16)
    packed, roomy, tight = designs(80, seed=4), Profiles(), Profiles(limit_bytes=150_000)
    packed[:, layout.USER] = 1
    expected, held = batch.evaluate(TABLE, packed, roomy), []
    add = Profiles.add

    def noted(self: Profiles, *arguments: Any) -> None:
        add(self, *arguments)
        held.append(self.held_bytes)

    monkeypatch.setattr(Profiles, "add", noted)
    found = batch.evaluate(TABLE, packed, tight)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])
    largest = max(batch_bytes(packed[i : i + 1]) for i in range(80))
    assert max(held) <= max(150_000, 2 * largest) < roomy.held_bytes and tight.built > roomy.built
    tight.clear()
    assert len(tight) == 0 and tight.held_bytes == 0


def batch_bytes(packed: np.ndarray) -> int:
    store = Profiles()
    batch.evaluate(TABLE, packed, store)
    return store.held_bytes


def test_profiles_pickle_empty_and_serve_threads() -> None:
    packed, store = designs(24, seed=5), Profiles(limit_bytes=1 << 20)
    expected = batch.evaluate(TABLE, packed, store)["total_cycles"]
    again = pickle.loads(pickle.dumps(store))
    assert len(again) == 0 < len(store) and again.limit_bytes == 1 << 20
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda part: batch.evaluate(TABLE, part, again), np.split(packed, 8)):
            assert np.isin(found["total_cycles"], expected).all()
    np.testing.assert_array_equal(batch.evaluate(TABLE, packed, again)["total_cycles"], expected)


def test_a_forked_process_runs_too() -> None:
    packed = designs(20, seed=6)
    expected = batch.evaluate(TABLE, packed, Profiles())["total_cycles"]  # starts the thread pool, which no fork survives
    with multiprocessing.get_context("fork").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(_cycles, (packed,)), expected)


def _cycles(packed: np.ndarray) -> np.ndarray:
    return batch.evaluate(TABLE, packed, Profiles())["total_cycles"]


def test_the_profile_for_calc_is_the_reads() -> None:
    sizes = profiles.sizes_of(TABLE[0])
    lines, counts, reads = profiles.profile((sizes, True, (0, 4, 4, 1, 0)))
    of = shape(TABLE[0])
    assert len(lines) == len(counts) == 0 and reads > of.height * of.width * of.channels


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": 0}, "rows must be from 1"),
        ({"user": 2}, "user must be from 0 to 1"),
        ({"dataflow": "rs"}, "dataflow must be one of os, ws, is, got rs"),
        ({"ofmap_kb": 1.5}, "whole numbers, got 1.5"),
        ({"depth": 1}, "a design has the columns"),
    ],
)
def test_wrong_designs_are_refused(changes: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {**dict.fromkeys(layout.DESIGN, 1), "dataflow": ["os", "ws"]}
    assert batch.pack(**columns).shape == (2, len(layout.DESIGN))
    with pytest.raises(DesignError, match=message):
        batch.pack(**{**columns, **changes})


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(DesignError, match=r"shape \(N, 10\)"):
        batch.evaluate(TABLE, np.ones((2, 9)), Profiles())
    for function in (batch.evaluate, batch.per_layer):
        with pytest.raises(WorkloadError, match="one stride"):
            function(Network("n", (Layer("l", 5, 5, 3, 3, 1, 1, 1, 2),)).table, designs(1), Profiles())
