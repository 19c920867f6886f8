"""What the lottery study runs: specs of stage 1, tickets chosen from its results, specs of stage 2.

Stage 1 runs random tickets on tuning seeds.  Stage 2 runs, on fresh seeds, the arms that are reported: the default, the
best of the first k tickets of each task, the ticket that was best on the *other* traces, and some random tickets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from lottery_data import Runs

from archgym.sweep.spec import Spec, load_spec, spec_from_record

SPECS = Path(__file__).parent / "specs"
CLASSES = ("cheap", "long", "model", "slow")
"""Specs of stage 1; ``cheap`` and ``long`` are the same agents at two budgets."""

GRIDS = ("grids_published", "grids_fixed")

FULL: Mapping[str, Mapping[str, int]] = {
    # The numbers of the protocol for one night and more; tickets, tuning seeds, fresh seeds.
    "cheap": {"tickets": 256, "seeds": 4, "fresh": 50},
    "long": {"tickets": 256, "seeds": 4, "fresh": 50},
    "model": {"tickets": 64, "seeds": 3, "fresh": 20},
    "slow": {"tickets": 16, "seeds": 3, "fresh": 10},
}

DEFAULT, TRANSFER, RANDOM = "default", "transfer", "random"


def stage_one(name: str, full: bool = False) -> Spec:
    """The spec of a class of agents; ``full`` raises it to the numbers of the protocol, which extends finished runs."""
    spec = load_spec(SPECS / f"lottery_{name}.toml")
    if not full or name not in FULL:
        return spec
    numbers, record = FULL[name], deepcopy(spec.record())
    record["seeds"] = list(range(min(spec.seeds), min(spec.seeds) + numbers["seeds"]))
    record["protocol"]["confirm"]["seeds"] = numbers["fresh"]
    for agent in record["agent"]:
        if "tickets" in agent:
            agent["tickets"]["random"] = numbers["tickets"]
        else:
            agent["seeds"] = list(range(min(spec.seeds), min(spec.seeds) + numbers["tickets"] * numbers["seeds"]))
    return spec_from_record(record)


def best_ticket(areas: np.ndarray, first: int) -> int:
    """The ticket with the largest mean area among the first ones; of equals the first.

    Args:
        areas: (T, S) of tickets on tuning seeds.
        first: how many tickets may be chosen from.
    """
    return int(np.argmax(areas[:first].mean(axis=1)))


def transfer_ticket(areas: Mapping[str, np.ndarray], left_out: str) -> int:
    """The ticket with the best mean rank of its mean area over all traces but one.

    Args:
        areas: (T, S) per trace.
        left_out: the trace that it will be tested on.
    """
    others = [found.mean(axis=1) for trace, found in areas.items() if trace != left_out]
    # Areas of different traces have different scales, ranks do not.
    ranks = [np.argsort(np.argsort(-means, kind="stable"), kind="stable") for means in others]
    return int(np.argmin(np.mean(ranks, axis=0)))


def choose(runs: Runs, agent: str, task: tuple[str, str], best_of: Sequence[int]) -> dict[str, int]:
    """Ticket numbers of the arms of one agent on one task, by arm name."""
    workload, objective = task
    chosen = {f"best of {k}": best_ticket(runs.ticket_areas(agent, task), k) for k in best_of}
    traces = [other for other, goal in runs.tasks if goal == objective]
    if len(traces) > 1:
        areas = {trace: runs.ticket_areas(agent, (trace, objective)) for trace in traces}
        chosen[TRANSFER] = transfer_ticket(areas, workload)
    return chosen


def stage_two(spec: Spec, runs: Runs, task: tuple[str, str]) -> Spec:
    """What one task of a class runs on fresh seeds.

    Args:
        spec: of stage 1; its ``[protocol.confirm]`` says how many of what.
        runs: results of stage 1.
        task: workload and objective.

    Returns:
        One agent table per agent and arm, labelled ``agent: arm``.
    """
    rule = spec.protocol["confirm"]
    seeds = {"first": rule["first_seed"], "count": rule["seeds"]}
    few = {"first": rule["first_seed"], "count": rule["random_seeds"]}
    agents: list[dict[str, Any]] = []
    for agent in spec.agents:
        plain = {"name": agent.name, "set": dict(agent.settings)}
        agents.append({**plain, "label": f"{agent.label}: {DEFAULT}", "seeds": seeds, "default": True})
        if agent.tickets is None:
            continue
        tickets = runs.settings[agent.label]
        held = set(agent.settings)

        def listed(numbers: Sequence[int], tickets: Any = tickets, held: set[str] = held) -> dict[str, Any]:
            free = [{name: value for name, value in tickets[n].items() if name not in held} for n in numbers]
            return {"tickets": {"list": free}, "default": False}

        for arm, number in choose(runs, agent.label, task, rule["best_of"]).items():
            agents.append({**plain, "label": f"{agent.label}: {arm}", "seeds": seeds, **listed([number])})
        last = range(max(len(tickets) - rule["random_tickets"], 0), len(tickets))
        agents.append({**plain, "label": f"{agent.label}: {RANDOM}", "seeds": few, **listed(last)})
    (template,) = spec.record()["task"]
    record = {
        "name": f"{spec.name}-confirm",
        "study": rule["study"],
        "budget": spec.budget,
        "time_limit": spec.time_limit,
        "protocol": dict(spec.protocol),
        "task": [{**template, "workloads": [task[0]], "objectives": [task[1]]}],
        "agent": agents,
    }
    return spec_from_record({key: value for key, value in record.items() if value is not None})


def task_names(spec: Spec) -> list[tuple[str, str]]:
    """Workload and objective of every task of a spec."""
    return [(workload, goal) for task in spec.tasks for workload in task.workloads for goal in task.objectives]


def folder(out: Path, name: str) -> Path:
    """Where the sweep of stage 1 lies."""
    return out / name


def confirm_folder(out: Path, name: str, spec: Spec) -> Path:
    """Where a sweep of stage 2 lies; other tickets chosen are another sweep, so more of stage 1 starts it anew."""
    (task,) = task_names(spec)
    return out / f"{name}-confirm" / f"{'-'.join(task)}-{spec.digest[:8]}"
