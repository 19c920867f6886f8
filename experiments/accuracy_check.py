"""Trains a ladder of networks on generated pictures: does accuracy rise with size, and what does it cost?

    python experiments/accuracy_check.py [--write]

Two short lists of networks are trained as they are, at the size of the generated pictures; then the smallest and the largest
network of each network space as the evaluator ``trained`` does it, by stand-ins.  Nothing comes from the cache.
``--write`` puts the table into the README of the simulator.  Some three minutes on one core.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import process_time

from measuring import Report, machine, write_block

from simulators.asic.accuracy.trained import Trained, examples, stand_in
from simulators.asic.description import Description, ResNet9, UNet
from simulators.asic.network_space import load_network_space

README = Path(__file__).parents[1] / "simulators" / "asic" / "README.md"
SEEDS = (0, 1)
LADDERS: dict[str, list[Description]] = {
    "cifar10": [
        ResNet9(4, (4, 8, 8), (0, 0, 0), 16, 10),
        ResNet9(8, (8, 16, 16), (0, 0, 0), 16, 10),
        ResNet9(8, (16, 32, 32), (1, 0, 1), 16, 10),
        ResNet9(16, (32, 64, 64), (1, 1, 1), 16, 10),
        ResNet9(16, (32, 64, 128), (1, 0, 1), 16, 10),
    ],
    "nuclei": [UNet(filters, 32) for filters in ((4,), (4, 8), (8, 16), (4, 8, 16), (8, 16, 32), (8, 16, 32, 64))],
}
SPACES = {"cifar10": "resnet9-cifar10", "stl10": "resnet9-stl10", "nuclei": "unet-nuclei"}
WORKLOADS = {"W1": ("cifar10", "nuclei"), "W2": ("cifar10", "stl10")}

NOTES = (
    "Pictures are generated from the digits and photographs that scikit-learn ships.  These are **not** accuracies on "
    "CIFAR-10, STL-10 or Nuclei: the order of networks counts, not the level, and no figure compares with a published one.",
    "What is trained is a stand-in at reduced size: `cifar10` at 16x16 and half of the filters, `stl10` at 32x32 and a "
    "quarter, `nuclei` at 32x32 and all.  The cost model prices the network at full size.  Lines without a network in the "
    "first column are trained as they stand.",
    "Scores are on held-out pictures of other digits and other halves of the photographs: the share of right classes, or the "
    "mean over pictures of intersection over union.  CPU seconds are those of one training on one thread, mean of the seeds.",
)


@dataclass(frozen=True)
class Line:
    """A network and what became of it.

    Attributes:
        task: its task.
        full: the network that the stand-in stands for, or None.
        trained: what was trained.
        scores: one per seed.
        seconds: CPU seconds of one training.
    """

    task: str
    full: Description | None
    trained: Description
    scores: list[float]
    seconds: float

    @property
    def cells(self) -> tuple[str, ...]:
        """For the table."""
        named = str(self.full) if self.full else ""
        scores = [f"{score:.3f}" for score in self.scores]
        return (named, self.task, str(self.trained), f"{self.trained.parameters():,}", *scores, f"{self.seconds:.1f}")


def main() -> None:
    """Runs the check from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--write", action="store_true", help=f"write the table into the README of the {README.parent.name} simulator"
    )
    options = parser.parse_args()
    text = report(list(measure())).markdown()
    print(text)
    if options.write:
        write_block(README, "accuracy", text)


def measure() -> Iterator[Line]:
    """Trains all networks; the pictures are made beforehand."""
    for task, networks in LADDERS.items():
        yield from (train(task, None, network) for network in networks)
    for task, name in SPACES.items():
        space = load_network_space(name)
        yield from (train(task, each, stand_in(task, each)) for each in (space.smallest(), space.largest()))


def train(task: str, full: Description | None, network: Description) -> Line:
    """Trains one network with every seed."""
    for part in ("train", "test"):
        examples(task, part)
    with tempfile.TemporaryDirectory() as empty:
        evaluator, start = Trained(Path(empty)), process_time()
        scores = [evaluator.train(task, network, seed) for seed in SEEDS]
    return Line(task, full, network, scores, (process_time() - start) / len(SEEDS))


def report(lines: list[Line]) -> Report:
    """All lines as a table."""
    heads = ("network", "task", "trained", "parameters", *(f"seed {seed}" for seed in SEEDS), "CPU s")
    longest = {line.task: line.seconds for line in lines if line.full}  # the largest network comes last
    pairs = ", ".join(f"{name} {longest[one] + longest[other]:.0f}" for name, (one, other) in WORKLOADS.items())
    twice = 2 * longest["cifar10"]
    note = (
        f"CPU seconds of the largest pair: {pairs}, W3 less than {twice:.0f} (a network that is there twice is trained once)."
    )
    return Report("Accuracy on generated pictures", README, heads, [line.cells for line in lines], (*NOTES, note, machine()))


if __name__ == "__main__":
    main()
