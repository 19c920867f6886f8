"""The figures of the framework's own cost: every row is there and measures what it says."""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from speed_log import BATCHES, Wide, log_trials, measure

from archgym import Dataset
from archgym.testing import check_simulator


def test_the_measured_log_is_a_real_one_of_about_fifty_columns(tmp_path):
    appended, sealed = log_trials(tmp_path / "run", 64, 256)
    table = Dataset.open(tmp_path).to_arrow()
    assert table.num_rows == 256 and 45 <= table.num_columns <= 60
    assert appended > 0 and sealed > 0 and np.isfinite([appended, sealed]).all()


def test_the_measured_simulator_keeps_the_contract():
    check_simulator(Wide())


def test_every_row_is_measured(tmp_path):
    report = measure(argparse.Namespace(trials=128, folder=tmp_path))
    assert [row[0] for row in report.rows] == [
        *(f"log, batches of {batch:,}" for batch in BATCHES),
        "run of one design, logged",
    ]
    assert "trials/s appended" in report.markdown()
