"""Tables of the lottery study, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from lottery_answers import (
    EPS_COLUMN,
    WINNING_REGRET,
    arm,
    charged_random_search,
    charged_restarts,
    compare,
    friedman,
    lost_in_transfer,
    lucky,
    not_tuning,
    reversals,
    running_times,
    transfer,
    wilcoxon,
    winners,
)
from lottery_data import EPS, Task
from lottery_plan import DEFAULT, RANDOM, TRANSFER
from lottery_statistics import Components
from lottery_study import Part

from archgym.landscape import MARGINS, Card


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are right-aligned."""
    lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def task_name(task: Task) -> str:
    """Workload and objective in words."""
    return f"{task[0]} {task[1]}"


def span(interval: tuple[float, float], form: str = ".2f") -> str:
    """An interval; one of no width is not shown, since it would claim what resampling a plateau cannot show."""
    low, high = interval
    return f"{low:{form}} .. {high:{form}}" if high > low else "-"


def designs(value: float) -> str:
    """A number of designs."""
    return f"{value:,.0f}" if np.isfinite(value) else "never"


def card_table(cards: Mapping[Task, Card]) -> str:
    """Landscape of every task."""
    middle = MARGINS.index(0.01)
    rows = [
        [
            task_name(task),
            f"{card.outcomes:,}",
            *(f"{card.shares[i]:.3%}" for i in range(len(MARGINS))),
            designs(card.needed[0]),
            designs(card.needed[middle]),
            "-" if card.additive_r2 is None else f"{card.additive_r2:.2f}",
            "no: ceiling" if card.ceiling else "yes",
        ]
        for task, card in cards.items()
    ]
    shares = ["at the optimum", *(f"within {margin:.1%}" for margin in MARGINS[1:])]
    heads = ["task", "outcomes", *shares, "random designs, optimum", "random designs, 1 %", "additive R2", "ranks agents"]
    return markdown(heads, rows)


def components_table(found: Mapping[str, Components]) -> str:
    """Is it the tickets or the seeds?"""
    rows = []
    for agent, one in found.items():
        task, ticket, seed = one.shares
        rows.append(
            [agent, f"{task:.0%}", f"{ticket:.0%}", f"{seed:.0%}", f"{one.icc:.2f}", span(one.interval), f"{one.p:.3f}"]
        )
    return markdown(["agent", "task", "ticket", "seed", "ICC", "95 % interval", "p of ICC = 0"], rows)


def winning_table(part: Part, tasks: Sequence[Task], mark: int) -> str:
    """Share of winning tickets per agent and task; by regret, and in brackets by quantile."""
    rows = []
    for agent in part.everybody:
        cells = []
        for task in tasks:
            found = winners(part, agent, task, mark)
            low, high = found.bounds
            cells.append(
                f"{found.wins / found.tickets:.0%} ({low:.0%} .. {high:.0%}) [{found.quantile_wins / found.tickets:.0%}]"
            )
        rows.append([agent, str(found.tickets), *cells])
    return markdown(["agent", "tickets", *map(task_name, tasks)], rows)


def lucky_table(part: Part, tasks: Sequence[Task], mark: int) -> str:
    """Successes of the ticket chosen by tuning seeds, on fresh ones; bold where 'more often than not' is shown."""
    best = f"best of {max(part.best_of)}"
    rows = []
    for agent in part.everybody:
        cells = []
        for task in tasks:
            won, total, passed = lucky(part, agent, task, best, mark)
            cells.append(f"**{won}/{total}**" if passed else f"{won}/{total}")
        rows.append([agent, *cells])
    return markdown(["agent", *map(task_name, tasks)], rows)


def arms_table(part: Part, tasks: Sequence[Task], mark: int) -> str:
    """All arms on fresh seeds over the tasks that rank."""
    names = [DEFAULT, RANDOM, *(f"best of {k}" for k in part.best_of), TRANSFER]
    rows = []
    for agent in part.everybody:
        for name in names if agent in part.agents else [DEFAULT]:
            one = arm(part, f"{agent}: {name}", tasks, mark)
            if one is None:
                continue
            rows.append(
                [
                    f"{agent}, {name}",
                    str(one.runs),
                    str(one.failed),
                    f"{one.area:.2f}",
                    span(one.area_interval),
                    f"{one.success:.1%} ({span(one.success_bounds, '.1%')})",
                    f"{one.optimal:.0%}",
                    f"{one.quantile:.1e}",
                    f"{one.bad_regret:.1%}",
                    f"{one.seconds:.3f}",
                ]
            )
    heads = ["arm", "runs", "failed", "area", "95 % interval", "within 1 %", "optimal", "quantile regret (IQM)"]
    return markdown([*heads, "regret, 90 % quantile", "agent s"], rows)


def tuning_table(part: Part, tasks: Sequence[Task]) -> str:
    """What tuning gains, and what is lost when it was done on other traces."""
    rows = []
    for agent in part.agents:
        gain, gain_interval = not_tuning(part, agent, tasks)
        loss, loss_interval = lost_in_transfer(part, agent, tasks)
        places = [winners(part, agent, task).place for task in tasks]
        correlations = [transfer(part, agent, goal)[2] for goal in dict.fromkeys(goal for _, goal in tasks)]
        known = [value for value in correlations if np.isfinite(value)]
        rows.append(
            [
                agent,
                f"{gain:+.2f}",
                span(gain_interval, "+.2f"),
                f"{np.mean(places):.0%}",
                f"{min(places):.0%} .. {max(places):.0%}",
                f"{loss:+.2f}",
                span(loss_interval, "+.2f"),
                f"{np.mean(known):.2f}" if known else "-",
            ]
        )
    heads = ["agent", "best ticket minus default", "90 % interval", "tickets that the default beats", "by task"]
    heads += ["best ticket minus transferred one", "90 % interval", "rank correlation between traces"]
    return markdown(heads, rows)


def reversal_table(part: Part, tasks: Sequence[Task]) -> str:
    """How often random tickets order two agents opposite to their best ones."""
    rows = []
    for first, second in combinations(part.agents, 2):
        found = reversals(part, first, second, tasks)
        low, high = min(found.by_task), max(found.by_task)
        rows.append(
            [
                f"{first}, {second}",
                f"{found.tickets:.2f}",
                span(found.interval),
                f"{low:.2f} .. {high:.2f}",
                f"{found.runs:.2f}",
            ]
        )
    return markdown(["pair", "tickets", "95 % interval", "by task", "single runs"], rows)


def charged_table(part: Part, tasks: Sequence[Task], cards: Mapping[Task, Card]) -> str:
    """Tuning charged: success of tuned runs against random search and restarts of the default with the same designs."""
    column = MARGINS.index(WINNING_REGRET)
    rows = []
    for agent in part.agents:
        for k in part.best_of:
            charge = (k * part.seeds + 1) * part.budget
            tuned = arm(part, f"{agent}: best of {k}", tasks)
            if tuned is None:
                continue
            shares = [[cards[task].shares[i] for task in tasks] for i in (column, 0)]
            every = charge / part.budget
            rows.append(
                [
                    f"{agent}, best of {k}",
                    designs(charge),
                    f"{tuned.success:.1%}",
                    f"{charged_restarts(part, agent, tasks, every, part.budget, EPS_COLUMN):.1%}",
                    f"{charged_random_search(shares[0], charge):.1%}",
                    f"{tuned.optimal:.1%}",
                    f"{charged_restarts(part, agent, tasks, every, part.budget):.1%}",
                    f"{charged_random_search(shares[1], charge):.1%}",
                ]
            )
    heads = ["arm", "designs with tuning", "within 1 %, tuned", "default restarted", "random search"]
    return markdown([*heads, "optimal, tuned", "default restarted", "random search"], rows)


def pairs_table(part: Part, tasks: Sequence[Task], arm_name: str, marks: Sequence[int], agents: Sequence[str]) -> str:
    """Pairwise superiority and equivalence at several numbers of designs."""
    rows = []
    for mark in marks:
        for found in compare(part, tasks, arm_name, mark, agents):
            star = "*" if found["p_holm"] < 0.05 else ""
            regret, area = found["regret"], found["area"]
            rows.append(
                [
                    ", ".join(found["pair"]),
                    designs(mark),
                    f"{found['superiority']:.2f}{star} ({span(found['interval'])})",
                    f"{found['success']:+.1%} ({span(found['success_interval'], '+.1%')})",
                    f"{regret[0]:+.2%} ({span(regret[1], '+.2%')})",
                    "yes" if found["equivalent"] else "not shown",
                    f"{area[0]:+.2f} ({span(area[1], '+.2f')})",
                    "yes" if found["same_area"] else "not shown",
                ]
            )
    heads = [
        "pair",
        "designs",
        "P(first better)",
        "success, difference",
        "regret, difference",
        "equivalent",
        "area, difference",
    ]
    return markdown([*heads, "same area"], rows)


def ranks_text(part: Part, tasks: Sequence[Task], arm_name: str, agents: Sequence[str]) -> str:
    """Friedman's test and the pairs that differ over tasks."""
    p, ranks = friedman(part, tasks, arm_name, agents)
    order = ", ".join(f"{agent} {rank:.1f}" for agent, rank in sorted(ranks.items(), key=lambda item: item[1]))
    apart = [f"{a} and {b}" for (a, b), q in wilcoxon(part, tasks, arm_name, agents).items() if q < 0.05]
    pairs = "; ".join(apart) or "none"
    return (
        f"Mean ranks over {len(tasks)} tasks ({arm_name}, mean area): {order}. Friedman p = {p:.2g}; pairs apart by "
        f"Wilcoxon's signed ranks over tasks after Holm: {pairs}."
    )


def times_table(part: Part, tasks: Sequence[Task], arms: Sequence[str]) -> str:
    """Expected running times: designs until success, with restarts, geometric mean over tasks."""
    rows = []
    for agent in part.everybody:
        for name in arms if agent in part.agents else [DEFAULT]:
            times = running_times(part, f"{agent}: {name}", tasks)
            rows.append([f"{agent}, {name}", *map(designs, times)])
    return markdown(["arm", "the optimum", *(f"within {eps:.1%}" for eps in EPS[1:])], rows)
