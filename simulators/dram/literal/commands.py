"""DRAM commands, as the controller issues them."""

from __future__ import annotations

from numba import njit

# Bank commands first; PREA (close all banks) and REFA (refresh all banks) concern the whole rank.
ACT, PRE, RD, WR, RDA, WRA, PREA, REFA = range(8)
NUM_COMMANDS = 8
COMMAND_NAMES = ("ACT", "PRE", "RD", "WR", "RDA", "WRA", "PREA", "REFA")


@njit(cache=True)
def is_cas(command: int) -> bool:
    """Whether the command moves data (column access), with or without automatic precharge."""
    return RD <= command <= WRA
