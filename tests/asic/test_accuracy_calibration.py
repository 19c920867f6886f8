"""The experiments on accuracy: the fit of the surrogate, and what is trained for it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import accuracy_check
import calibrate_surrogate

from simulators.asic.accuracy.interface import TASKS
from simulators.asic.description import UNet
from simulators.asic.network_space import load_network_space


@pytest.mark.parametrize("c", [0.5, 3.0, 12.0])
def test_the_fit_finds_the_curve_that_made_the_points(c: float) -> None:
    x = np.linspace(0, 1, 20)
    low, high, found, error = calibrate_surrogate.fit(x, 0.6 + 0.3 * (1 - np.exp(-c * x)))
    assert found == pytest.approx(c, rel=0.02) and error < 1e-3
    assert (low, high) == (pytest.approx(0.6, abs=1e-3), pytest.approx(0.9, abs=0.01))


def test_ranks_share_ties() -> None:
    assert list(calibrate_surrogate.ranks(np.array([3.0, 1.0, 3.0, 2.0]))) == [2.5, 0, 2.5, 1]


@pytest.mark.parametrize("task", calibrate_surrogate.TASKS)
def test_the_sample_has_both_ends_and_no_network_twice(task: str) -> None:
    networks = list(calibrate_surrogate.sample(task))
    space = load_network_space(calibrate_surrogate.curve(task).space)
    assert networks[:2] == [space.smallest(), space.largest()]
    assert len(set(networks)) == len(networks) == 2 + calibrate_surrogate.RANDOM_NETWORKS
    assert networks == list(calibrate_surrogate.sample(task))


def test_only_the_curvature_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = calibrate_surrogate.DATA.read_text()
    monkeypatch.setattr(calibrate_surrogate, "DATA", tmp_path / "copy.toml")
    (tmp_path / "copy.toml").write_text(before)
    fits = [calibrate_surrogate.Fit(task, 9, 0, 1, 4.25, 0, 0, 1) for task in calibrate_surrogate.TASKS]
    calibrate_surrogate.write(fits)
    old, new = before.splitlines(), (tmp_path / "copy.toml").read_text().splitlines()
    changed = [line for was, line in zip(old, new, strict=True) if was != line]
    assert changed == ["c = 4.25"] * 3


def test_the_check_reports_each_task_and_warns() -> None:
    lines = [
        accuracy_check.Line(task, UNet((4,), 128), UNet((4,), 32), [0.25, 0.5], 1.0 + index)
        for index, task in enumerate(TASKS)
    ]
    text = accuracy_check.report(lines).markdown()
    assert "| UNet(4) | nuclei | UNet(4) | 273 | 0.250 | 0.500 | 3.0 |" in text
    assert "**not** accuracies on CIFAR-10, STL-10 or Nuclei" in text
    assert "W1 4, W2 3, W3 less than 2" in text
