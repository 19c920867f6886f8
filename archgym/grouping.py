"""Who sets what in multi-agent search: parameters in groups, one agent each, and what every agent contributed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ArgumentError, UnknownNameError
from archgym.evaluator import Evaluator
from archgym.metrics import Metrics
from archgym.objective import Scores
from archgym.space import Designs, DesignSpace

GROUPINGS = ("parameter", "subsystem")
REWARDS = ("shared", "difference")

Grouping = str | Mapping[str, Sequence[str]]
Groups = dict[str, NDArray[np.intp]]
"""Agent -> the columns of the design that it sets; together every column once."""


def resolve_groups(space: DesignSpace, groups: Grouping) -> Groups:
    """Turns a grouping into columns.

    Args:
        space: whose parameters are shared out.
        groups: "parameter" (one agent each), "subsystem" (one per ``space.groups``), or agent -> names of its parameters.

    Raises:
        UnknownNameError: there is no such grouping or parameter.
        ArgumentError: a parameter in no group or in two, or a group without parameters.
    """
    named: Mapping[str, Sequence[str]]
    if isinstance(groups, str):
        if groups not in GROUPINGS:
            raise UnknownNameError("grouping", groups, GROUPINGS, owner=space.name)
        named = {name: (name,) for name in space.names} if groups == "parameter" else space.groups
    else:
        named = groups
    owner: dict[str, str] = {}
    for group, members in named.items():
        if isinstance(members, str) or not len(members):
            raise ArgumentError(f"{space.name}: group {group} must be a list of one or more parameters, got {members!r}")
        for name in members:
            space.index(name)
            if name in owner:
                where = f"{owner[name]} and {group}" if owner[name] != group else f"{group} twice"
                raise ArgumentError(f"{space.name}: every parameter must be in one group, got {name} in {where}")
            owner[name] = group
    if missing := [name for name in space.names if name not in owner]:
        raise ArgumentError(f"{space.name}: every parameter must be in one group, got {', '.join(missing)} in none")
    return {group: np.array([space.index(name) for name in members], np.intp) for group, members in named.items()}


def check_reward(reward: str) -> None:
    """Raises ``UnknownNameError`` unless it names a kind of reward."""
    if reward not in REWARDS:
        raise UnknownNameError("reward", reward, REWARDS)


def difference_rewards(
    evaluator: Evaluator, designs: Designs, columns: Iterable[NDArray[np.intp]], reference: NDArray[np.int32]
) -> tuple[Metrics, Scores, NDArray[np.float64]]:
    """Evaluates designs, and each again with one group at a time set to a reference (Wolpert and Tumer 2001).

    What a group contributed to a design is the design's score minus its score with the group at the reference; the score of
    everything that the other groups did cancels.  The counterfactual designs go through the evaluator like any other: they
    are logged, cost budget and can become the incumbent.  Only where a group is at the reference already nothing is
    evaluated, because the difference is zero.  The designs come first in the log, then the counterfactual ones of the first
    group, of the second, and so on.

    Args:
        evaluator: prices, counts and logs all of them in one batch.
        designs: (N, D) levels.
        columns: of each of G groups.
        reference: (D,) levels.

    Returns:
        Metrics and (N,) scores of ``designs``, and (N, G) differences.

    Raises:
        BudgetExhausted: the budget covered only the leading rows of the batch, which are logged.
    """
    batch, where = [designs], []
    for group, own in enumerate(columns):
        rows = np.flatnonzero((designs[:, own] != reference[own]).any(axis=1))
        replaced = designs[rows]
        replaced[:, own] = reference[own]
        batch.append(replaced)
        where.append((rows, group))
    n = len(designs)
    metrics, scores = evaluator.evaluate(np.concatenate(batch))
    differences, start = np.zeros((n, len(where))), n
    for rows, group in where:
        differences[rows, group] = scores[rows] - scores[start : start + len(rows)]
        start += len(rows)
    return metrics.take(np.arange(n)), scores[:n], differences
