"""What the lottery study found: the numbers behind its tables and figures, by the rules written in the specs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from inference import interquartile_mean
from lottery_data import EPS, Floats, Task
from lottery_plan import DEFAULT, TRANSFER, best_ticket
from lottery_statistics import (
    Components,
    equivalence_of_shares,
    expected_running_time,
    overdispersion,
    reversal,
    share_bounds,
    stratified_superiority,
    trimmed_difference,
    variance_components,
)
from lottery_study import CONTROL, Part, per_task
from scipy import stats

from archgym.report.statistics import holm

EPS_COLUMN = EPS.index(0.01)
WINNING_REGRET, WINNING_QUANTILE = 0.01, 0.001


def components(part: Part, tasks: Sequence[Task]) -> dict[str, Components]:
    """Variance components per agent; random walk's runs are cut into blocks that stand for tickets."""
    found = {}
    for agent in part.everybody:
        rows = np.array([part.tuning.tickets(agent, task, part.seeds) for task in tasks])
        if rows.shape[1] > 1:
            found[agent] = variance_components(part.tuning.area[rows])
    return found


@dataclass(frozen=True)
class Winners:
    """Winning tickets of an agent on a task.

    Attributes:
        tickets: how many there are; wins, quantile_wins: winning by regret, and by quantile.
        bounds: of the winning share by regret; quantile_bounds: by quantile.
        place: share of tickets that the default is at least as good as (mean area), or NaN.
        dispersion: p-value that tickets differ in their chance of success.
    """

    tickets: int
    wins: int
    quantile_wins: int
    bounds: tuple[float, float]
    quantile_bounds: tuple[float, float]
    place: float
    dispersion: float


def winners(part: Part, agent: str, task: Task, mark: int | None = None) -> Winners:
    """Counts winning tickets at ``mark`` designs (the budget by default)."""
    runs = part.tuning
    column = runs.column(mark or runs.budget)
    rows = runs.tickets(agent, task, part.seeds)
    wins = int((np.median(runs.regret[rows, column], axis=1) <= WINNING_REGRET).sum())
    quantile_wins = int((np.median(runs.quantile[rows, column], axis=1) <= WINNING_QUANTILE).sum())
    low, high = share_bounds([wins, quantile_wins], len(rows))
    mine = runs.where(agent, task)
    default = runs.area[mine[runs.ticket[mine] == "default"]]
    place = float(np.mean(default.mean() >= runs.area[rows].mean(axis=1))) if agent in part.agents else float("nan")
    successes = (runs.regret[rows, column] <= WINNING_REGRET).sum(axis=1)
    return Winners(
        len(rows),
        wins,
        quantile_wins,
        (float(low[0]), float(high[0])),
        (float(low[1]), float(high[1])),
        place,
        overdispersion(successes, rows.shape[1]),
    )


@dataclass(frozen=True)
class Arm:
    """An arm on fresh seeds, over all ranked tasks.

    Attributes:
        runs: how many; failed: of them.
        area: mean; area_interval: bootstrap within tasks.
        success, success_bounds: share within 1 % of the optimum.
        optimal: share at the optimum.
        quantile: interquartile mean of the quantile regret.
        bad_regret: 90 % quantile of the relative regret.
        seconds: agent seconds per run, mean.
    """

    runs: int
    failed: int
    area: float
    area_interval: tuple[float, float]
    success: float
    success_bounds: tuple[float, float]
    optimal: float
    quantile: float
    bad_regret: float
    seconds: float


def arm(part: Part, label: str, tasks: Sequence[Task], mark: int | None = None) -> Arm | None:
    """Sums up one arm; None where the part does not have it."""
    runs = part.fresh
    rows = [runs.where(label, task) for task in tasks]
    if not all(len(found) for found in rows):
        return None
    mark = mark or runs.budget
    areas, column, every = runs.areas_until(mark), runs.column(mark), np.concatenate(rows)
    regret = runs.regret[every, column]
    won = int((regret <= WINNING_REGRET).sum())
    low, high = share_bounds(won, len(every))
    zero = [areas[found] for found in rows]
    mean = float(np.mean([values.mean() for values in zero]))
    return Arm(
        runs=len(every),
        failed=int(runs.failed[every].sum()),
        area=mean,
        area_interval=mean_interval(zero),
        success=won / len(every),
        success_bounds=(float(low), float(high)),
        optimal=float((runs.hits[every, 0] <= mark).mean()),
        quantile=interquartile_mean(runs.quantile[every, column]),
        bad_regret=float(np.quantile(regret, 0.9, method="higher")),
        seconds=float(runs.agent_seconds[every].mean()),
    )


def mean_interval(strata: Sequence[Floats], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over tasks of the mean within a task."""
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), (1000, len(values)))].mean(axis=1) for values in strata]
    low, high = np.quantile(np.mean(means, axis=0), [0.025, 0.975])
    return float(low), float(high)


def lucky(part: Part, agent: str, task: Task, arm_name: str, mark: int) -> tuple[int, int, bool]:
    """Successes, runs, and whether the ticket chosen succeeds more often than not with 95 % confidence."""
    runs = part.fresh
    rows = runs.where(part.arm(agent, arm_name), task)
    won = int((runs.regret[rows, runs.column(mark)] <= WINNING_REGRET).sum())
    return won, len(rows), bool(share_bounds(won, len(rows))[0] > 0.5)


def transfer(part: Part, agent: str, objective: str) -> tuple[list[str], Floats, float]:
    """Tuned on row, tested on column: the share of all tickets that the chosen one is better than, ties half.

    Returns:
        Traces, the matrix, and the mean rank correlation of tickets between two traces.  On the diagonal a ticket is chosen
        by all seeds but one and tested on that one.
    """
    traces = [workload for workload, goal in part.tuning.tasks if goal == objective]
    areas = [part.tuning.ticket_areas(agent, (trace, objective)) for trace in traces]
    matrix = np.empty((len(traces), len(traces)))
    for row, tuned in enumerate(areas):
        for column, tested in enumerate(areas):
            if row == column:
                seeds = range(tuned.shape[1])
                chosen = [(best_ticket(np.delete(tuned, seed, axis=1), len(tuned)), tuned[:, seed]) for seed in seeds]
            else:
                chosen = [(best_ticket(tuned, len(tuned)), tested.mean(axis=1))]
            matrix[row, column] = np.mean([_place(ticket, values) for ticket, values in chosen])
    pairs = [_correlation(a.mean(axis=1), b.mean(axis=1)) for a, b in combinations(areas, 2)]
    return traces, matrix, float(np.mean(pairs)) if pairs else float("nan")


def _place(ticket: int, values: Floats) -> float:
    others = np.delete(values, ticket)
    return float(np.mean((values[ticket] > others) + 0.5 * (values[ticket] == others)))


def _correlation(first: Floats, second: Floats) -> float:
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


@dataclass(frozen=True)
class Reversal:
    """How often two random tickets order two agents opposite to their best tickets.

    Attributes:
        tickets: with the mean over tuning seeds; runs: with one run per ticket, as published.
        interval: of ``tickets``, bootstrap over tickets.
        by_task: of ``tickets``.
    """

    tickets: float
    runs: float
    interval: tuple[float, float]
    by_task: list[float]


def reversals(part: Part, first: str, second: str, tasks: Sequence[Task], resamples: int = 200) -> Reversal:
    """Rank reversals between two agents, mean over tasks; the best tickets are judged on fresh seeds."""
    rng = np.random.default_rng(0)
    arm_name = f"best of {max(part.best_of)}"
    means, singles, draws = [], [], []
    for task in tasks:
        fresh = [part.fresh.area[part.fresh.where(part.arm(agent, arm_name), task)].mean() for agent in (first, second)]
        order = bool(fresh[0] >= fresh[1])
        x, y = (part.tuning.ticket_areas(agent, task) for agent in (first, second))
        means.append(reversal(order, x.mean(axis=1), y.mean(axis=1)))
        singles.append(reversal(order, x.ravel(), y.ravel()))
        table = (x.mean(axis=1)[:, None] < y.mean(axis=1)) + 0.5 * (x.mean(axis=1)[:, None] == y.mean(axis=1))
        table = table if order else 1 - table
        rows, columns = (rng.integers(0, size, (resamples, size)) for size in table.shape)
        draws.append([table[np.ix_(r, c)].mean() for r, c in zip(rows, columns, strict=True)])
    low, high = np.quantile(np.mean(draws, axis=0), [0.025, 0.975])
    return Reversal(float(np.mean(means)), float(np.mean(singles)), (float(low), float(high)), means)


def compare(part: Part, tasks: Sequence[Task], arm_name: str, mark: int, agents: Sequence[str]) -> list[dict[str, Any]]:
    """All pairs of agents at one number of designs: superiority with Holm, and equivalence by the margins of the protocol."""
    runs, rule = part.fresh, part.spec.protocol
    areas, column = runs.areas_until(mark), runs.column(mark)
    # A failed run has no regret; in interquartile means it counts as a very large one.
    regrets = np.minimum(runs.regret[:, column], 10.0)
    rows = []
    for first, second in combinations(agents, 2):
        x, y = part.arm(first, arm_name), part.arm(second, arm_name)
        chance, interval, p = stratified_superiority(per_task(runs, x, areas, tasks), per_task(runs, y, areas, tasks))
        won = [per_task(runs, label, regrets <= WINNING_REGRET, tasks) for label in (x, y)]
        success, success_interval, success_p = equivalence_of_shares(*won, rule["margin_success"])
        regret = trimmed_difference(per_task(runs, x, regrets, tasks), per_task(runs, y, regrets, tasks))
        area = trimmed_difference(per_task(runs, x, areas, tasks), per_task(runs, y, areas, tasks), trim=0.0)
        same_regret = max(map(abs, regret[1])) < rule["margin_regret"]
        rows.append(
            {
                "pair": (first, second),
                "superiority": chance,
                "interval": interval,
                "p": p,
                "success": success,
                "success_interval": success_interval,
                "equivalent": success_p < 1 - rule["level"] and same_regret,
                "regret": regret,
                "area": area,
                "same_area": max(map(abs, area[1])) < rule["margin_area"],
            }
        )
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = float(p)
    return rows


def friedman(part: Part, tasks: Sequence[Task], arm_name: str, agents: Sequence[str]) -> tuple[float, dict[str, float]]:
    """p-value of Friedman's test over tasks on mean areas, and the mean rank of each agent (1 is best, ties mid-ranked)."""
    runs = part.fresh
    means = np.array([[v.mean() for v in per_task(runs, part.arm(agent, arm_name), runs.area, tasks)] for agent in agents])
    ranks = stats.rankdata(-means, axis=0).mean(axis=1)
    p = float(stats.friedmanchisquare(*means).pvalue) if len(agents) > 2 and len(tasks) > 2 else 1.0
    return p, dict(zip(agents, ranks.tolist(), strict=True))


def wilcoxon(part: Part, tasks: Sequence[Task], arm_name: str, agents: Sequence[str]) -> dict[tuple[str, str], float]:
    """Wilcoxon's signed ranks over tasks for all pairs, Holm-corrected p-values."""
    runs = part.fresh
    pairs = list(combinations(agents, 2))
    p_values = []
    for pair in pairs:
        x, y = ([v.mean() for v in per_task(runs, part.arm(agent, arm_name), runs.area, tasks)] for agent in pair)
        different = np.subtract(x, y)
        p_values.append(float(stats.wilcoxon(different).pvalue) if np.any(different) else 1.0)
    return dict(zip(pairs, holm(p_values).tolist(), strict=True))


def running_times(part: Part, label: str, tasks: Sequence[Task]) -> list[float]:
    """Expected running time to each margin of ``EPS``: geometric mean over tasks; infinite if a task was never solved."""
    runs = part.fresh
    times = [
        [expected_running_time(runs.hits[runs.where(label, task), column], runs.budget) for task in tasks]
        for column in range(len(EPS))
    ]
    return [float(np.exp(np.mean(np.log(row)))) for row in times]


def charged_random_search(shares: Sequence[float], designs: float) -> float:
    """Chance that random search with so many designs succeeds, mean over tasks; exact.

    Args:
        shares: of the space that counts as success, per task.
        designs: of each search.
    """
    return float(np.mean([-np.expm1(designs * np.log1p(-share)) if share < 1 else 1.0 for share in shares]))


def charged_restarts(part: Part, agent: str, tasks: Sequence[Task], runs_each: float, mark: int, column: int = 0) -> float:
    """Chance that the best of so many runs of the default settings succeeds, mean over tasks.

    Args:
        part: with fresh runs of the defaults.
        agent: whose.
        tasks: to average over.
        runs_each: how many runs, not necessarily whole.
        mark: designs of each run.
        column: of ``EPS``.
    """
    fresh = part.fresh
    won = per_task(fresh, f"{agent}: {DEFAULT}", fresh.hits[:, column] <= mark, tasks)
    return float(np.mean([1 - (1 - values.mean()) ** runs_each for values in won]))


def lost_in_transfer(part: Part, agent: str, tasks: Sequence[Task]) -> tuple[float, tuple[float, float]]:
    """Mean area of the best ticket of each task minus that of the ticket tuned on the other traces; 90 % interval."""
    runs, best = part.fresh, f"best of {max(part.best_of)}"
    pair = [per_task(runs, f"{agent}: {name}", runs.area, tasks) for name in (best, TRANSFER)]
    return trimmed_difference(*pair, trim=0.0)


def not_tuning(part: Part, agent: str, tasks: Sequence[Task]) -> tuple[float, tuple[float, float]]:
    """Mean area of the best ticket of each task minus that of the default, fresh seeds; 90 % interval."""
    runs, best = part.fresh, f"best of {max(part.best_of)}"
    return trimmed_difference(*(per_task(runs, f"{agent}: {name}", runs.area, tasks) for name in (best, DEFAULT)), trim=0.0)


def clear_of_control(found: dict[str, Components], agent: str) -> bool:
    """Whether an agent's ICC interval lies above that of random walk (or above zero where random walk did not run)."""
    edge = found[CONTROL].interval[1] if CONTROL in found else 0.0
    return found[agent].interval[0] > edge
