"""The conformance kit for agents: what every search, log and comparison relies on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

import numpy as np

from archgym.agent import Agent
from archgym.errors import HyperparameterError
from archgym.objective import make_objective
from archgym.simulator import Simulator
from archgym.space import Designs, DesignSpace
from archgym.testing.asynchronous_checks import ASYNCHRONOUS_CHECKS, asynchronous_beats_random
from archgym.testing.check import Check, Mismatch, expect, run_all
from archgym.testing.effort import Effort, Kind, difference
from archgym.testing.isolation import in_another_process, no_global_rng
from archgym.testing.problems import ODD_PROBLEMS, PROBLEMS, Mixture, Sphere
from archgym.testing.run_checks import RUN_CHECKS, beats_random

COMPARISONS = [("beats-random", beats_random), ("asynchronous-beats-random", asynchronous_beats_random)]


def agent_checks(
    *,
    baseline: bool = False,
    hyperparameters: Mapping[str, Any] | None = None,
    budget: int = 150,
    long_budget: int = 500,
    seeds: int = 20,
) -> list[Check[Kind]]:
    """The rules every agent keeps, as named checks; ``check.run(agent_class)`` runs one.

    Args:
        baseline: leaves out the comparisons with random search.
        hyperparameters: settings that the agent runs with, where its defaults are too slow for a check.
        budget: designs of an ordinary run.
        long_budget: designs of a run against random search.
        seeds: runs against random search per problem.
    """
    bodies: list[tuple[str, Callable[[Kind, Effort], None]]] = [
        ("declaration", _declaration),
        ("exact-rows", _exact_rows),
        ("ragged-batches", _ragged_batches),
        ("same-seed", _same_seed),
        ("another-process", _another_process),
        ("no-global-rng", _no_global_rng),
        ("no-mutation", _no_mutation),
        *RUN_CHECKS,
        *ASYNCHRONOUS_CHECKS,
        *([] if baseline else COMPARISONS),
    ]
    effort = Effort(dict(hyperparameters or {}), budget, long_budget, seeds)
    return [Check(name, str(body.__doc__).split("\n")[0], partial(_call, body, effort)) for name, body in bodies]


def check_agent(agent: Kind, *, skip: Collection[str] = (), **options: Any) -> None:
    """Runs every check on an agent class, which must be importable by name.

    Args:
        agent: the class.
        skip: names of checks to leave out.
        options: as for ``agent_checks``.

    Raises:
        ConformanceError: the first rule that it breaks: what was expected and what was got.
    """
    run_all(agent_checks(**options), agent, skip)


def _call(body: Callable[[Kind, Effort], None], effort: Effort, agent: Kind) -> None:
    body(agent, effort)


def _owns_loop(agent: Kind) -> bool:
    """Whether the agent trains in a loop of its own, so that nobody calls its ``ask``."""
    return agent.drive is not Agent.drive


def _declaration(agent: Kind, effort: Effort) -> None:
    """Name, library and hyper-parameters are declared; its defaults work, and a misspelt setting is refused."""
    expect(isinstance(agent.name, str) and agent.name.isidentifier(), "a name that is an identifier", agent.name)
    expect(isinstance(agent.library, str) and agent.library, "the library it is built on, or 'own'", agent.library)
    expect(isinstance(agent.hyperparameters, DesignSpace), "hyperparameters as a DesignSpace", agent.hyperparameters)
    space = Sphere.space
    expect(agent(space, seed=0).space is space, "the space as the attribute 'space'", "another object")
    expect(agent(space, seed=0).batch >= 1, "a batch of at least one design", agent(space, seed=0).batch)
    try:
        agent(space, seed=0, no_such_setting=1)
    except HyperparameterError:
        return
    raise Mismatch("HyperparameterError for an unknown setting", "nothing")


def _exact_rows(agent: Kind, effort: Effort) -> None:
    """Asked for n designs it gives exactly n, int32, inside the space."""
    if _owns_loop(agent):
        return
    for problem in (*PROBLEMS, *ODD_PROBLEMS):
        simulator = problem()
        searcher = agent(simulator.space, seed=1, **effort.hyperparameters)
        for n in (1, 2, 7, searcher.batch, 100):
            _turn(searcher, simulator, n)


def _ragged_batches(agent: Kind, effort: Effort) -> None:
    """Batches of changing sizes, told whole or in pieces, work."""
    if _owns_loop(agent):
        return
    simulator = Mixture()
    objective = make_objective("distance", simulator)
    searcher = agent(simulator.space, seed=2, **effort.hyperparameters)
    sizes = np.random.default_rng(0).integers(1, 40, 12)
    for n in sizes.tolist():
        designs = _turn(searcher, simulator, n, tell=False)
        for piece in np.array_split(designs, min(n, 3)):
            metrics = simulator.evaluate(piece)
            searcher.tell(piece, objective.score(metrics), metrics)


def _turn(searcher: Agent, simulator: Simulator, n: int, tell: bool = True) -> Designs:
    designs = searcher.ask(n)
    where = f"on {simulator.name}"
    expect(isinstance(designs, np.ndarray), f"an array from ask({n}) {where}", type(designs).__name__)
    expect(
        designs.shape == (n, simulator.space.dimensions) and designs.dtype == np.int32,
        f"ask({n}) to give ({n}, {simulator.space.dimensions}) int32 {where}",
        f"{designs.shape} {designs.dtype}",
    )
    simulator.space.check(designs, who=f"ask({n}) {where}")
    if tell:
        metrics = simulator.evaluate(designs)
        searcher.tell(designs, make_objective("distance", simulator).score(metrics), metrics)
    return designs


def _same_seed(agent: Kind, effort: Effort) -> None:
    """The same seed proposes the same designs; another seed proposes others."""
    first, again, other = (effort.propose(agent, Mixture, seed) for seed in (3, 3, 4))
    expect(np.array_equal(first, again), "the same designs from the same seed", difference(first, again))
    if agent.library != "own" or len(np.unique(first, axis=0)) > 1:
        expect(not np.array_equal(first, other), "other designs from another seed", "the same")


def _another_process(agent: Kind, effort: Effort) -> None:
    """The same seed proposes the same designs in another process."""
    here, there = effort.propose(agent, Mixture, 5), in_another_process(effort.propose, agent, Mixture, 5)
    expect(np.array_equal(here, there), "the same designs in another process", difference(here, there))


def _no_global_rng(agent: Kind, effort: Effort) -> None:
    """It draws from its own generator only, never from ``random`` or the legacy functions of ``numpy.random``."""
    with no_global_rng():
        effort.propose(agent, Mixture)


def _no_mutation(agent: Kind, effort: Effort) -> None:
    """It does not modify what it is told (read-only arrays), and copes with read-only designs."""
    effort.drive(agent, Mixture())
    if _owns_loop(agent):
        return
    simulator = Mixture()
    searcher = agent(simulator.space, seed=0, **effort.hyperparameters)
    for n in (searcher.batch, searcher.batch, 3):
        designs = searcher.ask(n)
        designs.flags.writeable = False
        metrics = simulator.evaluate(designs)
        searcher.tell(designs, make_objective("distance", simulator).score(metrics), metrics)
