"""The published figures, and where the model comes out: deviations are held, good or bad."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import validate_systolic as validation

from simulators.systolic.technology import SETTINGS, value

OFF = {setting: {figure.name: 100 * figure.off for figure in validation.figures(setting)} for setting in SETTINGS}  # per cent
EYERISS, TPU = validation.PUBLISHED["eyeriss"], validation.PUBLISHED["tpu"]


@pytest.mark.parametrize(
    ("name", "raw", "calibrated"),
    [
        ("Eyeriss conv1, mW, no gating", -50, 14),
        ("Eyeriss conv5, mW, no gating", 2, 95),
        ("Eyeriss five layers, pJ/MAC, no gating", -30, 48),
        ("Eyeriss conv1, mW, zeros gated", -50, 14),
        ("Eyeriss conv2, mW, zeros gated", -56, 19),
        ("Eyeriss conv3, mW, zeros gated", -64, 17),
        ("Eyeriss conv4, mW, zeros gated", -66, 26),
        ("Eyeriss conv5, mW, zeros gated", -59, 33),
        ("Eyeriss five layers, pJ/MAC, zeros gated", -58, 20),
        ("Eyeriss core, mm2", -73, 36),
        ("TPU v1 idle, W", -91, 0),
        ("TPU v1 busy, W, model: at the rate of CNN0", -71, -2),
        ("TPU v1 busy, W, model: at peak, 32 accumulator banks", -65, 6),
        ("TPU v1 busy, W, model: at peak, 2 accumulator banks", -60, 21),
        ("TPU v1 on CNN0, pJ/MAC", -66, 17),
        ("TPU v1 matrix unit, mm2", -83, 0),
        ("TPU v1 unified buffer, mm2", -65, 2),
        ("TPU v1 other buffers, mm2, model: accumulators", -72, -20),
        ("TPU v1 die, mm2", -83, -38),
        ("TPU v1 MLP0, Top/s, roofline", -2, -2),
        ("TPU v1 LSTM1, Top/s, roofline", 106, 106),
        ("TPU v1 CNN1, Top/s, roofline", 552, 552),
        ("Context: Horowitz, 64 bit from 32 KB, pJ", -64, -2),
        ("Context: Accelergy, 128 KB in 32 banks, mm2", -63, 8),
        ("Context: ArchGym Timeloop, cells, pJ/MAC", -1, -1),
        ("Context: ArchGym Timeloop, mm2", -34, 226),
    ],
)
def test_a_figure_is_off_by_as_much_as_stated(name: str, raw: float, calibrated: float) -> None:
    assert OFF["raw"][name] == pytest.approx(raw, abs=1)
    assert OFF["calibrated"][name] == pytest.approx(calibrated, abs=1)


def test_without_standing_power_eyeriss_is_low_and_the_tpu_has_a_third_of_its_power() -> None:
    assert -31 <= OFF["raw"]["Eyeriss five layers, pJ/MAC, no gating"] <= -22
    assert validation.tpu_watts("raw", 1.0) == pytest.approx(15, abs=1.5)


def test_fits_meet_what_they_were_fitted_to() -> None:
    fitted = {figure.name: figure for figure in validation.figures("calibrated") if figure.fitted}
    for name, figure in fitted.items():
        if not name.startswith("Eyeriss"):  # its standing energy is from a line through the layers, see below
            assert abs(figure.off) < 0.15
    assert {figure.fitted for figure in fitted.values()} == {
        "standing",
        "standing, large spads",
        "cell area",
        "SRAM area",
        "SRAM energy",
    }


def test_standing_energy_of_eyeriss_is_what_a_line_leaves_at_rate_zero() -> None:
    rate = np.array(EYERISS["gmac"]) * (1 - np.array(EYERISS["zeros"])) / np.array(EYERISS["total_ms"]) * 1e3
    slope, standing_mw = np.polyfit(rate, EYERISS["power_mw"], 1)
    assert standing_mw / EYERISS["cells"] / EYERISS["clock_mhz"] * 1e3 == pytest.approx(
        value("standing.large_spad.energy"), rel=0.01
    )
    line = standing_mw + slope * rate
    np.testing.assert_allclose(line, EYERISS["power_mw"], rtol=0.06)


def test_published_figures_agree_with_each_other() -> None:
    millijoules = np.dot(EYERISS["power_mw"], EYERISS["total_ms"]) * 1e-3
    assert millijoules / EYERISS["images"] == pytest.approx(EYERISS["image_mj"], rel=0.01)
    assert millijoules / sum(EYERISS["gmac"]) == pytest.approx(12.0, rel=0.01)
    assert TPU["rows"] * TPU["columns"] * 2 * TPU["clock_mhz"] * 1e-6 == pytest.approx(TPU["peak_tops"], rel=0.01)


def test_the_table_shows_every_figure_once() -> None:
    table = validation.report()
    names = [line[0] for line in table.rows]
    assert names == list(OFF["raw"]) == list(OFF["calibrated"])
    assert len(set(names)) == len(names)
    assert all(len(line) == len(table.columns) for line in table.rows)
    for line in table.rows:
        assert line[3] == f"{round(OFF['raw'][line[0]]):+d} %"
        assert line[5] == f"{round(OFF['calibrated'][line[0]]):+d} %"


def test_the_readme_shows_what_the_model_says_now() -> None:
    text = validation.README.read_text()
    block = text.partition("<!-- validation:begin -->")[2].partition("<!-- validation:end -->")[0]
    assert block.strip() == validation.report().markdown().strip()
