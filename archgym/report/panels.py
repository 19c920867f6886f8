"""What a page is made of: sections that hold figures and tables, as plain data that the page draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

DIGITS = 5
"""Significant digits of embedded numbers; figures cannot show more."""


@dataclass(frozen=True)
class Series:
    """Points of one colour.

    Attributes:
        name: in the legend.
        columns: name -> values, sequences of one length; what is drawn and what the CSV file holds.
        agent: index of the agent whose colour it gets; None for ink.
        role: how the figure's kind draws it, for example "reference".
    """

    name: str
    columns: Mapping[str, Any]
    agent: int | None = None
    role: str = ""


@dataclass(frozen=True)
class Figure:
    """One picture.

    Attributes:
        path: where it stands in the section's selectors, for example (task, arm).
        kind: "strip", "lines", "bars", "matrix", "points" or "parallel".
        series: what is drawn.
        options: axis titles and the like, see figures.js.
        note: a sentence below it.
        skip: why there is nothing to draw, instead of series.
    """

    path: tuple[str, ...]
    kind: str
    series: Sequence[Series] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    skip: str = ""


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        title: above it.
        columns: heads.
        rows: cells, text or numbers.
        note: a sentence below it.
        path: the figure with which it is seen; always, if empty.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Attributes:
        key: its anchor; title: its heading; lead: what it shows, in a sentence or two.
        figures: one of which is seen at a time; selectors: a name for each place of their paths.
        tables: below the figure.
        skip: why there is nothing to see, instead of figures.
    """

    key: str
    title: str
    lead: str
    figures: Sequence[Figure] = ()
    selectors: Sequence[str] = ()
    tables: Sequence[Table] = ()
    skip: str = ""


def plain(value: Any) -> Any:
    """JSON-able, with floats rounded to what a figure can show; what is not finite becomes None."""
    if isinstance(value, np.ndarray):
        return [plain(item) for item in value.tolist()]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() and abs(value) < 1e15 else float(f"{value:.{DIGITS}g}")
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def section_record(section: Section) -> dict[str, Any]:
    """A section as the page reads it."""
    figures = [
        {
            "path": list(figure.path),
            "kind": figure.kind,
            "series": [{"name": s.name, "agent": s.agent, "role": s.role, "columns": plain(s.columns)} for s in figure.series],
            "options": plain(figure.options),
            "note": figure.note,
            "skip": figure.skip,
        }
        for figure in section.figures
    ]
    tables = [
        {
            "title": t.title,
            "columns": list(t.columns),
            "rows": [plain(list(row)) for row in t.rows],
            "note": t.note,
            "path": list(t.path),
        }
        for t in section.tables
    ]
    return {
        "key": section.key,
        "title": section.title,
        "lead": section.lead,
        "skip": section.skip,
        "selectors": list(section.selectors),
        "figures": figures,
        "tables": tables,
    }
