"""What agents cost beside the simulator: seconds per 1,000 designs, on the synthetic problem."""

from __future__ import annotations

import argparse
from pathlib import Path

from measuring import Report

import archgym
from archgym.errors import MissingExtraError
from archgym.registry import agent_class

PASSES = 3
SHORT = {"scikit-optimize": 200, "ray[rllib]": 300, "optuna": 500, "stable-baselines3": 1000}
"""Designs for agents on libraries that take long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--designs", type=int, default=5000, help="designs per run, fewer for agents on slow libraries")
    parser.add_argument("--agents", nargs="+", default=archgym.list_agents())


def measure(options: argparse.Namespace) -> Report:
    """Runs every agent on 8 parameters of 6 levels and reads the time between evaluations."""
    rows = []
    for name in options.agents:
        agent = agent_class(name)
        designs = min(options.designs, SHORT.get(agent.library, options.designs))
        try:
            seconds = [archgym.search(agent, "synthetic", budget=designs, seed=seed).agent_seconds for seed in range(PASSES)]
        except MissingExtraError as missing:
            rows.append((name, agent.library, "-", str(missing), "-"))
            continue
        best = min(seconds) / designs
        rows.append((name, agent.library, f"{designs:,}", f"{1e6 * best:,.1f}", f"{1 / best:,.0f}"))
    notes = [
        f"Time between evaluations, learning included, of the fastest of {PASSES} runs; simulator and log are not part of it.",
        "Synthetic problem, 8 parameters of 6 levels, default hyper-parameters, one process.",
    ]
    readme = Path(__file__).parents[1] / "docs/sample-efficiency.md"
    return Report("Agents", readme, ("agent", "built on", "designs", "ms per 1,000 designs", "designs/s"), rows, notes)
