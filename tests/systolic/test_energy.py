"""Prices and energy over the whole space: positive, finite, nothing free, and what is outside the table says by how much."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulators.systolic import energy, sram, technology
from simulators.systolic.technology import DRAMS, FORMATS, INT8, INT16, value

Floats = NDArray[np.float64]
untimed = settings(deadline=None)  # the first example waits for the compiler


@dataclass(frozen=True)
class Design:
    rows: int = 32
    columns: int = 32
    ifmap_kb: float = 64
    filter_kb: float = 128
    ofmap_kb: float = 256
    banks: int = 4
    number_format: int = INT8
    clock_mhz: float = 700
    dram_type: int = 0
    node_nm: int = 28
    setting: str = "calibrated"

    def prices(self) -> Floats:
        out = np.full(energy.NUM_PRICES, np.nan)
        tables = technology.technology(self.node_nm, self.setting).tables
        shape = (self.rows, self.columns, self.ifmap_kb, self.filter_kb, self.ofmap_kb, self.banks)
        energy.prices(*shape, self.number_format, float(self.clock_mhz), self.dram_type, tables, out)
        return out


KILOBYTES = st.sampled_from([8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0])
SIDES = st.integers(1, 64).map(lambda quarter: 4 * quarter)
DESIGNS = st.builds(
    Design,
    rows=SIDES,
    columns=SIDES,
    ifmap_kb=KILOBYTES,
    filter_kb=KILOBYTES,
    ofmap_kb=KILOBYTES,
    banks=st.sampled_from([2, 4, 8, 16, 64]),
    number_format=st.sampled_from([INT8, INT16]),
    clock_mhz=st.floats(200, 1000),
    dram_type=st.integers(0, len(DRAMS) - 1),
    node_nm=st.sampled_from(technology.NODES),
    setting=st.sampled_from(technology.SETTINGS),
)
BUFFERS = ("ifmap_kb", "filter_kb", "ofmap_kb")
ACCESSES = (
    (energy.IFMAP_READS, energy.IFMAP_WRITES),
    (energy.FILTER_READS, energy.FILTER_WRITES),
    (energy.OFMAP_READS, energy.OFMAP_WRITES, energy.SUM_READS, energy.SUM_WRITES),
)


def bank_kb(design: Design) -> list[float]:
    return [getattr(design, buffer) / design.banks for buffer in BUFFERS]


def spent(counts: dict[int, float], price: Floats) -> tuple[float, Floats]:
    row, terms = np.zeros(energy.NUM_COUNTS), np.full(energy.NUM_TERMS, np.nan)
    for index, count in counts.items():
        row[index] = count
    return energy.energy(row, price, terms), terms


@untimed
@given(DESIGNS)
def test_everything_costs_something_and_nothing_costs_infinitely_much(design: Design) -> None:
    price = design.prices()
    if min(bank_kb(design)) < 1:
        assert price[energy.SIZE_VIOLATION] > 0
        return
    assert np.isfinite(price).all()
    free = {energy.SIZE_VIOLATION, energy.CLOCK_VIOLATION} | ({energy.CYCLES} if design.setting == "raw" else set())
    for index, figure in enumerate(price):
        assert figure > 0 or index in free
        assert figure >= 0
    assert price[energy.SIZE_VIOLATION] == 0


@untimed
@given(DESIGNS, st.sampled_from(range(3)), st.sampled_from([0.03, 0.25, 0.5, 2048.1, 4096.0, 65536.0]))
def test_a_bank_outside_the_table_is_flagged_by_its_doublings_and_has_no_price(design: Design, which: int, kb: float) -> None:
    sizes = dict.fromkeys(BUFFERS, 64.0 * design.banks)
    sizes[BUFFERS[which]] = kb * design.banks
    price = replace(design, **sizes).prices()
    assert price[energy.SIZE_VIOLATION] == pytest.approx(max(np.log2(1 / kb), np.log2(kb / 2048)))
    for buffer, indices in enumerate(ACCESSES):
        assert np.isnan(price[list(indices)]).all() == (buffer == which)
    assert np.isnan(price[[energy.LEAKS, energy.LEAKAGE_MW, energy.SRAM_MM2]]).all()
    assert np.isnan(energy.area(price))


def test_violations_of_several_buffers_add_up() -> None:
    design = Design(ifmap_kb=2, filter_kb=1, ofmap_kb=4096 * 4)
    assert design.prices()[energy.SIZE_VIOLATION] == 1 + 2 + 1


@pytest.mark.parametrize("node", technology.NODES)
@pytest.mark.parametrize("setting", technology.SETTINGS)
def test_a_word_pays_its_share_of_a_line_of_the_table(node: int, setting: str) -> None:
    factor = value(f"calibration.{setting}.sram_energy")
    for number_format, bits in ((INT8, 8), (INT16, 16)):
        price = Design(node_nm=node, setting=setting, number_format=number_format).prices()
        for kb, indices in zip((16, 32, 64), ACCESSES, strict=True):
            line = sram.banks(kb, 256, node)
            assert price[indices[0]] == pytest.approx(line[sram.READ_PJ] * factor * bits / 256)
            assert price[indices[1]] == pytest.approx(line[sram.WRITE_PJ] * factor * bits / 256)
        assert price[energy.SUM_READS] == pytest.approx(price[energy.OFMAP_READS] * 32 / bits)
        assert price[energy.SUM_WRITES] == pytest.approx(price[energy.OFMAP_WRITES] * 32 / bits)


def test_area_and_leakage_are_those_of_all_banks() -> None:
    price, banks = Design(setting="raw").prices(), sram.banks([16, 32, 64], 256, 28).sum(axis=0) * 4
    assert price[energy.SRAM_MM2] == pytest.approx(banks[sram.AREA_MM2])
    assert price[energy.LEAKAGE_MW] == pytest.approx(banks[sram.LEAK_MW])
    slowest = sram.banks(64, 256, 28)
    assert price[energy.ACCESS_NS] == slowest[sram.ACCESS_NS]
    assert price[energy.CYCLE_NS] == slowest[sram.CYCLE_NS]
    parts = price[energy.CELLS_MM2] + price[energy.SRAM_MM2]
    assert energy.area(price) == pytest.approx(parts * 1.033)


def test_leakage_over_a_second_is_its_power() -> None:
    price = Design(clock_mhz=500).prices()
    total, _ = spent({energy.LEAKS: 500e6}, price)
    assert total * 1e-12 == pytest.approx(price[energy.LEAKAGE_MW] * 1e-3)


def test_dram_words_per_cycle_are_bandwidth() -> None:
    for dram_type, name in enumerate(DRAMS):
        price = Design(dram_type=dram_type, number_format=INT16, clock_mhz=800).prices()
        assert price[energy.DRAM_WORDS_PER_CYCLE] * 2 * 800e6 == pytest.approx(value(f"dram.{name}.bandwidth") * 1e9)
        assert price[energy.DRAM_WORDS] == pytest.approx(value(f"dram.{name}.energy") * 16)
        assert price[energy.DRAM_SUMS] == pytest.approx(value(f"dram.{name}.energy") * 32)


def test_a_clock_faster_than_the_slowest_bank_is_flagged() -> None:
    slow = Design(ifmap_kb=2048, banks=2, clock_mhz=500)  # 1 MB x 256 bits at 28 nm: 1.878 ns
    assert slow.prices()[energy.CLOCK_VIOLATION] == 0
    assert replace(slow, clock_mhz=1000).prices()[energy.CLOCK_VIOLATION] == pytest.approx(0.87821)


@untimed
@given(DESIGNS)
def test_more_of_anything_is_never_smaller(design: Design) -> None:
    small = design.prices()
    if np.isnan(small).any():
        return
    larger = [replace(design, rows=design.rows + 4), replace(design, columns=design.columns * 2)]
    larger += [replace(design, **{name: getattr(design, name) * 2}) for name in BUFFERS]
    for other in larger:
        price = other.prices()
        for index in (energy.CELLS_MM2, energy.SRAM_MM2, energy.LEAKAGE_MW, energy.CYCLES, energy.ACCESS_NS):
            assert not price[index] < small[index] * (1 - 1e-12)
        assert not energy.area(price) < energy.area(small) * (1 - 1e-12)


@untimed
@given(DESIGNS)
def test_wider_words_and_older_nodes_never_cost_less(design: Design) -> None:
    narrow, wide = (replace(design, number_format=number_format).prices() for number_format in (INT8, INT16))
    dynamic = slice(energy.MACS, energy.CYCLES)
    if not np.isnan(narrow).any():
        shared = [energy.SUM_REGISTERS, energy.SUM_HOPS, energy.SUM_READS, energy.SUM_WRITES, energy.DRAM_SUMS]
        np.testing.assert_allclose(wide[shared], narrow[shared], rtol=1e-12)
        assert (wide[dynamic] >= narrow[dynamic] * (1 - 1e-12)).all()
        assert energy.area(wide) > energy.area(narrow)
        nodes = [replace(design, node_nm=node, setting="calibrated").prices() for node in technology.NODES]
        for older, newer in itertools.pairwise(nodes):
            assert (newer[: energy.NUM_COUNTS] <= older[: energy.NUM_COUNTS]).all()
            assert energy.area(newer) < energy.area(older)


def test_every_format_and_memory_has_a_price() -> None:
    for number_format, dram_type in itertools.product(range(len(FORMATS)), range(len(DRAMS))):
        assert np.isfinite(Design(number_format=number_format, dram_type=dram_type).prices()).all()


@untimed
@given(DESIGNS, st.lists(st.integers(0, 10**9), min_size=energy.NUM_COUNTS, max_size=energy.NUM_COUNTS))
def test_energy_is_the_sum_of_counts_times_prices(design: Design, counts: list[int]) -> None:
    price = design.prices()
    if np.isnan(price).any():
        return
    total, terms = spent(dict(enumerate(counts)), price)
    assert total == pytest.approx(float(np.dot(counts, price[: energy.NUM_COUNTS])), rel=1e-12)
    assert total == pytest.approx(terms.sum(), rel=1e-12)


@pytest.mark.parametrize("event", range(energy.NUM_COUNTS), ids=energy.COUNTS)
def test_each_event_belongs_to_its_term(event: int) -> None:
    expected = {
        "macs": "mac",
        "operand_registers": "registers",
        "sum_registers": "registers",
        "dram_words": "dram",
        "dram_sums": "dram",
        "cycles": "standing",
        "leaks": "leakage",
    }
    name = energy.COUNTS[event]
    term = expected.get(name, "noc" if name.endswith(("_links", "_hops")) else "sram")
    price = Design().prices()
    total, terms = spent({event: 3}, price)
    assert total == terms[energy.TERMS.index(term)] == 3 * price[event] > 0


def test_idle_cells_cost_energy_once_calibrated_and_leakage_always() -> None:
    for setting in technology.SETTINGS:
        small, large = (Design(setting=setting, rows=rows).prices() for rows in (16, 256))
        run = {energy.CYCLES: 1000.0, energy.LEAKS: 1000.0}
        (little, _), (much, terms) = spent(run, small), spent(run, large)
        assert terms[energy.TERMS.index("leakage")] > 0
        assert (much > little) == (setting == "calibrated")


def test_names_stand_at_their_indices() -> None:
    for names, start in ((energy.COUNTS, 0), (energy.FIGURES, energy.NUM_COUNTS)):
        for index, name in enumerate(names, start=start):
            assert getattr(energy, name.upper()) == index
    assert energy.TERM_STARTS[-1] == energy.NUM_COUNTS
    assert len(energy.TERM_STARTS) == energy.NUM_TERMS + 1
