"""The example packages: in this process, and installed from the checkout into a fresh virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sources import ROOT

from archgym.registry import simulator_class
from archgym.testing import check_simulator

EXAMPLES = ROOT / "examples"
POINT, BATCHED = EXAMPLES / "point_simulator", EXAMPLES / "batched_simulator"
MAKE = """
import gymnasium
env = gymnasium.make("archgym:archgym/{name}")
_, info = env.reset(seed=0)
observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
print(env.unwrapped.spec.id, reward)
"""


@pytest.mark.parametrize(("folder", "name"), [(POINT, "branch_predictor:BranchPredictor"), (BATCHED, "tiling:Tiling")])
def test_its_simulator_keeps_the_contract(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    check_simulator(simulator_class(name)(), designs=4)


def test_the_point_simulator_is_under_twenty_lines() -> None:
    lines = [line for line in (POINT / "branch_predictor.py").read_text().splitlines() if line.strip()]
    assert len(lines) < 20


def copied(name: str, to: Path) -> Path:
    """A copy of something of the checkout: building a package leaves files beside its sources."""
    source, target = ROOT / name, to / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_file():
        shutil.copy(source, target)
    else:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    return target


def run(*words: str | Path, folder: Path) -> str:
    """What a command prints; fails the test with everything it said if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True, env=environment, timeout=600)
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment in which archgym and both packages are installed."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
    programs, checkout = folder / "venv" / "bin", folder / "checkout"
    for name in ("archgym", "simulators", "agents", "pyproject.toml", "README.md", "LICENSE"):
        copied(name, checkout)
    pip = (programs / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = subprocess.run(
        [*map(str, pip), "--constraint", str(ROOT / "constraints.txt"), str(checkout), "pytest"],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if "Temporary failure in name resolution" in done.stderr or "No matching distribution found" in done.stderr:
        pytest.skip(f"nothing can be downloaded: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    run(*pip, *(copied(f"examples/{each.name}", folder) for each in (POINT, BATCHED)), folder=folder)
    return programs


@pytest.mark.slow
def test_they_work_in_a_fresh_environment(fresh: Path, tmp_path: Path) -> None:
    archgym, python = fresh / "archgym", fresh / "python"
    listed = run(archgym, "list", folder=tmp_path)
    for name in ("branch_predictor", "tiling", "archgym/BranchPredictor-v0", "archgym/Tiling-v0"):
        assert name in listed
    for name in ("branch_predictor", "tiling"):
        checked = run(archgym, "check", name, "--designs", "6", folder=tmp_path)
        assert "passed, 0 failed" in checked and "repeated: the same" in checked
        out = tmp_path / name
        ran = run(archgym, "run", name, "--agent", "genetic", "--budget", "60", "--out", out, folder=tmp_path)
        assert "60 designs" in ran and (out / "manifest.json").exists()
    for name in ("BranchPredictor-v0", "Tiling-v0"):
        assert f"archgym/{name}" in run(python, "-c", MAKE.format(name=name), folder=tmp_path)
    for source in (POINT, BATCHED):
        test = shutil.copy(next(source.glob("test_*.py")), tmp_path)  # alone: what is installed is what is tested
        words = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tmp_path)
        assert " passed" in run(python, "-m", "pytest", *words, test, folder=tmp_path)
