"""The fused loop of the fast engine: player, arbiter, scheduler, bank machines, checker and power ledger in one.

Only two kinds of moments need a controller run: a command (or the refresh manager) is due, or a request comes to the door.
The best candidate found after one run stays the best until an acceptance changes its bank.  Responses need no events:
their times follow from the column accesses, and the arbiter's admissions from them, by recurrences.
"""

from __future__ import annotations

from numba import njit

from simulators.dram import fast_queue, layout
from simulators.dram.fast_queue import ARRIVED, CAS, CAS_ORDER, CONSUMED, DYNAMIC, READY
from simulators.dram.fast_tables import (
    ACT,
    AFTER,
    AUTO,
    BALANCE,
    BANK,
    BANK_BITS,
    BANKS,
    BANKS_PER_GROUP,
    CLOSES,
    FAW,
    GROUPS,
    LINE,
    LONG_AGO,
    MAX_BANKS,
    NEVER,
    NEXT_FIFO_HIT,
    NEXT_HIT,
    NEXT_IN_BANK,
    OPENS,
    OTHER_GROUP,
    PRE,
    PREA,
    RAS,
    RC,
    RD,
    RDA,
    READ_READY,
    REFA,
    REFI,
    RFC,
    RP,
    SAME_ADDRESS,
    SAME_GROUP,
    SHIFT,
    STATIC,
    TAIL,
    TCK_PS,
    TO_CAS,
    TO_PREA,
    TO_REFA,
    WR,
    WRA,
    WRITE,
    Words,
    next_edge,
)

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

# Below the time of a door arrival: how it compares with a command that is due at that time.
SEEN = 0  # it was announced a clock before: first
ARRIVES = 1  # it comes from the player in the first round: the kernel's queue decides
RELEASED = 2  # it is admitted in a late round, or known to lose: last
NO_DOOR = NEVER + 3


@njit(cache=True)
def _evaluate(work: Words, trace: Words, requests: Words, bank: int, accepted: int, now: int, direction: int) -> None:
    """The bank machine: sets the candidate (section 7.4); ``direction`` is that of the last CAS with grouping, else -1."""
    front, hit = work[FRONT + bank], work[HIT + bank]
    if direction >= 0:
        hit = _grouped_hit(trace, requests, hit, accepted, direction)
    has_hit = hit < accepted
    is_open = work[IS_OPEN + bank]
    request = hit if has_hit else front
    write = trace[request * STATIC + WRITE]
    # Without a hit: PRE in an open bank, ACT in a closed one.
    kind = RD + write if has_hit else is_open
    time = work[CAS_TIME + bank] if has_hit else work[ROW_TIME + bank]
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
def _search(work: Words, banks: int) -> int:
    """The best candidate: the earliest, then the oldest request; its time, request and bank in one word."""
    best, other = NEVER * 2 - 1, NEVER * 2 - 1
    for bank in range(4):
        key = max(work[TIME + bank], work[CLASS_TIME + work[CLASS + bank]]) + work[AGE + bank]
        best = min(best, key)
        key = max(work[TIME + bank + 4], work[CLASS_TIME + work[CLASS + bank + 4]]) + work[AGE + bank + 4]
        other = min(other, key)
    for bank in range(8, banks):
        key = max(work[TIME + bank], work[CLASS_TIME + work[CLASS + bank]]) + work[AGE + bank]
        best = min(best, key)
    return min(best, other)


@njit(cache=True)
def _reset(rules: Words, trace: Words, requests: Words, work: Words, count: int, refreshing: bool) -> None:
    for i in range(WORK_WORDS):
        work[i] = 0
    for i in range(8):
        work[LAST + i] = LONG_AGO
        work[RECENT_ACTS + i] = LONG_AGO
    for bank in range(MAX_BANKS):
        work[TIME + bank] = NEVER
        work[AGE + bank] = bank
        work[FRONT + bank] = trace[(count + 1) * STATIC + bank]
        work[HIT + bank] = count
    for request in range(count + 1):
        requests[request * DYNAMIC + READY] = 0
    work[LATEST_CLOSE] = LONG_AGO
    work[TRIGGER] = rules[REFI] if refreshing else NEVER
    work[WISH_TIME] = work[TRIGGER]


@njit(cache=True)
def _pass_time(work: Words, rules: Words, command: int, bank: int, now: int) -> None:
    """The checker's rules between banks, after a command to a bank (section 8)."""
    for kind in range(4):
        work[CLASS_TIME + kind] = max(work[CLASS_TIME + kind], now + rules[OTHER_GROUP + command * 8 + kind])
    if rules[GROUPS] > 1:
        first = bank - bank % rules[BANKS_PER_GROUP]
        for near in range(first, first + rules[BANKS_PER_GROUP]):
            for kind in range(4):
                time = now + rules[SAME_GROUP + command * 8 + kind]
                work[GROUP_TIME + near * 4 + kind] = max(work[GROUP_TIME + near * 4 + kind], time)
            work[TIME + near] = max(work[TIME + near], work[GROUP_TIME + near * 4 + work[CLASS + near]])


@njit(cache=True)
def _end_open_phase(work: Words, now: int) -> None:
    """Power ledger: accounts for the phase with some bank open, if all are closed again by ``now``."""
    if work[PHASE_OPEN] and work[OPEN_BANKS] == 0 and work[LATEST_CLOSE] <= now:
        work[ACTIVE] += max(0, work[LATEST_CLOSE] - work[PHASE_START])
        work[CLOSED_SINCE] = work[LATEST_CLOSE]
        work[PHASE_OPEN] = 0


@njit(cache=True)
def _begin_open_phase(work: Words, now: int) -> None:
    """Power ledger, at an ACT that finds all banks closed by explicit commands."""
    _end_open_phase(work, now)
    if not work[PHASE_OPEN]:
        work[PHASE_OPEN], work[PHASE_START] = 1, now
        work[PRECHARGED] += max(0, now - work[CLOSED_SINCE])


@njit(cache=True)
def _refresh(work: Words, rules: Words, max_pulled_in: int, now: int) -> None:
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
    _end_open_phase(work, now)
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
def _manage_refresh(work: Words, rules: Words, max_postponed: int, busy: bool, now: int) -> None:
    """Evaluates the refresh manager (section 9.2); no candidate of a blocked bank survives but those due now."""
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


@njit(cache=True)
def _tie_matters(
    work: Words, trace: Words, policy: int, link: int, grouped: bool, best: int, wake: int, arriving: int
) -> bool:
    """Whether the outcome depends on the controller seeing the arriving request before what is due at ``wake``."""
    if wake >= work[TRIGGER]:
        return True  # the refresh manager asks whether all banks are idle, or blocks the banks
    bank = best & (MAX_BANKS - 1)
    if best < wake or trace[arriving * STATIC + BANK] != bank:
        return False
    if grouped:
        return True
    if work[CLASS + bank] == PRE:
        return work[HIT + bank] == arriving
    if work[CLASS + bank] == ACT:
        return False
    # A column access: with or without automatic precharge?
    hit = trace[(work[AGE + bank] >> BANK_BITS) * STATIC + link]
    if policy == layout.OPEN_ADAPTIVE:
        return hit >= arriving and (hit == arriving) == (work[SIZE + bank] >= 2)
    return policy == layout.CLOSED_ADAPTIVE and hit == arriving


@njit(cache=True)
def _admit(
    requests: Words, number: int, arrival: int, consumed: int, limit: int, last_acceptance: int, unit: int
) -> tuple[int, int]:
    """The arbiter (section 4): when a request is admitted and when it is at the door, with the code of the latter."""
    admission, code = arrival, ARRIVES
    if number >= limit:
        if consumed <= number - limit:
            return arrival, NO_DOOR  # it is not known yet when a place becomes free
        release = requests[(number - limit) * DYNAMIC + CONSUMED]
        if release >= arrival:
            admission, code = release, RELEASED
    if last_acceptance >= admission:
        return admission, last_acceptance + unit + SEEN
    return admission, admission + code


@njit(cache=True)
def _has_space(work: Words, buffer: int, capacity: int, last_bank: int, stored: int, writes: int) -> bool:
    """Section 7.1."""
    if buffer == layout.BANKWISE:
        return work[SIZE + last_bank] < capacity
    if buffer == layout.SHARED:
        return stored < capacity
    return max(writes, stored - writes) < capacity


@njit(cache=True)
def _closes_row(work: Words, policy: int, bank: int, further_hit: bool) -> int:
    """1 if a column access takes the variant with automatic precharge (section 7.4)."""
    if policy == layout.OPEN or policy == layout.CLOSED:
        return int(policy == layout.CLOSED)
    wanted = work[SIZE + bank] >= (2 if policy == layout.OPEN_ADAPTIVE else 0)
    return int(wanted and not further_hit)


@njit(cache=True)
def _two_hits(work: Words, trace: Words, requests: Words, bank: int, accepted: int) -> bool:
    """Whether at least two stored requests go to the open row, when they may be served out of order."""
    found, hit = 0, work[HIT + bank]
    while hit < accepted and found < 2:
        found += requests[hit * DYNAMIC + READY] == 0
        hit = trace[hit * STATIC + NEXT_HIT]
    return found == 2


@njit(cache=True, error_model="numpy")
def run(
    controller: Words,
    rules: Words,
    trace: Words,
    requests: Words,
    work: Words,
    queue: Words,
    heap: Words,
    log: Words,
    log_words: int,
    count: int,
    has_writes: bool,
    outcome: Words,
) -> None:
    """Simulates one controller on one trace of ``count`` requests and writes the outcome (``layout``)."""
    policy, scheduler = controller[layout.PAGE_POLICY], controller[layout.SCHEDULER]
    buffer, capacity = controller[layout.SCHEDULER_BUFFER], controller[layout.REQUEST_BUFFER_SIZE]
    if buffer == layout.READ_WRITE and not has_writes:
        buffer = layout.SHARED
    simple = controller[layout.ARBITER] == layout.ARBITER_SIMPLE
    limit = count if simple else controller[layout.MAX_ACTIVE_TRANSACTIONS]
    queue_in_order = controller[layout.RESP_QUEUE] == layout.RESP_REORDER
    in_order = queue_in_order or controller[layout.ARBITER] == layout.ARBITER_REORDER
    max_postponed, max_pulled_in = controller[layout.REFRESH_MAX_POSTPONED], controller[layout.REFRESH_MAX_PULLEDIN]
    # Without a write there is but one direction, and grouping by direction changes nothing.
    grouped = scheduler == layout.FRFCFS_GRP and has_writes
    link = NEXT_FIFO_HIT if scheduler == layout.FIFO else NEXT_HIT
    banks, unit = rules[BANKS], 1 << rules[SHIFT]
    below = unit - 1

    _reset(rules, trace, requests, work, count, controller[layout.REFRESH_POLICY] == layout.ALL_BANK)
    fast_queue.start(queue, heap, rules, trace[LINE], work[TRIGGER])
    logged = 0
    accepted = served = consumed = 0
    stored_writes = last_bank = 0
    direction = 0 if grouped else -1
    last_acceptance, last_release, last_response = -1, 0, 0
    idle = latency_sum = latency_max = 0
    horizon = NEVER - 1  # nothing after the last response counts
    best, refresh_time = NEVER, work[TRIGGER]
    arrival = admission = trace[LINE]
    requests[ARRIVED] = arrival
    next_door = door = arrival + ARRIVES  # the latter only while there is space
    while True:
        due = best & ~below
        wake = min(due, refresh_time)
        issues = accepts = False
        command = ACT
        bank = best & (MAX_BANKS - 1)
        request = (best & below) >> BANK_BITS
        if door <= wake:
            now = door & ~below
            accepts = True
        elif door == wake + ARRIVES:
            first = False
            if _tie_matters(work, trace, policy, link, grouped, best, wake, accepted):
                queue[fast_queue.LOGGED] = logged
                first = fast_queue.arbiter_first(controller, rules, trace, requests, queue, heap, log, wake)
            next_door = door = wake + (SEEN if first else RELEASED)
            continue
        elif refresh_time <= due:
            if refresh_time > horizon:
                break
            now = refresh_time
            if work[WISH] != ACT:
                _refresh(work, rules, max_pulled_in, now)
                for other in range(banks):
                    _evaluate(work, trace, requests, other, accepted, now, direction)
                    if work[BLOCKED]:
                        work[TIME + other] = NEVER
        else:
            now = due
            issues = True
            command = work[CLASS + bank]
            closes = 0
            if command >= RD:
                further_hit = trace[request * STATIC + link] < accepted
                if grouped:
                    further_hit = _two_hits(work, trace, requests, bank, accepted)
                closes = _closes_row(work, policy, bank, further_hit)
                command += AUTO * closes
            work[LAST + command] = now
            work[COUNT + command] += 1
            work[LAST_COMMAND] = command
            # Power ledger
            if command == ACT and work[OPEN_BANKS] == 0:
                _begin_open_phase(work, now)
            work[OPEN_BANKS] += rules[BALANCE + command]
            close = now + rules[CLOSES + command]
            if closes:
                close = max(close, work[CYCLE_TIME + bank] - rules[RC] + rules[RAS])
            work[LATEST_CLOSE] = max(work[LATEST_CLOSE], close)
            # Bank machine and rules
            row_time = work[ROW_TIME + bank]
            if command == ACT:
                row_time = now
                work[CYCLE_TIME + bank] = now + rules[RC]
                work[CAS_TIME + bank] = now + rules[TO_CAS]
                work[HIT + bank] = request
                acts = work[COUNT + ACT]
                work[RECENT_ACTS + (acts & 3)] = now
                four_acts = work[RECENT_ACTS + ((acts + 1) & 3)] + rules[FAW]
                work[CLASS_TIME + ACT] = max(work[CLASS_TIME + ACT], four_acts)
            elif not rules[OPENS + command]:
                row_time = work[CYCLE_TIME + bank]
            work[ROW_TIME + bank] = max(row_time, now + rules[AFTER + command])
            work[IS_OPEN + bank] = rules[OPENS + command]
            _pass_time(work, rules, command, bank, now)
            if command >= RD:
                is_write = int(command == WR or command == WRA)
                if grouped:
                    direction = is_write
                ready = now + rules[READ_READY + is_write]
                requests[request * DYNAMIC + READY] = ready
                requests[served * DYNAMIC + CAS_ORDER] = request
                work[SIZE + bank] -= 1
                stored_writes -= is_write
                served += 1
                front = work[FRONT + bank]
                while requests[front * DYNAMIC + READY] != 0:
                    front = trace[front * STATIC + NEXT_IN_BANK]
                work[FRONT + bank] = front
                if grouped:
                    hit = work[HIT + bank]
                    while requests[hit * DYNAMIC + READY] != 0:
                        hit = trace[hit * STATIC + NEXT_HIT]
                    work[HIT + bank] = hit
                else:
                    work[HIT + bank] = trace[request * STATIC + link]
                # Responses
                last_release = ready
                if in_order:
                    while consumed < count and requests[consumed * DYNAMIC + READY] != 0:
                        last_response = max(last_response + unit, requests[consumed * DYNAMIC + READY])
                        requests[consumed * DYNAMIC + CONSUMED] = last_response
                        latency = last_response - requests[consumed * DYNAMIC + ARRIVED]
                        latency_sum += latency
                        latency_max = max(latency_max, latency)
                        consumed += 1
                    if queue_in_order:
                        last_release = last_response
                else:
                    last_response = ready
                    requests[consumed * DYNAMIC + CONSUMED] = ready
                    latency = ready - requests[request * DYNAMIC + ARRIVED]
                    latency_sum += latency
                    latency_max = max(latency_max, latency)
                    consumed += 1
                if served == count:
                    horizon = last_response
                # The slot that has become free is used in the same time stamp.
                if next_door == NO_DOOR and accepted < count:
                    admission, next_door = _admit(requests, accepted, arrival, consumed, limit, last_acceptance, unit)
                space = _has_space(work, buffer, capacity, last_bank, accepted - served, stored_writes)
                door = next_door if space else NO_DOOR
                accepts = door <= now
            if not rules[OPENS + command]:
                work[HIT + bank] = NEVER
        if accepts:
            if accepted == served:
                idle += max(0, now - last_release)
            entering = trace[accepted * STATIC + BANK]
            changes = work[SIZE + entering] == 0 or work[HIT + entering] == accepted or grouped
            work[SIZE + entering] += 1
            stored_writes += trace[accepted * STATIC + WRITE]
            last_bank = entering
            last_acceptance = now
            accepted += 1
            next_door = NO_DOOR
            if accepted < count:
                arrival = max(next_edge(now if simple else admission, rules), trace[accepted * STATIC + LINE])
                requests[accepted * DYNAMIC + ARRIVED] = arrival
                admission, next_door = _admit(requests, accepted, arrival, consumed, limit, last_acceptance, unit)
            space = _has_space(work, buffer, capacity, last_bank, accepted - served, stored_writes)
            door = next_door if space else NO_DOOR
            if changes and not work[BLOCKED] and not (issues and entering == bank):
                _evaluate(work, trace, requests, entering, accepted, now, direction)
                if entering == bank:
                    best = _search(work, banks)
                elif not issues:
                    time = max(work[TIME + entering], work[CLASS_TIME + work[CLASS + entering]])
                    best = min(best, time + work[AGE + entering])
        if issues:
            if work[BLOCKED]:
                for other in range(banks):
                    work[TIME + other] = NEVER
            elif grouped:
                for other in range(banks):
                    _evaluate(work, trace, requests, other, accepted, now, direction)
            else:
                _evaluate(work, trace, requests, bank, accepted, now, direction)
            best = _search(work, banks)
        if now >= work[TRIGGER] or work[WISH] != ACT:
            _manage_refresh(work, rules, max_postponed, accepted > served, now)
            refresh_time = work[WISH_TIME]
            best = _search(work, banks)
        # The log, for ties to come
        log[logged] = now + (CAS if command >= RD and issues else 0) + (fast_queue.ACCEPTS if accepts else 0)
        log[logged + 1] = min(best & ~below, refresh_time)
        logged += 2
        if logged == log_words:
            logged = _shorten_log(controller, rules, trace, requests, queue, heap, log, logged, now)

    _finish(rules, work, outcome, horizon)
    outcome[layout.SERVED] = count - 1 if simple else count
    to_ps, shift = rules[TCK_PS], rules[SHIFT]
    outcome[layout.IDLE_PS] = ((idle + horizon - last_release) >> shift) * to_ps
    outcome[layout.LATENCY_SUM_PS] = (latency_sum >> shift) * to_ps
    outcome[layout.LATENCY_MAX_PS] = (latency_max >> shift) * to_ps


@njit(cache=True)
def _shorten_log(
    controller: Words,
    rules: Words,
    trace: Words,
    requests: Words,
    queue: Words,
    heap: Words,
    log: Words,
    logged: int,
    now: int,
) -> int:
    """Lets the replay read a log that is full; returns the words that are left."""
    queue[fast_queue.LOGGED] = logged
    fast_queue.replay(controller, rules, trace, requests, queue, heap, log, now)
    kept = logged - queue[fast_queue.READ]
    for i in range(kept):
        log[i] = log[queue[fast_queue.READ] + i]
    queue[fast_queue.READ] = 0
    return kept


@njit(cache=True)
def _finish(rules: Words, work: Words, outcome: Words, total: int) -> None:
    """Closes the window of the power ledger and writes time and counts."""
    shift = rules[SHIFT]
    last = LONG_AGO
    for command in range(8):
        last = max(last, work[LAST + command])
    end = last + rules[TAIL + work[LAST_COMMAND]]
    if work[LATEST_CLOSE] > last:  # a hidden precharge comes last; at equal cycle it comes first
        end = work[LATEST_CLOSE] + rules[RP]
    end -= 1 << shift
    _end_open_phase(work, work[LATEST_CLOSE])
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
