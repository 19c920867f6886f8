"""``archgym check``: exit code 0 where a plug-in keeps the contract, 1 where it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PLUGINS = '''
import time

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


class Hasty(Adder):
    """Says that threads may call it, and keeps what it works on where all of them see it."""

    name, lanes = "hasty", 2

    def _evaluate(self, columns, fidelity):
        self.working_on = columns
        time.sleep(0.01)
        return {"total": self.working_on["a"] + self.working_on["b"]}


class Slow(Adder):
    """Takes a while, and does not know all its designs."""

    name = "slow"
    metrics = (Metric("total", "min"), Metric("width", "max", (0, 8)))

    def _evaluate(self, columns, fidelity):
        time.sleep(0.01)
        if (columns["a"] == 3).any():
            raise RuntimeError("three is too much")
        return {"total": columns["a"] + columns["b"], "width": 8 + 0 * columns["a"]}


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


CLOCK = """
name = "clock"
[[parameters]]
name = "width"
values = [1, 2, 3]
[run]
command = ["date", "+%N"]
[[metrics]]
name = "ticks"
bounds = [0, 1e9]
source = "stdout"
pattern = '(\\d+)'
"""


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


@pytest.mark.usefixtures("plugins")
def test_what_a_maintainer_wants_to_know_is_printed(command: Callable) -> None:
    answer = command("check", "plugins_of_a_test:Adder")
    for expected in (
        "adder 1, workload none",
        "space: 9 designs = a 3 x b 3",
        "designs: 64 drawn at random: 64 OK (100%)",
        "total  │ min  │ 0 .. 100 │ 11 .. 33",
        "repeated: the same metrics",
        "threads: the same when 2 threads called it at once; it promises one caller",
        "explanations: it gives none",
        "fidelities: it has one",
    ):
        assert expected in answer.out, answer.out


@pytest.mark.usefixtures("plugins")
def test_failures_are_counted_with_their_reasons_and_metrics_have_remarks(command: Callable) -> None:
    answer = command("check", "plugins_of_a_test:Slow", "--designs", "8")
    assert "FAILED (" in answer.out and "FAILED: RuntimeError: three is too much" in answer.out
    assert "no bound on the bad side" in answer.out and "the same for every design" in answer.out


@pytest.mark.usefixtures("plugins")
def test_a_slow_simulator_is_checked_on_fewer_designs(monkeypatch: pytest.MonkeyPatch, command: Callable) -> None:
    monkeypatch.setattr("archgym.cli.checking.SECONDS", 0.01)
    monkeypatch.setattr("archgym.testing.surveying.SECONDS", 0.01)
    answer = command("check", "plugins_of_a_test:Slow")
    assert "designs: 3 drawn at random" in answer.out
    assert "they look at 3 random ones; more with --designs" in answer.out


@pytest.mark.usefixtures("plugins")
def test_threads_that_get_in_each_others_way_are_found_where_several_are_promised(command: Callable) -> None:
    answer = command("check", "plugins_of_a_test:Hasty", "--designs", "16")
    assert answer.code == 1 and "19 passed, 0 failed" in answer.out
    assert "threads: DIFFERENT: total of row" in answer.out


def test_a_described_program_is_repeated_without_its_cache(tmp_path: Path, command: Callable) -> None:
    (tmp_path / "clock.toml").write_text(CLOCK)
    answer = command("check", "clock.toml", "--designs", "4")
    assert "repeated: DIFFERENT: ticks of row 0" in answer.out
    assert answer.code == 1 and "repetition or threads gave something else" in answer.out
