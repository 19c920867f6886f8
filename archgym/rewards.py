"""ArchGym's own reward formulas for its DRAM environment, so that published numbers can be looked at on one's own runs.

Each is ``target / |observed - target|``; "both" is the product for power and latency.  Observed values are in the units of
the release: watts (target 1) and, in the variant written for RL, milliseconds (target 0.1).  The rewards are kept finite by
the cap of that variant, 1000.

Quirks of the released environment, kept on purpose:

* The formula is not monotone: beating a target is punished like missing it.  The best score belongs to the design
  *closest* to 100 us or 1 W, not to the fastest or the most frugal one.
* ``printed`` (for example ``archgym-latency:printed``) observes time as the other released variant does: the number that
  DRAMSys prints, without its unit, divided by 1e9.  DRAMSys prints picoseconds unless the time is a whole number of
  nanoseconds, and microseconds when it is a whole number of those; so this score mostly tells which unit was printed.

Use them to reproduce; to compare agents use a metric and regret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym.errors import ObjectiveError, UnknownNameError
from archgym.metrics import Metric, Metrics
from archgym.objective import Objective

if TYPE_CHECKING:
    from archgym.simulator import Simulator

CAP = 1000.0
POWER_TARGET_W = 1.0
LATENCY_TARGET = 0.1

REWARDS = {
    "archgym-power": "ArchGym's reward 1 / |W - 1|, capped at 1000",
    "archgym-latency": "ArchGym's reward 0.1 / |ms - 0.1|, capped at 1000",
    "archgym-both": "product of the two, each capped at 1000",
}


class Reward(Objective):
    """One of ArchGym's rewards; the score is the reward, so the cost is its negative."""

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


def make_reward(text: str, simulator: Simulator) -> Reward:
    """Reads ``archgym-power``, ``archgym-latency``, ``archgym-both``, each with an optional ``:printed``.

    Raises:
        UnknownNameError: another name.
        ObjectiveError: an option other than ``printed``.
    """
    name, _, option = text.partition(":")
    if name not in REWARDS:
        raise UnknownNameError("objective", name, REWARDS, owner=simulator.name)
    if option not in ("", "printed"):
        raise ObjectiveError(f"objective {name!r} takes the option 'printed' or none, got {option!r}")
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
