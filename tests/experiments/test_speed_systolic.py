"""The figures of the systolic models: a row each, positive, and notes that name what was measured."""

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from speed_systolic import NETWORKS, measure


@pytest.mark.slow
def test_every_model_has_a_row() -> None:
    report = measure(argparse.Namespace(designs=200, stalls=30, scalesim=None))
    assert [row[1] for row in report.rows] == [*NETWORKS, *["resnet18"] * 3]
    assert all(float(row[2].replace(",", "")) > 0 and float(row[3]) > 0 for row in report.rows)
    assert sum("one design" in note.lower() for note in report.notes) == 1
