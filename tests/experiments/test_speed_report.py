"""The figures of the report's cost: the made-up runs have the shape of real ones, and every row is measured."""

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

from speed_report import AGENTS, made_up_runs, made_up_tasks, measure

from archgym.report.study import Study

pytest.importorskip("plotly", reason="the report is drawn with plotly")


def test_made_up_runs_are_a_lottery():
    study = Study(made_up_runs(3 * 288), made_up_tasks())
    assert set(study.agents) == set(AGENTS) and len(study.problems) == 12
    assert len(study.tickets) == 3 * len(AGENTS) and study.default.sum() == 288
    assert study.known.all() and (study.final < 1).all()


def test_every_row_is_measured():
    report = measure(argparse.Namespace(runs=300, visits=0))
    assert [row[0] for row in report.rows] == [
        "build the page of 300 runs",
        "size of the page",
        "memory on top of the summaries",
    ]
    assert "at most 15 MB" in report.markdown()
