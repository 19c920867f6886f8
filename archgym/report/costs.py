"""What the sweep cost: seconds of agents, simulators and the framework, kept apart."""

from __future__ import annotations

import numpy as np

from archgym.report.panels import Figure, Section, Series, Table
from archgym.report.study import Study

PARTS = ("agent", "simulator", "framework")


def seconds(study: Study) -> np.ndarray:
    """(R, 3) seconds of each run: agent, simulator, and everything else."""
    own = np.array([[float(run.get(f"{part}_seconds") or 0) for part in ("agent", "simulator")] for run in study.runs])
    whole = np.array([float(run.get("seconds") or 0) for run in study.runs])
    return np.column_stack([own, np.maximum(whole - own.sum(axis=1), 0.0)])


def cost_section(study: Study) -> Section:
    """Stacked bars per agent, in total and per thousand designs."""
    lead = (
        "Wall-clock seconds of all runs, as measured while they ran: what agents took to propose and learn, what simulators "
        "took, and the rest (logging, starting, closing). On a loaded machine all three are longer than they need to be."
    )
    spent = seconds(study)
    trials = np.array([float(run.get("trials") or 0) for run in study.runs])
    totals = np.array([spent[study.agent == agent].sum(axis=0) for agent in range(len(study.agents))])
    designs = np.array([trials[study.agent == agent].sum() for agent in range(len(study.agents))])
    if not totals.sum():
        return Section("cost", "What it cost", lead, skip="The runs hold no times.")
    each = 1000 * totals / np.maximum(designs, 1)[:, None]
    figures = []
    for label, table, axis in (("In total", totals, "seconds"), ("Per 1,000 designs", each, "seconds per 1,000 designs")):
        series = [
            Series(part, {"agent": study.agents, "seconds": table[:, column]}, None, f"part{column}")
            for column, part in enumerate(PARTS)
        ]
        figures.append(Figure((label,), "bars", series, {"label": "agent", "value": "seconds", "axis": axis}))
    rows = [
        (
            name,
            int((study.agent == agent).sum()),
            int(designs[agent]),
            *totals[agent],
            1e6 * totals[agent, 0] / max(designs[agent], 1),
        )
        for agent, name in enumerate(study.agents)
    ]
    columns = ("agent", "runs", "designs", "agent s", "simulator s", "framework s", "agent microseconds per design")
    return Section("cost", "What it cost", lead, figures, ("Show",), (Table("Seconds", columns, rows),))
