"""SCALE-Sim itself on odd arrays and layers that the measured table does not have.

The program runs in an environment of its own: the one whose interpreter ``ARCHGYM_SCALESIM`` names, else one that is made in
pytest's cache, else the tests are skipped.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exact_rows import Row, column_wise, requests, shrink

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import scalesim

from simulators.systolic import reference
from simulators.systolic.layers import Layer

DESIGN = {
    **{"array_h": 3, "array_w": 8, "dataflow": "ws", "bw_mode": "USER"},
    **dict.fromkeys(reference.KILOBYTES, 1),
    **{"bw_ifmap": 4, "bw_filter": 2, "bw_ofmap": 3},
}


def check(rows: list[Row], found: list[dict[str, Any]]) -> None:
    """The program reports exactly what ``predict`` says."""
    predicted = reference.predict(column_wise(rows))
    for index, figures in enumerate(found):
        wrong = {
            name: (predicted[name][index], figures[name])
            for name in reference.OUTPUTS
            if name in figures and not np.isclose(predicted[name][index], figures[name], rtol=1e-12, atol=0)
        }
        assert not wrong, (rows[index], wrong)


def odd_rows(count: int) -> list[Row]:
    """Small layers on arrays with fewer rows than columns, one row, or one column; edges beyond the input; tiny buffers."""
    generator = np.random.default_rng(2026)

    def one_of(*values: Any) -> Any:
        return values[generator.integers(len(values))]

    rows = []
    for number in range(count):
        taps_h, taps_w = one_of(1, 2, 3, 4), one_of(1, 3, 5)
        row = {"ifmap_h": taps_h + one_of(*range(12)), "ifmap_w": taps_w + one_of(*range(12)), "filter_h": taps_h}
        row |= {"filter_w": taps_w, "channels": one_of(1, 3, 8, 20), "num_filters": one_of(1, 5, 16, 40)}
        row |= {
            "stride": one_of(1, 1, 2, 3, 5),
            "dataflow": one_of("os", "ws", "is"),
            "bw_mode": one_of("CALC", "USER", "USER"),
        }
        row["array_h"], row["array_w"] = one_of((1, 1), (1, 5), (5, 1), (2, 9), (4, 16), (16, 4), (40, 3), (3, 40))
        if number % 5 == 0:
            depth = one_of(1, 30, 70)
            row |= {
                "ifmap_h": one_of(1, 20, 60),
                "ifmap_w": depth,
                "filter_h": 1,
                "filter_w": depth,
                "channels": 1,
                "stride": 1,
            }
            row["is_gemm"] = number % 2
        row |= {name: one_of(1, 1, 2) for name in reference.KILOBYTES}
        row |= {name: one_of(1, 3, 10, 16) for name in reference.BANDWIDTHS}
        rows.append({**shrink(row, 12_000), "layer": f"layer{number}"})
    return rows


@pytest.mark.slow
def test_odd_arrays(scalesim_python: Path) -> None:
    rows = odd_rows(60)
    assert {(row["dataflow"], row["bw_mode"]) for row in rows} == {
        (d, m) for d in ("os", "ws", "is") for m in ("CALC", "USER")
    }
    found = scalesim.simulate(rows, scalesim_python)
    assert len(found) == len(rows) and sum(figures["stall_cycles"] > 0 for figures in found) > 5
    check(rows, found)


@pytest.mark.slow
def test_a_name_with_dp_is_one_layer_per_channel(scalesim_python: Path) -> None:
    row = {**DESIGN, "ifmap_h": 9, "ifmap_w": 8, "filter_h": 3, "filter_w": 3, "channels": 4, "num_filters": 1, "stride": 2}
    found = scalesim.simulate([{**row, "layer": "blockDP"}, {**row, "layer": "block"}], scalesim_python)
    assert [figures["row"] for figures in found] == [0, 0, 0, 0, 1]
    check([{**row, "channels": 1}] * 4 + [row], found)


@pytest.mark.slow
def test_layers_of_a_network(scalesim_python: Path) -> None:
    layers = [
        Layer("a", 9, 9, 3, 3, 4, 6, pad_h=2, pad_w=2),
        Layer("b", 11, 11, 3, 3, 8, 8, groups=4),
        Layer.gemm("c", 5, 9, 30, 3),
    ]
    found = scalesim.run(layers, DESIGN, scalesim_python)
    assert [(figures["layer"], figures["repeats"]) for figures in found] == [("a", 1), ("b", 4), ("c", 3)]
    assert all(figures["cpu_s"] > 0 for figures in found)
    sizes = (
        "ifmap_h",
        "ifmap_w",
        "filter_h",
        "filter_w",
        "stride",
        "stride_w",
        "dilation_h",
        "dilation_w",
        "channels",
        "num_filters",
    )
    rows = [{**DESIGN, **dict(zip(sizes, layer.row(), strict=False))} for layer in layers]
    assert max(map(requests, rows)) < 20_000
    check(rows, found)


def test_what_the_program_does_not_know_is_refused(tmp_path: Path) -> None:
    uneven = Layer("a", 9, 9, 3, 3, 4, 6, stride_h=2)
    with pytest.raises(scalesim.ScaleSimError, match="one stride and no dilation"):
        scalesim.run([uneven], DESIGN, tmp_path / "no-python")
    with pytest.raises(scalesim.ScaleSimError, match="no-python"):
        scalesim.run([Layer.gemm("c", 5, 9, 30)], DESIGN, tmp_path / "no-python")
