"""The mapper finds the best of all mappings it enumerates, and more hardware never makes it find a worse one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from simulators.systolic.eyeriss import mapping, row_stationary, shapes
from simulators.systolic.eyeriss import slots as at
from simulators.systolic.layers import Layer, Network

Found = tuple[float, float]

GROWING = {
    "mesh_x": [2, 7, 14],
    "mesh_y": [2, 7, 12, 24],
    "ifmap_words": [4, 12, 64],
    "psum_words": [1, 2, 16, 256],
    "weights_words": [4, 16, 256],
    "glb_words": [64, 512, 4096],
    "glb_read_rate": [2, 16],
    "glb_write_rate": [2, 16],
    "glb_row_rate": [4, 16],
    "dram_rate": [2, 64],
}
"""Values of what more of is better."""
SHRINKING = {
    "ifmap_wait": [0, 0.5],
    "psum_wait": [0, 1],
    "weights_wait": [0, 0.5],
    "ifmap_shared": [0, 1],
    "psum_shared": [0, 1],
    "weights_shared": [0, 1],
    "glb_plain": [0, 1],
}
"""Values of what less of is better."""
BLOCKS = {"ifmap_block": [1, 2, 4], "psum_block": [1, 2, 4], "weights_block": [1, 2, 4], "glb_block": [1, 4]}


@st.composite
def layers(draw: st.DrawFn) -> shapes.Layer:
    taps = draw(st.integers(1, 3))
    size, stride = draw(st.integers(taps, 10)), draw(st.integers(1, 2))
    layer = Layer("x", size, size, taps, taps, draw(st.integers(1, 30)), draw(st.integers(1, 30)), stride, stride)
    return shapes.Layer(*(table[0] for table in shapes.make_layers([Network("one", (layer,))])))


@st.composite
def hardware(draw: st.DrawFn) -> np.ndarray:
    values = {**GROWING, **SHRINKING, **BLOCKS}
    return np.array([draw(st.sampled_from(values[name])) for name in at.HARDWARE], np.float64)


PRICES = st.lists(st.floats(0.1, 5), min_size=at.NUM_PRICES, max_size=at.NUM_PRICES).map(np.array)


def find(design: np.ndarray, prices: np.ndarray, layer: shapes.Layer) -> tuple[np.ndarray, np.ndarray]:
    factors, counts = np.empty(len(at.FACTORS)), np.empty(at.NUM_COUNTS)
    row_stationary.find(design, prices, layer, np.empty((layer.choices, row_stationary.NUM_COLUMNS)), factors, counts)
    return factors, counts


def worth(counts: np.ndarray, prices: np.ndarray) -> Found:
    return counts[at.CYCLES], float(counts[: at.CYCLES] @ prices[: at.CYCLES])


def enumerate_all(design: np.ndarray, prices: np.ndarray, layer: shapes.Layer) -> list[Found]:
    """Cycles and pJ of every mapping, without any bound."""
    job, counts, found = np.empty(at.NUM_SLOTS), np.empty(at.NUM_COUNTS), []
    job[: at.PRICE], job[at.PRICE : at.SHAPE], job[at.SHAPE : at.MAPPING] = design, prices, layer.shape
    held = dict(zip(at.HARDWARE, design, strict=True))
    filters, channels, taps_h, taps_w, out_h = layer.shape[:5]
    lists = [table[table[:, 0] > 0, 0] for table in (layer.filter_rows, layer.out_rows, layer.channels, layer.filter_sets)]
    for rows, strip, chain, sets in itertools.product(*lists):
        if rows * chain > held["mesh_y"] or strip * sets > held["mesh_x"] * (held["mesh_y"] // (rows * chain)):
            continue
        for q, p, size in itertools.product(
            cuts(np.ceil(channels / chain)), cuts(np.ceil(filters / sets)), cuts(np.ceil(out_h / strip))
        ):
            fits = q * taps_w <= held["ifmap_words"] and p <= held["psum_words"] and p * q * taps_w <= held["weights_words"]
            tile, passes = min(size * strip, out_h), np.ceil(np.ceil(filters / sets) / p)
            for keeps in (0.0, 1.0) if fits else ():
                of = (channels, taps_h) if keeps else (q * chain, rows)
                inputs, psums = mapping.tile_words(job, of[0], p * sets, tile, of[1])
                if inputs + psums <= held["glb_words"]:
                    resident = 1 if keeps else min((held["glb_words"] - inputs) // psums, passes)
                    job[at.MAPPING : at.FOLDS] = rows, strip, chain, sets, p, q, tile, resident, keeps
                    mapping.count(job, counts)
                    found.append(worth(counts, prices))
    return found


def cuts(whole: float) -> list[float]:
    return sorted(set(np.ceil(whole / shapes.SPLITS)))


@settings(deadline=None, max_examples=40)
@given(hardware(), PRICES, layers())
def test_it_finds_the_best_of_all_that_it_enumerates(design: np.ndarray, prices: np.ndarray, layer: shapes.Layer) -> None:
    every = enumerate_all(design, prices, layer)
    assert bool(every) == (row_stationary.shortage(design, layer.shape) == 0)
    if every:
        cycles, pj = worth(find(design, prices, layer)[1], prices)
        best = min(every)
        assert cycles == best[0] and pj == pytest.approx(best[1], rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(hardware(), PRICES, layers())
def test_what_it_finds_fits_and_costs_what_its_counts_say(design: np.ndarray, prices: np.ndarray, layer: shapes.Layer) -> None:
    assume(row_stationary.shortage(design, layer.shape) == 0)
    factors, counts = find(design, prices, layer)
    rows, strip, chain, sets, p, q, tile, resident, keeps = factors
    held = dict(zip(at.HARDWARE, design, strict=True))
    assert rows * chain <= held["mesh_y"] and strip * sets <= held["mesh_x"] * (held["mesh_y"] // (rows * chain))
    taps = layer.shape[at.TAPS_W - at.SHAPE]
    assert q * taps <= held["ifmap_words"] and p * q * taps <= held["weights_words"] and p <= held["psum_words"]
    job, again = np.empty(at.NUM_SLOTS), np.empty(at.NUM_COUNTS)
    job[: at.PRICE], job[at.SHAPE : at.MAPPING], job[at.MAPPING : at.FOLDS] = design, layer.shape, factors
    of = (layer.shape[1], layer.shape[2]) if keeps else (q * chain, rows)
    inputs, psums = mapping.tile_words(job, of[0], p * sets, tile, of[1])
    assert inputs + resident * psums <= held["glb_words"]
    mapping.count(job, again)
    assert np.array_equal(counts, again) and (counts[: at.CYCLES] > 0).all() and np.isfinite(counts).all()
    assert counts[at.MACS] == layer.shape[:6].prod()


@settings(deadline=None, max_examples=150)
@given(hardware(), PRICES, layers(), st.sampled_from([*GROWING, *SHRINKING]))
def test_more_of_anything_is_never_worse(design: np.ndarray, prices: np.ndarray, layer: shapes.Layer, resource: str) -> None:
    """Sizes to choose from do not depend on the hardware, so that more hardware only adds mappings."""
    slot = at.HARDWARE.index(resource)
    design[slot] = GROWING[resource][0] if resource in GROWING else SHRINKING[resource][-1]
    assume(row_stationary.shortage(design, layer.shape) == 0)
    less = worth(find(design, prices, layer)[1], prices)
    design[slot] = GROWING[resource][-1] if resource in GROWING else SHRINKING[resource][0]
    more = worth(find(design, prices, layer)[1], prices)
    assert more[0] <= less[0]
    if more[0] == less[0] and "mesh" not in resource:  # in a larger array words travel further
        assert more[1] <= less[1] * (1 + 1e-9)


@settings(deadline=None, max_examples=60)
@given(hardware(), layers())
def test_a_larger_buffer_never_fetches_more_unless_that_saves_cycles(design: np.ndarray, layer: shapes.Layer) -> None:
    prices, glb = np.zeros(at.NUM_PRICES), at.HARDWARE.index("glb_words")
    prices[at.DRAM_WORDS] = 1.0
    found = []
    for words in (512, 1024, 4096, 65536):
        design[glb] = words
        if row_stationary.shortage(design, layer.shape) == 0:
            counts = find(design, prices, layer)[1]
            found.append((counts[at.CYCLES], counts[at.DRAM_WORDS]))
    assert found == sorted(found, reverse=True)


def test_a_buffer_of_enough_size_fetches_everything_once() -> None:
    network = Network("one", (Layer("x", 15, 15, 3, 3, 64, 64),))
    layer = shapes.Layer(*(table[0] for table in shapes.make_layers([network])))
    design = np.array([{**GROWING, **BLOCKS}.get(name, [0])[-1] for name in at.HARDWARE], np.float64)
    design[at.HARDWARE.index("glb_words")] = 2**20
    counts = find(design, np.ones(at.NUM_PRICES), layer)[1]
    assert counts[at.IFMAP_DRAM] == 64 * 15 * 15 and counts[at.WEIGHTS_DRAM] == 64 * 64 * 9
    assert counts[at.OFMAP_DRAM] == 64 * 13 * 13
