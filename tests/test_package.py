"""What is installed: entry points that load, types that are shipped, data files that come along."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points, metadata, version
from pathlib import Path

import pytest
from sources import ROOT

import archgym
from archgym import Agent, Simulator
from archgym.registry import environment_ids, list_agents, list_simulators, simulator_class

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_version_and_licence() -> None:
    assert archgym.__version__ == version("archgym") == PROJECT["version"]
    assert metadata("archgym")["Requires-Python"] == "<3.14,>=3.11"
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert f"## [{PROJECT['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_command_is_installed() -> None:
    (point,) = entry_points(group="console_scripts", name="archgym")
    assert point.load().__module__ == "archgym.cli"


def test_every_declared_plugin_is_installed() -> None:
    declared = PROJECT["entry-points"]
    assert set(declared["archgym.simulators"]) <= set(list_simulators())
    assert set(declared["archgym.agents"]) <= set(list_agents())
    assert set(declared["archgym.envs"]) <= set(environment_ids())


@pytest.mark.parametrize("name", sorted(PROJECT["entry-points"]["archgym.simulators"]))
def test_a_simulator_loads_under_its_own_name(name: str) -> None:
    found = simulator_class(name)
    assert issubclass(found, Simulator)
    assert found.name == name


@pytest.mark.parametrize("name", sorted(PROJECT["entry-points"]["archgym.agents"]))
def test_an_agent_is_a_file_of_its_own_name(name: str) -> None:
    module, _, attribute = PROJECT["entry-points"]["archgym.agents"][name].partition(":")
    assert module == f"agents.{name}"
    assert f"class {attribute}(" in (ROOT / "agents" / f"{name}.py").read_text()
    assert Agent.__module__ == "archgym.agent"


def test_environments_name_simulators_that_exist() -> None:
    assert set(PROJECT["entry-points"]["archgym.envs"].values()) <= set(PROJECT["entry-points"]["archgym.simulators"])


def test_types_are_shipped() -> None:
    assert (Path(archgym.__file__).parent / "py.typed").exists()


def test_torch_is_pinned_for_everybody() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert pins == ["torch==2.13.0"]
    assert "--constraint constraints.txt" in (ROOT / "Makefile").read_text()


@pytest.mark.slow
def test_a_wheel_holds_every_module_and_data_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    packages = ("archgym", "simulators", "agents")
    for name in packages:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("archgym-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {str(path.relative_to(source)) for name in packages for path in (source / name).rglob("*") if path.is_file()}
    assert wanted <= held, wanted - held
    assert not [name for name in held if name.startswith("tests/")]
