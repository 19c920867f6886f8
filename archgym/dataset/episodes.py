"""Datasets as Minari datasets: what the environments would have shown and paid, for offline reinforcement learning.

An episode is what ``archgym.env.DesignEnv`` plays with ``steps`` designs: a run, or a stretch of a long one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from archgym.dataset.arrays import STATUS_CODES
from archgym.dataset.rebuilding import rebuild
from archgym.dataset.runs import Run
from archgym.dataset.selecting import levels, problem
from archgym.errors import ArgumentError, DataError, LogError, MissingExtraError
from archgym.features import OutcomeFeatures
from archgym.metrics import Metrics
from archgym.registry import environment_ids
from archgym.simulator import Simulator
from archgym.space import Designs

if TYPE_CHECKING:
    from archgym.dataset.collection import Dataset

_Piece = tuple[int, Designs, Metrics, NDArray[np.float64]]
"""First trial's number, designs, metrics and scores of consecutive trials."""

MOST_STEPS = 10_000
"""Steps of an episode at most, unless asked otherwise: so much is held in memory."""


def write_minari(dataset: Dataset, folder: str | os.PathLike[str], steps: int | None = None) -> dict[str, int]:
    """``Dataset.to_minari``; errors as there."""
    try:
        import h5py  # noqa: F401 - Minari's own message does not say how to install it for archgym
        import minari  # noqa: F401
        import PIL  # noqa: F401
    except ImportError:
        raise MissingExtraError("Dataset.to_minari", "minari with h5py and pillow", "data") from None
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1):
        raise ArgumentError(f"steps must be a whole number from 1, got {steps!r}")
    written: dict[str, int] = {}
    for name in sorted({_group(run) for run in dataset.runs}):
        chosen = [index for index, run in enumerate(dataset.runs) if _group(run) == name]
        part = dataset.take_runs(chosen).select(fidelity="full")
        counts = Counter[int]()
        for index, positions, _ in part.scan(["trial"]):
            counts[index] += len(positions)
        if not counts:
            continue
        identity = _identity(part.runs[next(iter(counts))], written)
        most = int(steps or min(max(counts.values()), MOST_STEPS))
        written[identity] = _write(part, counts, most, identity, Path(folder))
    if not written:
        raise DataError("this dataset has no trial at full fidelity, so there is no episode to export; widen the selection")
    return written


def _group(run: Run) -> str:
    """Runs of one problem and objective are one Minari dataset."""
    return problem(run.manifest) + str(run.manifest["objective"])


def _identity(run: Run, taken: dict[str, int]) -> str:
    """A name that Minari takes: letters, digits, hyphens."""
    manifest = run.manifest
    words = [manifest["simulator"]["name"], Path(manifest["workload"]["name"]).name, manifest["objective"]]
    name = "-".join(re.sub(r"[^A-Za-z0-9_]+", "-", word).strip("-") for word in words if word)
    identity, number = f"archgym/{name}-v0", 1
    while identity in taken:
        number += 1
        identity = f"archgym/{name}-{number}-v0"
    return identity


def _write(part: Dataset, counts: Counter[int], steps: int, identity: str, folder: Path) -> int:
    import minari
    from minari.dataset.minari_storage import MinariStorage

    run = part.runs[next(iter(counts))]
    spec = environment_spec(run, steps)
    environment = gym.make(spec)
    target = folder.resolve() / identity  # Minari joins relative paths twice
    if target.exists():
        raise LogError(f"{target} exists already; remove it or give another folder")
    notes: list[dict[str, Any]] = []
    try:
        target.mkdir(parents=True)
        storage = MinariStorage.new(
            target / "data",
            observation_space=environment.observation_space,
            action_space=environment.action_space,
            env_spec=spec,
            data_format="hdf5",
        )
        storage.update_episodes(_episodes(part, rebuild(run), steps, notes))
        storage.update_episode_metadata(notes)
        agents = sorted({str(part.runs[index].manifest["agent"]) for index in counts})
        about = {
            "dataset_id": identity,
            "minari_version": minari.__version__,
            "algorithm_name": ", ".join(agents),
            "description": f"Trials of {', '.join(agents)} on {run.manifest['simulator']['name']}, workload "
            f"{run.manifest['workload']['name']}; reward: score under {run.manifest['objective']}",
            "requirements": ["archgym"],
        }
        storage.update_metadata(about)
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError) and not isinstance(error, LogError):
            raise LogError(f"cannot write {target}: {error}. Nothing was left behind") from error
        raise
    return sum(counts.values())


def environment_spec(run: Run, steps: int) -> EnvSpec:
    """The environment whose episodes of ``steps`` designs a run's trials are."""
    simulator = rebuild(run)
    arguments = {"simulator": simulator.name, **simulator.arguments, "objective": run.manifest["objective"], "steps": steps}
    known = [name for name, other in environment_ids().items() if other == simulator.name]
    identity = f"archgym/{known[0] if known else f'{simulator.name}-v0'}"
    return EnvSpec(identity, entry_point="archgym.env:make_env", kwargs=arguments, disable_env_checker=True)


def _episodes(part: Dataset, simulator: Simulator, steps: int, notes: list[dict[str, Any]]) -> Iterator[Any]:
    """Episode buffers; ``notes`` is told of each one's run and agent."""
    from minari.data_collector import EpisodeBuffer

    results = OutcomeFeatures(simulator.metrics)
    for index, start, designs, metrics, scores in _stretches(part, simulator, steps):
        run = part.runs[index]
        count = len(designs)
        progress = np.arange(1, count + 1, dtype=np.float32)[:, None] / np.float32(steps)
        shown = np.concatenate([simulator.space.to_unit(designs).astype(np.float32), results(metrics), progress], axis=1)
        ends = np.zeros(count, bool)
        ends[-1] = True
        nothing = np.zeros(count, bool)
        whole = count == steps
        info = {name: np.concatenate([[np.nan], values]) for name, values in metrics.columns.items()}
        yield EpisodeBuffer(
            observations=np.concatenate([np.zeros((1, shown.shape[1]), np.float32), shown]),
            actions=designs.astype(np.int64),
            rewards=scores,
            terminations=ends if whole else nothing,
            truncations=nothing if whole else ends,
            infos={"metrics": info},
        )
        seed = run.manifest["seed"]
        notes.append({"run": run.name, "agent": str(run.manifest["agent"]), "first_trial": start})
        if seed is not None:
            notes[-1]["replicate"] = seed


def _stretches(
    part: Dataset, simulator: Simulator, steps: int
) -> Iterator[tuple[int, int, Designs, Metrics, NDArray[np.float64]]]:
    """Run, number of the first trial, designs, metrics and scores of each episode."""
    names = list(simulator.metric_names)
    columns = [*(f"{name}_level" for name in simulator.space.names), *names, "status", "violation", "score", "trial"]
    pending: list[_Piece] = []
    current, held = -1, 0
    for index, _, batch in part.scan(columns, rows=steps):
        if index != current:
            if held:
                yield (current, *_joined(pending))
            current, pending, held = index, [], 0
        start = 0
        while start < batch.num_rows:
            taken = batch.slice(start, steps - held)
            pending.append(_arrays(taken, simulator, names))
            start, held = start + taken.num_rows, held + taken.num_rows
            if held == steps:
                yield (current, *_joined(pending))
                pending, held = [], 0
    if held:
        yield (current, *_joined(pending))


def _arrays(batch: Any, simulator: Simulator, names: list[str]) -> _Piece:
    columns = {name: batch.column(name).to_numpy(zero_copy_only=False).copy() for name in names}
    status = np.array([STATUS_CODES[name] for name in batch.column("status").to_pylist()], np.uint8)
    violation, scores = (batch.column(name).to_numpy(zero_copy_only=False).copy() for name in ("violation", "score"))
    return batch.column("trial")[0].as_py(), levels(batch, simulator.space), Metrics(columns, status, violation), scores


def _joined(pieces: list[_Piece]) -> _Piece:
    first, designs, metrics, scores = zip(*pieces, strict=True)
    return first[0], np.concatenate(designs), Metrics.concatenate(metrics), np.concatenate(scores)
