"""ArchGym's own reward formulas for its DRAM and Timeloop environments, to look at published numbers on one's own runs.

**DRAM.**  Each is ``target / |observed - target|``; "both" is the product for power and latency.  Observed values are in the
units of the release: watts (target 1) and, in the variant written for RL, milliseconds (target 0.1).  The rewards are kept
finite by the cap of that variant, 1000.

Quirks of the released environment, kept on purpose:

* The formula is not monotone: beating a target is punished like missing it.  The best score belongs to the design
  *closest* to 100 us or 1 W, not to the fastest or the most frugal one.
* ``printed`` (for example ``archgym-latency:printed``) observes time as the other released variant does: the number that
  DRAMSys prints, without its unit, divided by 1e9.  DRAMSys prints picoseconds unless the time is a whole number of
  nanoseconds, and microseconds when it is a whole number of those; so this score mostly tells which unit was printed.

**Timeloop.**  Costs: how far energy, area or cycles are above a target, relative to it, and nothing below.  "joint" is the sum
of the three and 0.001.  A cost of zero becomes 0.00001; a design without a valid mapping costs 1500.  ``rl`` (for example
``archgym-timeloop-joint:rl``) is the other released variant: one over the cost, without the 0.001, and -1500.

* The formula saturates: all designs that meet the targets are equally good.
* All INVALID designs are equally bad, whatever is wrong with them.
* A very bad design would cost more than an invalid one; the cost is held at 1500, the one departure from the release.
* The energy target was set against a random search for mappings.  With good mappings most designs meet it.

Use them to reproduce; to compare agents use a metric and regret.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ObjectiveError, UnknownNameError
from archgym.metrics import Metric, Metrics
from archgym.objective import Objective, Scores

if TYPE_CHECKING:
    from archgym.simulator import Simulator

CAP = 1000.0
POWER_TARGET_W = 1.0
LATENCY_TARGET = 0.1

TIMELOOP_TARGETS = {"energy": ("energy_pj", 20_444.2e6), "area": ("area_mm2", 1.7255), "latency": ("cycles", 6_308_563.2)}
"""Formulation -> metric and target: 30, 15 and 20 % below the release's baseline design."""
TIMELOOP_JOINT = 0.001
TIMELOOP_MET = 1e-5
TIMELOOP_INVALID = 1500.0

REWARDS = {
    "archgym-power": "ArchGym's reward 1 / |W - 1|, capped at 1000",
    "archgym-latency": "ArchGym's reward 0.1 / |ms - 0.1|, capped at 1000",
    "archgym-both": "product of the two, each capped at 1000",
    "archgym-timeloop-energy": "ArchGym's cost max(uJ / 20444.2 - 1, 0)",
    "archgym-timeloop-area": "ArchGym's cost max(mm2 / 1.7255 - 1, 0)",
    "archgym-timeloop-latency": "ArchGym's cost max(cycles / 6308563.2 - 1, 0)",
    "archgym-timeloop-joint": "sum of the three + 0.001",
}


class Reward(Objective):
    """One of ArchGym's DRAM rewards; the score is the reward, so the cost is its negative."""

    def __init__(self, text: str, power: Metric | None, latency: Metric | None, printed: bool) -> None:
        self.text, self.power, self.latency, self.printed = text, power, latency, printed
        self.used = tuple(metric for metric in (power, latency) if metric is not None)

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        reward = np.ones(len(metrics))
        if self.power is not None:
            reward *= _reward(metrics[self.power.name] / 1e3, POWER_TARGET_W)
        if self.latency is not None:
            nanoseconds = metrics[self.latency.name]
            observed = printed_number(nanoseconds) / 1e9 if self.printed else nanoseconds / 1e6
            reward *= _reward(observed, LATENCY_TARGET)
        return -reward

    def _worst_cost(self) -> float:
        return 0.0


class TimeloopReward(Objective):
    """One of ArchGym's Timeloop costs; the score is its negative, or with ``rl`` one over the cost."""

    def __init__(self, text: str, formulations: Sequence[str], simulator: Simulator, rl: bool) -> None:
        self.text, self.rl = text, rl
        self.targets = [TIMELOOP_TARGETS[name][1] for name in formulations]
        self.used = tuple(simulator.metric(TIMELOOP_TARGETS[name][0]) for name in formulations)

    def score(self, metrics: Metrics) -> Scores:
        """Scores, (N,) float64, larger is better; -1500 for every design that is not OK."""
        scores = np.full(len(metrics), -TIMELOOP_INVALID)
        scores[metrics.ok] = -self._cost(metrics.take(metrics.ok))
        return scores

    def _cost(self, metrics: Metrics) -> NDArray[np.float64]:
        cost = np.full(len(metrics), TIMELOOP_JOINT if len(self.used) > 1 and not self.rl else 0.0)
        for metric, target in zip(self.used, self.targets, strict=True):
            cost += np.maximum((metrics[metric.name] - target) / target, 0.0)
        cost[cost == 0.0] = TIMELOOP_MET
        cost = np.minimum(cost, TIMELOOP_INVALID)
        return np.asarray(-1.0 / cost if self.rl else cost)

    def _worst_cost(self) -> float:
        return TIMELOOP_INVALID


def make_reward(text: str, simulator: Simulator) -> Objective:
    """Reads a name of ``REWARDS`` with an optional ``:printed`` (DRAM) or ``:rl`` (Timeloop).

    Raises:
        UnknownNameError: another name, or a metric that the simulator does not have.
        ObjectiveError: an option that the reward does not take.
    """
    name, _, option = text.partition(":")
    if name not in REWARDS:
        raise UnknownNameError("objective", name, REWARDS, owner=simulator.name)
    timeloop = name.startswith("archgym-timeloop-")
    known = "rl" if timeloop else "printed"
    if option not in ("", known):
        raise ObjectiveError(f"objective {name!r} takes the option {known!r} or none, got {option!r}")
    if timeloop:
        formulation = name.removeprefix("archgym-timeloop-")
        formulations = list(TIMELOOP_TARGETS) if formulation == "joint" else [formulation]
        return TimeloopReward(text, formulations, simulator, option == "rl")
    kind = name.removeprefix("archgym-")
    power = simulator.metric("power_mw") if kind in ("power", "both") else None
    latency = simulator.metric("latency_ns") if kind in ("latency", "both") else None
    return Reward(text, power, latency, option == "printed")


def printed_number(nanoseconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The number DRAMSys prints before the unit: in the largest of ps, ns, us in which the time is whole."""
    picoseconds = np.round(nanoseconds * 1e3)
    whole_ns = picoseconds % 1e3 == 0
    whole_us = picoseconds % 1e6 == 0
    return np.where(whole_us, picoseconds / 1e6, np.where(whole_ns, picoseconds / 1e3, picoseconds))


def _reward(observed: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.minimum(target / np.abs(observed - target), CAP)
