"""The timing checker: the earliest cycle at which a command is legal (JEDEC distances between commands, one rank)."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal.commands import ACT, NUM_COMMANDS, PRE, PREA, RD, RDA, REFA, WR, WRA
from simulators.dram.literal.records import MAX_BANKS, NEVER, fields

STATE = fields(
    "last_command",  # cycle of the last command of any kind
    timing=(layout.NUM_TIMINGS,),
    activates=(4,),  # cycles of the last four ACT, oldest first
    of_bank=(MAX_BANKS, NUM_COMMANDS),  # cycle of the last command of each kind on each bank,
    of_group=(MAX_BANKS, NUM_COMMANDS),  # in each bank group,
    of_rank=(NUM_COMMANDS,),  # anywhere
)


@njit(cache=True)
def reset(checker: np.record, timing: np.ndarray) -> None:
    """Forgets all commands."""
    checker.timing[:] = timing
    checker.last_command = NEVER
    checker.activates[:] = NEVER
    checker.of_bank[:] = NEVER
    checker.of_group[:] = NEVER
    checker.of_rank[:] = NEVER


@njit(cache=True)
def record(checker: np.record, command: int, bank: int, now: int) -> None:
    """Notes that a command has been issued; ``bank`` is ignored by commands to the whole rank."""
    checker.last_command = now
    checker.of_rank[command] = now
    if command < PREA:
        checker.of_bank[bank, command] = now
        checker.of_group[bank // checker.timing[layout.BANKS_PER_GROUP], command] = now
    if command == ACT:
        checker.activates[:3] = checker.activates[1:]
        checker.activates[3] = now


@njit(cache=True)
def earliest(checker: np.record, command: int, bank: int, now: int) -> int:
    """First cycle, not before ``now``, at which the command may be issued."""
    time = max(now, checker.last_command + 1)
    if command == ACT:
        return max(time, _activate(checker, bank))
    if command == PRE:
        return max(time, _precharge(checker, bank))
    if command == RD or command == RDA:
        return max(time, _read(checker, command, bank))
    if command == WR or command == WRA:
        return max(time, _write(checker, bank))
    if command == PREA:
        return max(time, _precharge_all(checker))
    return max(time, _refresh(checker))


@njit(cache=True)
def write_to_precharge(timing: np.ndarray) -> int:
    """Write latency, data burst and write recovery: from WR to a precharge of its bank."""
    return timing[layout.WL] + timing[layout.BURST] + timing[layout.WR]


@njit(cache=True)
def _activate(checker: np.record, bank: int) -> int:
    timing, on_bank, in_rank = checker.timing, checker.of_bank[bank], checker.of_rank
    in_group = checker.of_group[bank // timing[layout.BANKS_PER_GROUP]]
    time = on_bank[ACT] + timing[layout.RC]
    time = max(time, in_group[ACT] + timing[layout.RRD_L])
    time = max(time, in_rank[ACT] + timing[layout.RRD_S])
    time = max(time, checker.activates[0] + timing[layout.FAW])
    time = max(time, on_bank[PRE] + timing[layout.RP])
    time = max(time, in_rank[PREA] + timing[layout.RP])
    time = max(time, on_bank[RDA] + timing[layout.AL] + timing[layout.RTP] + timing[layout.RP])
    time = max(time, on_bank[WRA] + write_to_precharge(timing) + timing[layout.RP])
    return max(time, in_rank[REFA] + timing[layout.RFC])


@njit(cache=True)
def _precharge(checker: np.record, bank: int) -> int:
    timing, on_bank = checker.timing, checker.of_bank[bank]
    time = on_bank[ACT] + timing[layout.RAS]
    time = max(time, on_bank[RD] + timing[layout.AL] + timing[layout.RTP])
    return max(time, on_bank[WR] + write_to_precharge(timing))


@njit(cache=True)
def _read(checker: np.record, command: int, bank: int) -> int:
    timing, on_bank, in_rank = checker.timing, checker.of_bank[bank], checker.of_rank
    in_group = checker.of_group[bank // timing[layout.BANKS_PER_GROUP]]
    written = timing[layout.WL] + timing[layout.BURST]  # from WR to the end of its data burst
    time = on_bank[ACT] + timing[layout.RCD] - timing[layout.AL]
    time = max(time, max(in_group[RD], in_group[RDA]) + timing[layout.CCD_L])
    time = max(time, max(in_rank[RD], in_rank[RDA]) + timing[layout.CCD_S])
    time = max(time, max(in_group[WR], in_group[WRA]) + written + timing[layout.WTR_L])
    time = max(time, max(in_rank[WR], in_rank[WRA]) + written + timing[layout.WTR_S])
    if command == RDA:  # the hidden precharge must not cut the recovery of an earlier write short
        time = max(time, on_bank[WR] + write_to_precharge(timing) - timing[layout.RTP])
    return time


@njit(cache=True)
def _write(checker: np.record, bank: int) -> int:
    timing, on_bank, in_rank = checker.timing, checker.of_bank[bank], checker.of_rank
    in_group = checker.of_group[bank // timing[layout.BANKS_PER_GROUP]]
    time = on_bank[ACT] + timing[layout.RCD] - timing[layout.AL]
    time = max(time, max(in_rank[RD], in_rank[RDA]) + timing[layout.READ_TO_WRITE])
    time = max(time, max(in_group[WR], in_group[WRA]) + timing[layout.CCD_L])
    return max(time, max(in_rank[WR], in_rank[WRA]) + timing[layout.CCD_S])


@njit(cache=True)
def _precharge_all(checker: np.record) -> int:
    timing, in_rank = checker.timing, checker.of_rank
    time = in_rank[ACT] + timing[layout.RAS]
    time = max(time, max(in_rank[RD], in_rank[RDA]) + timing[layout.AL] + timing[layout.RTP])
    return max(time, max(in_rank[WR], in_rank[WRA]) + write_to_precharge(timing))


@njit(cache=True)
def _refresh(checker: np.record) -> int:
    timing, in_rank = checker.timing, checker.of_rank
    time = in_rank[ACT] + timing[layout.RC]
    time = max(time, in_rank[RDA] + timing[layout.AL] + timing[layout.RTP] + timing[layout.RP])
    time = max(time, in_rank[WRA] + write_to_precharge(timing) + timing[layout.RP])
    time = max(time, max(in_rank[PRE], in_rank[PREA]) + timing[layout.RP])
    return max(time, in_rank[REFA] + timing[layout.RFC])
