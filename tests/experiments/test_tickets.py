"""Equal tuning: as many tickets for every learner, what defines an arm is held, and no seed serves two purposes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))
pytest.importorskip("scipy", reason="the studies need the experiments extra")

import runs
import tickets
from marl_vs_single import ARMS, plan
from runs import Planned, attempt, execute
from tickets import (
    FORM,
    TICKETS,
    TUNING_SEEDS,
    charged,
    choose,
    draw_tickets,
    is_tunable,
    ticket_label,
    tuned_plan,
    tuning_plan,
)

from archgym.agent import resolve_hyperparameters
from archgym.errors import UnknownNameError
from archgym.registry import agent_class

TASKS = [("random", "edp"), ("cloud-1", "power_mw")]
TUNED = [(arm, *ARMS[arm]) for arm in ARMS if is_tunable(ARMS[arm][0])]
SIZE = 1000
by_arm = pytest.mark.parametrize(("arm", "agent", "settings"), TUNED, ids=[arm for arm, *_ in TUNED])


def test_everything_but_random_walk_is_tuned() -> None:
    assert set(ARMS) - {arm for arm, *_ in TUNED} == {"random walk"}


@by_arm
def test_as_many_distinct_tickets_for_every_arm_all_of_which_the_agent_takes(
    arm: str, agent: str, settings: dict[str, Any]
) -> None:
    drawn = draw_tickets(arm, agent, settings)
    assert len(drawn) == TICKETS
    assert all(first != second for i, first in enumerate(drawn) for second in drawn[:i])
    for ticket in drawn:
        assert resolve_hyperparameters(agent_class(agent), ticket) == ticket  # complete, and every value allowed


@by_arm
def test_what_defines_an_arm_is_held_and_the_rest_is_drawn(arm: str, agent: str, settings: dict[str, Any]) -> None:
    space = agent_class(agent).hyperparameters
    drawn = draw_tickets(arm, agent, settings, 30)
    for name in space.names:
        seen = {ticket[name] for ticket in drawn}
        if name in FORM:
            assert seen == {settings.get(name, space[name].default)}
        else:
            assert len(seen) > 1 and seen <= set(space[name].values)


def test_tickets_follow_from_the_arm_alone_and_arms_with_one_agent_draw_apart() -> None:
    first, again, other = (draw_tickets(arm, "genetic", {}) for arm in ("a", "a", "b"))
    assert first == again != other
    assert draw_tickets("a", "genetic", {}, 3) == first[:3]


def test_all_levels_are_equally_likely() -> None:
    levels = agent_class("policy_gradient").hyperparameters["batch"].values
    drawn = [ticket["batch"] for number in range(100) for ticket in draw_tickets(str(number), "policy_gradient", {}, 8)]
    shares = [drawn.count(level) / len(drawn) for level in levels]
    np.testing.assert_allclose(shares, 1 / len(levels), atol=0.05)


def test_more_tickets_than_settings_is_refused() -> None:
    with pytest.raises(ValueError, match="arm x: 126 tickets wanted, but policy_gradient has only 125 settings"):
        draw_tickets("x", "policy_gradient", {}, 126)
    assert len(draw_tickets("x", "policy_gradient", {}, 125)) == 125


def test_every_learner_tunes_on_as_many_designs() -> None:
    spent: dict[str, int] = {}
    for run in tuning_plan(ARMS, TASKS, 1000):
        arm = run.label.rpartition(", ticket ")[0]
        spent[arm] = spent.get(arm, 0) + run.budget
    assert set(spent) == {arm for arm, *_ in TUNED}
    assert set(spent.values()) == {(TICKETS + 1) * len(TUNING_SEEDS) * len(TASKS) * 1000}
    assert charged(1000) == 1000 * (1 + TICKETS * len(TUNING_SEEDS))


def test_tuning_defaults_and_tuned_runs_share_no_seed() -> None:
    workloads = sorted({workload for workload, _ in TASKS})
    plans = [plan(workloads, 10, 1000), tuning_plan(ARMS, TASKS, 1000), tuned_plan(ARMS, chosen(), TASKS, 10, 1000)]
    defaults, tuning, fresh = ({run.seed for run in runs} for runs in plans)
    assert len(defaults) == len(fresh) == 10 and tuning == set(TUNING_SEEDS)
    assert not (defaults & tuning or defaults & fresh or tuning & fresh)


def records(worth: dict[int, float]) -> list[dict[str, Any]]:
    """Tuning runs of all arms, whose quantile is ``worth`` of the ticket's number, 0.5 if it has none."""
    return [
        {"label": run.label, "marks": [10, 1000], "quantile": [worth.get(int(run.label.split()[-1]), 0.5)] * 2}
        for run in tuning_plan(ARMS, TASKS, 1000)
    ]


def chosen() -> dict[str, tickets.Choice]:
    return choose(ARMS, records({3: 0.01}), SIZE)


@by_arm
def test_the_best_ticket_is_taken_the_default_never(arm: str, agent: str, settings: dict[str, Any]) -> None:
    choice = choose(ARMS, records({0: 0.0, 3: 0.01, 4: 0.01, 1: 0.9}), SIZE)[arm]
    assert choice.settings == draw_tickets(arm, agent, settings)[2]  # of equals the one drawn first
    assert choice.default == pytest.approx(3.0) and choice.place == 1
    assert choice.best == pytest.approx(-np.log10(0.011))
    assert choice.median == pytest.approx(-(np.log10(0.011) + np.log10(0.501)) / 2)
    assert choose(ARMS, records({0: 0.1, 3: 0.01, 4: 0.01}), SIZE)[arm].place == 3


def test_runs_that_broke_down_are_counted() -> None:
    found = records({3: 0.01})
    for record in found:
        if record["label"] in (ticket_label("genetic", 1), ticket_label("genetic", 0)):
            record["failed"] = "ValueError: nan"
    choices = choose(ARMS, found, SIZE)
    assert choices["genetic"].failed == len(TASKS) * len(TUNING_SEEDS)
    assert choices["ant colony"].failed == 0


def test_tuned_runs_have_the_ticket_and_random_walk_has_none() -> None:
    planned = tuned_plan(ARMS, chosen(), TASKS, 2, 1000)
    assert len(planned) == len(ARMS) * len(TASKS) * 2 and {run.label for run in planned} == set(ARMS)
    for run in planned:
        agent, settings = ARMS[run.label]
        expected = draw_tickets(run.label, agent, settings)[2] if run.label != "random walk" else {}
        assert run.agent == agent and run.hyperparameters == expected


def test_a_run_that_breaks_down_counts_as_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    def diverge(run: Planned) -> dict[str, Any]:
        raise ValueError("loc is nan")

    run = Planned("genetic", "random", "edp", 100, 0, label="mine")
    monkeypatch.setattr(runs, "execute", diverge)
    record = attempt(run)
    assert record["failed"] == "ValueError: loc is nan" and record["key"] == run.key and record["label"] == "mine"
    assert record["marks"] == [10, 30, 100] and record["quantile"] == [1.0, 1.0, 1.0] and record["optimum_at"] is None


def test_mistakes_in_a_plan_are_no_breakdowns() -> None:
    with pytest.raises(UnknownNameError, match="no such"):
        attempt(Planned("genetic", "no such", "edp", 100, 0))


def test_a_broken_run_has_the_fields_of_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from archgym.optimum import enumerate_space
    from archgym.tabulated import Tabulated

    real = runs.archgym.make_simulator("synthetic", workload="sphere", parameters=3, levels=4)
    table = enumerate_space(real)
    goal = runs.archgym.make_objective("distance", real)
    monkeypatch.setattr(runs, "problem", lambda *_: (Tabulated(real, table), table.landscape(goal)))
    run = Planned("random_walk", "sphere", "distance", 30, 0, simulator="synthetic")
    whole = execute(run)
    monkeypatch.setattr(runs, "execute", lambda run: 1 / 0)
    assert attempt(run).keys() - whole.keys() == {"failed"} and not whole.keys() - attempt(run).keys()
