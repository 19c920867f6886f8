"""The power ledger: counts commands and the cycles with some bank open or all banks closed, as they are issued.

An automatic precharge counts as a read or write followed by a hidden PRE.  The hidden PRE of a bank always lies before the
next ACT of that bank and before any PREA or REFA.  So no sorted command list is needed: it is enough to know how many banks
are open by explicit commands and the latest cycle at which one closes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram import layout
from simulators.dram.literal.commands import ACT, NUM_COMMANDS, PRE, PREA, RD, RDA, REFA, WR, WRA
from simulators.dram.literal.records import MAX_BANKS, NEVER, NOTHING, fields

STATE = fields(
    "open_banks",  # by explicit commands: a read with automatic precharge closes its bank at once
    "phase_open",  # 1: a phase with some bank open has begun and has not been accounted for
    "phase_start",
    "closed_since",  # start of the current phase with all banks closed
    "latest_close",  # latest precharge seen so far, hidden ones included; may lie ahead
    "latest_hidden",  # latest hidden precharge
    "precharges",
    "active",  # cycles with some bank open
    "precharged",  # cycles with all banks closed
    "last_command",
    "last_cycle",
    issued=(NUM_COMMANDS,),
    last_act=(MAX_BANKS,),
)


@njit(cache=True)
def reset(power: np.record) -> None:
    """Starts with all banks closed at cycle 0."""
    power.open_banks = 0
    power.phase_open = 0
    power.phase_start = 0
    power.closed_since = 0
    power.latest_close = NEVER
    power.latest_hidden = NEVER
    power.precharges = 0
    power.active = 0
    power.precharged = 0
    power.last_command = NOTHING
    power.last_cycle = 0
    power.issued[:] = 0
    power.last_act[:] = 0


@njit(cache=True)
def record(power: np.record, timing: np.ndarray, command: int, bank: int, cycle: int) -> None:
    """Accounts for one issued command."""
    power.issued[command] += 1
    power.last_command = command
    power.last_cycle = cycle
    if command == ACT:
        _end_open_phase(power, cycle)
        if not power.phase_open:
            power.phase_open = 1
            power.phase_start = cycle
            power.precharged += max(0, cycle - power.closed_since)
        power.open_banks += 1
        power.last_act[bank] = cycle
    elif command == PRE:
        power.precharges += 1
        power.open_banks -= 1
        power.latest_close = max(power.latest_close, cycle)
    elif command == RDA:
        _hidden_precharge(power, timing, bank, cycle + timing[layout.AUTO_PRE_READ])
    elif command == WRA:
        _hidden_precharge(power, timing, bank, cycle + timing[layout.WL] + timing[layout.BURST] + timing[layout.WR])
    elif command == PREA:
        power.precharges += power.open_banks
        power.open_banks = 0
        power.latest_close = max(power.latest_close, cycle)
    elif command == REFA:
        _end_open_phase(power, cycle)
        # The refresh itself keeps the banks active until its own precharge begins.
        active = timing[layout.RFC] - timing[layout.RP]
        power.precharged += max(0, cycle - power.closed_since)
        power.active += active
        power.closed_since = cycle + active


@njit(cache=True)
def finish(power: np.record, timing: np.ndarray, outcome: np.ndarray) -> None:
    """Closes the window a little after the last command and writes the power columns of ``outcome``."""
    last_cycle, tail = power.last_cycle, _tail(timing, power.last_command)
    if power.latest_hidden > last_cycle:  # at equal cycle the precharge comes first
        last_cycle, tail = power.latest_hidden, timing[layout.RP]
    end = last_cycle + tail - 1
    _end_open_phase(power, power.latest_close)
    if power.phase_open:
        power.active += max(0, end - power.phase_start)
    else:
        power.precharged += max(0, end - power.closed_since)
    issued = power.issued
    outcome[layout.NUM_ACT] = issued[ACT]
    outcome[layout.NUM_PRE] = power.precharges
    outcome[layout.NUM_RD] = issued[RD] + issued[RDA]
    outcome[layout.NUM_WR] = issued[WR] + issued[WRA]
    outcome[layout.NUM_REF] = issued[REFA]
    outcome[layout.ACTIVE_CYCLES] = power.active
    outcome[layout.PRECHARGED_CYCLES] = power.precharged
    outcome[layout.ISSUED_PRE] = issued[PRE]
    outcome[layout.ISSUED_PREA] = issued[PREA]
    outcome[layout.ISSUED_RDA] = issued[RDA]
    outcome[layout.ISSUED_WRA] = issued[WRA]


@njit(cache=True)
def _hidden_precharge(power: np.record, timing: np.ndarray, bank: int, cycle: int) -> None:
    close = max(cycle, power.last_act[bank] + timing[layout.RAS])
    power.precharges += 1
    power.open_banks -= 1
    power.latest_close = max(power.latest_close, close)
    power.latest_hidden = max(power.latest_hidden, close)


@njit(cache=True)
def _end_open_phase(power: np.record, cycle: int) -> None:
    """Accounts for the phase with some bank open, if all banks were closed again by ``cycle``."""
    if power.phase_open and power.open_banks == 0 and power.latest_close <= cycle:
        power.active += max(0, power.latest_close - power.phase_start)
        power.closed_since = power.latest_close
        power.phase_open = 0


@njit(cache=True)
def _tail(timing: np.ndarray, command: int) -> int:
    """Cycles that the power model counts after the last command."""
    if command == RD or command == RDA:
        return timing[layout.READ_TAIL]
    if command == WR or command == WRA:
        return timing[layout.WRITE_TAIL]
    if command == ACT:
        return timing[layout.RCD]
    if command == REFA:
        return 0
    return timing[layout.RP]
