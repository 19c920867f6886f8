"""Fits the curvature of the surrogate accuracy to networks that are really trained.

    python experiments/calibrate_surrogate.py [--write]

Of each task the smallest, the largest and some random networks are trained on generated pictures (``trained``), with two
seeds.  Least squares over low, high and c of the surrogate's formula give c; low and high are thrown away, because the
surrogate takes those that NASAIC gives.  ``--write`` puts c into ``simulators/asic/accuracy/surrogate.toml`` and the table
into the README of the simulator.  Some ten minutes on one core; trained networks are kept in archgym's cache folder.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measuring import Report, write_block
from numpy.typing import NDArray

from simulators.asic.accuracy.surrogate import DATA, capacity, curve
from simulators.asic.accuracy.trained import Trained
from simulators.asic.description import Description
from simulators.asic.network_space import load_network_space

README = Path(__file__).parents[1] / "simulators" / "asic" / "README.md"
TASKS = ("cifar10", "stl10", "nuclei")
RANDOM_NETWORKS = 24
SAMPLE_SEED = 7
SEEDS = (0, 1)
CURVATURES = np.geomspace(0.1, 20, 400)
DIGITS = 2

NOTES = (
    "*low* and *high* are those of generated pictures; the surrogate takes c alone from here.",
    "*rms error* is that of the formula against the mean of two seeds, *seed spread* the standard deviation of one training.  "
    "*rank correlation* is Spearman's between x and trained accuracy.",
    "U-Nets of two levels are almost as good as any on these pictures, hence the large c of `nuclei`.",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What least squares say of a task.

    Attributes:
        task: its name.
        networks: how many were trained.
        low: fitted accuracy at x = 0.
        high: fitted accuracy that is approached.
        c: fitted curvature.
        error: root mean square of what is left, of means over the seeds.
        spread: standard deviation of one training over the seeds.
        correlation: Spearman's, of x and trained accuracy.
    """

    task: str
    networks: int
    low: float
    high: float
    c: float
    error: float
    spread: float
    correlation: float


def main() -> None:
    """Runs the calibration from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help=f"write c into {DATA.name} and the table into the README")
    options = parser.parse_args()
    fits = [calibrate(task) for task in TASKS]
    text = report(fits).markdown()
    print(text)
    if options.write:
        write(fits)
        write_block(README, "surrogate", text)


def calibrate(task: str) -> Fit:
    """Trains networks of a task and fits the formula to them."""
    networks = list(sample(task))
    evaluator = Trained()
    x = np.array([capacity(task, network) for network in networks])
    trained = np.array([[evaluator.evaluate(task, network, seed) for seed in SEEDS] for network in networks])
    accuracy = trained.mean(axis=1)
    low, high, c, error = fit(x, accuracy)
    correlation = float(np.corrcoef(ranks(x), ranks(accuracy))[0, 1])
    spread = float(np.sqrt(trained.var(axis=1, ddof=1).mean()))
    return Fit(task, len(networks), low, high, c, error, spread, correlation)


def sample(task: str) -> Iterator[Description]:
    """The smallest, the largest and random networks of the task's space, none twice."""
    space = load_network_space(curve(task).space)
    yield space.smallest()
    yield space.largest()
    rows = space.sample(10 * RANDOM_NETWORKS, np.random.default_rng(SAMPLE_SEED))
    drawn = dict.fromkeys(space.description(row) for row in rows)
    yield from [network for network in drawn if network not in (space.smallest(), space.largest())][:RANDOM_NETWORKS]


def fit(x: Floats, accuracy: Floats) -> tuple[float, float, float, float]:
    """Least squares of ``low + (high - low) (1 - exp(-c x))``: low, high, c and the root mean square error."""
    best = (0.0, 0.0, 0.0, np.inf)
    for c in CURVATURES:
        terms = np.column_stack([np.ones_like(x), -np.expm1(-c * x)])
        (low, rise), *_ = np.linalg.lstsq(terms, accuracy)
        error = float(np.sqrt(np.mean((terms @ [low, rise] - accuracy) ** 2)))
        if error < best[-1]:
            best = (float(low), float(low + rise), float(c), error)
    return best


def ranks(values: Floats) -> Floats:
    """Ranks from 0; equal values share their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[inverse])


def report(fits: list[Fit]) -> Report:
    """All fits as a table."""
    heads = ("task", "networks", "low", "high", "c", "rms error", "seed spread", "rank correlation")
    rows = [
        (
            found.task,
            str(found.networks),
            f"{found.low:.3f}",
            f"{found.high:.3f}",
            f"{found.c:.{DIGITS}f}",
            f"{found.error:.3f}",
            f"{found.spread:.3f}",
            f"{found.correlation:.2f}",
        )
        for found in fits
    ]
    return Report("Curvature of the surrogate", README, heads, rows, NOTES)


def write(fits: list[Fit]) -> None:
    """Replaces the curvature of each task in the data file."""
    text = DATA.read_text()
    for found in fits:
        pattern = rf"(\[curve\.{found.task}\][^\[]*?\nc = )[^\n]*"
        text, count = re.subn(pattern, rf"\g<1>{found.c:.{DIGITS}f}", text)
        assert count == 1, f"{DATA}: no line 'c = ' for {found.task}"
    DATA.write_text(text)


if __name__ == "__main__":
    main()
