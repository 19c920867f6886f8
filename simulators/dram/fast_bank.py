"""Bank machines and timing checker of the fast engine.

Each bank keeps one candidate, the command that it wants to issue next.  The front of its queue and the next hit of its open
row are links of the trace that may point to requests not accepted yet, so that neither needs a list.
"""

from __future__ import annotations

from numba import njit

from simulators.dram import layout
from simulators.dram.fast_power import begin_open_phase
from simulators.dram.fast_tables import (
    ACT,
    AFTER,
    AGE,
    BANK_BITS,
    BANKS_PER_GROUP,
    CAS_TIME,
    CLASS,
    CLASS_TIME,
    COUNT,
    CYCLE_TIME,
    DYNAMIC,
    FAW,
    FRONT,
    GROUP_TIME,
    GROUPS,
    HIDDEN,
    HIT,
    IS_OPEN,
    LAST,
    LAST_COMMAND,
    LATEST_CLOSE,
    NEVER,
    NEXT_HIT,
    OPEN_BANKS,
    OTHER_GROUP,
    PRE,
    RAS,
    RC,
    RD,
    READY,
    RECENT_ACTS,
    ROW_TIME,
    RP,
    SAME_ADDRESS,
    SAME_GROUP,
    SIZE,
    STATIC,
    TIME,
    TO_CAS,
    WRITE,
    Words,
)


@njit(cache=True)
def evaluate(work: Words, trace: Words, requests: Words, bank: int, accepted: int, now: int, direction: int) -> None:
    """The bank machine: sets the candidate; ``direction`` is that of the last CAS with grouping, else -1."""
    front, hit = work[FRONT + bank], work[HIT + bank]
    if direction >= 0:
        hit = _grouped_hit(trace, requests, hit, accepted, direction)
    has_hit = hit < accepted
    is_open = work[IS_OPEN + bank]
    request = hit if has_hit else front
    write = trace[request * STATIC + WRITE]
    # Without a hit: PRE in an open bank, ACT in a closed one.
    kind = RD + write if has_hit else is_open
    time = work[(CAS_TIME if has_hit else ROW_TIME) + bank]
    time = max(time, work[GROUP_TIME + bank * 4 + kind])
    work[TIME + bank] = max(time, now) if front < accepted else NEVER
    work[CLASS + bank] = kind
    work[AGE + bank] = request << BANK_BITS | bank


@njit(cache=True)
def _grouped_hit(trace: Words, requests: Words, first: int, accepted: int, direction: int) -> int:
    """FrFcfsGrp: the first hit of the same direction without an older one to the same address, else the first hit."""
    hit = first
    while hit < accepted:
        same = trace[hit * STATIC + SAME_ADDRESS]
        waiting = requests[hit * DYNAMIC + READY] == 0
        hazard = same >= 0 and requests[same * DYNAMIC + READY] == 0
        if waiting and not hazard and trace[hit * STATIC + WRITE] == direction:
            return hit
        hit = trace[hit * STATIC + NEXT_HIT]
    return first


@njit(cache=True)
def two_hits(work: Words, trace: Words, requests: Words, bank: int, accepted: int) -> bool:
    """Whether at least two stored requests go to the open row, when they may be served out of order."""
    found, hit = 0, work[HIT + bank]
    while hit < accepted and found < 2:
        found += requests[hit * DYNAMIC + READY] == 0
        hit = trace[hit * STATIC + NEXT_HIT]
    return found == 2


@njit(cache=True)
def closes_row(work: Words, policy: int, bank: int, further_hit: bool) -> int:
    """1 if a column access takes the variant with automatic precharge."""
    if policy == layout.OPEN or policy == layout.CLOSED:
        return int(policy == layout.CLOSED)
    wanted = work[SIZE + bank] >= (2 if policy == layout.OPEN_ADAPTIVE else 0)
    return int(wanted and not further_hit)


@njit(cache=True, forceinline=True)
def key(work: Words, bank: int) -> int:
    """When the candidate of a bank can be issued; below it its request and bank, so that the older of two equals is less."""
    return max(work[TIME + bank], work[CLASS_TIME + work[CLASS + bank]]) + work[AGE + bank]


@njit(cache=True, forceinline=True)
def _best_of_four(work: Words, bank: int) -> int:
    """Least key of a bank and the three after it; pairs, because the processor compares them side by side."""
    return min(min(key(work, bank), key(work, bank + 1)), min(key(work, bank + 2), key(work, bank + 3)))


@njit(cache=True, forceinline=True)
def best_candidate(work: Words, banks: int) -> int:
    """Key of the best candidate."""
    best = min(_best_of_four(work, 0), _best_of_four(work, 4))
    if banks > 8:
        best = min(best, min(_best_of_four(work, 8), _best_of_four(work, 12)))
    return best


@njit(cache=True, forceinline=True)
def _issued(work: Words, rules: Words, command: int, bank: int, now: int) -> None:
    """The checker: the rules between banks that follow from a command."""
    work[LAST + command] = now
    work[COUNT + command] += 1
    work[LAST_COMMAND] = command
    for kind in range(4):
        work[CLASS_TIME + kind] = max(work[CLASS_TIME + kind], now + rules[OTHER_GROUP + command * 8 + kind])
    if rules[GROUPS] > 1:
        _issued_in_group(work, rules, command, bank, now)


@njit(cache=True)
def _issued_in_group(work: Words, rules: Words, command: int, bank: int, now: int) -> None:
    """The stricter rules between banks of one group."""
    first = bank - bank % rules[BANKS_PER_GROUP]
    for near in range(first, first + rules[BANKS_PER_GROUP]):
        for kind in range(4):
            time = now + rules[SAME_GROUP + command * 8 + kind]
            work[GROUP_TIME + near * 4 + kind] = max(work[GROUP_TIME + near * 4 + kind], time)
        work[TIME + near] = max(work[TIME + near], work[GROUP_TIME + near * 4 + work[CLASS + near]])


@njit(cache=True, forceinline=True)
def activate(work: Words, rules: Words, trace: Words, bank: int, request: int, now: int) -> None:
    """ACT: the request for which the row is opened goes next."""
    if work[OPEN_BANKS] == 0:
        begin_open_phase(work, now)
    work[OPEN_BANKS] += 1
    work[IS_OPEN + bank] = 1
    work[HIT + bank] = request
    work[CYCLE_TIME + bank] = now + rules[RC]
    work[ROW_TIME + bank] = now + rules[RAS]
    work[CAS_TIME + bank] = now + rules[TO_CAS]
    work[CLASS + bank] = RD + trace[request * STATIC + WRITE]
    work[TIME + bank] = now + rules[TO_CAS]
    _issued(work, rules, ACT, bank, now)
    acts = work[COUNT + ACT]
    work[RECENT_ACTS + (acts & 3)] = now
    work[CLASS_TIME + ACT] = max(work[CLASS_TIME + ACT], work[RECENT_ACTS + ((acts + 1) & 3)] + rules[FAW])


@njit(cache=True, forceinline=True)
def precharge(work: Words, rules: Words, bank: int, now: int) -> None:
    """PRE: the oldest request goes next."""
    work[OPEN_BANKS] -= 1
    work[LATEST_CLOSE] = max(work[LATEST_CLOSE], now)
    work[IS_OPEN + bank] = 0
    work[HIT + bank] = NEVER
    work[ROW_TIME + bank] = max(work[CYCLE_TIME + bank], now + rules[RP])
    work[CLASS + bank] = ACT
    work[TIME + bank] = work[ROW_TIME + bank]
    _issued(work, rules, PRE, bank, now)


@njit(cache=True, forceinline=True)
def access(work: Words, rules: Words, command: int, bank: int, closes: int, now: int) -> None:
    """RD, WR and their variants with automatic precharge: what follows for the row."""
    row_time = work[ROW_TIME + bank]
    if closes:
        row_time = work[CYCLE_TIME + bank]
        hidden = max(now + rules[HIDDEN + command], row_time - rules[RC] + rules[RAS])  # never before RAS is over
        work[LATEST_CLOSE] = max(work[LATEST_CLOSE], hidden)
        work[OPEN_BANKS] -= 1
        work[IS_OPEN + bank] = 0
    work[ROW_TIME + bank] = max(row_time, now + rules[AFTER + command])
    _issued(work, rules, command, bank, now)
