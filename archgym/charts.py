"""Charts that an explanation may carry beside its bars: a roofline, a timeline, a diagram.  Plotly draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

PLACES = ("bottom center", "top center", "middle right", "middle left")
"""Where names stand beside points, in turn: neighbours in a network often lie close together."""


class Chart(Protocol):
    """Something that draws itself into one row of a Plotly figure."""

    @property
    def title(self) -> str:
        """What stands above it."""

    @property
    def height(self) -> int:
        """Pixels it wants."""

    def draw(self, figure: Any, row: int) -> None:
        """Adds traces and axes to row ``row`` (from 1) of a Plotly figure made by ``make_subplots``."""


@dataclass(frozen=True)
class Roofline:
    """Rates against arithmetic intensity, under the two limits of a machine (Williams et al., CACM 2009).

    Attributes:
        title: what stands above it.
        peak: operations per second that the machine can do.
        bandwidth: bytes per second that its memory moves.
        points: (name, operations per byte, operations per second reached).
        unit: of operations, for example "MAC".
    """

    title: str
    peak: float
    bandwidth: float
    points: tuple[tuple[str, float, float], ...]
    unit: str = "op"
    height: int = 460

    @property
    def ridge(self) -> float:
        """Intensity at which computing and moving take equally long."""
        return self.peak / self.bandwidth

    def draw(self, figure: Any, row: int) -> None:
        """Draws the roof as a line and each point with its name."""
        intensities = [point[1] for point in self.points]
        low, high = min(*intensities, self.ridge) / 2, max(*intensities, self.ridge) * 2
        roof = [(low, low * self.bandwidth), (self.ridge, self.peak), (high, self.peak)]
        figure.add_scatter(
            x=[x for x, _ in roof], y=[y for _, y in roof], mode="lines", name="roof", showlegend=False, row=row, col=1
        )
        figure.add_scatter(
            x=intensities,
            y=[point[2] for point in self.points],
            mode="markers+text",
            text=[point[0] for point in self.points],
            textposition=[PLACES[index % len(PLACES)] for index in range(len(self.points))],
            textfont={"size": 9},
            showlegend=False,
            row=row,
            col=1,
        )
        figure.update_xaxes(type="log", dtick=1, title_text=f"{self.unit} per byte", row=row, col=1)
        figure.update_yaxes(type="log", dtick=1, title_text=f"{self.unit} per second", row=row, col=1)


@dataclass(frozen=True)
class Timeline:
    """What runs where and when: a Gantt chart.

    Attributes:
        title: what stands above it.
        unit: of time.
        bars: (lane, name, start, stop, colour group).
    """

    title: str
    unit: str
    bars: tuple[tuple[str, str, float, float, str], ...]

    @property
    def lanes(self) -> tuple[str, ...]:
        """Lanes in the order in which they first appear."""
        return tuple(dict.fromkeys(bar[0] for bar in self.bars))

    @property
    def height(self) -> int:
        """Pixels it wants: more lanes, more height."""
        return 140 + 46 * len(self.lanes)

    def draw(self, figure: Any, row: int) -> None:
        """Draws one horizontal bar per entry, one trace per colour group."""
        for group in dict.fromkeys(bar[4] for bar in self.bars):
            bars = [bar for bar in self.bars if bar[4] == group]
            figure.add_bar(
                base=[bar[2] for bar in bars],
                x=[bar[3] - bar[2] for bar in bars],
                y=[bar[0] for bar in bars],
                text=[bar[1] for bar in bars],
                hovertext=[f"{bar[1]}: {bar[2]:,.6g} to {bar[3]:,.6g} {self.unit}" for bar in bars],
                hoverinfo="text",
                textposition="inside",
                insidetextanchor="middle",
                orientation="h",
                name=group,
                row=row,
                col=1,
            )
        figure.update_layout(barmode="overlay")
        figure.update_xaxes(title_text=self.unit, row=row, col=1)
        figure.update_yaxes(categoryorder="array", categoryarray=list(reversed(self.lanes)), row=row, col=1)


@dataclass(frozen=True)
class Diagram:
    """Blocks and the wires between them.

    Attributes:
        title: what stands above it.
        blocks: (name, text beside it, x, y, colour group); names are distinct.
        wires: pairs of names.
    """

    title: str
    blocks: tuple[tuple[str, str, float, float, str], ...]
    wires: tuple[tuple[str, str], ...]
    height: int = 420

    def draw(self, figure: Any, row: int) -> None:
        """Draws the wires as lines, and on them one trace of squares per colour group."""
        places = {block[0]: (block[2], block[3]) for block in self.blocks}
        ends = [(places[a], places[b]) for a, b in self.wires]
        figure.add_scatter(
            x=[x for a, b in ends for x in (a[0], b[0], None)],
            y=[y for a, b in ends for y in (a[1], b[1], None)],
            mode="lines",
            line={"color": "grey", "width": 1},
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
        for group in dict.fromkeys(block[4] for block in self.blocks):
            blocks = [block for block in self.blocks if block[4] == group]
            figure.add_scatter(
                x=[block[2] for block in blocks],
                y=[block[3] for block in blocks],
                mode="markers+text",
                marker={"symbol": "square", "size": 26},
                text=[f"<b>{block[0]}</b><br>{block[1]}" for block in blocks],
                textposition=["top center" if block[3] >= 0 else "bottom center" for block in blocks],
                textfont={"size": 9},
                hoverinfo="text",
                name=group,
                row=row,
                col=1,
            )
        low, high = min(block[3] for block in self.blocks), max(block[3] for block in self.blocks)
        figure.update_xaxes(visible=False, row=row, col=1)
        figure.update_yaxes(visible=False, range=[low - 1.3, high + 1.3], row=row, col=1)
