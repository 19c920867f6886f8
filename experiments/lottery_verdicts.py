"""The verdicts of the lottery study in plain words, by the rules of the protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from lottery_answers import clear_of_control, compare, lucky, reversals, winners
from lottery_data import Task
from lottery_statistics import Components
from lottery_study import CONTROL, Part, Study
from lottery_tables import span, task_name


def marks_of(part: Part) -> list[int]:
    """Numbers of designs at which verdicts are given."""
    chosen = {"long": (1000, 10_000), "slow": (100, 300)}.get(part.name, (100, 300, 1000))
    return [mark for mark in chosen if mark <= part.budget]


def lucky_verdict(part: Part, tasks: Sequence[Task], mark: int) -> str:
    """A-a: does the ticket chosen by tuning succeed more often than not on fresh seeds, for every agent and task?"""
    arm = f"best of {max(part.best_of)}"
    missed, random_walk = [], 0
    for agent in part.everybody:
        for task in tasks:
            won, total, passed = lucky(part, agent, task, arm, mark)
            random_walk += agent == CONTROL and passed
            if not passed and agent != CONTROL:
                missed.append(f"{agent} on {task_name(task)} ({won}/{total})")
    walker = f" Random walk passes on {random_walk} of {len(tasks)} tasks." if CONTROL in part.everybody else ""
    count = len(part.agents) * len(tasks)
    if not missed:
        return f"at {mark:,} designs it **holds**: {count} of {count} agent-task pairs pass.{walker}"
    shown = "; ".join(missed[:8]) + (f"; and {len(missed) - 8} more" if len(missed) > 8 else "")
    return f"at {mark:,} designs it **does not hold**: {count - len(missed)} of {count} pass. Not: {shown}.{walker}"


def equality_verdict(part: Part, tasks: Sequence[Task], mark: int, agents: Sequence[str]) -> str:
    """A-b: are all pairs of tuned agents equivalent within the margins?"""
    found = compare(part, tasks, f"best of {min(part.best_of)}", mark, agents)
    equal = sum(row["equivalent"] for row in found)
    apart = [" and ".join(row["pair"]) for row in found if row["p_holm"] < 0.05 and not row["same_area"]]
    word = "**holds**" if equal == len(found) else "**is not shown**"
    differ = f" Their anytime areas differ for {len(apart)} of {len(found)} pairs (Holm)."
    return f"at {mark:,} designs it {word}: {equal} of {len(found)} pairs are equivalent in success and regret.{differ}"


def reversal_verdict(part: Part, tasks: Sequence[Task]) -> str:
    """A-c: how often random tickets reverse the order of the best tickets."""
    found = {pair: reversals(part, *pair, tasks) for pair in combinations(part.agents, 2)}
    mean = float(np.mean([one.tickets for one in found.values()]))
    single = float(np.mean([one.runs for one in found.values()]))
    most = max(found, key=lambda pair: found[pair].tickets)
    return (
        f"two random tickets order two agents opposite to their best tickets with probability {mean:.2f} (mean over "
        f"{len(found)} pairs and {len(tasks)} tasks; most for {' and '.join(most)}: {found[most].tickets:.2f}, "
        f"{span(found[most].interval)}), and {single:.2f} with one run per ticket. 0.5 would be a pure lottery, 0 none."
    )


def lottery_verdict(found: Mapping[str, Components], control: Mapping[str, Components]) -> str:
    """Whose runs differ by hyper-parameters beyond what random walk shows."""
    words = []
    for agent, one in found.items():
        if agent == CONTROL:
            continue
        clear = clear_of_control({**control, agent: one}, agent)
        verdict = "confirmed" if clear else "not confirmed"
        words.append(f"{agent} **{verdict}** (ICC {one.icc:.2f}, {span(one.interval)})")
    walker = (
        f" Random walk's own: {control[CONTROL].icc:.2f}, {span(control[CONTROL].interval)}." if CONTROL in control else ""
    )
    return "; ".join(words) + "." + walker


def share_verdict(part: Part, tasks: Sequence[Task]) -> str:
    """Winning shares per agent, range over tasks."""
    words = []
    for agent in part.everybody:
        shares = [winners(part, agent, task) for task in tasks]
        won = [one.wins / one.tickets for one in shares]
        words.append(f"{agent} {np.mean(won):.0%} ({min(won):.0%} to {max(won):.0%})")
    return f"share of tickets that win at {part.budget:,} designs, mean and range over {len(tasks)} tasks: " + ", ".join(words)


def answers(study: Study, found: Mapping[str, Mapping[str, Components]]) -> str:
    """All verdicts as a Markdown list; ``found`` holds the variance components by part."""
    main = next(iter(study.parts.values()))
    control = found[main.name]
    lines = []
    for part in study.parts.values():
        tasks = study.ranked(part.tuning)
        for mark in marks_of(part):
            head = f"**A lucky ticket for everybody (A-a), {part.name}**"
            lines.append(f"* {head}: {lucky_verdict(part, tasks, mark)}")
    for part in study.parts.values():
        tasks = study.ranked(part.tuning)
        for mark in marks_of(part):
            head = f"**Tuned agents are equal (A-b), {part.name}**"
            lines.append(f"* {head}: {equality_verdict(part, tasks, mark, part.agents)}")
    for part in study.parts.values():
        lines.append(f"* **Rankings reverse (A-c), {part.name}**: {reversal_verdict(part, study.ranked(part.tuning))}")
    for part in study.parts.values():
        lines.append(f"* **Hyper-parameter lottery, {part.name}**: {lottery_verdict(found[part.name], control)}")
    for part in study.parts.values():
        lines.append(f"* **Winning share, {part.name}**: {share_verdict(part, study.ranked(part.tuning))}.")
    return "\n".join(lines)
