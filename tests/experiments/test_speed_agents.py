"""The figures of what agents cost: a row per agent, missing libraries named."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from speed_agents import measure


def test_every_agent_has_a_row():
    report = measure(argparse.Namespace(designs=64, agents=["random_walk", "genetic", "grid"]))
    assert [row[:3] for row in report.rows] == [(name, "own", "64") for name in ("random_walk", "genetic", "grid")]
    assert all(float(row[3].replace(",", "")) > 0 for row in report.rows)
