"""What ``archgym report`` costs: time to build the page, its size, memory, and time until a browser shows it.

The runs are made up (six agents, random tickets, twelve tasks), of the shape that a sweep keeps.  The browser is a headless
Chromium, if there is one: from the request to the load event with everything but the figures in place, and until the first
figure is drawn.  All times are wall time and depend on how busy the machine is.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from measuring import Report

from archgym.report.page import render
from archgym.report.reading import Material
from archgym.sweep.measures import HITS, marks_up_to

BUDGET = 1000
LEVELS = 8
AGENTS = {"genetic": 1.3, "annealing": 1.2, "ant_colony": 1.15, "bayes_tpe": 1.35, "ppo": 1.0, "random_walk": 0.98}
METRICS = ("latency_ns", "power_mw", "energy_pj")
WORKLOADS = ("random", "stream", "cloud-1", "cloud-2")
PARAMETERS = tuple(f"parameter{index}" for index in range(10))
SEEDS = 4
PROBE = """<script>addEventListener("load", () => { const loaded = performance.now();
const part = parts.find((each) => each.figure && !each.section.skip); part.draw();
const marks = part.figure.querySelectorAll(".point").length;
document.documentElement.setAttribute("data-times", [loaded, performance.now(), marks].join(" ")); });</script>"""
"""Added to the measured copy: notes when the page has loaded, and when the marks of its first figure are there."""


def made_up_tasks() -> dict[str, dict[str, Any]]:
    """Task key -> description, as a store keeps it."""
    space = {"digest": "d", "parameters": [{"name": name, "values": list(range(LEVELS))} for name in PARAMETERS]}
    metrics = [{"name": name, "goal": "min"} for name in METRICS]
    return {
        f"{workload}/{metric}": {
            "simulator": {"name": "made_up", "version": "1", "arguments": {"workload": workload}},
            "workload": {"name": workload, "digest": workload},
            "space": space,
            "metrics": metrics,
        }
        for workload in WORKLOADS
        for metric in METRICS
    }


def made_up_runs(count: int) -> list[dict[str, Any]]:
    """So many summaries: as many tickets per agent as it takes, with four seeds each on twelve tasks."""
    rng = np.random.default_rng(0)
    marks = marks_up_to(BUDGET)
    cells = [(agent, task, seed) for agent in AGENTS for task in made_up_tasks() for seed in range(SEEDS)]
    runs = []
    for number in range(count):
        (agent, task, seed), ticket = cells[number % len(cells)], number // len(cells)
        workload, metric = task.split("/")
        slope = AGENTS[agent] + 0.2 * np.sin(ticket)
        quantile = np.minimum.accumulate(np.minimum(10 ** (rng.normal(0, 0.3) - slope * np.log10(np.array(marks) + 1)), 1.0))
        quantile[quantile < 2e-4] = 0.0
        regret = quantile**0.5
        reached = {name: np.flatnonzero(regret <= limit) for name, limit in HITS.items()}
        design = rng.integers(0, LEVELS, len(PARAMETERS)).tolist()
        runs.append(
            {
                "id": f"{number:016x}",
                "task": task,
                "simulator": "made_up",
                "workload": workload,
                "objective": metric,
                "budget": BUDGET,
                "agent": agent,
                "label": agent,
                "ticket": f"t{ticket:04d}" if ticket else "default",
                "hyperparameters": {f"setting{place}": (ticket * (place + 3)) % 5 for place in range(5)},
                "seed": seed,
                "state": "finished",
                "reason": "",
                "trials": BUDGET,
                "marks": marks,
                "best": (-1 - regret).tolist(),
                "quantile": quantile.tolist(),
                "regret": regret.tolist(),
                "hits": {name: marks[int(rows[0])] if len(rows) else None for name, rows in reached.items()},
                "hypervolume": None,
                "best_score": float(-1 - regret[-1]),
                "best_design": dict(zip(PARAMETERS, design, strict=True)),
                "best_metrics": {name: float(1 + regret[-1] + rng.random()) for name in METRICS},
                "agent_seconds": 0.1,
                "simulator_seconds": 0.01,
                "seconds": 0.12,
                "host": "here",
            }
        )
    return runs


def open_page(program: str, page: str, folder: Path, times: int) -> tuple[float, float]:
    """Seconds until the page has loaded and until its first figure is drawn; medians of several visits."""
    path = folder / "probed.html"
    path.write_text(page.replace("</body>", PROBE + "</body>"))
    found = []
    for visit in range(times):
        words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / str(visit)}"]
        words += ["--dump-dom", path.absolute().as_uri()]
        dumped = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout
        loaded, drawn, marks = dumped.partition('data-times="')[2].partition('"')[0].split()
        if int(marks) == 0:
            raise RuntimeError("the page has loaded, but its first figure is empty")
        found.append((float(loaded) / 1000, float(drawn) / 1000))
    loads, draws = zip(*found, strict=True)
    return statistics.median(loads), statistics.median(draws)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--runs", type=int, default=20_000, help="how many runs the report is about")
    parser.add_argument("--visits", type=int, default=3, help="how often the page is opened")


def measure(options: argparse.Namespace) -> Report:
    """All figures."""
    runs, tasks = made_up_runs(options.runs), made_up_tasks()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, worked = perf_counter(), process_time()
    page = render(Material("Made-up runs", runs, tasks))
    seconds, worked = perf_counter() - start, process_time() - worked
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    rows = [
        (f"build the page of {options.runs:,} runs", f"{seconds:.1f} s ({worked:.1f} s of processor time)", "at most 60 s"),
        ("size of the page", f"{len(page.encode()) / 1e6:.1f} MB", "at most 15 MB"),
        ("memory on top of the summaries", f"{grown:,.0f} MB", ""),
    ]
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program and options.visits:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            loaded, drawn = open_page(program, page, Path(scratch), options.visits)
        rows.append(("Chromium: page loaded", f"{loaded:.2f} s", "at most 3 s"))
        rows.append(("Chromium: first figure drawn", f"{drawn:.2f} s", ""))
    notes = [
        "Made-up runs of six agents on twelve tasks; median of the visits, from the request on, by the browser's own clock."
    ]
    readme = Path(__file__).parents[1] / "docs/report.md"
    return Report("What a report costs", readme, ("what", "figure", "goal"), rows, notes)
