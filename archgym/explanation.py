"""Where time, energy or area of one design go: a table, a sentence and a figure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from archgym.charts import Chart
from archgym.errors import MissingExtraError

BARS_HEIGHT = 200
"""Pixels of a panel of bars."""


@dataclass(frozen=True)
class Breakdown:
    """One quantity split into parts that add up to its total.

    Attributes:
        title: what is split, for example "Mean latency of a request".
        unit: unit of the values.
        parts: (name, value, one line on what it is), largest need not come first.
    """

    title: str
    unit: str
    parts: tuple[tuple[str, float, str], ...]

    @property
    def total(self) -> float:
        """Sum of the parts."""
        return sum(value for _, value, _ in self.parts)

    def shares(self) -> list[float]:
        """Share of each part in the total (zeros where the total is zero)."""
        total = self.total
        return [value / total if total else 0.0 for _, value, _ in self.parts]


@dataclass(frozen=True)
class Explanation:
    """What ``Simulator.explain`` returns.

    Attributes:
        design: parameter -> value.
        metrics: metric -> value.
        breakdowns: where each quantity goes.
        bottleneck: the finding in words.
        details: further tables of a simulator, name -> list of rows.
        charts: further pictures, drawn below the bars.
    """

    design: dict[str, Any]
    metrics: dict[str, float]
    breakdowns: tuple[Breakdown, ...]
    bottleneck: str
    details: dict[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()

    def table(self) -> list[dict[str, Any]]:
        """All breakdowns as rows: quantity, part, value, unit, share, meaning."""
        return [
            {"quantity": b.title, "part": name, "value": value, "unit": b.unit, "share": share, "meaning": doc}
            for b in self.breakdowns
            for (name, value, doc), share in zip(b.parts, b.shares(), strict=True)
        ]

    def figure(self) -> Any:
        """A Plotly figure: a panel of horizontal bars per breakdown, in percent of its total, then the charts.

        Raises:
            MissingExtraError: plotly is not installed.
        """
        try:
            from plotly import graph_objects, subplots
        except ImportError:
            raise MissingExtraError("Explanation.figure", "plotly", "report") from None
        titles = [f"{b.title}: {_short(b.total)} {b.unit}" for b in self.breakdowns] + [chart.title for chart in self.charts]
        heights = [BARS_HEIGHT] * len(self.breakdowns) + [chart.height for chart in self.charts]
        spacing = 90 / (sum(heights) + 90 * len(heights))
        figure = subplots.make_subplots(
            rows=len(heights), cols=1, subplot_titles=titles, row_heights=heights, vertical_spacing=spacing
        )
        for row, breakdown in enumerate(self.breakdowns, start=1):
            names = [name for name, _, _ in breakdown.parts]
            shares = [100 * share for share in breakdown.shares()]
            labels = [f"{_short(value)} {breakdown.unit}" for _, value, _ in breakdown.parts]
            bar = graph_objects.Bar(x=shares, y=names, orientation="h", text=labels, textposition="outside", showlegend=False)
            figure.add_trace(bar, row=row, col=1)
            figure.update_xaxes(title_text="share of the total (%)", row=row, col=1)
            figure.update_yaxes(autorange="reversed", row=row, col=1)
        title = "<br>".join(textwrap.wrap(self.bottleneck, 100))
        figure.update_traces(cliponaxis=False)
        for row, chart in enumerate(self.charts, start=len(self.breakdowns) + 1):
            chart.draw(figure, row)
        height, margin = 180 + sum(heights) + 60 * len(heights), {"t": 130, "r": 130}
        figure.update_layout(title=title, height=height, margin=margin, template="plotly_white")
        return figure


def _short(value: float) -> str:
    """A figure for people: whole numbers with separators from a thousand on, four significant digits below."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
