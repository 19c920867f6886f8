"""Tables that the fast engine reads: timing rules, the linked trace, and the places of everything in its arrays.

The kernels see nothing but flat int64 arrays, so that Numba neither counts references nor passes many arguments.

A time is a memory-clock cycle shifted left by a few bits, the same for one trace.  The free bits below carry what decides
between equal times: the age and the bank of a candidate command, the kind of a door arrival, the kind of a logged run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from simulators.dram import layout

Words = NDArray[np.int64]

# Commands.  The first four are also the classes of candidates; + AUTO gives the variant with automatic precharge.
ACT, PRE, RD, WR, RDA, WRA, PREA, REFA = range(8)
AUTO = RDA - RD
LONG_AGO = -(1 << 60)
NEVER = 1 << 61

MAX_BANKS = 16
BANK_BITS = 4

# rules: distances as times.  First the tables by command: eight words for each command, or one.
SAME_GROUP, OTHER_GROUP = 0, 64  # [command * 8 + class]: to a command of that class in the same, in another bank group
AFTER = 128  # [command], RD to WRA: to the next row command (ACT or PRE) of the bank
HIDDEN = 136  # [RDA or WRA]: to the PRE that the power model adds
TO_PREA, TO_REFA = 144, 152  # [command]: to PREA, to REFA
TAIL = 160  # [command]: to the end of the power model's window
BANKS, GROUPS, BANKS_PER_GROUP, FAW, RAS, RC, RP, RFC, REFI, TO_CAS, READ_READY, WRITE_READY = range(168, 180)
SHIFT, TCK_PS, PLAYER_PS = range(180, 183)
NUM_RULES = 184

# trace: eight words per request.  A link is the number of a later request, or R if there is none.
BANK = 0
WRITE = 1
NEXT_IN_BANK = 2
NEXT_HIT = 3  # next of the same bank and row
NEXT_FIFO_HIT = 4  # the same if no other request of the bank lies between, else R
SAME_ADDRESS = 5  # previous request with this very address, or -1
LINE = 6  # earliest arrival at the arbiter
STATIC = 8
EXTRA_ROWS = 3  # after the requests: one that stands for "none", then the first request of each bank

# requests: four words per request.
ARRIVED = 0  # [request] at the arbiter
READY = 1  # [request] end of its data burst; 0: not served yet
CONSUMED = 2  # [i] when the player consumed the i-th response
CAS_ORDER = 3  # [i] request of the i-th column access
DYNAMIC = 4

# work: the controller.  The candidate of a bank is the command that its machine wants to issue next.
CLASS_TIME = 0  # [class] earliest time by the rules between banks
LAST = 8  # [command] when it was last issued
COUNT = 16  # [command]
RECENT_ACTS = 24  # ring of the last four
TIME = 32  # [bank] of the candidate by the rules inside the bank; NEVER if there is none
CLASS = 48  # [bank] of the candidate
AGE = 64  # [bank] request of the candidate << BANK_BITS | bank: decides between equal times
CYCLE_TIME = 80  # [bank] earliest ACT by the rule between ACTs
ROW_TIME = 96  # [bank] earliest ACT or PRE, whichever its state calls for
CAS_TIME = 112  # [bank] earliest column access
FRONT = 128  # [bank] oldest request not served, accepted or not
HIT = 144  # [bank] next request to the open row, accepted or not
SIZE = 160  # [bank] requests stored
IS_OPEN = 176  # [bank]
GROUP_TIME = 192  # [bank] by class: earliest time by the rules inside its bank group, four words per bank
# Refresh manager
TRIGGER, WISH, WISH_TIME, PULLED_IN, POSTPONED, BLOCKED = range(256, 262)
# Power ledger
OPEN_BANKS, PRECHARGES, LATEST_CLOSE, PHASE_OPEN, PHASE_START, CLOSED_SINCE, ACTIVE, PRECHARGED, LAST_COMMAND = range(262, 271)
WORK_WORDS = 272


@intrinsic
def bare(typing_context: Any, array: Any) -> Any:
    """Pointer to the data of an array: no reference counts, no negative indices.  The caller keeps the array alive."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), generate


def time_shift(requests: int) -> int:
    """Number of free bits below a time: enough for the number of a request and a bank."""
    return BANK_BITS + requests.bit_length()


def make_rules(timing: Words, player_period_ps: int, shift: int) -> Words:
    """Builds the rules from ``(NUM_TIMINGS,)`` timing, all distances as times."""
    t = timing
    burst, read_to_row = t[layout.BURST], t[layout.AL] + t[layout.RTP]
    write_to_row = t[layout.WL] + burst + t[layout.WR]
    rules = np.zeros(NUM_RULES, np.int64)
    for group, ccd, rrd, wtr in (
        (SAME_GROUP, layout.CCD_L, layout.RRD_L, layout.WTR_L),
        (OTHER_GROUP, layout.CCD_S, layout.RRD_S, layout.WTR_S),
    ):
        distance = rules[group : group + 64].reshape(8, 8)
        distance[:, :4] = 1  # between any two commands
        distance[ACT, ACT] = t[rrd]
        distance[PREA, ACT] = t[layout.RP]
        distance[REFA, ACT] = t[layout.RFC]
        distance[[RD, RDA], RD] = distance[[WR, WRA], WR] = t[ccd]
        distance[[RD, RDA], WR] = t[layout.READ_TO_WRITE]
        distance[[WR, WRA], RD] = t[layout.WL] + burst + t[wtr]

    def by_command(table: int, **distances: int) -> None:
        for name, distance in distances.items():
            rules[table + globals()[name]] = distance

    by_command(AFTER, RD=read_to_row, WR=write_to_row)
    by_command(AFTER, RDA=read_to_row + t[layout.RP], WRA=write_to_row + t[layout.RP])
    by_command(HIDDEN, RDA=t[layout.AUTO_PRE_READ], WRA=write_to_row)
    rules[TO_PREA : TO_PREA + 8] = rules[TO_REFA : TO_REFA + 8] = 1
    by_command(TO_PREA, ACT=t[layout.RAS], RD=read_to_row, RDA=read_to_row, WR=write_to_row, WRA=write_to_row)
    by_command(TO_REFA, ACT=t[layout.RC], RDA=read_to_row + t[layout.RP], WRA=write_to_row + t[layout.RP])
    by_command(TO_REFA, PRE=t[layout.RP], PREA=t[layout.RP], REFA=t[layout.RFC])
    by_command(TAIL, ACT=t[layout.RCD], PRE=t[layout.RP], PREA=t[layout.RP])
    by_command(TAIL, RD=t[layout.READ_TAIL], RDA=t[layout.READ_TAIL], WR=t[layout.WRITE_TAIL], WRA=t[layout.WRITE_TAIL])
    for name in ("FAW", "RAS", "RC", "RP", "RFC", "REFI"):
        rules[globals()[name]] = t[getattr(layout, name)]
    rules[TO_CAS] = t[layout.RCD] - t[layout.AL]
    rules[READ_READY], rules[WRITE_READY] = t[layout.RL] + burst, t[layout.WL] + burst
    rules <<= shift

    # The rest are plain numbers, not times.
    rules[BANKS], rules[BANKS_PER_GROUP] = t[layout.BANKS], t[layout.BANKS_PER_GROUP]
    rules[GROUPS] = t[layout.BANKS] // t[layout.BANKS_PER_GROUP]
    rules[SHIFT], rules[TCK_PS], rules[PLAYER_PS] = shift, t[layout.TCK_PS], player_period_ps
    return rules


def make_trace(line: Words, write: NDArray[np.uint8], bank: Words, row: Words, address: Words) -> Words:
    """Links the requests: ``((R + EXTRA_ROWS) * STATIC,)``; ``line`` holds times, all others as in ``fast.prepare``."""
    requests = len(bank)
    trace = np.zeros((requests + EXTRA_ROWS, STATIC), np.int64)
    body = trace[:requests]
    body[:, BANK], body[:, WRITE], body[:, LINE] = bank, write, line
    body[:, NEXT_IN_BANK] = _next_equal(bank)
    # Rows of one bank are told apart by the pair (row, bank).
    body[:, NEXT_HIT] = _next_equal(row * MAX_BANKS + bank)
    body[:, NEXT_FIFO_HIT] = np.where(body[:, NEXT_HIT] == body[:, NEXT_IN_BANK], body[:, NEXT_HIT], requests)
    later = _next_equal(address)
    body[:, SAME_ADDRESS] = -1
    linked = later < requests
    body[later[linked], SAME_ADDRESS] = np.nonzero(linked)[0]
    trace[requests, LINE] = NEVER  # the player stops there
    first = trace[requests + 1 :].reshape(-1)
    first[:] = requests
    banks, places = np.unique(bank, return_index=True)
    first[banks] = places
    return trace.reshape(-1)


def _next_equal(values: Words) -> Words:
    """For each entry the place of the next equal one, or the length: ``(R,)``."""
    order = np.argsort(values, kind="stable")
    following = np.full(len(values), len(values), np.int64)
    equal = values[order[1:]] == values[order[:-1]]
    following[order[:-1][equal]] = order[1:][equal]
    return following


@njit(cache=True, error_model="numpy")
def next_edge(time: int, rules: Words) -> int:
    """First memory clock at which the arbiter can see a message that the player sends at the next edge of its own clock."""
    shift, tck_ps, period_ps = rules[SHIFT], rules[TCK_PS], rules[PLAYER_PS]
    if tck_ps == period_ps:
        return time + (1 << shift)
    now_ps = (time >> shift) * tck_ps
    edge_ps = now_ps + period_ps - now_ps % period_ps  # strictly after now
    return ((edge_ps + tck_ps - 1) // tck_ps) << shift
