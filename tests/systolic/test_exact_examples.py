"""Worked examples, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulators.systolic import reference


def figures(**row: Any) -> dict[str, float]:
    found = reference.predict({name: [value] for name, value in row.items()})
    assert not {name for name in found if found[name].shape != (1,)}
    return {name: column[0] for name, column in found.items()}


def design(rows: int, columns: int, dataflow: str, kb: int, mode: str, width: int) -> dict[str, Any]:
    sizes = {"array_h": rows, "array_w": columns, "dataflow": dataflow, "bw_mode": mode}
    return {**sizes, **dict.fromkeys(reference.KILOBYTES, kb), **dict.fromkeys(reference.BANDWIDTHS, width)}


def gemm(m: int, n: int, k: int) -> dict[str, int]:
    return {"ifmap_h": m, "ifmap_w": k, "filter_h": 1, "filter_w": k, "channels": 1, "num_filters": n, "stride": 1}


CONVOLUTION = {"ifmap_h": 16, "ifmap_w": 16, "filter_h": 3, "filter_w": 3, "channels": 16, "num_filters": 32, "stride": 1}


def test_a_product_that_fits() -> None:
    """16 folds of 8 + 8 + 32 - 2 cycles; nothing drains before the end, then 128 lines of 8 words do."""
    found = figures(**gemm(32, 32, 32), **design(8, 8, "os", 8, "CALC", 1))
    assert (found["compute_cycles"], found["total_cycles"], found["stall_cycles"]) == (736, 735, 0)
    assert found["overall_util"] == pytest.approx(100 * 32768 / (735 * 64)) and found["mapping_eff"] == 100
    assert found["compute_util"] == pytest.approx(100 * 32 / 46)
    assert (found["sram_ifmap_n"], found["sram_filter_n"], found["sram_ofmap_n"]) == (4096, 4096, 1024 + 16 * 16)
    assert (found["dram_ifmap_n"], found["dram_ifmap_start"], found["dram_ifmap_stop"]) == (1024, -106, -1)
    assert found["avg_ifmap_dram_bw"] == pytest.approx(1024 / 106)
    assert (found["dram_ofmap_start"], found["dram_ofmap_stop"]) == (735, 862)
    assert found["total_cycles_incl_prefetch"] == 862 + 106


def test_a_convolution_that_thrashes() -> None:
    """Fifty-two cycles per refill, 1,091 and 864 of them."""
    found = figures(**CONVOLUTION, **design(8, 8, "os", 1, "USER", 10))
    assert found["compute_cycles"] == 25 * 4 * 158
    assert found["dram_ifmap_n"] == 10 * 52 * 1092 and found["dram_filter_n"] == 10 * 52 * 865
    assert (found["stall_cycles"], found["total_cycles"]) == (42_217, 58_016)
    assert found["total_cycles_incl_prefetch"] == 58_079


def test_the_same_with_one_word_per_cycle() -> None:
    slow_reads = design(8, 8, "os", 1, "USER", 10) | {"bw_ifmap": 1, "bw_filter": 1}
    found = figures(**CONVOLUTION, **slow_reads)
    assert (found["stall_cycles"], found["total_cycles"]) == (544_394, 560_193)
    slow_writes = design(8, 8, "os", 1, "USER", 10) | {"bw_ofmap": 1}
    found = figures(**CONVOLUTION, **slow_writes)
    assert (found["total_cycles"], found["total_cycles_incl_prefetch"]) == (58_016, 58_195)


def test_the_same_with_larger_buffers() -> None:
    found = figures(**CONVOLUTION, **design(8, 8, "os", 8, "USER", 10))
    refill = -(-512 * 8 // 10)
    assert found["dram_ifmap_n"] == 10 * refill * 28 and found["dram_filter_n"] == 10 * refill * 2
    assert (found["stall_cycles"], found["total_cycles"]) == (0, 15_799)


@pytest.mark.parametrize(("dataflow", "cycles"), [("os", 3), ("ws", 4), ("is", 4)])
def test_one_product_on_a_row_of_four(dataflow: str, cycles: int) -> None:
    found = figures(**gemm(1, 1, 1), **design(1, 4, dataflow, 1, "CALC", 1))
    assert (found["compute_cycles"], found["total_cycles"]) == (cycles + 1, cycles)


def test_an_edge_that_the_stride_does_not_divide_gives_one_more_output() -> None:
    sizes = {"filter_h": 7, "filter_w": 7, "channels": 3, "num_filters": 64, "stride": 2}
    for side, out in ((230, 113), (229, 112)):
        found = figures(ifmap_h=side, ifmap_w=side, **sizes, **design(32, 32, "ws", 64, "CALC", 1))
        assert found["sram_ofmap_n"] == -(-147 // 32) * out * out * 64
    assert np.isfinite(list(found.values())).all()
