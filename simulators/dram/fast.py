"""The fast engine: one fused loop per design, exact to the last command.

Three things make it fast.  Responses need no events: their times follow from the column accesses by a recurrence.  The
arbiter is a recurrence too.  And a controller run matters only when a command is due or a request comes to the door; the
best command found after one run stays the best until a request changes its bank.

Two things that happen at the same time stamp are ordered by the heap of the event kernel.  The loop notices the rare ties
whose order can be observed and lets ``_arbiter_first`` replay the kernel's queue up to there.

All times inside the kernels are memory-clock cycles.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.dram import layout

# Commands.  The first four are also the classes of candidates; + AUTO gives the variant with automatic precharge.
ACT, PRE, RD, WR, RDA, WRA, PREA, REFA = range(8)
AUTO = RDA - RD
LONG_AGO = -(1 << 40)

# rules: a flat table made from the timing, see _rules.
SAME, OTHER = 0, 64  # [command * 8 + class]: distance to a command of that class in the same or in another bank group
BANK_ACT, BANK_PRE, HIDDEN, TAIL = 128, 136, 144, 152  # [command]: to ACT, to PRE of this bank; to hidden PRE; after the end
TO_PREA, TO_REFA = 160, 168  # [command]: to PREA and REFA
BANKS, GROUPS, BANKS_PER_GROUP, FAW, RAS, RC, RP, RFC, REFI, TO_CAS, READ_READY, WRITE_READY, TCK_PS, PLAYER_PS = range(
    176, 190
)
NUM_RULES = 192

# trace: eight words per request.  A link is the number of the next request that ..., or R.
BANK, WRITE, NEXT_IN_BANK, NEXT_HIT, NEXT_FIFO_HIT, SAME_ADDRESS, LINE = range(7)
STATIC = 8

# work: what the loop keeps per bank, then per request.
MAX_BANKS = 16
CLASS_TIME = 0  # [group * 4 + class] earliest time by the rules between banks
LAST = 16  # [command] when it was last issued
COUNT = 24  # [command]
RECENT_ACTS = 32  # ring of four
TIME, CLASS, AGE, ACT_TIME, PRE_TIME, CAS_TIME, FRONT, HIT, SIZE, IS_OPEN = range(48, 48 + 10 * MAX_BANKS, MAX_BANKS)
REQUESTS = 208
# Per request: arrival at the arbiter, end of burst (0: not served); number i: consumption by the player, column access
ARRIVED, READY, CONSUMED, CAS_ORDER = range(4)
DYNAMIC = 4


def _rules(timing: NDArray[np.int64], player_period_ps: int) -> NDArray[np.int64]:
    t = timing
    rules = np.zeros(NUM_RULES, np.int64)
    tail = np.zeros(8, np.int64)
    L = layout
    B = t[L.BURST]
    WRPRE = t[L.WL] + B + t[L.WR]
    for offset, ccd, rrd, wtr in ((SAME, t[L.CCD_L], t[L.RRD_L], t[L.WTR_L]), (OTHER, t[L.CCD_S], t[L.RRD_S], t[L.WTR_S])):
        d = rules[offset : offset + 64].reshape(8, 8)
        d[:, :4] = 1
        d[ACT, ACT] = rrd
        for r in (RD, RDA):
            d[r, RD] = ccd
            d[r, WR] = t[L.READ_TO_WRITE]
        for w in (WR, WRA):
            d[w, RD] = t[L.WL] + B + wtr
            d[w, WR] = ccd
        d[PREA, ACT] = t[L.RP]
        d[REFA, ACT] = t[L.RFC]
    rules[BANK_ACT + ACT] = t[L.RC]
    rules[BANK_ACT + PRE] = t[L.RP]
    rules[BANK_ACT + RDA] = t[L.AL] + t[L.RTP] + t[L.RP]
    rules[BANK_ACT + WRA] = WRPRE + t[L.RP]
    rules[BANK_PRE + ACT] = t[L.RAS]
    rules[BANK_PRE + RD] = t[L.AL] + t[L.RTP]
    rules[BANK_PRE + WR] = WRPRE
    rules[HIDDEN + RDA] = t[L.AUTO_PRE_READ]
    rules[HIDDEN + WRA] = WRPRE
    tail[[RD, RDA]] = t[L.READ_TAIL]
    tail[[WR, WRA]] = t[L.WRITE_TAIL]
    tail[ACT] = t[L.RCD]
    tail[[PRE, PREA]] = t[L.RP]
    rules[TAIL : TAIL + 8] = tail
    rules[TO_PREA : TO_PREA + 8] = 1
    rules[TO_PREA + ACT] = t[L.RAS]
    rules[[TO_PREA + RD, TO_PREA + RDA]] = t[L.AL] + t[L.RTP]
    rules[[TO_PREA + WR, TO_PREA + WRA]] = WRPRE
    rules[TO_REFA : TO_REFA + 8] = 1
    rules[TO_REFA + ACT] = t[L.RC]
    rules[TO_REFA + RDA] = t[L.AL] + t[L.RTP] + t[L.RP]
    rules[TO_REFA + WRA] = WRPRE + t[L.RP]
    rules[[TO_REFA + PRE, TO_REFA + PREA]] = t[L.RP]
    rules[TO_REFA + REFA] = t[L.RFC]
    rules[BANKS] = t[L.BANKS]
    rules[GROUPS] = t[L.BANKS] // t[L.BANKS_PER_GROUP]
    rules[BANKS_PER_GROUP] = t[L.BANKS_PER_GROUP]
    rules[FAW] = t[L.FAW]
    rules[RAS] = t[L.RAS]
    rules[RC] = t[L.RC]
    rules[RP] = t[L.RP]
    rules[RFC] = t[L.RFC]
    rules[REFI] = t[L.REFI]
    rules[TO_CAS] = t[L.RCD] - t[L.AL]
    rules[READ_READY] = t[L.RL] + B
    rules[WRITE_READY] = t[L.WL] + B
    rules[TCK_PS] = t[L.TCK_PS]
    rules[PLAYER_PS] = player_period_ps
    return rules


@njit(cache=True)
def _link(trace, bank, row, write, address, line):
    R = len(bank)
    next_in_bank = np.full(MAX_BANKS, R)
    rows = {}
    addresses = {}
    last_address = np.full(R, -1)
    for j in range(R):
        if address[j] in addresses:
            last_address[j] = addresses[address[j]]
        addresses[address[j]] = j
    for j in range(R - 1, -1, -1):
        b = bank[j]
        key = row[j] * MAX_BANKS + b
        hit = R
        if key in rows:
            hit = rows[key]
        rows[key] = j
        o = j * STATIC
        trace[o + BANK] = b
        trace[o + WRITE] = write[j]
        trace[o + NEXT_IN_BANK] = next_in_bank[b]
        trace[o + NEXT_HIT] = hit
        trace[o + NEXT_FIFO_HIT] = hit if hit == next_in_bank[b] else R
        trace[o + SAME_ADDRESS] = last_address[j]
        trace[o + LINE] = line[j]
        next_in_bank[b] = j
    for b in range(MAX_BANKS):
        trace[R * STATIC + STATIC + b] = next_in_bank[b]


@njit(cache=True, error_model="numpy")
def _edge(now, rules):
    if rules[TCK_PS] == rules[PLAYER_PS]:
        return now + 1
    ps = now * rules[TCK_PS]
    ps += rules[PLAYER_PS] - ps % rules[PLAYER_PS]
    return (ps + rules[TCK_PS] - 1) // rules[TCK_PS]


@njit(cache=True)
def _evaluate(work, trace, b, accepted, never, grouped, direction, now):
    front = work[FRONT + b]
    age, klass, time = front, ACT, work[ACT_TIME + b]
    if work[IS_OPEN + b]:
        hit = work[HIT + b]
        if grouped and hit < accepted:
            k = hit
            while k < accepted:
                same = trace[k * STATIC + SAME_ADDRESS]
                if (
                    work[REQUESTS + k * DYNAMIC + READY] == 0
                    and trace[k * STATIC + WRITE] == direction
                    and (same < 0 or work[REQUESTS + same * DYNAMIC + READY] != 0)
                ):
                    hit = k
                    break
                k = trace[k * STATIC + NEXT_HIT]
        if hit < accepted:
            age, klass, time = hit, RD + trace[hit * STATIC + WRITE], work[CAS_TIME + b]
        else:
            klass, time = PRE, work[PRE_TIME + b]
    work[TIME + b] = max(time, now) if front < accepted else never
    work[CLASS + b] = klass + (work[CLASS + b] & ~3)
    work[AGE + b] = age * MAX_BANKS + b


@njit(cache=True)
def _search(work, banks, shift):
    best = np.int64(1) << 62
    for b in range(banks):
        key = (max(work[TIME + b], work[CLASS_TIME + (work[CLASS + b] & 15)]) << shift) | work[AGE + b]
        best = min(best, key)
    return best


# ---- the queue of the event kernel, replayed

PLAYER, ARBITER, CONTROLLER = range(3)
PLAYER_INBOX, ARBITER_INBOX, DOOR, END_OF_RESPONSE, DATA_TIMER, TIMER = range(6)
# queue: state of the replay
LIVE, LIVE_TIME, OUTSTANDING, POSTED, ORDER, TO_PLAYER, TO_ARBITER = range(0, 56, 8)
NOW, HEAP, SERIAL, NUM_POSTED, NUM_ORDER, POPPED, NUM_TO_PLAYER, NUM_TO_ARBITER = range(56, 64)
LOGGED, READ, TAKEN, LAST_CAS, WAKE = range(64, 69)
NEXT_LINE, REQUEST_TIME, REQUEST_SENT, RESPONSE_TIME, RESPONSE_SENT, DELAYED_TIME, SENT = range(69, 76)
CHANNEL_BUSY, THREAD_BUSY, ACTIVE, ADMITTED, FORWARDED, REFUSED, LAST_END_REQ, LAST_END_RESP, RETURNED, RECEIVED = range(
    76, 86
)
DOOR_FULL, DOOR_TIME, SLOT_FULL, SLOT_TIME, LAST_RELEASE, INSIDE, DELIVERED, INFINITE = range(86, 94)
QUEUE_SIZE = 96
END_REQ, BEGIN_RESP, END_RESP = range(3)


@njit(cache=True)
def _push(queue, heap, time, tag):
    at = queue[HEAP]
    queue[HEAP] += 1
    while at > 0:
        parent = (at - 1) >> 1
        if heap[2 * parent] <= time:
            break
        heap[2 * at] = heap[2 * parent]
        heap[2 * at + 1] = heap[2 * parent + 1]
        at = parent
    heap[2 * at] = time
    heap[2 * at + 1] = tag


@njit(cache=True)
def _pop(queue, heap):
    tag = heap[1]
    size = queue[HEAP] - 1
    queue[HEAP] = size
    time, moved = heap[2 * size], heap[2 * size + 1]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[2 * child + 2] < heap[2 * child]:
            child += 1
        if heap[2 * child] >= time:
            break
        heap[2 * at] = heap[2 * child]
        heap[2 * at + 1] = heap[2 * child + 1]
        at = child
    heap[2 * at] = time
    heap[2 * at + 1] = moved
    return tag


@njit(cache=True)
def _notify(queue, heap, event, time):
    if queue[OUTSTANDING + event]:
        return
    if time == queue[NOW]:
        queue[OUTSTANDING + event] = 1
        queue[POSTED + queue[NUM_POSTED]] = event
        queue[NUM_POSTED] += 1
        queue[LIVE + event] = -1
    elif queue[LIVE + event] < 0 or time < queue[LIVE_TIME + event]:
        serial = queue[SERIAL]
        queue[SERIAL] = serial + 1
        queue[LIVE + event] = serial
        queue[LIVE_TIME + event] = time
        _push(queue, heap, time, serial * 8 + event)


@njit(cache=True)
def _wake(queue, event):
    agent = event if event < 2 else CONTROLLER
    for i in range(queue[NUM_ORDER]):
        if queue[ORDER + i] == agent:
            return
    queue[ORDER + queue[NUM_ORDER]] = agent
    queue[NUM_ORDER] += 1


@njit(cache=True)
def _start_queue(queue, heap, first_line, trigger, never):
    for i in range(QUEUE_SIZE):
        queue[i] = 0
    for i in range(8):
        queue[LIVE + i] = -1
    queue[INFINITE] = never
    queue[WAKE] = trigger
    queue[LAST_CAS] = queue[LAST_END_REQ] = queue[LAST_END_RESP] = queue[LAST_RELEASE] = -1
    queue[REQUEST_TIME] = first_line
    queue[RESPONSE_TIME] = queue[DELAYED_TIME] = never
    queue[REFUSED] = -1
    queue[SENT] = 1
    queue[NEXT_LINE] = 1
    _notify(queue, heap, ARBITER_INBOX, first_line)
    if trigger < never:
        _notify(queue, heap, TIMER, trigger)


@njit(cache=True)
def _next_ready(trace, work, queue, rules, in_order):
    e = queue[DELIVERED]
    if not in_order:
        if e < queue[TAKEN]:
            return work[REQUESTS + work[REQUESTS + e * DYNAMIC + CAS_ORDER] * DYNAMIC + READY]
        return queue[INFINITE]
    ready = work[REQUESTS + e * DYNAMIC + READY]
    latency = rules[WRITE_READY] if trace[e * STATIC + WRITE] else rules[READ_READY]
    if ready != 0 and ready - latency <= queue[LAST_CAS]:
        return ready
    return queue[INFINITE]


@njit(cache=True)
def _controller_runs(trace, work, queue, heap, log, rules, in_order):
    now = queue[NOW]
    ask = queue[SLOT_FULL] == 0
    if queue[SLOT_FULL] and queue[SLOT_TIME] == now:
        queue[LAST_RELEASE] = now
        queue[SLOT_FULL] = 0
        queue[INSIDE] -= 1
        ask = queue[INSIDE] > 0
    if ask:
        ready = _next_ready(trace, work, queue, rules, in_order)
        if ready <= now:
            queue[SLOT_FULL] = 1
            queue[SLOT_TIME] = queue[INFINITE]
            queue[DELIVERED] += 1
            if queue[LAST_RELEASE] == now:
                queue[RESPONSE_TIME] = now + 1
                queue[RESPONSE_SENT] = queue[SENT]
                queue[SENT] += 1
                _notify(queue, heap, ARBITER_INBOX, now + 1)
            else:
                queue[TO_ARBITER + queue[NUM_TO_ARBITER]] = BEGIN_RESP
                queue[NUM_TO_ARBITER] += 1
                _notify(queue, heap, ARBITER_INBOX, now)
        elif ready < queue[INFINITE]:
            _notify(queue, heap, DATA_TIMER, ready)
    while queue[READ] < queue[LOGGED]:
        entry = log[queue[READ]]
        if entry >> 2 != now:
            break
        kind = entry & 3
        if kind == 2 and not (queue[DOOR_FULL] and queue[DOOR_TIME] <= now):
            break
        queue[WAKE] = log[queue[READ] + 1]
        queue[READ] += 2
        if kind & 2:
            queue[INSIDE] += 1
            queue[DOOR_FULL] = 0
            queue[TO_ARBITER + queue[NUM_TO_ARBITER]] = END_REQ
            queue[NUM_TO_ARBITER] += 1
            _notify(queue, heap, ARBITER_INBOX, now)
        if kind & 1:
            queue[TAKEN] += 1
            queue[LAST_CAS] = now
            ready = _next_ready(trace, work, queue, rules, in_order)
            if now < ready < queue[INFINITE]:
                _notify(queue, heap, DATA_TIMER, ready)
    if queue[WAKE] < queue[INFINITE]:
        _notify(queue, heap, TIMER, queue[WAKE])


@njit(cache=True)
def _send_line(queue, heap, trace, rules, now):
    j = queue[NEXT_LINE]
    if j < len(trace) // STATIC - 4:
        queue[NEXT_LINE] = j + 1
        time = max(_edge(now, rules), trace[j * STATIC + LINE])
        queue[REQUEST_TIME] = time
        queue[REQUEST_SENT] = queue[SENT]
        queue[SENT] += 1
        _notify(queue, heap, ARBITER_INBOX, time)


@njit(cache=True)
def _player_runs(trace, queue, heap, rules, n):
    now = queue[NOW]
    if queue[DELAYED_TIME] == now:
        queue[DELAYED_TIME] = queue[INFINITE]
        queue[TO_ARBITER + queue[NUM_TO_ARBITER]] = END_RESP
        queue[NUM_TO_ARBITER] += 1
        _notify(queue, heap, ARBITER_INBOX, now)
    for i in range(n):
        if queue[TO_PLAYER + 4 + i] == END_REQ:
            _send_line(queue, heap, trace, rules, now)
        else:
            queue[TO_ARBITER + queue[NUM_TO_ARBITER]] = END_RESP
            queue[NUM_TO_ARBITER] += 1
            _notify(queue, heap, ARBITER_INBOX, now)
    if queue[DELAYED_TIME] < queue[INFINITE]:
        _notify(queue, heap, PLAYER_INBOX, queue[DELAYED_TIME])


@njit(cache=True)
def _tell_player(queue, heap, kind):
    queue[TO_PLAYER + queue[NUM_TO_PLAYER]] = kind
    queue[NUM_TO_PLAYER] += 1
    _notify(queue, heap, PLAYER_INBOX, queue[NOW])


@njit(cache=True)
def _forward(queue, heap, time):
    queue[CHANNEL_BUSY] = 1
    queue[FORWARDED] += 1
    queue[DOOR_FULL] = 1
    queue[DOOR_TIME] = time
    _notify(queue, heap, DOOR, time)


@njit(cache=True)
def _release(queue, heap):
    queue[SLOT_TIME] = queue[NOW]
    _notify(queue, heap, END_OF_RESPONSE, queue[NOW])


@njit(cache=True)
def _return_next(work, queue, heap, kind, in_order, time):
    r = queue[RETURNED]
    if r * DYNAMIC + REQUESTS >= len(work):
        return
    if kind == layout.ARBITER_REORDER and not in_order:
        if queue[RECEIVED] == 0:
            return
        last = work[REQUESTS + (queue[RECEIVED] - 1) * DYNAMIC + CAS_ORDER]
        ready = work[REQUESTS + r * DYNAMIC + READY]
        there = ready != 0 and ready <= work[REQUESTS + last * DYNAMIC + READY]
    else:
        there = r < queue[RECEIVED]
    if there:
        queue[RETURNED] = r + 1
        queue[THREAD_BUSY] = 1
        if time == queue[NOW]:
            _tell_player(queue, heap, BEGIN_RESP)
        else:
            queue[DELAYED_TIME] = time
            _notify(queue, heap, PLAYER_INBOX, time)


@njit(cache=True)
def _begin_req(queue, heap, kind, limit):
    now = queue[NOW]
    queue[REQUEST_TIME] = queue[INFINITE]
    if kind == layout.ARBITER_SIMPLE:
        queue[ADMITTED] += 1
    elif queue[ACTIVE] < limit:
        queue[ACTIVE] += 1
        queue[ADMITTED] += 1
        _tell_player(queue, heap, END_REQ)
    else:
        queue[REFUSED] = 1
    if not queue[CHANNEL_BUSY] and queue[FORWARDED] < queue[ADMITTED]:
        _forward(queue, heap, now + (kind != layout.ARBITER_SIMPLE and queue[LAST_END_REQ] == now))


@njit(cache=True)
def _begin_resp(work, queue, heap, kind, in_order):
    now = queue[NOW]
    if kind != layout.ARBITER_SIMPLE:
        _release(queue, heap)
    queue[RECEIVED] += 1
    if not queue[THREAD_BUSY]:
        just = kind != layout.ARBITER_SIMPLE and queue[LAST_END_RESP] == now
        _return_next(work, queue, heap, kind, in_order, now + just)


@njit(cache=True)
def _arbiter_runs(work, queue, heap, kind, limit, in_order, n):
    now = queue[NOW]
    request_first = queue[REQUEST_SENT] < queue[RESPONSE_SENT]
    if queue[REQUEST_TIME] == now and request_first:
        _begin_req(queue, heap, kind, limit)
    if queue[RESPONSE_TIME] == now:
        queue[RESPONSE_TIME] = queue[INFINITE]
        _begin_resp(work, queue, heap, kind, in_order)
    if queue[REQUEST_TIME] == now and not request_first:
        _begin_req(queue, heap, kind, limit)
    for i in range(n):
        message = queue[TO_ARBITER + 4 + i]
        if message == END_REQ:
            queue[LAST_END_REQ] = now
            if kind == layout.ARBITER_SIMPLE:
                _tell_player(queue, heap, END_REQ)
            if queue[FORWARDED] < queue[ADMITTED]:
                _forward(queue, heap, now + 1)
            else:
                queue[CHANNEL_BUSY] = 0
        elif message == BEGIN_RESP:
            _begin_resp(work, queue, heap, kind, in_order)
        else:
            queue[LAST_END_RESP] = now
            if kind == layout.ARBITER_SIMPLE:
                _release(queue, heap)
            elif queue[REFUSED] >= 0:
                queue[REFUSED] = -1
                queue[ADMITTED] += 1
                _tell_player(queue, heap, END_REQ)
                if not queue[CHANNEL_BUSY]:
                    _forward(queue, heap, now + (queue[LAST_END_REQ] == now))
            else:
                queue[ACTIVE] -= 1
            queue[THREAD_BUSY] = 0
            _return_next(work, queue, heap, kind, in_order, now + 1)
    earliest = min(queue[REQUEST_TIME], queue[RESPONSE_TIME])
    if earliest < queue[INFINITE]:
        _notify(queue, heap, ARBITER_INBOX, earliest)


@njit(cache=True)
def _arbiter_first(controller, rules, trace, work, queue, heap, log, until):
    in_order = controller[layout.RESP_QUEUE] == layout.RESP_REORDER
    kind = controller[layout.ARBITER]
    limit = controller[layout.MAX_ACTIVE_TRANSACTIONS]
    while True:
        if not queue[POPPED]:
            queue[NUM_ORDER] = 0
            if queue[NUM_POSTED]:
                for i in range(queue[NUM_POSTED] - 1, -1, -1):
                    event = queue[POSTED + i]
                    queue[OUTSTANDING + event] = 0
                    _wake(queue, event)
                queue[NUM_POSTED] = 0
            else:
                time = heap[0]
                if queue[HEAP] == 0 or time > until:
                    raise RuntimeError
                queue[NOW] = time
                while queue[HEAP] > 0 and heap[0] == time:
                    tag = _pop(queue, heap)
                    event = tag & 7
                    if queue[LIVE + event] == tag >> 3:
                        queue[LIVE + event] = -1
                        _wake(queue, event)
                if time == until:
                    queue[POPPED] = 1
                    for i in range(queue[NUM_ORDER]):
                        if queue[ORDER + i] == ARBITER:
                            return True
                        if queue[ORDER + i] == CONTROLLER:
                            return False
        queue[POPPED] = 0
        for i in range(4):
            queue[TO_PLAYER + 4 + i] = queue[TO_PLAYER + i]
            queue[TO_ARBITER + 4 + i] = queue[TO_ARBITER + i]
        to_player, to_arbiter = queue[NUM_TO_PLAYER], queue[NUM_TO_ARBITER]
        queue[NUM_TO_PLAYER] = queue[NUM_TO_ARBITER] = 0
        for i in range(queue[NUM_ORDER]):
            agent = queue[ORDER + i]
            if agent == PLAYER:
                _player_runs(trace, queue, heap, rules, to_player)
            elif agent == ARBITER:
                _arbiter_runs(work, queue, heap, kind, limit, in_order, to_arbiter)
            else:
                _controller_runs(trace, work, queue, heap, log, rules, in_order)


@njit(cache=True, nogil=True, error_model="numpy")
def _run(controller, rules, trace, work, queue, heap, log, out):
    R = np.int64(len(trace) // STATIC - 4)
    shift = 4
    while (1 << shift) < (R + 1) * MAX_BANKS:
        shift += 1
    never = np.int64(1 << 61) >> shift
    mask = (1 << shift) - 1
    closed_door = never * 4 + 3
    # ---- parameters
    policy = controller[layout.PAGE_POLICY]
    buffer = controller[layout.SCHEDULER_BUFFER]
    capacity = controller[layout.REQUEST_BUFFER_SIZE]
    limit = controller[layout.MAX_ACTIVE_TRANSACTIONS]
    simple = controller[layout.ARBITER] == layout.ARBITER_SIMPLE
    queue_in_order = controller[layout.RESP_QUEUE] == layout.RESP_REORDER
    in_order = queue_in_order or controller[layout.ARBITER] == layout.ARBITER_REORDER
    refreshing = controller[layout.REFRESH_POLICY] == layout.ALL_BANK
    scheduler = controller[layout.SCHEDULER]
    has_writes = trace[len(trace) - 1] != 0
    grouped = scheduler == layout.FRFCFS_GRP and has_writes
    link = NEXT_FIFO_HIT if scheduler == layout.FIFO else NEXT_HIT
    banks = rules[BANKS]
    groups = rules[GROUPS]
    faw = rules[FAW]
    # ---- reset
    for i in range(REQUESTS):
        work[i] = 0
    for i in range(8):
        work[LAST + i] = LONG_AGO
    for i in range(4):
        work[RECENT_ACTS + i] = LONG_AGO
    for b in range(banks):
        work[TIME + b] = never
        work[FRONT + b] = trace[R * STATIC + STATIC + b]
        work[CLASS + b] = (b // rules[BANKS_PER_GROUP]) * 4
        work[AGE + b] = b
    for j in range(R + 1):
        work[REQUESTS + j * DYNAMIC + READY] = 0
    best = np.int64(1) << 62
    accepted = served = consumed = 0
    last_acceptance = -1
    last_bank = 0
    writes_inside = 0
    direction = 0
    last_response = 0  # at the player
    last_release = 0
    idle = latency_sum = latency_max = 0
    # refresh
    refresh_time = rules[REFI] if refreshing else never
    trigger = refresh_time
    refresh_command = 0
    pulled_in = False
    balance = 0
    blocked = False
    # power
    open_banks = pres = 0
    phase_open = False
    phase_start = closed_since = active = precharged = 0
    latest_close = LONG_AGO
    command = ACT
    now = 0
    horizon = never * 2
    acts = 0
    flags = 0
    logged = 0
    _start_queue(queue, heap, trace[LINE], refresh_time, never)
    # ---- the door
    arrival = trace[LINE]
    work[REQUESTS + ARRIVED] = arrival
    admission = arrival
    door = arrival * 4 + 1
    waiting = door  # the same, even when there is no space
    while True:
        t = best >> shift
        wake = min(t, refresh_time)
        issuing = -1
        accepting = False
        if door <= wake * 4:
            accepting = True
            now = door >> 2
        elif door == wake * 4 + 1:
            j = accepted
            conflict = refreshing and wake >= trigger
            if t == wake and (best & 15) == trace[j * STATIC + BANK]:
                b = best & 15
                klass = work[CLASS + b] & 3
                if grouped:
                    conflict = True
                elif klass == PRE:
                    conflict |= work[HIT + b] == j
                elif klass >= RD:
                    hit = trace[((best & mask) >> 4) * STATIC + link]
                    if policy == layout.OPEN_ADAPTIVE:
                        conflict |= hit >= accepted and (hit == j) == (work[SIZE + b] >= 2)
                    elif policy == layout.CLOSED_ADAPTIVE:
                        conflict |= hit == j
            if conflict:
                flags += 1
                queue[LOGGED] = logged
                first = _arbiter_first(controller, rules, trace, work, queue, heap, log, wake)
            else:
                first = False
            door += -1 if first else 1
            waiting = door
            continue
        elif refresh_time <= t:
            if refresh_time > horizon:
                break
            now = refresh_time
            # (to be done at the trigger or when a command is due)
            do_evaluate = True
            if refresh_command == 0:
                pass
            else:
                command = refresh_command
                work[LAST + command] = now
                work[COUNT + command] += 1
                if command == PREA:
                    for b in range(banks):
                        work[IS_OPEN + b] = 0
                    pres += open_banks
                    open_banks = 0
                    latest_close = max(latest_close, now)
                else:
                    if phase_open and open_banks == 0 and latest_close <= now:
                        active += max(0, latest_close - phase_start)
                        closed_since = latest_close
                        phase_open = False
                    precharged += max(0, now - closed_since)
                    active += rules[RFC] - rules[RP]
                    closed_since = now + rules[RFC] - rules[RP]
                    blocked = False
                    if pulled_in:
                        balance -= 1
                    else:
                        pulled_in = True
                    if balance == -controller[layout.REFRESH_MAX_PULLEDIN]:
                        pulled_in = False
                        trigger += rules[REFI]
                for g in range(groups):
                    for c in range(4):
                        work[CLASS_TIME + g * 4 + c] = max(work[CLASS_TIME + g * 4 + c], now + rules[SAME + command * 8 + c])
                for b in range(banks):
                    _evaluate(work, trace, b, accepted, never, grouped, direction, now)
                    if blocked:
                        work[TIME + b] = never
                best = _search(work, banks, shift)
        else:
            if t > horizon:
                break
            now = t
            issuing = best & 15
        was_empty = False
        k = 0
        if issuing >= 0:
            b = issuing
            k = (best & mask) >> 4
            klass = work[CLASS + b] & 3
            group = work[CLASS + b] >> 2
            command = klass
            if klass >= RD:
                further_hit = trace[k * STATIC + link] < accepted
                if grouped:
                    # at least two
                    n = 0
                    h = work[HIT + b]
                    while h < accepted and n < 2:
                        n += work[REQUESTS + h * DYNAMIC + READY] == 0
                        h = trace[h * STATIC + NEXT_HIT]
                    further_hit = n == 2
                auto = policy == layout.CLOSED
                if policy == layout.OPEN_ADAPTIVE:
                    auto = not further_hit and work[SIZE + b] >= 2
                elif policy == layout.CLOSED_ADAPTIVE:
                    auto = not further_hit
                if auto:
                    command += AUTO
            work[LAST + command] = now
            work[COUNT + command] += 1
            for g in range(groups):
                offset = SAME if g == group else OTHER
                for c in range(4):
                    work[CLASS_TIME + g * 4 + c] = max(work[CLASS_TIME + g * 4 + c], now + rules[offset + command * 8 + c])
            if klass == ACT:
                if open_banks == 0:
                    if phase_open and latest_close <= now:
                        active += max(0, latest_close - phase_start)
                        closed_since = latest_close
                        phase_open = False
                    if not phase_open:
                        phase_open = True
                        phase_start = now
                        precharged += max(0, now - closed_since)
                open_banks += 1
                acts += 1
                work[RECENT_ACTS + (acts & 3)] = now
                oldest = work[RECENT_ACTS + ((acts + 1) & 3)] + faw
                for g in range(groups):
                    work[CLASS_TIME + g * 4] = max(work[CLASS_TIME + g * 4], oldest)
                work[ACT_TIME + b] = now + rules[RC]
                work[PRE_TIME + b] = now + rules[RAS]
                work[CAS_TIME + b] = now + rules[TO_CAS]
                work[HIT + b] = k
                work[IS_OPEN + b] = 1
                if not grouped:
                    work[CLASS + b] += RD + trace[k * STATIC + WRITE]
                    work[TIME + b] = now + rules[TO_CAS]
                else:
                    _evaluate(work, trace, b, accepted, never, grouped, direction, now)
                if blocked:
                    work[TIME + b] = never
            elif klass == PRE:
                open_banks -= 1
                pres += 1
                latest_close = max(latest_close, now)
                work[ACT_TIME + b] = max(work[ACT_TIME + b], now + rules[RP])
                work[IS_OPEN + b] = 0
                work[CLASS + b] -= PRE
                work[TIME + b] = never if blocked else work[ACT_TIME + b]
            else:
                is_write = klass == WR
                direction = np.int64(is_write)
                if auto:
                    open_banks -= 1
                    pres += 1
                    latest_close = max(latest_close, now + rules[HIDDEN + command])
                    latest_close = max(latest_close, work[ACT_TIME + b] - rules[RC] + rules[RAS])
                    work[IS_OPEN + b] = 0
                work[ACT_TIME + b] = max(work[ACT_TIME + b], now + rules[BANK_ACT + command])
                work[PRE_TIME + b] = max(work[PRE_TIME + b], now + rules[BANK_PRE + command])
                # -- remove from the scheduler
                ready = now + (rules[WRITE_READY] if is_write else rules[READ_READY])
                work[REQUESTS + k * DYNAMIC + READY] = ready
                work[SIZE + b] -= 1
                work[REQUESTS + served * DYNAMIC + CAS_ORDER] = k
                served += 1
                writes_inside -= is_write
                front = work[FRONT + b]
                if front == k:
                    front = trace[k * STATIC + NEXT_IN_BANK]
                    while work[REQUESTS + front * DYNAMIC + READY] != 0:
                        front = trace[front * STATIC + NEXT_IN_BANK]
                    work[FRONT + b] = front
                if not grouped:
                    work[HIT + b] = trace[k * STATIC + link]
                else:
                    hit = work[HIT + b]
                    while work[REQUESTS + hit * DYNAMIC + READY] != 0:
                        hit = trace[hit * STATIC + NEXT_HIT]
                    work[HIT + b] = hit
                # -- responses
                if in_order:
                    if not queue_in_order:
                        last_release = ready
                    while consumed < R and work[REQUESTS + consumed * DYNAMIC + READY] != 0:
                        last_response = max(last_response + 1, work[REQUESTS + consumed * DYNAMIC + READY])
                        work[REQUESTS + consumed * DYNAMIC + CONSUMED] = last_response
                        latency = last_response - work[REQUESTS + consumed * DYNAMIC + ARRIVED]
                        latency_sum += latency
                        latency_max = max(latency_max, latency)
                        consumed += 1
                    if queue_in_order:
                        last_release = last_response
                else:
                    last_release = ready
                    last_response = ready
                    work[REQUESTS + consumed * DYNAMIC + CONSUMED] = ready
                    latency = ready - work[REQUESTS + k * DYNAMIC + ARRIVED]
                    latency_sum += latency
                    latency_max = max(latency_max, latency)
                    consumed += 1
                if served == R:
                    horizon = last_response
                # -- the door
                if waiting == closed_door and accepted < R and consumed > accepted - limit:
                    release = work[REQUESTS + (accepted - limit) * DYNAMIC + CONSUMED]
                    admission = max(release, arrival)
                    waiting = admission * 4 + (2 if release >= arrival else 1)
                    if last_acceptance >= admission:
                        waiting = (last_acceptance + 1) * 4
                if buffer == layout.BANKWISE:
                    space = work[SIZE + last_bank] < capacity
                elif buffer == layout.SHARED:
                    space = accepted - served < capacity
                else:
                    space = max(writes_inside, accepted - served - writes_inside) < capacity
                door = waiting if space else closed_door
                accepting = door <= now * 4

        if accepting:
            j = accepted
            if accepted == served - (issuing >= 0 and klass >= RD) * 0:
                idle += max(0, now - last_release)
            accepted += 1
            last_acceptance = now
            x = trace[j * STATIC + BANK]
            last_bank = x
            writes_inside += trace[j * STATIC + WRITE]
            was_empty = work[SIZE + x] == 0
            work[SIZE + x] += 1
            # next at the door
            waiting = closed_door
            if accepted < R:
                arrival = max(_edge(now if simple else admission, rules), trace[accepted * STATIC + LINE])
                work[REQUESTS + accepted * DYNAMIC + ARRIVED] = arrival
                admission = arrival
                late = 1
                if not simple and accepted >= limit:
                    if consumed > accepted - limit:
                        release = work[REQUESTS + (accepted - limit) * DYNAMIC + CONSUMED]
                        if release >= arrival:
                            admission = release
                            late = 2
                    else:
                        late = -1
                if late >= 0:
                    waiting = admission * 4 + late
                    if last_acceptance >= admission:
                        waiting = (last_acceptance + 1) * 4
            if buffer == layout.BANKWISE:
                space = work[SIZE + last_bank] < capacity
            elif buffer == layout.SHARED:
                space = accepted - served < capacity
            else:
                space = max(writes_inside, accepted - served - writes_inside) < capacity
            door = waiting if space else closed_door
            if not blocked and x != issuing and (was_empty or j == work[HIT + x] or grouped):
                old = work[TIME + x]
                _evaluate(work, trace, x, accepted, never, grouped, direction, now)
                if issuing < 0:
                    if x == (best & 15):
                        best = _search(work, banks, shift)
                    else:
                        key = (max(work[TIME + x], work[CLASS_TIME + (work[CLASS + x] & 15)]) << shift) | work[AGE + x]
                        best = min(best, key)
        if issuing >= 0:
            if klass >= RD:
                if blocked:
                    work[TIME + issuing] = never
                elif grouped:
                    for b in range(banks):
                        _evaluate(work, trace, b, accepted, never, grouped, direction, now)
                else:
                    _evaluate(work, trace, issuing, accepted, never, grouped, direction, now)
            if blocked:
                for b in range(banks):
                    work[TIME + b] = never
            best = _search(work, banks, shift)
        # ---- refresh manager
        if refreshing and now >= trigger:
            if now >= trigger + rules[REFI]:
                trigger += rules[REFI]
                pulled_in = False
            busy = accepted > served
            refresh_command = 0
            want = 0
            if pulled_in:
                if busy:
                    pulled_in = False
                    trigger += rules[REFI]
                else:
                    want = REFA
            elif balance == controller[layout.REFRESH_MAX_POSTPONED]:
                want = PREA if open_banks > 0 else REFA
                if not blocked:
                    blocked = True
                    # what is due right now may still be issued
                    for b in range(banks):
                        if max(work[TIME + b], work[CLASS_TIME + (work[CLASS + b] & 15)]) > now:
                            work[TIME + b] = never
                    best = _search(work, banks, shift)
            elif busy:
                balance += 1
                trigger += rules[REFI]
            else:
                want = PREA if open_banks > 0 else REFA
            if want:
                table = TO_PREA if want == PREA else TO_REFA
                refresh_time = now
                for c in range(8):
                    refresh_time = max(refresh_time, work[LAST + c] + rules[table + c])
                refresh_command = want
            else:
                refresh_time = trigger
        elif refreshing:
            refresh_command = 0
            refresh_time = trigger
        if logged == len(log):
            raise OverflowError
        log[logged] = now * 4 + (issuing >= 0 and klass >= RD) + 2 * accepting
        log[logged + 1] = min(best >> shift, refresh_time)
        logged += 2

    # ---- results
    total = horizon
    out[layout.TOTAL_PS] = total * rules[TCK_PS]
    out[layout.SERVED] = R - 1 if simple else R
    out[layout.IDLE_PS] = (idle + total - last_release) * rules[TCK_PS]
    out[layout.NUM_ACT] = work[COUNT + ACT]
    out[layout.NUM_PRE] = pres
    out[layout.NUM_RD] = work[COUNT + RD] + work[COUNT + RDA]
    out[layout.NUM_WR] = work[COUNT + WR] + work[COUNT + WRA]
    out[layout.NUM_REF] = work[COUNT + REFA]
    out[layout.ISSUED_PRE] = work[COUNT + PRE]
    out[layout.ISSUED_PREA] = work[COUNT + PREA]
    out[layout.ISSUED_RDA] = work[COUNT + RDA]
    out[layout.ISSUED_WRA] = work[COUNT + WRA]
    last = LONG_AGO
    for c in range(8):
        last = max(last, work[LAST + c])
    end = last + rules[TAIL + command] - 1
    if latest_close > last:
        end = latest_close + rules[RP] - 1
    if phase_open and open_banks == 0:
        active += max(0, latest_close - phase_start)
        closed_since = latest_close
        phase_open = False
    if phase_open:
        active += max(0, end - phase_start)
    else:
        precharged += max(0, end - closed_since)
    out[layout.ACTIVE_CYCLES] = active
    out[layout.PRECHARGED_CYCLES] = precharged
    out[layout.LATENCY_SUM_PS] = latency_sum * rules[TCK_PS]
    out[layout.LATENCY_MAX_PS] = latency_max * rules[TCK_PS]
    return flags


@njit(cache=True, nogil=True)
def _batch(controllers, rules, trace, out):
    R = len(trace) // STATIC - 4
    work = np.zeros(REQUESTS + (R + 1) * DYNAMIC, np.int64)
    queue = np.zeros(QUEUE_SIZE, np.int64)
    heap = np.zeros(2 * (16 * R + 4096), np.int64)
    log = np.zeros(2 * (16 * R + 100000), np.int64)
    for i in range(len(controllers)):
        _run(controllers[i], rules, trace, work, queue, heap, log, out[i])


def prepare(timing, line_time_ps, player_period_ps, write, bank, row, address):
    R = len(bank)
    rules = _rules(timing, player_period_ps)
    trace = np.zeros((R + 4) * STATIC + 8, np.int64)
    tck = int(timing[layout.TCK_PS])
    trace = np.zeros((R + 4) * STATIC, np.int64)
    _link(trace, bank, row, write, address, -(-line_time_ps // tck))
    trace[-1] = write.any()
    return rules, trace


def simulate(controllers, timing, line_time_ps, player_period_ps, write, bank, row, address, parallel=True):
    rules, trace = prepare(timing, line_time_ps, player_period_ps, write, bank, row, address)
    out = np.zeros((len(controllers), layout.NUM_OUTCOMES), np.int64)
    _batch(np.ascontiguousarray(controllers), rules, trace, out)
    return out
