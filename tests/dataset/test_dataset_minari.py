"""Episodes: Minari loads them, and the environment it rebuilds plays them again."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up import blunt, logged

from archgym import Dataset, make_simulator, search
from archgym.errors import ArgumentError, DataError, LogError, MissingExtraError, UnknownNameError

for library in ("h5py", "PIL", "minari"):
    minari = pytest.importorskip(library, reason="needs minari with h5py and pillow (extra data)")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Minari looks for datasets."""
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "root"))
    return tmp_path / "root"


def replay(data: Any) -> int:
    """Plays every episode again and compares all that the environment gives; how many steps."""
    environment, steps = data.recover_environment(), 0
    for episode in data.iterate_episodes():
        observation, _ = environment.reset()
        assert np.array_equal(observation, episode.observations[0])
        for step, action in enumerate(episode.actions):
            assert environment.action_space.contains(action)
            observation, reward, terminated, truncated, info = environment.step(action)
            assert np.allclose(observation, episode.observations[step + 1], atol=1e-6)
            assert (reward, terminated, truncated) == (episode.rewards[step], episode.terminations[step], False)
            for name, values in episode.infos["metrics"].items():
                assert np.isnan(values[step + 1]) if name not in info["metrics"] else values[step + 1] == info["metrics"][name]
        assert episode.terminations[-1] != episode.truncations[-1]
        steps += len(episode)
    return steps


def test_the_rebuilt_environment_plays_the_same(tmp_path: Path, root: Path) -> None:
    dataset = Dataset.open(logged(tmp_path / "runs"))
    assert dataset.to_minari(root) == {"archgym/synthetic-constrained-distance-v0": 120}
    data = minari.load_dataset("archgym/synthetic-constrained-distance-v0")
    assert (data.total_episodes, data.total_steps) == (2, 120) and replay(data) == 120
    notes = list(data.storage.get_episode_metadata([0, 1]))
    assert [(note["agent"], int(note["replicate"])) for note in notes] == [("genetic", 1), ("random_walk", 1)]
    assert (
        minari.list_local_datasets()["archgym/synthetic-constrained-distance-v0"]["algorithm_name"] == "genetic, random_walk"
    )


@pytest.mark.parametrize("steps", [1, 7, 60, 100])
def test_long_runs_become_several_episodes(tmp_path: Path, root: Path, steps: int) -> None:
    dataset = Dataset.open(logged(tmp_path / "runs"))
    (identity,) = dataset.to_minari(root, steps=steps)
    data = minari.load_dataset(identity)
    assert data.total_episodes == 2 * -(-60 // steps) and replay(data) == 120
    last = next(iter(data.storage.get_episode_metadata([data.total_episodes - 1])))
    assert int(last["first_trial"]) == (59 // steps) * steps
    rewards = np.concatenate([episode.rewards for episode in data.iterate_episodes()])
    assert rewards.tolist() == dataset.to_arrow()["score"].to_pylist()


def test_every_task_is_a_dataset_of_its_own(tmp_path: Path, root: Path) -> None:
    logged(tmp_path / "runs", budget=5)
    logged(tmp_path / "runs", budget=5, workload="sphere")
    logged(tmp_path / "more", budget=5, workload="sphere", levels=5)
    simulator = make_simulator("synthetic", workload="sphere", parameters=4)
    search("random_walk", simulator, objective="weighted:distance=1,area=2", budget=5, seed=0, log=tmp_path / "runs" / "w")
    written = Dataset.open(tmp_path).to_minari(root)
    assert sorted(written) == [
        "archgym/synthetic-constrained-distance-v0",
        "archgym/synthetic-sphere-distance-2-v0",
        "archgym/synthetic-sphere-distance-v0",
        "archgym/synthetic-sphere-weighted-distance-1-0-area-2-0-v0",
    ]
    assert sum(replay(minari.load_dataset(identity)) for identity in written) == sum(written.values()) == 35


def test_the_environment_is_rebuilt_without_importing_archgym(tmp_path: Path, root: Path) -> None:
    simulator = make_simulator("dram", workload="random", requests=100)
    search("random_walk", simulator, objective="latency_ns", budget=4, seed=0, log=tmp_path / "run")
    (identity,) = Dataset.open(tmp_path / "run").to_minari(root)
    rebuilt = f"minari.load_dataset({identity!r}).recover_environment()"
    code = f"import minari; print({rebuilt}.unwrapped.simulator.workload)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "random", done.stderr
    assert replay(minari.load_dataset(identity)) == 4


@pytest.mark.parametrize("library", ["minari", "h5py", "PIL"])
def test_a_missing_library_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, library: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name == library:
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtraError, match=r"needs minari with h5py and pillow, .*'archgym\[data\]'"):
        blunt(3).to_minari(tmp_path / "none")


def test_what_cannot_be_written_says_so(tmp_path: Path, root: Path) -> None:
    dataset = Dataset.open(logged(tmp_path / "runs", agents=("random_walk",), budget=5))
    dataset.to_minari(root)
    with pytest.raises(LogError, match="exists already; remove it or give another folder"):
        dataset.to_minari(root)
    with pytest.raises(DataError, match="no episode to export"):
        dataset.select(status="TIMEOUT").to_minari(tmp_path / "none")
    with pytest.raises(ArgumentError, match="steps must be a whole number from 1, got 0"):
        dataset.to_minari(tmp_path / "none", steps=0)
    blunt(3).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(UnknownNameError, match="no simulator named 'blunt'"):
        Dataset.open(tmp_path / "other.parquet").to_minari(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(LogError, match="cannot write"):
        dataset.to_minari(tmp_path / "file")
    assert not (tmp_path / "none").exists()
