"""Rows of input columns for the tests of the exact mode: measured ones, and random small layers on odd arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from hypothesis import strategies as st

from simulators.systolic import reference

TABLE = Path(__file__).parents[2] / "experiments" / "reference" / "scalesim3_dev.parquet"
RATIO_TOLERANCE = 1e-12  # the program sums utilisations fold by fold

Row = dict[str, Any]


def measured() -> dict[str, np.ndarray]:
    """All measured rows, inputs and outputs."""
    table = pq.read_table(TABLE, columns=[*reference.INPUTS, *reference.OUTPUTS])
    return {name: table[name].to_numpy() for name in table.column_names}


def column_wise(rows: list[Row]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in reference.INPUTS}


def different(found: Mapping[str, np.ndarray], expected: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Columns that differ, and in which rows."""
    wrong = {}
    for name in reference.OUTPUTS:
        one, two = np.asarray(found[name]), np.asarray(expected[name])
        same = np.isclose(one, two, rtol=RATIO_TOLERANCE, atol=0) if name in reference.RATIOS else one == two
        if not same.all():
            wrong[name] = np.flatnonzero(~same)
    return wrong


@st.composite
def rows(draw: st.DrawFn, most_words: int = 20_000) -> Row:
    """A layer and a design: windows that overlap or not, that reach beyond the input, arrays of any shape, tiny buffers."""
    pick = draw(st.sampled_from(("conv", "conv", "conv", "gemm", "many_outputs")))
    taps_h, taps_w = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    side = st.integers(0, 14)
    row: Row = {
        "ifmap_h": taps_h + draw(side),
        "ifmap_w": taps_w + draw(side),
        "filter_h": taps_h,
        "filter_w": taps_w,
        "channels": draw(st.sampled_from((1, 2, 3, 8, 17, 32))),
        "num_filters": draw(st.sampled_from((1, 2, 5, 16, 33))),
        "stride": draw(st.sampled_from((1, 1, 2, 3, 5))),
    }
    if pick == "gemm":
        depth = draw(st.integers(1, 90))
        row |= {
            "ifmap_h": draw(st.integers(1, 90)),
            "ifmap_w": depth,
            "filter_h": 1,
            "filter_w": depth,
            "channels": 1,
            "stride": 1,
        }
    elif pick == "many_outputs":
        row |= {"channels": draw(st.integers(1, 2)), "num_filters": draw(st.integers(40, 120))}
    array = st.sampled_from((1, 2, 3, 4, 7, 8, 16))
    kilobytes = st.sampled_from((1, 1, 1, 2, 3))
    bandwidth = st.sampled_from((1, 2, 3, 4, 7, 10, 16, 600))
    row |= {
        "array_h": draw(array),
        "array_w": draw(array),
        "dataflow": draw(st.sampled_from(("os", "ws", "is"))),
        "ifmap_sram_kb": draw(kilobytes),
        "filter_sram_kb": draw(kilobytes),
        "ofmap_sram_kb": draw(kilobytes),
        "bw_mode": draw(st.sampled_from(("USER", "USER", "CALC"))),
        "bw_ifmap": draw(bandwidth),
        "bw_filter": draw(bandwidth),
        "bw_ofmap": draw(bandwidth),
    }
    return shrink(row, most_words)


def shrink(row: Row, most_words: int) -> Row:
    """The same row with fewer channels and filters, until the replay is quick, and never one product on one element."""
    while requests(row) > most_words:
        largest = max(("num_filters", "channels", "ifmap_h"), key=lambda name: row[name])
        least = row["filter_h"] if largest == "ifmap_h" else 1
        row[largest] = max(least, row[largest] // 2)
        if row[largest] == least and requests(row) > most_words:
            row["array_h"] = row["array_w"] = 16
            most_words *= 2
    if requests(row) <= 2 and row["array_h"] * row["array_w"] == 1:
        row["array_h"] = 2
    return row


def requests(row: Row) -> int:
    """Words that the array asks for, roughly."""
    out_h = -(-(row["ifmap_h"] - row["filter_h"]) // row["stride"]) + 1
    out_w = -(-(row["ifmap_w"] - row["filter_w"]) // row["stride"]) + 1
    m, n, k = out_h * out_w, row["num_filters"], row["filter_h"] * row["filter_w"] * row["channels"]
    down, across = {"os": (m, n), "ws": (k, n), "is": (k, m)}[row["dataflow"]]
    row_folds, column_folds = -(-down // row["array_h"]), -(-across // row["array_w"])
    return m * k * column_folds + k * n * row_folds
