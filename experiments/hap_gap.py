"""Compares the mapping and scheduling heuristic of the ASIC simulator with the exact optimum on random cases.

    python experiments/hap_gap.py [--cases N] [--write]

Full cases are random W1 designs: a ResNet9 for CIFAR-10 and a U-Net for Nuclei on two units.  Small ones have few extra
convolutions and a U-Net of one or two levels.  The limit is uniform between the least makespan that the heuristic finds and
the makespan of the mapping of least energy; cases where these two differ by less than 2 % are left out, because nothing is
to be decided there.  Exact results are kept in ``runs/hap_gap.jsonl``, so that an interrupted run goes on where it was.
Needs OR-tools.  ``--write`` puts the table into the README of the simulator.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from measuring import Report, write_block
from numpy.typing import NDArray
from rich.progress import track

from simulators.asic.cost import unit_costs
from simulators.asic.hap import Assignment, assign
from simulators.asic.network_space import load_network_space
from simulators.asic.random_designs import sample_units

ROOT = Path(__file__).parents[1]
README = ROOT / "simulators" / "asic" / "README.md"
STORE = ROOT / "runs" / "hap_gap.jsonl"

KINDS = ("small", "full")
LEAST_SPREAD = 0.02  # of makespans that leave something to decide
EXTRA_SHARE = 0.3  # of blocks with one extra convolution in small cases

COLUMNS = ("cases", "number", "layers", "optimal", "mean gap", "90th percentile", "99th", "largest", "feasible missed")
COLUMNS += ("least makespan, mean gap", "largest gap", "CPU ms, heuristic", "exact")
NOTES = (
    "The gap is that of the energy: heuristic / exact - 1 over the cases that both solve within the limit.  *Feasible missed* "
    "counts the cases where only the exact solver met the limit.",
    "*Least makespan* is with a limit of 0: the latency that an infeasible design is given, against the shortest there is.",
    "Layers are the least, mean and most of both networks together.  CPU times are those of one case, the exact one with both "
    "of its passes (least energy, then least makespan at that energy).",
)


@dataclass(frozen=True)
class Case:
    """Layers on units under a limit: the arguments of ``assign``."""

    latency: NDArray[np.int64]
    energy: NDArray[np.int64]
    lengths: tuple[int, ...]
    limit: int

    @property
    def key(self) -> str:
        """Hash of the content."""
        numbers = np.concatenate([self.latency.ravel(), self.energy.ravel(), self.lengths, [self.limit]])
        return hashlib.sha256(numbers.astype(np.int64).tobytes()).hexdigest()[:24]

    def solve(self, solver: str, limit: int | None = None) -> Assignment:
        """Runs a solver, under another limit if one is given."""
        return assign(self.latency, self.energy, self.lengths, self.limit if limit is None else limit, solver)


@dataclass
class Found:
    """What the solvers found on the cases of one kind."""

    layers: list[int] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    makespan_gaps: list[float] = field(default_factory=list)
    missed: int = 0
    heuristic_seconds: float = 0.0
    exact_seconds: float = 0.0

    def row(self, kind: str) -> tuple[str, ...]:
        """A line of the table."""
        gaps, spans, number = 100 * np.array(self.gaps), 100 * np.array(self.makespan_gaps), len(self.layers)
        return (
            kind,
            str(number),
            f"{min(self.layers)} / {np.mean(self.layers):.0f} / {max(self.layers)}",
            f"{100 * np.mean(gaps == 0):.0f} %",
            f"{gaps.mean():.2f} %",
            f"{np.percentile(gaps, 90):.2f} %",
            f"{np.percentile(gaps, 99):.1f} %",
            f"{gaps.max():.1f} %",
            str(self.missed),
            f"{spans.mean():.2f} %",
            f"{spans.max():.1f} %",
            f"{1e3 * self.heuristic_seconds / number:.2f}",
            f"{1e3 * self.exact_seconds / number:.0f}",
        )


def main() -> None:
    """Runs the comparison from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=500, metavar="N", help="cases of each kind, default 500")
    parser.add_argument("--write", action="store_true", help=f"write the table into {README.relative_to(ROOT)}")
    options = parser.parse_args()
    rows = [compare(kind, options.cases).row(kind) for kind in KINDS]
    text = Report("Heuristic against exact mapping and scheduling", README, COLUMNS, rows, NOTES).markdown()
    print(text)
    if options.write:
        write_block(README, "hap", text)


def compare(kind: str, number: int) -> Found:
    """Solves the cases of one kind with both solvers."""
    found, known = Found(), stored()
    for case in track(cases(kind, number), f"{kind} cases", number):
        exact = known.get(case.key) or store(case)
        begin = time.process_time()
        heuristic = case.solve("heuristic")
        found.heuristic_seconds += time.process_time() - begin
        found.exact_seconds += exact["seconds"]
        found.layers.append(len(case.latency))
        found.makespan_gaps.append(case.solve("heuristic", limit=0).makespan / exact["least_makespan"] - 1)
        if heuristic.feasible:
            found.gaps.append(heuristic.energy / exact["energy"] - 1)
        else:
            found.missed += 1
    return found


def cases(kind: str, number: int) -> Iterator[Case]:
    """Draws cases of one kind, the same ones every time."""
    random = np.random.default_rng(KINDS.index(kind))
    while number:
        networks = [draw_resnet9(kind, random), draw_unet(kind, random)]
        lengths = tuple(len(layers) for layers in networks)
        latency, energy = unit_costs(np.concatenate(networks), sample_units(1, 2, random)[0])
        shortest = assign(latency, energy, lengths, 0).makespan
        cheapest = assign(latency, energy, lengths, np.iinfo(np.int64).max).makespan
        if cheapest >= (1 + LEAST_SPREAD) * shortest:
            yield Case(latency, energy, lengths, int(random.integers(shortest, cheapest, endpoint=True)))
            number -= 1


def draw_resnet9(kind: str, random: np.random.Generator) -> NDArray[np.int64]:
    """Layers of a random ResNet9 for CIFAR-10."""
    space = load_network_space("resnet9-cifar10")
    values = space.sample(1, random)[0]
    if kind == "small":
        values[2::2] = random.random(len(values[2::2])) < EXTRA_SHARE
    return space.description(values).layers()


def draw_unet(kind: str, random: np.random.Generator) -> NDArray[np.int64]:
    """Layers of a random U-Net for Nuclei."""
    space = load_network_space("unet-nuclei")
    heights = space.choices[0].values[: 2 if kind == "small" else None]
    values = [random.choice(heights), *(random.choice(choice.values) for choice in space.choices[1:])]
    return space.description(values).layers()


def stored() -> dict[str, dict[str, float]]:
    """Exact results of earlier runs by the hash of their case."""
    if not STORE.exists():
        return {}
    lines = [json.loads(line) for line in STORE.read_text().splitlines() if line.endswith("}")]  # one may be cut
    return {line["case"]: line for line in lines}


def store(case: Case) -> dict[str, float]:
    """Solves a case exactly and appends the result to the store."""
    begin = time.process_time()
    energy = case.solve("exact").energy
    seconds = time.process_time() - begin
    line = {"energy": energy, "seconds": seconds, "least_makespan": case.solve("exact", limit=0).makespan}
    STORE.parent.mkdir(exist_ok=True)
    with STORE.open("a") as file:
        file.write("\n" + json.dumps({"case": case.key, **line}))
    return line


if __name__ == "__main__":
    main()
