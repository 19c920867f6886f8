"""What the framework itself costs: logging, sealing, a run's start and end.

Trials per second of appending and sealing are wall time, disk included, for a log of 15 parameters and 10 metrics (about 50
columns).  Overheads are the processor time of this process, so that a busy machine does not spoil them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from measuring import Report
from numpy.typing import NDArray

from archgym import Columns, DesignSpace, Metric, Metrics, Parameter, Simulator, TrialLog, make_objective, search
from archgym.manifest import describe_run, describe_task
from archgym.registry import make_simulator
from archgym.trials import Chunk

BATCHES = (1, 64, 4096)


class Wide(Simulator):
    """Fifteen parameters, five of them names, and ten metrics: a log of about fifty columns."""

    name, version = "wide", "1"
    space = DesignSpace(
        (
            *(Parameter(f"size{i}", tuple(range(16))) for i in range(10)),
            *(Parameter(f"policy{i}", ("first", "second", "third"), ordered=False) for i in range(5)),
        )
    )
    metrics = tuple(Metric(f"metric{i}") for i in range(10))

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[np.float64]]:
        return {name: columns["size0"] * 1.5 for name in self.metric_names}


def log_trials(folder: Path, batch: int, trials: int) -> tuple[float, float]:
    """Trials per second appended, and trials per second sealed."""
    simulator = Wide()
    task = describe_task(simulator, make_objective("metric0", simulator), None)
    log = TrialLog.create(folder, describe_run(task, "random_walk", {}, 0))
    rng = np.random.default_rng(0)
    designs = simulator.space.sample(batch, rng)
    metrics = Metrics.empty(simulator.metric_names, batch)
    for column in metrics.columns.values():
        column[:] = rng.random(batch)
    scores = rng.random(batch)
    start = perf_counter()
    for number, first in enumerate(range(0, trials, batch)):
        log.append(Chunk(first, number, "full", 1.0, designs, metrics, scores, 0.1, 0.1))
    appended = perf_counter()
    log.close("finished")
    sealed = perf_counter()
    return log.trials / (appended - start), log.trials / (sealed - appended)


def best_of(repeats: int, call: Callable[[], object]) -> float:
    """Least processor seconds of a call."""
    seconds = []
    for _ in range(repeats):
        start = process_time()
        call()
        seconds.append(process_time() - start)
    return min(seconds)


def run_overhead(folder: Path) -> float:
    """Seconds of a logged run of one design."""
    simulator = make_simulator("synthetic")
    names = iter(range(1000))
    return best_of(20, lambda: search("random_walk", simulator, budget=1, log=folder / f"run-{next(names)}"))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of this section."""
    parser.add_argument("--trials", type=int, default=200_000, help="trials per log (at most 20,000 batches each)")
    parser.add_argument("--folder", type=Path, help="where to write the logs; a temporary folder if not given")


def measure(options: argparse.Namespace) -> Report:
    """All figures."""
    rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        for batch in BATCHES:
            count = min(options.trials, 20_000 * batch)
            appended, sealed = log_trials(Path(scratch) / f"batch-{batch}", batch, count)
            rows.append((f"log, batches of {batch:,}", f"{appended:,.0f} trials/s appended", f"{sealed:,.0f} trials/s sealed"))
        rows.append(("run of one design, logged", f"{1e3 * run_overhead(Path(scratch)):.1f} ms", "start, manifest, sealing"))
    notes = ["Logs of 15 parameters and 10 metrics, about 50 columns; wall time, disk included. The run is processor time."]
    readme = Path(__file__).parents[1] / "docs/architecture.md"
    return Report("What the framework costs", readme, ("what", "figure", "and"), rows, notes)
