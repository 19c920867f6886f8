"""Power ledger of the fast engine: how long some bank is open, and where the window ends.

An automatic precharge counts as an access and a hidden PRE.  Since that lies before anything else that touches the bank, it
is enough to know how many banks are open by explicit commands and the latest moment at which one closes.
"""

from __future__ import annotations

from numba import njit

from simulators.dram import layout
from simulators.dram.fast_tables import (
    ACT,
    ACTIVE,
    CLOSED_SINCE,
    COUNT,
    LAST,
    LAST_COMMAND,
    LATEST_CLOSE,
    LONG_AGO,
    OPEN_BANKS,
    PHASE_OPEN,
    PHASE_START,
    PRE,
    PREA,
    PRECHARGED,
    PRECHARGES,
    RD,
    RDA,
    REFA,
    RP,
    SHIFT,
    TAIL,
    TCK_PS,
    WR,
    WRA,
    Words,
)


@njit(cache=True)
def end_open_phase(work: Words, now: int) -> None:
    """Power ledger: accounts for the phase with some bank open, if all are closed again by ``now``."""
    if work[PHASE_OPEN] and work[OPEN_BANKS] == 0 and work[LATEST_CLOSE] <= now:
        work[ACTIVE] += max(0, work[LATEST_CLOSE] - work[PHASE_START])
        work[CLOSED_SINCE] = work[LATEST_CLOSE]
        work[PHASE_OPEN] = 0


@njit(cache=True)
def begin_open_phase(work: Words, now: int) -> None:
    """Power ledger, at an ACT that finds all banks closed by explicit commands."""
    end_open_phase(work, now)
    if not work[PHASE_OPEN]:
        work[PHASE_OPEN], work[PHASE_START] = 1, now
        work[PRECHARGED] += max(0, now - work[CLOSED_SINCE])


@njit(cache=True)
def finish(rules: Words, work: Words, outcome: Words, total: int) -> None:
    """Closes the window of the power ledger and writes time and counts."""
    shift = rules[SHIFT]
    last = LONG_AGO
    for command in range(8):
        last = max(last, work[LAST + command])
    end = last + rules[TAIL + work[LAST_COMMAND]]
    if work[LATEST_CLOSE] > last:  # a hidden precharge comes last; at equal cycle it comes first
        end = work[LATEST_CLOSE] + rules[RP]
    end -= 1 << shift
    end_open_phase(work, work[LATEST_CLOSE])
    if work[PHASE_OPEN]:
        work[ACTIVE] += max(0, end - work[PHASE_START])
    else:
        work[PRECHARGED] += max(0, end - work[CLOSED_SINCE])
    outcome[layout.TOTAL_PS] = (total >> shift) * rules[TCK_PS]
    automatic = work[COUNT + RDA] + work[COUNT + WRA]
    outcome[layout.NUM_ACT] = work[COUNT + ACT]
    outcome[layout.NUM_PRE] = work[PRECHARGES] + work[COUNT + PRE] + automatic
    outcome[layout.NUM_RD] = work[COUNT + RD] + work[COUNT + RDA]
    outcome[layout.NUM_WR] = work[COUNT + WR] + work[COUNT + WRA]
    outcome[layout.NUM_REF] = work[COUNT + REFA]
    outcome[layout.ACTIVE_CYCLES] = work[ACTIVE] >> shift
    outcome[layout.PRECHARGED_CYCLES] = work[PRECHARGED] >> shift
    outcome[layout.ISSUED_PRE] = work[COUNT + PRE]
    outcome[layout.ISSUED_PREA] = work[COUNT + PREA]
    outcome[layout.ISSUED_RDA] = work[COUNT + RDA]
    outcome[layout.ISSUED_WRA] = work[COUNT + WRA]
