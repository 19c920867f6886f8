"""Explanations as tables and as a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from archgym import Breakdown, Explanation
from archgym.cli.show import figure_page, number, show_explanation

EXPLANATION = Explanation(
    design={"size": 4, "policy": "Open"},
    metrics={"latency_ns": 81_234.5, "energy_pj": 2.5},
    breakdowns=(
        Breakdown("Time", "ns", (("bus", 25.0, "transfers"), ("row misses", 75.0, "opening another row"))),
        Breakdown("Energy", "pJ", (("standby", 0.0, "nothing"),)),
    ),
    bottleneck="Three quarters of the time go to row misses.",
    details={"banks": [{"bank": 0, "hits": 12, "share": 0.5}], "none": []},
)


def test_tables_show_parts_by_size_with_shares(capsys: pytest.CaptureFixture[str]) -> None:
    show_explanation(EXPLANATION, Console(width=120))
    out = capsys.readouterr().out
    for part in (
        "Three quarters",
        "size=4 policy=Open",
        "81,234",
        "Time: 100 ns",
        "75.0%",
        "opening another row",
        "banks",
        "12",
    ):
        assert part in out, part
    assert out.index("row misses", out.index("Time:")) < out.index("bus")


def test_the_page_needs_no_network(tmp_path: Path) -> None:
    figure_page(EXPLANATION, tmp_path / "new" / "page.html")
    page = (tmp_path / "new" / "page.html").read_text()
    assert "row misses" in page
    assert '<script src="http' not in page


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.0, "0"), (1234567.8, "1,234,568"), (0.12345, "0.1235"), (float("nan"), "-"), (float("-inf"), "-inf"), (3.0, "3")],
)
def test_numbers_read_well(value: float, text: str) -> None:
    assert number(value) == text
