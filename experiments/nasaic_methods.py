"""The searches that NASAIC compares, at equal numbers of designs: successive baselines, Monte Carlo, and agents.

Every design of every method passes an evaluator and costs one unit of the budget, whatever is asked of it.  A baseline that
searches a part of the space does so behind ``Restricted``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from nasaic_problem import Phase, Problem, Recorder, Restricted, networks_of, specs_of, units_of

from archgym import Evaluator, Simulator, make_objective
from archgym.agent import resolve_hyperparameters
from archgym.evaluator import BudgetExhausted
from archgym.manifest import describe_task, run_entropy
from archgym.registry import agent_class

REWARD = "weighted:accuracy=1,penalty=10"
"""NASAIC's R = accuracy - rho P with rho = 10."""

SHORT = {"hardware_steps": 2}
"""What ``nasaic_short`` changes: the paper's ten hardware-only designs per episode leave few networks in a small budget."""

PLACEHOLDER = {"template": "dla", "pes": 1024, "bandwidth": 32}
"""Each unit, while networks are searched for accuracy alone: any hardware would do, but all layers must fit it."""


def drive(
    agent: str,
    simulator: Simulator,
    objective: str,
    budget: int,
    seed: int,
    fixed: Mapping[str, Any] = MappingProxyType({}),
    tied: Mapping[str, str] = MappingProxyType({}),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Phase:
    """An agent spends a budget; with nothing fixed or tied the designs are those of ``archgym.search``."""
    recorder = Recorder(simulator)
    problem = Restricted(recorder, fixed, tied) if fixed or tied else recorder
    goal = make_objective(objective, problem)
    chosen = agent_class(agent)
    resolved = resolve_hyperparameters(chosen, settings)
    evaluator = Evaluator(problem, goal, budget=budget)
    searcher = chosen(problem.space, seed=run_entropy(describe_task(problem, goal, budget), agent, resolved, seed), **resolved)
    try:
        searcher.drive(evaluator)
    except BudgetExhausted:
        pass
    return recorder.phase(agent_seconds=evaluator.agent_seconds, simulator_seconds=evaluator.simulator_seconds)


def draw(
    simulator: Simulator,
    budget: int,
    rng: np.random.Generator,
    fixed: Mapping[str, Any] = MappingProxyType({}),
    batch: int = 64,
) -> Phase:
    """Uniform random designs that keep the constraints, each costing one unit."""
    recorder = Recorder(simulator)
    problem = Restricted(recorder, fixed) if fixed else recorder
    evaluator = Evaluator(problem, make_objective(REWARD, problem), budget=budget)
    while (n := evaluator.affordable(batch)) > 0:
        valid = np.zeros((0, problem.space.dimensions), np.int32)
        while len(valid) < n:
            drawn = problem.space.sample(4 * n, rng)
            valid = np.concatenate([valid, drawn[problem.space.violation(drawn) == 0]])
        evaluator.evaluate(valid[:n])
    return recorder.phase(agent_seconds=evaluator.agent_seconds, simulator_seconds=evaluator.simulator_seconds)


def nas_then_asic(problem: Problem, budget: int, seed: int, controller: Mapping[str, Any]) -> list[Phase]:
    """Half of the budget for the most accurate networks, specs ignored; the other half for random hardware for them."""
    blind = problem.simulator(prune=False)
    anything = {name: PLACEHOLDER[name.split("_")[1]] for name in units_of(blind.space)}
    search = drive("nasaic", blind, "accuracy", budget // 2, seed, anything, settings=controller)
    search.answers = False
    best = search.space.describe(search.designs[int(np.nanargmax(search.metrics["accuracy"]))])
    networks = {name: best[name] for name in networks_of(search.space)}
    rng = np.random.default_rng([seed, 1])
    return [search, draw(problem.simulator(), budget - budget // 2, rng, networks)]


def asic_then_nas(problem: Problem, budget: int, seed: int, controller: Mapping[str, Any]) -> list[Phase]:
    """Half of the budget for random designs, one of whose hardware is kept; the other half for networks on that hardware.

    Kept is the hardware of the design closest to the specs among those that meet them: Euclidean distance in value / spec - 1.
    If none meets them it is that of the least penalty.  Accuracy is not looked at in the first half, so a simulator is asked
    that does not train.
    """
    first = draw(problem.simulator(accuracy="surrogate"), budget // 2, np.random.default_rng([seed, 2]))
    first.answers = first.rated = False
    specs = specs_of(problem)
    apart = np.sum([(first.metrics[name] / spec - 1) ** 2 for name, spec in specs.items()], axis=0)
    penalty = first.metrics["penalty"]
    found = first.space.describe(first.designs[np.lexsort((apart, penalty))[0]])
    hardware = {name: found[name] for name in units_of(first.space)}
    return [first, drive("nasaic", problem.simulator(), REWARD, budget - budget // 2, seed, hardware, settings=controller)]


def monte_carlo(problem: Problem, budget: int, seed: int, controller: Mapping[str, Any]) -> list[Phase]:
    """Uniform random designs, networks and hardware, that keep the totals."""
    return [draw(problem.simulator(), budget, np.random.default_rng([seed, 3]))]


Method = Callable[[Problem, int, int, Mapping[str, Any]], list[Phase]]

BASELINES: dict[str, Method] = {
    "nas_then_asic": nas_then_asic,
    "asic_then_nas": asic_then_nas,
    "monte_carlo": monte_carlo,
}


def perform(
    method: str,
    problem: Problem,
    budget: int,
    seed: int,
    controller: Mapping[str, Any] = MappingProxyType({}),
    tied: Mapping[str, str] = MappingProxyType({}),
) -> list[Phase]:
    """Runs a baseline or, if there is none of that name, an agent.

    Args:
        method: a key of ``BASELINES``, ``nasaic_short`` or the name of an agent.
        problem: what is searched.
        budget: designs.
        seed: replicate.
        controller: hyper-parameters of NASAIC's controller, wherever it has a part.
        tied: as of ``Restricted``, for agents.

    Returns:
        Its phases, with ``budget`` designs in all.
    """
    if method in BASELINES:
        return BASELINES[method](problem, budget, seed, controller)
    if method in ("nasaic", "nasaic_short"):
        settings = {**controller, **(SHORT if method == "nasaic_short" else {})}
        return [drive("nasaic", problem.simulator(), REWARD, budget, seed, tied=tied, settings=settings)]
    return [drive(method, problem.simulator(), REWARD, budget, seed, tied=tied)]
