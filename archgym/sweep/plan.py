"""Plans: every run of a sweep, each named by a hash of what decides its outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archgym.agent import resolve_hyperparameters
from archgym.manifest import run_entropy, task_digest
from archgym.registry import agent_class
from archgym.sweep.describing import describe_problem
from archgym.sweep.spec import AgentSpec, Spec
from archgym.sweep.tickets import expand_tickets

KEY = 16
"""Hexadecimal digits of run ids and task keys."""


@dataclass(frozen=True)
class PlannedRun:
    """One run.

    Attributes:
        id: 16 hexadecimal digits, a hash of what decides the outcome.
        task: 16 hexadecimal digits of the task's digest.
        simulator, arguments: build the simulator, workload included.
        workload: its name.
        objective: the objective's line.
        budget: cost units.
        agent: its name.
        label, ticket: what reports call the agent and its settings ("default", "t0000", ...).
        hyperparameters: complete settings.
        seed: replicate number.
        study: part of the random stream.
        tabulated: whether the simulator is answered from its table.
        time_limit: seconds, or None.
    """

    id: str
    task: str
    simulator: str
    arguments: Mapping[str, Any]
    workload: str
    objective: str
    budget: float
    agent: str
    label: str
    ticket: str
    hyperparameters: Mapping[str, Any]
    seed: int
    study: str = ""
    tabulated: bool = False
    time_limit: float | None = None


@dataclass(frozen=True)
class Plan:
    """The runs of a spec.

    Attributes:
        runs: one per label, ticket, task and seed; runs with equal id are one run under several labels.
        tasks: task key -> ``archgym.manifest.describe_task``.
        notes: what the reader of a plan should know, one sentence each.
    """

    runs: tuple[PlannedRun, ...]
    tasks: dict[str, dict[str, Any]]
    notes: tuple[str, ...] = ()

    @property
    def unique(self) -> dict[str, PlannedRun]:
        """Run id -> the first planned run of that id: what has to be executed."""
        found: dict[str, PlannedRun] = {}
        for run in self.runs:
            found.setdefault(run.id, run)
        return found

    @property
    def digest(self) -> str:
        """SHA-256 over the ids of all runs."""
        return hashlib.sha256(json.dumps(sorted(self.unique)).encode()).hexdigest()


def plan_runs(spec: Spec) -> list[PlannedRun]:
    """The runs of a spec, seeds innermost; see ``make_plan`` for tasks and notes too."""
    return list(make_plan(spec).runs)


def make_plan(spec: Spec) -> Plan:
    """Plans a spec.

    Raises:
        ArchGymError: a simulator, workload or agent that is not what it was when the spec was read.
    """
    tasks: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    runs: list[PlannedRun] = []
    tickets = [_tickets(agent, notes) for agent in spec.agents]
    for problem in spec.tasks:
        for workload in problem.workloads or ("",):
            for objective in problem.objectives:
                described = describe_problem(problem.simulator, problem.arguments, workload, objective)
                for agent, chosen in zip(spec.agents, tickets, strict=True):
                    task = {**described, "budget": agent.budget or spec.budget}
                    key = task_key(task)
                    tasks[key] = task
                    for ticket, settings in chosen.items():
                        for seed in agent.seeds or spec.seeds:
                            runs.append(
                                PlannedRun(
                                    id=run_id(task, agent.name, settings, seed, spec.study),
                                    task=key,
                                    simulator=problem.simulator,
                                    arguments=task["simulator"]["arguments"],
                                    workload=task["workload"]["name"],
                                    objective=task["objective"],
                                    budget=task["budget"],
                                    agent=agent.name,
                                    label=agent.label,
                                    ticket=ticket,
                                    hyperparameters=settings,
                                    seed=seed,
                                    study=spec.study,
                                    tabulated=problem.tabulated,
                                    time_limit=spec.time_limit,
                                )
                            )
    shared = len(runs) - len({run.id for run in runs})
    if shared:
        notes.append(f"{shared} runs are planned under more than one label or ticket; each is executed once")
    return Plan(tuple(runs), tasks, tuple(notes))


def task_key(task: Mapping[str, Any]) -> str:
    """The short name of a task, 16 hexadecimal digits."""
    return task_digest(task)[:KEY]


def run_id(task: Mapping[str, Any], agent: str, hyperparameters: Mapping[str, Any], seed: int, study: str) -> str:
    """Names a run by what decides its outcome; labels, tickets, tables and limits do not."""
    content = {
        "simulator": task["simulator"]["name"],
        "version": task["simulator"]["version"],
        "arguments": task["simulator"]["arguments"],
        "workload": task["workload"]["digest"],
        "space": task["space"]["digest"],
        "objective": task["objective"],
        "budget": task["budget"],
        "agent": agent,
        "hyperparameters": dict(hyperparameters),
        "seed": seed,
        "study": study,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:KEY]


def entropy(run: PlannedRun, task: Mapping[str, Any]) -> int:
    """The seed that the run's agent gets."""
    return run_entropy(task, run.agent, run.hyperparameters, run.seed, study=run.study)


def describe_plan(spec: Spec, plan: Plan) -> dict[str, Any]:
    """Numbers for ``--dry-run``.

    Returns:
        name; runs (to execute), planned (with those that several labels share), tasks, trials; by_agent and by_task: lists of
        dictionaries with runs and trials; notes.
    """
    runs = list(plan.unique.values())
    names = {
        key: f"{task['simulator']['name']}, {task['workload']['name']}, {task['objective']}, budget {task['budget']}"
        for key, task in plan.tasks.items()
    }

    def rows(kind: str, keys: list[str], name_of: Mapping[str, str]) -> list[dict[str, Any]]:
        chosen = {key: [run for run in runs if getattr(run, kind) == key] for key in keys}
        return [{kind: name_of[key], "runs": len(found), "trials": _trials(found)} for key, found in chosen.items()]

    labels = [agent.label for agent in spec.agents]
    return {
        "name": spec.name,
        "runs": len(runs),
        "planned": len(plan.runs),
        "tasks": len(plan.tasks),
        "trials": _trials(runs),
        "by_agent": rows("label", labels, {label: label for label in labels}),
        "by_task": rows("task", list(plan.tasks), names),
        "notes": list(plan.notes),
    }


def _trials(runs: list[PlannedRun]) -> int:
    # A design at full fidelity costs one unit; agents that also use cheaper ones make more trials.
    return sum(int(run.budget) for run in runs)


def _tickets(agent: AgentSpec, notes: list[str]) -> dict[str, dict[str, Any]]:
    found = agent_class(agent.name)
    chosen = {"default": resolve_hyperparameters(found, agent.settings)} if agent.default else {}
    if agent.tickets is None:
        return chosen
    expanded, note = expand_tickets(found, agent.label, agent.settings, agent.tickets, agent.label)
    notes += [note] if note else []
    return {**chosen, **{f"t{number:04d}": settings for number, settings in enumerate(expanded)}}
