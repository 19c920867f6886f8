"""Explanations: parts that add up, as a table and as a figure."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from archgym import Breakdown, Explanation
from archgym.charts import Diagram, Roofline, Timeline
from archgym.errors import MissingExtraError

TIME = Breakdown("Time of the trace", "ns", (("row misses", 60.0, "activate and precharge"), ("bus", 40.0, "data")))
ENERGY = Breakdown("Energy", "pJ", (("idle", 0.0, "nothing happens"),))
EXPLAINED = Explanation({"size": 4}, {"latency_ns": 100.0}, (TIME, ENERGY), "row misses take 60 % of the time")


def test_parts_have_shares_of_their_total() -> None:
    assert TIME.total == 100 and TIME.shares() == [0.6, 0.4]
    assert ENERGY.total == 0 and ENERGY.shares() == [0.0]


def test_the_table_has_a_row_per_part() -> None:
    table = EXPLAINED.table()
    assert [row["part"] for row in table] == ["row misses", "bus", "idle"]
    assert table[0] == {
        **{"quantity": "Time of the trace", "part": "row misses", "value": 60.0, "unit": "ns", "share": 0.6},
        "meaning": "activate and precharge",
    }


def test_the_figure_shows_every_part_in_percent_under_its_bottleneck() -> None:
    figure = EXPLAINED.figure()
    assert [list(bar.x) for bar in figure.data] == [[60.0, 40.0], [0.0]]
    assert list(figure.data[0].y) == ["row misses", "bus"] and figure.layout.title.text == EXPLAINED.bottleneck
    assert [note.text for note in figure.layout.annotations] == ["Time of the trace: 100 ns", "Energy: 0 pJ"]


def test_charts_stand_below_the_bars() -> None:
    roof = Roofline("Roofline", peak=100.0, bandwidth=50.0, points=(("conv1", 1.0, 40.0), ("conv2", 8.0, 90.0)), unit="MAC")
    line = Timeline(
        "Timeline", "ns", (("unit 1", "a", 0.0, 4.0, "x"), ("unit 2", "b", 1.0, 2.5, "y"), ("unit 1", "c", 4, 5, "x"))
    )
    figure = replace(EXPLAINED, charts=(roof, line)).figure()
    assert [note.text for note in figure.layout.annotations][2:] == ["Roofline", "Timeline"]
    limit, points, first, second = figure.data[2:]
    assert roof.ridge == 2.0 and (2.0, 100.0) in zip(limit.x, limit.y, strict=True)
    assert list(points.text) == ["conv1", "conv2"] and figure.layout.xaxis3.type == "log"
    assert list(first.base) == [0.0, 4.0] and list(first.x) == [4.0, 1.0] and list(second.y) == ["unit 2"]
    assert line.lanes == ("unit 1", "unit 2") and list(figure.layout.yaxis4.categoryarray) == ["unit 2", "unit 1"]


def test_a_diagram_draws_wires_below_blocks() -> None:
    blocks = (
        ("pe0", "A53", 0.0, 1.0, "processing"),
        ("bus0", "4 bytes", 1.0, 0.0, "wires"),
        ("mem0", "DRAM", 0.5, -1.0, "store"),
    )
    figure = replace(EXPLAINED, charts=(Diagram("Chip", blocks, (("pe0", "bus0"), ("mem0", "bus0"))),)).figure()
    wires, *groups = figure.data[2:]
    assert list(wires.x) == [0.0, 1.0, None, 0.5, 1.0, None] and list(wires.y) == [1.0, 0.0, None, -1.0, 0.0, None]
    assert [trace.name for trace in groups] == ["processing", "wires", "store"]
    assert list(groups[0].text) == ["<b>pe0</b><br>A53"] and list(groups[2].textposition) == ["bottom center"]
    assert figure.layout.yaxis3.range == (-2.3, 2.3) and figure.layout.xaxis3.visible is False


def test_without_plotly_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(MissingExtraError, match=r"Explanation\.figure needs plotly.*archgym\[report\]"):
        EXPLAINED.figure()
