"""Every registered agent keeps the contract; all but the baselines beat random search."""

from __future__ import annotations

from typing import Any

import pytest

from archgym import Agent, list_agents
from archgym.errors import MissingExtraError
from archgym.registry import agent_class
from archgym.testing import agent_checks

BASELINES = {"random_walk", "grid"}
QUICK: dict[str, Any] = {"budget": 40, "long_budget": 120, "seeds": 5}
"""For agents that take longer per design."""
LIGHT = {"own", "cmaes", "pymoo", "torch"}
"""Built on these, an agent spends what one of the project's own does."""
SLOW = {"ray[rllib]", "stable-baselines3", "scikit-optimize", "optuna"}
"""Libraries that need seconds for what others do in milliseconds."""


def load(name: str) -> type[Agent]:
    """The agent's class; skips where the library that it is built on is not installed."""
    try:
        return agent_class(name)
    except MissingExtraError as missing:
        pytest.skip(str(missing))


def names() -> list[Any]:
    """All agents, those on slow libraries marked so."""
    return [pytest.param(name, marks=pytest.mark.slow if load(name).library in SLOW else ()) for name in list_agents()]


@pytest.mark.parametrize("check", [check.name for check in agent_checks()])
@pytest.mark.parametrize("name", names())
def test_registered_agents(name: str, check: str) -> None:
    agent = load(name)
    if check.endswith("beats-random") and name in BASELINES:
        pytest.skip("a baseline")
    checks = {each.name: each for each in agent_checks(**({} if agent.library in LIGHT else QUICK))}
    try:
        checks[check].run(agent)
    except MissingExtraError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", list_agents())
def test_agents_have_their_registered_name(name: str) -> None:
    agent = load(name)
    assert agent.name == name and agent.__doc__
    assert all(parameter.doc for parameter in agent.hyperparameters.parameters), "a line on every hyper-parameter"
