"""Tickets: the settings of an agent that a sweep tries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.agent import Agent, resolve_hyperparameters
from archgym.errors import HyperparameterError, SpecError, UnknownNameError
from archgym.space import DesignSpace

FORBIDDEN = ("budget", "seed")
"""Never part of a ticket: a budget among the settings hides who was given more, a seed is no setting."""

SHUFFLED = 1_000_000
"""Spaces of at most so many settings are shuffled as a whole; from larger ones tickets are drawn one by one."""

KINDS = {"random": ("random", "seed"), "grid": ("grid",), "list": ("list",)}


def check_tickets(
    agent: type[Agent], settings: Mapping[str, Any], tickets: Mapping[str, Any] | None, where: str
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Checks settings held and tickets, and completes them.

    Raises:
        SpecError: an unknown hyper-parameter, a value it cannot take, an empty or unreadable list of tickets.
    """
    held = {name: value for name, value in _resolve(agent, settings, f"{where}: set").items() if name in settings}
    if tickets is None:
        return held, None
    kind = _kind(tickets, where)
    content = tickets[kind]
    if kind == "random":
        seed = tickets.get("seed", 0)
        for name, value, least in (("random", content, 1), ("seed", seed, 0)):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise SpecError(f"{where}: tickets.{name} must be a whole number from {least}, got {value!r}")
        return held, {"random": content, "seed": seed}
    if kind == "grid":
        wrong = not isinstance(content, Mapping) or not content
        if wrong or not all(isinstance(values, list) and values for values in content.values()):
            raise SpecError(f"{where}: tickets.grid must name hyper-parameters with lists of values, got {content!r}")
    elif not isinstance(content, list) or not content or not all(isinstance(entry, Mapping) for entry in content):
        raise SpecError(f"{where}: tickets.list must be a list of tables, at least one, got {content!r}")
    complete: dict[str, Any] = {kind: content}
    expanded, _ = expand_tickets(agent, "", held, complete, where)
    for number, ticket in enumerate(expanded):
        if ticket in expanded[:number]:
            raise SpecError(f"{where}: tickets {expanded.index(ticket)} and {number} are the same: {ticket}")
    return held, complete


def expand_tickets(
    agent: type[Agent], label: str, settings: Mapping[str, Any], tickets: Mapping[str, Any], where: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """All tickets of an agent, complete settings each, in order; and a note if there are fewer than asked for.

    Random tickets are distinct, every hyper-parameter at one of its declared levels, uniformly; asking for more of them
    keeps the first ones.
    """
    if "random" in tickets:
        free = DesignSpace(
            tuple(p for p in agent.hyperparameters.parameters if p.name not in settings and p.name not in FORBIDDEN)
        )
        asked = tickets["random"]
        rows = free.unrank(_draw(free.size, asked, _entropy(label, tickets["seed"])))
        drawn = [resolve_hyperparameters(agent, {**settings, **free.describe(row)}) for row in rows]
        short = f"{label}: {asked} tickets were asked for, but only {len(drawn)} distinct ones exist; all are taken"
        return drawn, short if len(drawn) < asked else ""
    if "grid" in tickets:
        names = list(tickets["grid"])
        chosen = [dict(zip(names, values, strict=True)) for values in product(*tickets["grid"].values())]
    else:
        chosen = [dict(ticket) for ticket in tickets["list"]]
    for ticket in chosen:
        if held := sorted(set(ticket) & set(settings)):
            raise SpecError(f"{where}: {held[0]} is held by set and given by tickets too; leave one of them out")
    return [_resolve(agent, {**settings, **ticket}, f"{where}: tickets") for ticket in chosen], ""


def _kind(tickets: Mapping[str, Any], where: str) -> str:
    found = [kind for kind in KINDS if kind in tickets]
    if len(found) != 1:
        raise SpecError(f"{where}: tickets must have one of {', '.join(KINDS)}, got {dict(tickets)!r}")
    for key in tickets:
        if key not in KINDS[found[0]]:
            raise SpecError(str(UnknownNameError("key", key, KINDS[found[0]], owner=f"{where}: tickets")))
    return found[0]


def _resolve(agent: type[Agent], given: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in FORBIDDEN:
        if name in given:
            raise SpecError(f"{where}: {name} is no hyper-parameter; it stands beside them, as {name} or seeds of the agent")
    try:
        return resolve_hyperparameters(agent, given)
    except HyperparameterError as error:
        raise SpecError(f"{where}: {error}") from error


def _entropy(label: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(json.dumps(["tickets", label, seed]).encode()).digest()[:16], "big")


def _draw(size: int, n: int, entropy: int) -> NDArray[Any] | list[int]:
    """``n`` distinct ranks below ``size``, or all of them; the first ones do not depend on ``n``."""
    rng = np.random.default_rng(entropy)
    if size <= SHUFFLED:
        return rng.permutation(size)[:n]
    found: dict[int, None] = {}
    while len(found) < n:
        found[int.from_bytes(rng.bytes(16), "big") % size] = None
    return list(found)
