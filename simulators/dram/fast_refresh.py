"""Refresh manager of the fast engine."""

from __future__ import annotations

from numba import njit

from simulators.dram.fast_power import end_open_phase
from simulators.dram.fast_tables import (
    ACT,
    ACTIVE,
    BANKS,
    BLOCKED,
    CLASS,
    CLASS_TIME,
    CLOSED_SINCE,
    COUNT,
    HIT,
    IS_OPEN,
    LAST,
    LAST_COMMAND,
    LATEST_CLOSE,
    NEVER,
    OPEN_BANKS,
    OTHER_GROUP,
    POSTPONED,
    PREA,
    PRECHARGED,
    PRECHARGES,
    PULLED_IN,
    REFA,
    REFI,
    RFC,
    RP,
    TIME,
    TO_PREA,
    TO_REFA,
    TRIGGER,
    WISH,
    WISH_TIME,
    Words,
)


@njit(cache=True)
def issue_refresh(work: Words, rules: Words, max_pulled_in: int, now: int) -> None:
    """Issues the PREA or REFA that the refresh manager wishes."""
    command = work[WISH]
    work[LAST + command] = now
    work[COUNT + command] += 1
    work[LAST_COMMAND] = command
    for kind in range(4):
        work[CLASS_TIME + kind] = max(work[CLASS_TIME + kind], now + rules[OTHER_GROUP + command * 8 + kind])
    if command == PREA:
        for bank in range(rules[BANKS]):
            work[IS_OPEN + bank] = 0
            work[HIT + bank] = NEVER
        work[PRECHARGES] += work[OPEN_BANKS]
        work[OPEN_BANKS] = 0
        work[LATEST_CLOSE] = max(work[LATEST_CLOSE], now)
        return
    end_open_phase(work, now)
    # The refresh keeps the banks active until its own precharge begins.
    active = rules[RFC] - rules[RP]
    work[PRECHARGED] += max(0, now - work[CLOSED_SINCE])
    work[ACTIVE] += active
    work[CLOSED_SINCE] = now + active
    work[BLOCKED] = 0
    if work[PULLED_IN]:
        work[POSTPONED] -= 1
    work[PULLED_IN] = 1
    if work[POSTPONED] == -max_pulled_in:
        work[PULLED_IN] = 0
        work[TRIGGER] += rules[REFI]


@njit(cache=True)
def manage_refresh(work: Words, rules: Words, max_postponed: int, busy: bool, now: int) -> None:
    """Evaluates the refresh manager; no candidate of a blocked bank survives but those due now."""
    work[WISH], work[WISH_TIME] = ACT, work[TRIGGER]
    if now < work[TRIGGER]:
        return
    if now >= work[TRIGGER] + rules[REFI]:
        work[PULLED_IN] = 0
        work[TRIGGER] += rules[REFI]
    if work[PULLED_IN]:
        if busy:
            work[PULLED_IN] = 0
            work[TRIGGER] += rules[REFI]
        else:
            work[WISH] = REFA
    else:
        forced = work[POSTPONED] == max_postponed
        if busy and not forced:
            work[POSTPONED] += 1
            work[TRIGGER] += rules[REFI]
        else:
            work[WISH] = PREA if work[OPEN_BANKS] > 0 else REFA
            if forced and not work[BLOCKED]:
                work[BLOCKED] = 1
                for bank in range(rules[BANKS]):
                    if max(work[TIME + bank], work[CLASS_TIME + work[CLASS + bank]]) > now:
                        work[TIME + bank] = NEVER
    work[WISH_TIME] = work[TRIGGER]
    if work[WISH] != ACT:
        table = TO_PREA if work[WISH] == PREA else TO_REFA
        work[WISH_TIME] = now
        for command in range(8):
            work[WISH_TIME] = max(work[WISH_TIME], work[LAST + command] + rules[table + command])
