"""Equal tuning by protocol: every learner draws the same number of tickets, and the best one is run again on fresh seeds.

The rule, written down before the runs:

* A *ticket* is one setting of an agent's hyper-parameters, without budget and seed.  The ticket space is the agent's own
  ``hyperparameters``.  What defines an arm (``FORM``) is held; every other hyper-parameter draws one of its declared levels,
  all equally likely.  No learner has an exception.
* Every arm draws ``TICKETS`` distinct tickets, from a stream of its own.  The documented default is none of them: it was
  tuned by hand, for some learners longer than for others, and that is the inequality to be removed.  It is run on the same
  tuning seeds to show its place among the tickets, but it cannot be chosen.
* Tickets run on ``TUNING_SEEDS``, at the study's budget, on the tasks of ``TUNING_WORKLOADS`` that rank agents.  The ticket
  with the largest mean area under the anytime curve over these runs is taken; of equals the one drawn first.
* The ticket taken is run again on seeds from ``FRESH_SEED`` on, on every task that ranks agents.  Only these runs are
  reported as tuned (arm T).  Defaults (arm D) have the seeds from 0 on.  No seed serves two purposes.
* A run that breaks down, because a setting makes its learner diverge, counts as the worst run there is (area 0).
* The charge for tuning one task is tickets x tuning seeds x budget, for all learners the same; random walk is also run with
  that charge and the budget together.

Two seeds and four tickets tune roughly.  They do so for every learner alike, which is what the comparison needs.

Two things changed after the rule was written down.  A first start stopped at a run that broke down, so what such a run counts
was added.  And twelve tickets were planned: the fifth of continuous SAC drew 16 gradient steps for every second design and
took a quarter of an hour a run, so all learners were cut to their first four.  Before the cut the areas of the SAC tickets
that were done had been seen, and those of a trial with 300 designs; for both SAC arms the best ticket was among the first
four.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from inference import anytime_area
from runs import Planned

from archgym.registry import agent_class

Arms = Mapping[str, tuple[str, Mapping[str, Any]]]
"""What an arm is called: its agent, and settings where they differ from the agent's defaults."""

Task = tuple[str, str]
"""Workload and objective."""

FORM = ("encoding", "groups", "sharing", "reward")
"""Hyper-parameters that say what kind of learner an arm is; all others are tuned."""

TICKETS = 4
TUNING_SEEDS = (1000, 1001)
TUNING_WORKLOADS = ("random", "cloud-1")
FRESH_SEED = 2000


@dataclass(frozen=True)
class Choice:
    """What tuning found for an arm; areas are means over tuning tasks and seeds.

    Attributes:
        settings: of the ticket taken.
        best: its area; over-rated, because it was chosen by it.
        median: area of the middle ticket.
        default: area of the documented default.
        place: of the default among all tickets, 1 is best.
        failed: runs of tickets that broke down.
    """

    settings: Mapping[str, Any]
    best: float
    median: float
    default: float
    place: int
    failed: int


def is_tunable(agent: str) -> bool:
    """Whether an agent has hyper-parameters other than those that define an arm."""
    return any(name not in FORM for name in agent_class(agent).hyperparameters.names)


def draw_tickets(arm: str, agent: str, settings: Mapping[str, Any], count: int = TICKETS) -> list[dict[str, Any]]:
    """Distinct complete settings of an arm, in the order in which they were drawn.

    Args:
        arm: what it is called; its stream of random numbers follows from it.
        agent: its name.
        settings: of the arm; those in ``FORM`` are held.
        count: of tickets.

    Raises:
        ValueError: the agent has fewer than ``count`` settings.
    """
    space = agent_class(agent).hyperparameters
    held = {name: settings.get(name, space[name].default) for name in FORM if name in space.names}
    possible = np.prod([len(parameter.values) for parameter in space.parameters if parameter.name not in held])
    if possible < count:
        raise ValueError(f"arm {arm}: {count} tickets wanted, but {agent} has only {possible} settings")
    rng = np.random.default_rng(list(hashlib.sha256(f"tickets of {arm}".encode()).digest()))
    tickets: list[dict[str, Any]] = []
    while len(tickets) < count:
        (row,) = space.sample(1, rng)
        ticket = {**space.describe(row), **held}
        if ticket not in tickets:
            tickets.append(ticket)
    return tickets


def ticket_label(arm: str, number: int) -> str:
    """What the runs of a ticket are called; number 0 is the documented default."""
    return f"{arm}, ticket {number}"


def tuning_plan(arms: Arms, tasks: Sequence[Task], budget: int, count: int = TICKETS) -> list[Planned]:
    """The default and ``count`` tickets of every arm that can be tuned, on all ``tasks`` and tuning seeds."""
    return [
        Planned(agent, workload, objective, budget, seed, dict(ticket), label=ticket_label(arm, number))
        for arm, (agent, settings) in arms.items()
        if is_tunable(agent)
        for number, ticket in enumerate([settings, *draw_tickets(arm, agent, settings, count)])
        for workload, objective in tasks
        for seed in TUNING_SEEDS
    ]


def choose(arms: Arms, records: Sequence[Mapping[str, Any]], size: int, count: int = TICKETS) -> dict[str, Choice]:
    """The best ticket of every arm that can be tuned.

    Args:
        arms: as planned.
        records: of ``tuning_plan``.
        size: designs in the space.
        count: of tickets.
    """
    areas: dict[str, list[float]] = {}
    for record in records:
        areas.setdefault(record["label"], []).append(anytime_area(record["marks"], record["quantile"], size))
    chosen = {}
    for arm, (agent, settings) in arms.items():
        if not is_tunable(agent):
            continue
        tickets = draw_tickets(arm, agent, settings, count)
        default, *drawn = (float(np.mean(areas[ticket_label(arm, number)])) for number in range(count + 1))
        best = int(np.argmax(drawn))
        place = 1 + sum(area > default for area in drawn)
        labels = {ticket_label(arm, number) for number in range(1, count + 1)}
        failed = sum("failed" in record for record in records if record["label"] in labels)
        chosen[arm] = Choice(tickets[best], drawn[best], float(np.median(drawn)), default, place, failed)
    return chosen


def tuned_plan(arms: Arms, chosen: Mapping[str, Choice], tasks: Sequence[Task], seeds: int, budget: int) -> list[Planned]:
    """Every arm with the ticket taken, on fresh seeds; arms without hyper-parameters as they are."""
    return [
        Planned(agent, workload, objective, budget, FRESH_SEED + seed, dict(ticket), label=arm)
        for arm, (agent, settings) in arms.items()
        for ticket in [chosen[arm].settings if arm in chosen else settings]
        for workload, objective in tasks
        for seed in range(seeds)
    ]


def charged(budget: int, count: int = TICKETS) -> int:
    """Designs that a tuned run of one task costs, tuning on that task included."""
    return (count * len(TUNING_SEEDS) + 1) * budget


def tickets_table(chosen: Mapping[str, Choice], fresh: Mapping[str, float], count: int = TICKETS) -> str:
    """Markdown: what the tickets of each arm were worth, the best ones first.

    Args:
        chosen: by arm.
        fresh: mean area of the ticket taken on fresh seeds and the tuning tasks, by arm.
        count: of tickets.
    """
    lines = [
        f"| arm | default | its place among {count + 1} | broke down | median ticket | best ticket | the same, fresh seeds "
        "| settings of the best ticket |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for arm in sorted(chosen, key=lambda arm: -fresh[arm]):
        choice = chosen[arm]
        settings = ", ".join(f"{name} {value}" for name, value in choice.settings.items() if name not in FORM)
        lines.append(
            f"| {arm} | {choice.default:.2f} | {choice.place} | {choice.failed} | {choice.median:.2f} | {choice.best:.2f} "
            f"| {fresh[arm]:.2f} | {settings} |"
        )
    return "\n".join(lines)
