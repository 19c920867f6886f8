"""The fused loop of the fast engine: player, arbiter, scheduler, bank machines, checker and power ledger in one.

Only two kinds of moments need a controller run: a command (or the refresh manager) is due, or a request comes to the door.
The best candidate found after one run stays the best until an acceptance changes its bank.  Responses need no events:
their times follow from the column accesses, and the arbiter's admissions from them, by recurrences.
"""

from __future__ import annotations

from numba import njit

from simulators.dram import fast_queue, layout
from simulators.dram.fast_bank import access, activate, best_candidate, closes_row, evaluate, key, precharge, two_hits
from simulators.dram.fast_power import finish
from simulators.dram.fast_queue import CAS
from simulators.dram.fast_refresh import issue_refresh, manage_refresh
from simulators.dram.fast_tables import (
    ACT,
    AGE,
    ARRIVED,
    AUTO,
    BANK,
    BANK_BITS,
    BANKS,
    BLOCKED,
    CAS_ORDER,
    CLASS,
    CONSUMED,
    DYNAMIC,
    FRONT,
    HIT,
    LAST,
    LATEST_CLOSE,
    LINE,
    LONG_AGO,
    MAX_BANKS,
    NEVER,
    NEXT_FIFO_HIT,
    NEXT_HIT,
    NEXT_IN_BANK,
    PRE,
    RD,
    READ_READY,
    READY,
    RECENT_ACTS,
    REFI,
    SHIFT,
    SIZE,
    STATIC,
    TCK_PS,
    TIME,
    TRIGGER,
    WISH,
    WISH_TIME,
    WORK_WORDS,
    WR,
    WRA,
    WRITE,
    Words,
    next_edge,
)

# Below the time of a door arrival: how it compares with a command that is due at that time.
SEEN = 0  # it was announced a clock before: first
ARRIVES = 1  # it comes from the player in the first round: the kernel's queue decides
RELEASED = 2  # it is admitted in a late round, or known to lose: last
NO_DOOR = NEVER + 3


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
def _tie_matters(
    work: Words, trace: Words, policy: int, link: int, grouped: bool, best: int, wake: int, arriving: int
) -> bool:
    """Whether the outcome depends on the controller seeing the arriving request before what is due at ``wake``."""
    if wake >= work[TRIGGER]:
        return True  # the refresh manager asks whether all banks are idle, or blocks the banks
    bank = best & (MAX_BANKS - 1)  # of the command that is due
    if trace[arriving * STATIC + BANK] != bank:
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
    """The arbiter: when a request is admitted and when it is at the door, with the code of the latter."""
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
    """Whether the scheduler's buffer can take a request; the division per bank looks at the bank that was filled last."""
    if buffer == layout.BANKWISE:
        return work[SIZE + last_bank] < capacity
    if buffer == layout.SHARED:
        return stored < capacity
    return max(writes, stored - writes) < capacity


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
                issue_refresh(work, rules, max_pulled_in, now)
                for other in range(banks):
                    evaluate(work, trace, requests, other, accepted, now, direction)
                    if work[BLOCKED]:
                        work[TIME + other] = NEVER
        else:
            now = due
            issues = True
            command = work[CLASS + bank]
            if command == ACT:
                activate(work, rules, trace, bank, request, now)
            elif command == PRE:
                precharge(work, rules, bank, now)
            else:
                further_hit = trace[request * STATIC + link] < accepted
                if grouped:
                    further_hit = two_hits(work, trace, requests, bank, accepted)
                closes = closes_row(work, policy, bank, further_hit)
                command += AUTO * closes
                access(work, rules, command, bank, closes, now)
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
                if closes:
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
                evaluate(work, trace, requests, entering, accepted, now, direction)
                if entering == bank:
                    best = best_candidate(work, banks)  # the best candidate itself may have become later
                else:
                    best = min(best, key(work, entering))
        if issues:
            if work[BLOCKED]:
                for other in range(banks):
                    work[TIME + other] = NEVER
            elif grouped:
                for other in range(banks):
                    evaluate(work, trace, requests, other, accepted, now, direction)
            elif command >= RD:
                evaluate(work, trace, requests, bank, accepted, now, direction)
            best = best_candidate(work, banks)
        if now >= work[TRIGGER] or work[WISH] != ACT:
            manage_refresh(work, rules, max_postponed, accepted > served, now)
            refresh_time = work[WISH_TIME]
            best = best_candidate(work, banks)
        # The log, for ties to come
        log[logged] = now + (CAS if command >= RD and issues else 0) + (fast_queue.ACCEPTS if accepts else 0)
        log[logged + 1] = min(best & ~below, refresh_time)
        logged += 2
        if logged == log_words:
            logged = _shorten_log(controller, rules, trace, requests, queue, heap, log, logged, now)

    finish(rules, work, outcome, horizon)
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
