"""Finding plug-ins: lazily, with clear words for everything that can be wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import archgym
from archgym import registry
from archgym.errors import ContractError, MissingExtraError, PluginError, UnknownNameError
from archgym.registry import agent_class, environment_ids, list_agents, list_simulators, make_simulator, simulator_class
from archgym.testing.problems import Sphere

PLUGINS = """
from archgym import Agent, Simulator
from archgym.testing.problems import Sphere

class Needy(Sphere):
    def __init__(self, path, scale=1):
        self.path, self.scale = path, scale

class NotASimulator:
    pass
"""
BROKEN = "1 / 0"
LACKING = "from archgym.errors import MissingExtraError\nraise MissingExtraError('agent x', 'a library', 'rl')"

Installed = Callable[..., None]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Installed:
    """Pretends that these entry points, and no others, are installed."""
    for name, text in {"toy_plugins": PLUGINS, "toy_broken": BROKEN, "toy_lacking": LACKING}.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    def install(*points: tuple[str, str], group: str = "archgym.simulators") -> None:
        found = [EntryPoint(name, value, group) for name, value in points]
        monkeypatch.setattr(registry, "entry_points", lambda group: [point for point in found if point.group == group])

    return install


def test_the_built_in_ones_are_there_by_entry_point() -> None:
    assert {"synthetic", "dram"} <= set(list_simulators()) and {"genetic", "random_walk"} <= set(list_agents())
    assert list_simulators() == sorted(list_simulators())
    assert environment_ids()["Synthetic-v0"] == "synthetic"
    assert "sphere" in archgym.list_workloads("synthetic")
    assert agent_class("genetic").name == "genetic" and simulator_class("synthetic").name == "synthetic"


def test_names_are_read_without_loading_anything(installed: Installed) -> None:
    installed(("broken", "toy_broken:Thing"))
    assert list_simulators() == ["broken"] and "toy_broken" not in sys.modules


@pytest.mark.parametrize("name", ["sintetic", "synthetic2", "Synthetic"])
def test_a_misspelt_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_simulator(name)
    assert f"no simulator named {name!r}. Did you mean 'synthetic'?" in str(caught.value)
    with pytest.raises(UnknownNameError, match=r"no agent named 'genetics'\. Did you mean 'genetic'"):
        agent_class("genetics")


def test_a_name_far_from_all_lists_what_there_is() -> None:
    with pytest.raises(UnknownNameError) as caught:
        make_simulator("qqqqqq")
    assert "Did you mean" not in str(caught.value) and "synthetic" in str(caught.value)


def test_a_plugin_of_somebody_else_is_found(installed: Installed) -> None:
    installed(("sphere", "archgym.testing.problems:Sphere"))
    assert list_simulators() == ["sphere"]
    assert isinstance(make_simulator("sphere"), Sphere)


def test_a_name_that_is_registered_twice_is_refused(installed: Installed) -> None:
    installed(("sphere", "archgym.testing.problems:Sphere"), ("sphere", "toy_plugins:Needy"))
    with pytest.raises(
        PluginError, match=r"'sphere' is registered twice.*problems:Sphere and as toy_plugins:Needy.*Uninstall"
    ):
        list_simulators()


def test_the_same_entry_point_seen_twice_is_one(installed: Installed) -> None:
    installed(("sphere", "archgym.testing.problems:Sphere"), ("sphere", "archgym.testing.problems:Sphere"))
    assert list_simulators() == ["sphere"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("toy_broken:Thing", r"simulator 'x' \(toy_broken:Thing\) cannot be loaded: ZeroDivisionError: division by zero"),
        ("toy_nowhere:Thing", "cannot be loaded: ModuleNotFoundError: No module named 'toy_nowhere'"),
        ("toy_plugins:Thing", "cannot be loaded: AttributeError"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_says_why(installed: Installed, value: str, message: str) -> None:
    installed(("x", value))
    with pytest.raises(PluginError, match=message):
        simulator_class("x")


def test_a_missing_extra_is_told_as_it_is(installed: Installed) -> None:
    installed(("x", "toy_lacking:X"), group="archgym.agents")
    with pytest.raises(MissingExtraError, match=r"agent x needs a library.*pip install 'archgym\[rl\]'"):
        agent_class("x")


@pytest.mark.parametrize("value", ["toy_plugins:NotASimulator", "archgym.testing.problems:PROBLEMS", "agents.genetic:Genetic"])
def test_a_plugin_of_another_kind_is_refused(installed: Installed, value: str) -> None:
    installed(("x", value))
    with pytest.raises(ContractError, match=r"must be a subclass of archgym\.Simulator"):
        simulator_class("x")


def test_arguments_are_checked_before_anything_is_built(installed: Installed) -> None:
    with pytest.raises(UnknownNameError, match=r"synthetic: no argument named 'worklod'\. Did you mean 'workload'"):
        make_simulator("synthetic", worklod="sphere")
    with pytest.raises(UnknownNameError, match=r"synthetic: no workload named 'spere'\. Did you mean 'sphere'"):
        make_simulator("synthetic", workload="spere")
    installed(("needy", "toy_plugins:Needy"))
    with pytest.raises(ContractError, match="needy: missing a required argument: 'path'; it takes path, scale"):
        make_simulator("needy", scale=2)
    assert make_simulator("needy", path="a").path == "a"  # type: ignore[attr-defined]


def test_nothing_installed_says_so(installed: Installed) -> None:
    installed()
    with pytest.raises(PluginError, match="no simulator is installed: archgym's own package metadata is missing"):
        make_simulator("synthetic")
    assert list_agents() == []
