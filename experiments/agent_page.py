"""Text of docs/agents.md: every registered agent with its settings, from the code."""

from __future__ import annotations

from typing import Any

from docstrings import MADE, markdown, sections, table

from archgym.agent import Agent
from archgym.registry import agent_class, list_agents


def pages() -> dict[str, str]:
    """Path below docs/ -> text."""
    agents = {name: agent_class(name) for name in list_agents()}
    rows = [(f"[`{name}`](#{name})", library(agent), _headline(agent)) for name, agent in agents.items()]
    free = ", ".join(f"`{name}`" for name, agent in agents.items() if agent.asynchronous)
    lead = (
        "All face the same designs, score, budget and log. `--hyper NAME=VALUE` on the command line or `hyperparameters=` in "
        "Python sets what differs from a default; the levels are what a sweep or `archgym tune` draws from. "
        "[Which agent needs how many designs](sample-efficiency.md) compares them."
    )
    later = (
        f"Where a simulator evaluates several designs at once, {free} can be told of each as it finishes; the others are told "
        "of a batch when all of it is there."
    )
    parts = [MADE, "# Agents", lead, table(["agent", "built on", "what it is"], rows), later]
    parts += [_settings(name, agent) for name, agent in agents.items()]
    return {"agents.md": "\n\n".join(parts) + "\n"}


def library(agent: type[Agent]) -> str:
    """What has to be installed for it."""
    return agent.library or "own"


def _headline(agent: type[Agent]) -> str:
    return markdown(" ".join(sections(agent)[""].partition("\n\n")[0].split()))


def _settings(name: str, agent: type[Agent]) -> str:
    rows = [
        (f"`{p.name}`", _plain(p.default), ", ".join(_plain(value) for value in p.values), p.doc)
        for p in agent.hyperparameters.parameters
    ]
    listed = table(["setting", "default", "levels", "meaning"], rows) if rows else "It has no settings."
    return f"## {name}\n\n{_headline(agent)}\n\n{listed}"


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
