"""Row numbers of deduplicated, split, mixed and sampled datasets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from archgym.dataset import splitting
from archgym.dataset.rebuilding import rebuild
from archgym.dataset.runs import Run
from archgym.dataset.selecting import OF_A_RUN, Positions, levels, number, problem, shares_of_rows, words
from archgym.errors import ArgumentError, DataError, MixedDataError, UnknownNameError
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset

Kept = list[Positions | None]


@dataclass(frozen=True)
class Gathered:
    """Designs of the trials of comparable runs.

    Attributes:
        space: theirs.
        runs: indices of these runs.
        run: (N,) int64, which of the dataset's runs a trial is of.
        position: (N,) int64, its row there.
        designs: (N, D), in a byte per level where levels fit.
        bad: (N,) bool, whether its status is not OK.
        fidelity: (N,) int64, number of its fidelity.
    """

    space: DesignSpace
    runs: tuple[int, ...]
    run: NDArray[np.int64]
    position: Positions
    designs: Designs
    bad: NDArray[np.bool_]
    fidelity: NDArray[np.int64]


def gather(dataset: Dataset, key: Callable[[Run], str]) -> list[Gathered]:
    """Designs of all kept trials, apart for each key of their run, in the keys' order."""
    keys = [key(run) for run in dataset.runs]
    fidelities: dict[str, int] = {}
    spaces: dict[str, DesignSpace] = {}
    for name, run in zip(keys, dataset.runs, strict=True):
        if name not in spaces:
            spaces[name] = run.space
    parts: dict[str, list[tuple[NDArray[Any], ...]]] = {}

    def columns(run: Run) -> list[str]:
        names = [parameter["name"] for parameter in run.manifest["space"]["parameters"]]
        return [*(f"{name}_level" for name in names), "status", "fidelity"]

    for index, positions, batch in dataset.scan(columns):
        space = spaces[keys[index]]
        small = np.uint8 if space.dimensions and space.nvec.max() <= 256 else np.int32
        designs = levels(batch, space).astype(small)
        bad = batch.column("status").cast(pa.string()).to_numpy(zero_copy_only=False) != "OK"
        origin = np.full(len(positions), index, np.int64)
        part = (origin, positions, designs, np.asarray(bad, bool), _fidelity(batch, fidelities))
        parts.setdefault(keys[index], []).append(part)
    found = []
    for name in sorted(parts):
        together = [np.concatenate(column) for column in zip(*parts.pop(name), strict=True)]
        runs = tuple(index for index, other in enumerate(keys) if other == name)
        found.append(Gathered(spaces[name], runs, *together))
    return found


def first_of_each(dataset: Dataset, by: str) -> tuple[Kept, int]:
    """What ``Dataset.dedupe`` keeps, and how many trials it drops."""
    if by not in ("design", "canonical"):
        raise ArgumentError(f"dedupe goes by 'design' or 'canonical', got {by!r}")
    chosen: list[tuple[NDArray[np.int64], Positions]] = []
    total = 0
    for found in gather(dataset, lambda run: problem(run.manifest)):
        designs = _representatives(found, rebuild(dataset.runs[found.runs[0]])) if by == "canonical" else found.designs
        keys = np.column_stack([found.fidelity, words(found.space, designs)])
        numbers = number(keys)[1]
        order = np.lexsort((np.arange(len(numbers)), found.bad, numbers))
        first = np.sort(order[np.flatnonzero(np.diff(numbers[order], prepend=-1))])
        chosen.append((found.run[first], found.position[first]))
        total += len(numbers)
    return _kept(dataset, chosen), total - sum(len(runs) for runs, _ in chosen)


def split(dataset: Dataset, by: str, fraction: float, seed: int) -> tuple[Kept, Kept]:
    """Rows of the training and of the test side; arguments and errors as in ``Dataset.split``."""
    if by not in splitting.WAYS:
        raise UnknownNameError("way to split", by, splitting.WAYS)
    splitting.check_fraction(fraction)
    splitting.check_seed(seed)
    if not dataset.runs:
        raise DataError("cannot split: this dataset has no run left")
    if by in ("agent", "workload"):
        numbers, count = splitting.name_groups([OF_A_RUN[by](run) for run in dataset.runs])
        test = splitting.held_out(count, by, fraction, seed)[numbers]
        nothing: Positions = np.zeros(0, np.int64)
        both = [[kept if side == flag else nothing for kept, flag in zip(dataset._kept, test, strict=True)] for side in (0, 1)]
        return both[0], both[1]
    _check_one_space(dataset)
    groups: list[NDArray[np.int64]] = []
    gathered = gather(dataset, lambda run: str(run.manifest["space"]["digest"]))
    count = 0
    for found in gathered:
        simulators = _simulators(dataset, found.runs) if by == "canonical" else []
        first, inverse = number(words(found.space, found.designs))
        label = splitting.classes(found.space, found.designs[first].astype(np.int32), simulators)
        groups.append(label[inverse] + count)
        count += int(label.max()) + 1
    test = splitting.held_out(count, by, fraction, seed)
    sides = []
    for side in (False, True):
        masks = [test[group] == side for group in groups]
        sides.append(_kept(dataset, [(g.run[m], g.position[m]) for g, m in zip(gathered, masks, strict=True)]))
    return sides[0], sides[1]


def mixed(dataset: Dataset, shares: Mapping[str, float], rows: int | None, seed: int) -> Kept:
    """Rows that ``Dataset.mix`` draws; errors as there."""
    splitting.check_seed(seed)
    agents = [OF_A_RUN["agent"](run) for run in dataset.runs]
    names = sorted(set(agents))
    run, position = _trials(dataset)
    source = np.array([names.index(agent) for agent in agents], np.int64)[run]
    available = {name: int((source == index).sum()) for index, name in enumerate(names)}
    rng = np.random.default_rng(seed)
    chosen = []
    for agent, count in sorted(shares_of_rows(shares, available, rows).items()):
        drawn = rng.choice(np.flatnonzero(source == names.index(agent)), count, replace=False)
        chosen.append((run[drawn], position[drawn]))
    return _kept(dataset, chosen)


def sampled(dataset: Dataset, rows: int, seed: int) -> Kept:
    """Rows that ``Dataset.sample`` draws; errors as there."""
    if isinstance(rows, bool) or not isinstance(rows, int | np.integer) or rows < 1:
        raise ArgumentError(f"rows must be a whole number from 1, got {rows!r}")
    splitting.check_seed(seed)
    run, position = _trials(dataset)
    if rows > len(run):
        raise DataError(f"cannot draw {rows:,} trials: this dataset has {len(run):,}")
    drawn = np.random.default_rng(seed).choice(len(run), rows, replace=False)
    return _kept(dataset, [(run[drawn], position[drawn])])


def _trials(dataset: Dataset) -> tuple[NDArray[np.int64], Positions]:
    parts = [(np.full(len(positions), index, np.int64), positions) for index, positions, _ in dataset.scan(["trial"])]
    if not parts:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _kept(dataset: Dataset, chosen: list[tuple[NDArray[np.int64], Positions]]) -> Kept:
    """Rows of each run, from (run, row) of the chosen trials."""
    kept: Kept = [np.zeros(0, np.int64)] * len(dataset.runs)
    if not chosen:
        return kept
    runs = np.concatenate([part[0] for part in chosen])
    positions = np.concatenate([part[1] for part in chosen])
    order = np.lexsort((positions, runs))
    runs, positions = runs[order], positions[order]
    for index, start, stop in _stretches(runs):
        kept[index] = positions[start:stop]
    return kept


def _stretches(runs: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    starts = np.flatnonzero(np.diff(runs, prepend=-1))
    stops = [*starts[1:].tolist(), len(runs)]
    return [(int(runs[start]), int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


def _representatives(found: Gathered, simulator: Simulator) -> Designs:
    first, inverse = number(words(found.space, found.designs))
    return simulator.canonical(found.designs[first].astype(np.int32))[inverse]


def _simulators(dataset: Dataset, runs: tuple[int, ...]) -> list[Simulator]:
    distinct = {problem(dataset.runs[index].manifest): index for index in runs}
    return [rebuild(dataset.runs[index]) for index in distinct.values()]


def _check_one_space(dataset: Dataset) -> None:
    # Levels of two spaces cannot be compared, so the same hardware could be on both sides.
    known: dict[str, tuple[str, str]] = {}
    for run in dataset.runs:
        simulator, digest = run.manifest["simulator"]["name"], run.manifest["space"]["digest"]
        other = known.setdefault(simulator, (digest, run.name))
        if other[0] != digest:
            raise MixedDataError(
                f"cannot split {simulator} trials of several spaces by design: run {other[1]} is of space {other[0][:12]}, "
                f"run {run.name} of {digest[:12]}, and one design may be in both. Split each space's runs apart."
            )


def _fidelity(batch: pa.RecordBatch, known: dict[str, int]) -> NDArray[np.int64]:
    column = batch.column("fidelity")
    coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    codes = np.array([known.setdefault(name, len(known)) for name in coded.dictionary.to_pylist()], np.int64)
    return np.asarray(codes[coded.indices.to_numpy(zero_copy_only=False)])
