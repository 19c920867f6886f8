"""Every storage has a price that follows from its class, depth, block size and banks, and is never less than measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from simulators.systolic import sram
from simulators.systolic.eyeriss import EyerissSystolic, space, storage

SIMULATOR = EyerissSystolic()
SPACE = SIMULATOR.space


def spad(kind: str, depth: int, block: int = 1) -> storage.Storage:
    return storage.scratchpad(np.array([kind]), np.array([depth]), np.array([block]))


def glb(kind: str, depth: int, banks: int, block: int = 4) -> storage.Storage:
    return storage.global_buffer(np.array([kind]), np.array([depth]), np.array([banks]), np.array([block]))


def area(**values: object) -> float:
    columns = {name: [value] for name, value in {**SPACE.describe(SPACE.default), **values}.items()}
    metrics = SIMULATOR.evaluate(SPACE.encode(columns))
    assert metrics.ok.all(), metrics.reasons
    return float(metrics["area_mm2"][0])


@pytest.mark.parametrize(
    ("kind", "depth", "pj", "um2"),
    [
        ("smartbuffer_SRAM", 12, 0.24, 379.68),
        ("smartbuffer_SRAM", 16, 0.25, 414.68),
        ("SRAM", 16, 0.20, 235.68),
        ("smartbuffer_RF", 192, 1.59, 3634.68),
        ("smartbuffer_RF", 512, 4.37, 10354.7),
    ],
)
def test_small_arrays_cost_what_accelergy_says(kind: str, depth: int, pj: float, um2: float) -> None:
    found = spad(kind, depth)
    assert found.read_pj[0] == pytest.approx(pj, rel=5e-3) and found.area_um2[0] == pytest.approx(um2, rel=1e-3)


def test_the_global_buffer_is_calibrated_on_accelergys() -> None:
    assert glb("smartbuffer_SRAM", 16384, 32).area_um2[0] == pytest.approx(1_162_549, rel=1e-3)


def test_larger_sram_is_cactis_with_the_calibration() -> None:
    found, (table,) = spad("SRAM", 4096), sram.banks([8.0], 16, 45)
    assert found.read_pj[0] == pytest.approx(2.7 * table[sram.READ_PJ])
    assert found.write_pj[0] == pytest.approx(2.7 * table[sram.WRITE_PJ])
    assert found.area_um2[0] == pytest.approx(2.69e6 * table[sram.AREA_MM2])


@pytest.mark.parametrize("kind", storage.CLASSES)
@pytest.mark.parametrize("block", space.BLOCKS)
def test_every_class_pays_for_its_depth(kind: str, block: int) -> None:
    """Loophole: ArchGym's estimator reads ``depth`` where the space sets ``memory_depth``, so any depth costs as one row."""
    depths = [depth for depth in space.DEPTHS if not storage.scratchpad_outside(np.array([kind]), np.array([depth]))[0]]
    found = [spad(kind, depth, block) for depth in depths]
    for small, large in itertools.pairwise(found):
        assert large.area_um2[0] > 1.3 * small.area_um2[0]
        assert large.read_pj[0] >= small.read_pj[0] and large.leak_mw[0] > small.leak_mw[0]


def test_a_psum_spad_of_16384_words_is_not_nearly_free() -> None:
    """Loophole: it cost 95.7 um2 and at most 0.144 pJ."""
    found = spad("SRAM", 16384)
    assert found.area_um2[0] > 100_000 and found.read_pj[0] > 2
    wide = {"SHARED_GLB_ATTRIBUTES_memory_depth": 65536}
    grown = area(**wide, PSUM_SPAD_CLASS="SRAM", PSUM_SPAD_ATRIBUTES_memory_depth=16384) - area(**wide)
    assert grown > 168 * 0.1


@pytest.mark.parametrize("kind", storage.CLASSES)
def test_the_dummy_buffer_pays_for_its_depth(kind: str) -> None:
    """Loophole: smart buffer classes ignored the dummy buffer's ``depth``."""
    sizes = [area(DUMMY_BUFFER_CLASS=kind, DUMMY_BUFFER_ATTRIBUTES_depth=depth) for depth in (16, 64, 256, 512)]
    assert sizes == sorted(sizes) and sizes[-1] - sizes[0] > 14 * 9_000e-6


def test_the_dummy_buffer_pays_for_its_block_and_leaks() -> None:
    assert area(DUMMY_BUFFER_ATTRIBUTES_block_size=4) - area() > 14 * 3 * 200e-6
    deep = {"DUMMY_BUFFER_ATTRIBUTES_depth": 65536}
    columns = {name: [value] for name, value in {**SPACE.describe(SPACE.default), **deep}.items()}
    leaky, plain = SIMULATOR.evaluate(SPACE.encode(columns)), SIMULATOR.evaluate(SPACE.default)
    assert leaky["standing_energy_pj"][0] > plain["standing_energy_pj"][0]
    assert leaky["cycles"][0] == plain["cycles"][0]


def test_every_storage_of_the_space_is_either_priced_or_invalid() -> None:
    """Loophole: an estimator that gives up must not hand out a price."""
    every = itertools.product(storage.CLASSES, space.DEPTHS, space.BLOCKS)
    classes, depth, block = map(np.array, zip(*every, strict=True))
    inside = storage.scratchpad_outside(classes, depth) == 0
    _check_priced(storage.scratchpad(classes, depth, block), inside)
    every_glb = itertools.product(storage.CLASSES, space.GLB_DEPTHS, space.BANKS, space.BLOCKS)
    classes, depth, banks, block = map(np.array, zip(*every_glb, strict=True))
    _check_priced(
        storage.global_buffer(classes, depth, banks, block), storage.global_buffer_outside(classes, depth, banks) == 0
    )


def _check_priced(found: storage.Storage, inside: np.ndarray) -> None:
    assert inside.any() and not inside.all()
    words = found.words
    for figure in (found.read_pj, found.write_pj, found.area_um2):
        assert (np.isfinite(figure) == inside).all()
    assert (found.area_um2[inside] > 10 * words[inside]).all()  # um2 per word: no array of either table is denser
    assert (found.read_pj[inside] >= 0.19).all() and (found.leak_mw[inside] > 0).all()


def test_a_wider_row_is_paid_for() -> None:
    one, four = spad("regfile", 64), spad("regfile", 64, 4)
    assert four.words[0] == 4 * one.words[0]
    assert four.area_um2[0] > 4 * one.area_um2[0] and four.read_pj[0] > 4 * one.read_pj[0]  # a latch for the row on top


def test_unused_bits_of_a_global_buffers_row_are_paid_for() -> None:
    one, four = glb("SRAM", 16384, 32, 1), glb("SRAM", 16384, 32, 4)
    assert one.area_um2[0] == four.area_um2[0] and one.read_pj[0] == four.read_pj[0]
    assert four.words[0] == 4 * one.words[0]


def test_more_banks_take_more_area() -> None:
    areas = [glb("SRAM", 16384, banks).area_um2[0] for banks in space.BANKS]
    assert areas[-1] > areas[0]


def test_address_generators_are_paid_for() -> None:
    smart, plain = spad("smartbuffer_RF", 256), spad("regfile", 256)
    assert smart.area_um2[0] - plain.area_um2[0] == pytest.approx(2 * 8 * 22.4)
    assert smart.read_pj[0] - plain.read_pj[0] == pytest.approx(8 * 0.0125)
    assert smart.smart[0] and not plain.smart[0]
