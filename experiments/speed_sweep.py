"""What a sweep costs beyond agents and simulators: per run, and over many runs of the cheap agents.

Overheads are processor time of this process, for runs executed one after the other as a worker does it, parts included.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from time import process_time
from unittest.mock import patch

from measuring import Report

from archgym.sweep import Plan, Spec, make_plan, spec_from_record
from archgym.sweep.execute import execute
from archgym.sweep.run import run_sweep
from archgym.sweep.store import Store

CHEAP = ("random_walk", "genetic", "annealing", "ant_colony")
PACK = 50
"""Runs per part while overheads are measured."""


def spec_of(agents: tuple[str, ...], runs: int, budget: int) -> Spec:
    """So many runs of each agent on the tabulated DRAM simulator, random tickets where the agent has any."""
    task = {"simulator": "dram", "workloads": ["random"], "objectives": ["latency_ns"], "tabulated": True}
    entries = [{"name": name, "seeds": runs} for name in agents]
    return spec_from_record({"name": "speed", "budget": budget, "task": [task], "agent": entries})


def overhead(plan: Plan, agent: str, store: Store) -> tuple[float, float, float]:
    """Milliseconds of processor time per run of an agent: in all, in agent and simulator, and the rest."""
    runs = [run for run in plan.runs if run.agent == agent][: PACK + 1]
    execute(runs[0])  # loads and compiles
    since = process_time()
    with patch("archgym.evaluator.perf_counter", process_time):  # the share of agents and simulator in the same currency
        outcomes = [execute(run) for run in runs[1:]]
    summaries = [outcome.summary for outcome in outcomes]
    store.write_part(runs[0].task, summaries, [outcome.trials for outcome in outcomes])
    total = process_time() - since
    inner = sum(summary["agent_seconds"] + summary["simulator_seconds"] for summary in summaries)
    return 1e3 * total / PACK, 1e3 * inner / PACK, 1e3 * (total - inner) / PACK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--runs", type=int, default=400, help="runs of the whole sweep, over all cheap agents")
    parser.add_argument("--budget", type=int, default=1000, help="designs per run")
    parser.add_argument("--workers", type=int, help="processes; one per core by default")


def measure(options: argparse.Namespace) -> Report:
    """All figures."""
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        spec = spec_of(CHEAP, PACK + 1, options.budget)
        plan = make_plan(spec)
        store = Store.create(Path(scratch) / "overhead", spec, plan)
        for agent in CHEAP:
            total, inner, rest = overhead(plan, agent, store)
            rows.append((f"run of {agent}", f"{total:.1f} ms", f"{inner:.1f} ms", f"{rest:.1f} ms"))
        whole = spec_of(CHEAP, options.runs // len(CHEAP), options.budget)
        result = run_sweep(whole, Path(scratch) / "whole", workers=options.workers)
        size = sum(path.stat().st_size for path in (Path(scratch) / "whole").rglob("*") if path.is_file())
        each = 1e3 * result.seconds / result.runs
        rows.append(
            (f"sweep of {result.runs:,} runs", f"{each:.1f} ms wall per run", f"{result.trials / result.seconds:,.0f}/s", "")
        )
        rows.append(("on disk", f"{size / result.trials:.1f} bytes per design", f"{size / 1e6:.1f} MB", ""))
    notes = [f"{options.budget:,} designs per run, tabulated DRAM; processor time per run, wall time of the sweep."]
    columns = ("what", "in all", "agent and simulator", "the rest")
    return Report("What a sweep costs", Path(__file__).parents[1] / "docs/sweeps.md", columns, rows, notes)
