"""``archgym check``: exit code 0 where a plug-in keeps the contract, 1 where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PLUGINS = '''
import numpy as np
from archgym import Agent, DesignSpace, Metric, Parameter, Simulator


class Adder(Simulator):
    """Adds."""

    name, version, workload = "adder", "1", "none"
    space = DesignSpace((Parameter("a", (1, 2, 3)), Parameter("b", (10, 20, 30))))
    metrics = (Metric("total", "min", (0, 100)),)

    def _evaluate(self, columns, fidelity):
        return {"total": columns["a"] + columns["b"]}


class Moody(Adder):
    """Gives another answer every time."""

    name = "moody"

    def _evaluate(self, columns, fidelity):
        Moody.calls = getattr(Moody, "calls", 0) + 1
        return {"total": columns["a"] + 1.0 * Moody.calls % 50}


class Demanding(Adder):
    """Cannot be built without being told what it wants."""

    def __init__(self, wanted):
        self.wanted = wanted


class Stuck(Agent):
    """Always proposes one design too few."""

    name = "stuck"

    def ask(self, n):
        return np.zeros((n - 1, self.space.dimensions), np.int32)
'''


@pytest.fixture
def plugins(tmp_path: Path) -> None:
    (tmp_path / "plugins_of_a_test.py").write_text(PLUGINS)


def test_a_built_in_simulator_passes(command: Callable) -> None:
    answer = command("check", "synthetic")
    assert answer.code == 0
    assert "passed, 0 failed" in answer.out


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["random_walk", "genetic"])
def test_a_built_in_agent_passes(command: Callable, agent: str) -> None:
    answer = command("check", agent)
    assert answer.code == 0, answer.out
    assert "passed, 0 failed" in answer.out


@pytest.mark.usefixtures("plugins")
def test_a_class_in_the_current_folder_passes(command: Callable) -> None:
    answer = command("check", "plugins_of_a_test:Adder")
    assert answer.code == 0, answer.out


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("name", ["Moody", "Stuck"])
def test_a_broken_plugin_fails_and_the_rule_is_named(command: Callable, name: str) -> None:
    answer = command("check", f"plugins_of_a_test:{name}")
    assert answer.code == 1, answer.out
    assert "FAILED: expected" in answer.out
    assert "Traceback" not in answer.err


@pytest.mark.usefixtures("plugins")
def test_a_simulator_that_needs_arguments_is_told_so(command: Callable) -> None:
    command("check", "plugins_of_a_test:Demanding").refuses("cannot be built without arguments", "wanted")
