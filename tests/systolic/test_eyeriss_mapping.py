"""Counts of a mapping equal those of a literal replay of its loops, and layers become the shapes they should."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.systolic.eyeriss import EyerissSystolic, mapping, shapes
from simulators.systolic.eyeriss import slots as at
from simulators.systolic.layers import Layer, Network

Job = np.ndarray


def chunks(stop: int, size: int, start: int = 0) -> Iterator[range]:
    for first in range(start, stop, size):
        yield range(first, min(first + size, stop))


@st.composite
def jobs(draw: st.DrawFn) -> Job:
    """A small layer on an array under some mapping, with blocks of one word and a buffer that holds every tile."""
    job = np.ones(at.NUM_SLOTS)
    job[[at.IFMAP_SHARED, at.WEIGHTS_SHARED, at.PSUM_SHARED, at.GLB_PLAIN]] = 0
    job[[at.IFMAP_WAIT, at.WEIGHTS_WAIT, at.PSUM_WAIT]] = 0

    def put(slot: int, high: int) -> int:
        job[slot] = draw(st.integers(1, high))
        return int(job[slot])

    filters, channels, taps, height = put(at.FILTERS, 7), put(at.CHANNELS, 6), put(at.TAPS_H, 3), put(at.OUT_H, 7)
    width, columns, stride = put(at.OUT_W, 3), put(at.TAPS_W, 3), put(at.STRIDE, 2)
    job[at.WIDTH] = (width - 1) * stride + columns
    job[at.FILTER_ROWS] = draw(st.sampled_from([-(-taps // folds) for folds in range(1, taps + 1)]))
    strip, sets, chain = put(at.OUT_ROWS, height), put(at.FILTER_SETS, filters), put(at.CHAIN_CHANNELS, channels)
    put(at.PE_FILTERS, -(-filters // sets))
    put(at.PE_CHANNELS, -(-channels // chain))
    job[at.TILE_ROWS] = min(height, strip * draw(st.integers(1, -(-height // strip))))
    put(at.RESIDENT_PASSES, 3)
    job[at.KEEPS_INPUTS] = draw(st.integers(0, 1))
    return job


class Replay:
    """Runs the loops of a mapping one by one, and writes down what happens."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.done: set[tuple[int, int, int, int]] = set()
        self.words = dict.fromkeys(
            ("ifmap_dram", "weights_dram", "sent", "taken", "loaded", "psums", "back", "busy", "macs"), 0
        )
        self.run()

    def run(self) -> None:
        """All tiles, groups of resident passes, passes over filters, folds and turns of channels."""
        job, words = self.job, self.words
        height, taps = int(job[at.OUT_H]), int(job[at.TAPS_H])
        per_set = -(-int(job[at.FILTERS]) // int(job[at.FILTER_SETS]))
        per_place = -(-int(job[at.CHANNELS]) // int(job[at.CHAIN_CHANNELS]))
        sets = list(chunks(int(job[at.FILTERS]), per_set))
        places = list(chunks(int(job[at.CHANNELS]), per_place))
        passes = list(chunks(per_set, int(job[at.PE_FILTERS])))
        sums = [
            (fold, turn)
            for fold in chunks(taps, int(job[at.FILTER_ROWS]))
            for turn in chunks(per_place, int(job[at.PE_CHANNELS]))
        ]
        for tile in chunks(height, int(job[at.TILE_ROWS])):
            if job[at.KEEPS_INPUTS]:
                words["ifmap_dram"] += len(self.rows(tile, range(taps))) * int(job[at.CHANNELS] * job[at.WIDTH])
            for group in chunks(len(passes), int(job[at.RESIDENT_PASSES])):
                for fold, turn in sums:
                    fetched = sum(len(place[turn.start : turn.stop]) for place in places)
                    if not job[at.KEEPS_INPUTS]:
                        words["ifmap_dram"] += len(self.rows(tile, fold)) * fetched * int(job[at.WIDTH])
                for number in group:
                    filters = [each[passes[number].start : passes[number].stop] for each in sets]
                    for position, (fold, turn) in enumerate(sums):
                        self.one_pass(tile, filters, fold, [place[turn.start : turn.stop] for place in places], position == 0)

    def one_pass(self, tile: range, filters: list[range], fold: range, channels: list[range], first: bool) -> None:
        """Filters of each set and channels of each place in a chain, against a tile."""
        job, words = self.job, self.words
        all_filters, all_channels = sum(map(len, filters)), sum(map(len, channels))
        weights = all_filters * all_channels * len(fold) * int(job[at.TAPS_W])
        words["weights_dram"] += weights
        words["loaded"] += weights * min(len(tile), int(job[at.OUT_ROWS]))
        psums = all_filters * len(tile) * int(job[at.OUT_W])
        words["back"] += psums
        words["psums"] += 0 if first else psums
        for strip in chunks(tile.stop, int(job[at.OUT_ROWS]), tile.start):
            words["sent"] += len(self.rows(strip, fold)) * all_channels * int(job[at.WIDTH])
            words["busy"] += len(filters[0]) * len(channels[0]) * int(job[at.TAPS_W] * job[at.OUT_W])
            for some, held in ((some, held) for some in filters for held in channels if some and held):
                words["taken"] += len(strip) * len(fold) * len(held) * int(job[at.WIDTH])
                for each in ((m, c, r, e) for m in some for c in held for r in fold for e in strip):
                    assert each not in self.done
                    self.done.add(each)

    def rows(self, out_rows: range, fold: range) -> set[int]:
        """Input rows that some output rows read through some rows of a filter."""
        return {out_row * int(self.job[at.STRIDE]) + row for out_row in out_rows for row in fold}


@settings(deadline=None, max_examples=200)
@given(jobs())
def test_counts_equal_a_replay_of_the_loops(job: Job) -> None:
    counts, replay = np.empty(at.NUM_COUNTS), Replay(job)
    mapping.count(job, counts)
    words = replay.words
    shape = job[at.SHAPE : at.MAPPING]
    assert len(replay.done) * shape[3] * shape[5] == counts[at.MACS] == shape[:6].prod()  # each once, none left out
    assert counts[at.IFMAP_DRAM] == words["ifmap_dram"] and counts[at.WEIGHTS_DRAM] == words["weights_dram"]
    assert counts[at.OFMAP_DRAM] == shape[0] * shape[4] * shape[5]
    assert counts[at.IFMAP_WRITES] == words["taken"] and counts[at.WEIGHTS_WRITES] == words["loaded"]
    assert counts[at.GLB_READS] == words["sent"] + words["psums"] + counts[at.OFMAP_DRAM]
    assert counts[at.GLB_WRITES] == words["back"] + words["ifmap_dram"]
    assert counts[at.PE_CYCLES] == words["busy"]
    assert counts[at.NETWORK_CYCLES] == words["sent"] + words["psums"] + words["weights_dram"]
    moved = words["ifmap_dram"] + words["weights_dram"] + counts[at.OFMAP_DRAM]
    assert counts[at.DRAM_WORDS] == counts[at.DRAM_CYCLES] == moved


@given(jobs())
def test_an_array_does_no_more_than_its_pes_can(job: Job) -> None:
    counts = np.empty(at.NUM_COUNTS)
    mapping.count(job, counts)
    pes = job[at.FILTER_ROWS] * job[at.CHAIN_CHANNELS] * job[at.OUT_ROWS] * job[at.FILTER_SETS]
    assert counts[at.PE_CYCLES] * pes >= counts[at.MACS] and counts[at.CYCLES] >= counts[at.PE_CYCLES]


@given(jobs(), st.sampled_from([at.IFMAP_WAIT, at.PSUM_WAIT, at.WEIGHTS_WAIT, at.GLB_PLAIN]))
def test_a_plain_storage_takes_longer_than_a_smart_one(job: Job, slot: int) -> None:
    smart, plain = np.empty(at.NUM_COUNTS), np.empty(at.NUM_COUNTS)
    mapping.count(job, smart)
    job[slot] = 1
    mapping.count(job, plain)
    assert plain[at.CYCLES] >= smart[at.CYCLES] and plain[at.WAIT_CYCLES] > smart[at.WAIT_CYCLES] == 0


def test_partial_sums_at_a_single_port_halve_the_rate_unless_a_row_has_several() -> None:
    job, counts = np.ones(at.NUM_SLOTS), np.empty(at.NUM_COUNTS)
    job[[at.IFMAP_SHARED, at.WEIGHTS_SHARED, at.GLB_PLAIN, at.IFMAP_WAIT, at.PSUM_WAIT, at.WEIGHTS_WAIT]] = 0
    job[[at.FILTERS, at.PE_FILTERS]] = 8
    cycles = []
    for block in (1, 2, 4):
        job[at.PSUM_BLOCK] = block
        mapping.count(job, counts)
        cycles.append(counts[at.PE_CYCLES])
    assert cycles == [16, 8, 8]


def shape_of(layer: Layer) -> list[int]:
    return shapes.make_layers([Network("one", (layer,))]).shape[0].astype(int).tolist()


def test_layers_without_windows_become_single_pixels() -> None:
    assert shape_of(Layer.gemm("product", 5, 7, 11)) == [7, 11, 1, 1, 5, 1, 1, 1, 1]
    assert shape_of(Layer("pointwise", 8, 8, 1, 1, 3, 4, 2, 2)) == [4, 3, 1, 1, 16, 1, 1, 1, 1]
    assert shape_of(Layer("strided", 7, 9, 3, 3, 2, 4, 2, 2)) == [4, 2, 3, 3, 3, 4, 2, 1, 9]
    assert shape_of(Layer("sparse", 9, 10, 3, 3, 2, 4, 4, 4)) == [4, 2, 3, 3, 2, 2, 4, 1, 6]  # columns between are not read
    assert shape_of(Layer("depthwise", 6, 6, 3, 3, 8, 8, groups=8)) == [1, 1, 3, 3, 4, 4, 1, 1, 6]


@pytest.mark.parametrize("workload", ["alexnet", "mobilenet-v2", "bert-base-128"])
def test_no_multiply_accumulate_is_lost(workload: str) -> None:
    simulator = EyerissSystolic(workload)
    assert shapes.macs(simulator.layers) == sum(network.macs for network in simulator.networks)


@given(st.integers(1, 5000))
def test_sizes_cut_into_as_many_parts_as_they_say(whole: int) -> None:
    layers = shapes.make_layers([Network("one", (Layer("x", whole, 1, 1, 1, 1, 1),))])
    table = layers.out_rows[0]
    sizes, parts = table[table[:, 0] > 0].T
    assert sizes[0] == 1 and (np.diff(sizes) > 0).all() and (np.diff(parts) < 0).all()
    assert (parts == np.ceil(whole / sizes)).all() and (table[-1] == 0).all()
