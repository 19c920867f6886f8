"""The refresh manager: refreshes all banks at once, may postpone under load and pull in when idle."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal import bank_machine, timing
from simulators.dram.literal.commands import ACT, PRE, PREA, RDA, REFA, WRA
from simulators.dram.literal.records import INFINITY, NOTHING, fields

STATE = fields(
    "enabled",
    "max_postponed",
    "max_pulled_in",
    "interval",
    "trigger",  # when the next refresh is due
    "pulled_in",  # 1: the due refresh is done, further ones are tried ahead of time
    "balance",  # refreshes postponed (positive) or pulled in (negative)
    "open_banks",
    "command",  # as of the last evaluation, like the one below
    "time",
)


@njit(cache=True)
def reset(refresh: np.record, design: np.ndarray, timings: np.ndarray) -> None:
    """Sets the first trigger one interval after the start."""
    refresh.enabled = int(design[layout.REFRESH_POLICY] == layout.ALL_BANK)
    refresh.max_postponed = design[layout.REFRESH_MAX_POSTPONED]
    refresh.max_pulled_in = design[layout.REFRESH_MAX_PULLEDIN]
    refresh.interval = timings[layout.REFI]
    refresh.trigger = timings[layout.REFI]
    refresh.pulled_in = 0
    refresh.balance = 0
    refresh.open_banks = 0
    refresh.command = NOTHING
    refresh.time = INFINITY


@njit(cache=True)
def evaluate(refresh: np.record, banks: np.recarray, checker: np.record, now: int) -> int:
    """Decides anew whether a refresh command is wanted.

    Returns:
        When the manager wants to act: the time of its command, or the trigger time if it has none.
    """
    refresh.command = NOTHING
    refresh.time = INFINITY
    if not refresh.enabled:
        return INFINITY
    if now < refresh.trigger:
        return refresh.trigger
    if now >= refresh.trigger + refresh.interval:
        _wait_for_next_interval(refresh)
    idle = bank_machine.all_idle(banks)
    if refresh.pulled_in:
        if not idle:
            _wait_for_next_interval(refresh)
            return refresh.trigger
        return _want(refresh, checker, REFA, now)
    if refresh.balance == refresh.max_postponed:
        bank_machine.block_all(banks)
    elif not idle:
        refresh.balance += 1
        refresh.trigger += refresh.interval
        return refresh.trigger
    return _want(refresh, checker, PREA if refresh.open_banks > 0 else REFA, now)


@njit(cache=True)
def issue(refresh: np.record, command: int) -> None:
    """Follows the commands that have been issued."""
    if command == ACT:
        refresh.open_banks += 1
    elif command == PRE or command == RDA or command == WRA:
        refresh.open_banks -= 1
    elif command == PREA:
        refresh.open_banks = 0
    elif command == REFA:
        if refresh.pulled_in:
            refresh.balance -= 1
        else:
            refresh.pulled_in = 1
        if refresh.balance == -refresh.max_pulled_in:
            _wait_for_next_interval(refresh)


@njit(cache=True)
def _wait_for_next_interval(refresh: np.record) -> None:
    refresh.pulled_in = 0
    refresh.trigger += refresh.interval


@njit(cache=True)
def _want(refresh: np.record, checker: np.record, command: int, now: int) -> int:
    refresh.command = command
    refresh.time = timing.earliest(checker, command, 0, now)
    return refresh.time
