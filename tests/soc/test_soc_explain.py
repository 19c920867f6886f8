"""Explanations: picture, mapping, phases with their bottlenecks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from archgym.charts import Diagram, Timeline
from simulators.soc import SoC

BUSY = {
    "n_pe": 3,
    "n_bus": 3,
    "n_mem": 2,
    "bus2_link": "both",
    "pe1_kind": "psychoFilter_fxp_cloned",
    "pe1_clock": 800,
    "pe1_bus": 2,
    "mem1_bus": 1,
    "mem1_kind": "SRAM",
    "bus2_width": 64,
}


@pytest.fixture(scope="module")
def audio() -> SoC:
    return SoC("audio")


def test_the_picture_shows_blocks_and_wires(audio: SoC) -> None:
    diagram, _ = audio.explain(audio.space.encode(BUSY)[0]).charts
    assert isinstance(diagram, Diagram)
    texts = {block[0]: block[1] for block in diagram.blocks}
    assert set(texts) == {"pe0", "pe1", "pe2", "bus0", "bus1", "bus2", "mem0", "mem1"}
    assert texts["pe1"].startswith("psychoFilter_fxp_cloned<br>x1 800 MHz") and texts["bus2"] == "64 bytes 100 MHz"
    assert texts["mem1"].startswith("SRAM<br>4 bytes 100 MHz")
    wires = {frozenset(wire) for wire in diagram.wires}
    for wire in (("pe1", "bus2"), ("mem1", "bus1"), ("bus0", "bus1"), ("bus0", "bus2"), ("bus1", "bus2")):
        assert frozenset(wire) in wires
    assert len({block[2:4] for block in diagram.blocks}) == len(diagram.blocks), "no block on another"


def test_bars_fill_the_time_of_every_task(audio: SoC) -> None:
    for design in audio.space.sample(5, 0):
        explanation = audio.explain(design)
        timeline = explanation.charts[1]
        assert isinstance(timeline, Timeline)
        spent = sum(stop - start for _, _, start, stop, _ in timeline.bars)
        assert np.isclose(spent, explanation.breakdowns[0].total)
        for lane in timeline.lanes:
            bars = sorted(bar[2:4] for bar in timeline.bars if bar[0] == lane)
            assert all(a[1] <= b[0] + 1e-12 for a, b in pairwise(bars)), "one task at a time"
        assert {bar[4] for bar in timeline.bars} == {part[0] for part in explanation.breakdowns[0].parts}


def test_phases_follow_each_other_and_name_their_bottleneck(audio: SoC) -> None:
    explanation = audio.explain(audio.space.sample(1, 1)[0])
    phases = explanation.details["Phases"]
    assert phases[0]["start_ms"] == 0.0
    assert all(a["end_ms"] == b["start_ms"] for a, b in pairwise(phases))
    assert np.isclose(phases[-1]["end_ms"], explanation.metrics["latency_ms"])
    energy = sum(row["power_mw"] * (row["end_ms"] - row["start_ms"]) / 1e3 for row in phases)
    assert np.isclose(energy, explanation.metrics["energy_mj"])
    assert all(row["ends"] in row["running"] for row in phases)


def test_a_narrow_bus_is_the_bottleneck_of_its_phase(audio: SoC) -> None:
    fast = {"mem0_width": 128, "mem0_clock": 800, "n_pe": 2, "pe1_kind": "IFFT_left_fxp_cloned", "pe1_clock": 800}
    design = audio.space.encode({**fast, "task7_pe": 1, "bus0_width": 4, "bus0_clock": 100})[0]
    explanation = audio.explain(design)
    (phase,) = [row for row in explanation.details["Phases"] if row["ends"] == "IFFT_left_fxp_cloned"]
    assert phase["bottleneck"].startswith("bus0")


def test_mapping_and_words(audio: SoC) -> None:
    explanation = audio.explain(audio.space.encode({"n_pe": 1})[0])
    rows = explanation.details["Mapping"]
    assert [row["task"] for row in rows] == [task.name for task in audio.graph.tasks]
    assert {row["pe"] for row in rows} == {"pe0: A53"} and rows[-1]["memory"] == ""
    assert "exceeds latency" in explanation.bottleneck and "on pe0 (A53)" in explanation.bottleneck
    easy = SoC("audio", budget={"latency_s": 1.0, "power_w": 1.0, "area_m2": 1.0})
    assert easy.explain(easy.space.default[0]).bottleneck.startswith("It meets its budget")
    small = SoC("audio", budget={"latency_s": 1.0, "power_w": 1.0, "area_m2": 1e-9})
    assert "are the largest blocks" in small.explain(small.space.default[0]).bottleneck


def test_an_invalid_design_is_shown_with_its_reason() -> None:
    soc = SoC("edge", space="limited")
    designs = soc.space.sample(50, 0)
    bad = designs[~soc.evaluate(designs).ok]
    for design in bad[:20]:
        explanation = soc.explain(design)
        assert explanation.bottleneck == soc.evaluate(design[None, :]).reasons[0]
        assert not explanation.breakdowns and explanation.charts[0].blocks


def test_the_figure_has_all_panels(audio: SoC) -> None:
    pytest.importorskip("plotly")
    figure = audio.explain(audio.space.encode(BUSY)[0]).figure()
    titles = {each.text for each in figure.layout.annotations}
    assert {"Blocks and wires", "What runs when, and what limits it"} <= titles
    assert {"processing", "memory", "interconnect"} <= {trace.name for trace in figure.data}
