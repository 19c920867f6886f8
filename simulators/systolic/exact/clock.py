"""The clock of one layer: from event to event instead of from line to line.

Between a miss that is late, the start of a drain, and a full ofmap buffer nothing happens but that lines pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.bare import bare
from simulators.systolic.exact.closed import ofmap_words
from simulators.systolic.exact.drain import flush, leave, longer, queue_of, regular
from simulators.systolic.exact.lowering import ZERO, Folds, Shape, ceil_div
from simulators.systolic.exact.ofmap import NEVER, fold_from, holding, leaving, left_before, line_of, most_per_line

Words = NDArray[np.int64]

PROBES = ("ifmap", "ifmap", "filter", "filter", "ofmap", "ofmap")  # operands whose service is asked for


class Reads(NamedTuple):
    """What a read buffer misses.

    Attributes:
        begin, length: in USER, where its misses are in the lists of lines and counts; in CALC, zeros.
        amount: in USER, the sum of the misses; in CALC, the DRAM reads.
        fill: in CALC, the line at which the buffer was filled last, -1 if never.
    """

    begin: int
    length: int
    amount: int
    fill: int


class Clock(NamedTuple):
    """What a layer took.

    Attributes:
        total: cycle at which the last line is served.
        stalls: cycles added by late reads and a full ofmap buffer.
        ifmap_last, filter_last: cycle at which the last refill of each read buffer ends, -1 without one.
        drain_start, drain_stop: first and last cycle of ofmap writes to DRAM.
        writes: words believed to have been written.
    """

    total: int
    stalls: int
    ifmap_last: int
    filter_last: int
    drain_start: int
    drain_stop: int
    writes: int


@njit(cache=True, nogil=True)
def run(
    of: Shape,
    cut: Folds,
    lines: Words,
    counts: Words,
    ifmap: Reads,
    ifmap_refill: int,
    filters: Reads,
    filter_refill: int,
    ofmap_kb: int,
    bandwidth: int,
    probes: Words,
    served: Words,
) -> Clock:
    """Runs all folds.

    Args:
        of: the layer.
        cut: its folds.
        lines: lists of lines with misses, see ``misses.misses``.
        counts: the numbers of misses there.
        ifmap: misses of the input buffer.
        ifmap_refill: cycles of one refill of it.
        filters: misses of the filter buffer.
        filter_refill: cycles of one refill of it.
        ofmap_kb: size of the ofmap buffer.
        bandwidth: ofmap words per cycle to DRAM.
        probes: lines that are asked about, of the operands in ``PROBES``; may be empty.
        served: gets the cycle at which each of these lines is served.
    """
    miss_line, miss_count = bare(lines), bare(counts)
    ifmap_next, ifmap_end, ifmap_last = ifmap.begin, ifmap.begin + ifmap.length, ZERO - 1
    filter_next, filter_end, filter_last = filters.begin, filters.begin + filters.length, ZERO - 1
    words, size, part = ofmap_words(of, cut), 1024 * ofmap_kb, 512 * ofmap_kb
    most = ceil_div(part, bandwidth)
    stalls, total, done = ZERO, ZERO, ZERO - 1  # done: the last line that was looked at
    drain_start, drain_stop, drain_end = NEVER, ZERO - 1, ZERO - 1

    at = leaving(cut, ZERO, ZERO)
    is_regular = bandwidth >= most_per_line(cut)  # then no drain is still running when the next one is due
    ahead = regular(words, part, bandwidth)
    queue, head, waiting, laid_out, writes = queue_of(ahead.full, ahead.short), ZERO, ZERO, ZERO, ZERO
    first_drain = last_drain = trigger = full_line = drain_line = NEVER
    is_sure = True  # whether ``drain_line`` is the line of the next event, or nothing happens before it
    if is_regular:
        waiting = ZERO + (ahead.full + ahead.short)  # one entry or none: a short line that waits has one word
        laid_out, writes = words - ahead.loose, ZERO + ahead.writes
        if ahead.first >= 0:
            first_drain = line_of(holding(cut, at, ahead.first), ahead.first)
            last_drain = line_of(holding(cut, at, ahead.last), ahead.last)
    elif part < words:
        at = holding(cut, at, part)
        drain_line = trigger = line_of(at, part)
    mark = _next_mark(done, first_drain, last_drain, probes)
    ifmap_line = filter_line = ZERO - 1  # not yet looked at

    while True:
        if ifmap_line <= done:
            ifmap_next, ifmap_last = _on_time(
                miss_line, miss_count, ifmap_next, ifmap_end, ifmap_last, ifmap_refill + 1, stalls, mark
            )
            ifmap_line = miss_line[ifmap_next] if ifmap_next < ifmap_end else NEVER
        if filter_line <= done:
            filter_next, filter_last = _on_time(
                miss_line, miss_count, filter_next, filter_end, filter_last, filter_refill + 1, stalls, mark
            )
            filter_line = miss_line[filter_next] if filter_next < filter_end else NEVER
        line = min(min(drain_line, mark), min(ifmap_line, filter_line))
        if line == NEVER:
            break
        if line == drain_line and not is_sure:
            at = fold_from(cut, line)
            drain_line = min(max(line, at.first), full_line)
            is_sure = True
            if drain_line != line:
                continue
        clock = line + stalls
        ifmap_late = filter_late = ofmap_late = ZERO
        if line == ifmap_line:
            ifmap_last, ifmap_late = refills(clock, ifmap_last, miss_count[ifmap_next], ifmap_refill + 1)
            ifmap_next += 1
        if line == filter_line:
            filter_last, filter_late = refills(clock, filter_last, miss_count[filter_next], filter_refill + 1)
            filter_next += 1
        if line == drain_line:
            if not at.first <= line <= at.last:
                at = fold_from(cut, line)
            now, word, end = clock, left_before(at, line), left_before(at, line + 1)
            while True:
                if now < drain_end:  # a drain runs: only a full buffer matters
                    word = max(word + 1, writes + size)
                    if word > end:
                        break
                    now = drain_end
                    continue
                word = max(word + 1, writes + part + 1)
                if word > end:
                    break
                if waiting == len(queue):
                    queue, head = longer(queue, head), ZERO
                head, waiting, left, credit = leave(queue, head, waiting, word - laid_out, bandwidth, most)
                laid_out = word
                writes += credit
                drain_end = now + left - 1
                drain_start, drain_stop = min(drain_start, now), max(drain_stop, drain_end)
            ofmap_late = now - clock
        stall = max(max(ifmap_late, filter_late), ofmap_late)
        stalls += stall
        if line == mark:
            if line == first_drain:
                drain_start = clock
            if line == last_drain:
                drain_stop = clock + most - 1
            for probe in range(len(probes)):
                if probes[probe] == line:
                    served[probe] = clock + (ofmap_late if probe > 3 else 1 + (ifmap_late if probe < 2 else filter_late))
            mark = _next_mark(line, first_drain, last_drain, probes)
        if line == cut.lines - 1:
            total = clock + ofmap_late
        if line == drain_line:
            trigger = full_line = drain_line = NEVER
            word = max(writes + part, end)
            if word < words:
                at = holding(cut, at, word)
                drain_line = trigger = line_of(at, word)
                is_sure = True
                if trigger + stalls < drain_end:
                    word = max(writes + size - 1, end)
                    if word < words:
                        full_line = line_of(holding(cut, at, word), word)
                    drain_line = min(full_line, drain_end - stalls)
                    is_sure = False
        elif stall > 0 and clock < drain_end and trigger != NEVER:  # the drain ends earlier in terms of lines
            drain_line = min(full_line, max(max(trigger, line + 1), drain_end - stalls))
            is_sure = drain_line == trigger
        done = line
    if done < cut.lines - 1:
        total = cut.lines - 1 + stalls
    if words > laid_out or waiting > 0:  # what is left goes out, whether or not a drain still runs
        left, credit = flush(queue, head, waiting, words - laid_out, bandwidth, part)
        writes += credit
        drain_start, drain_stop = min(drain_start, total), max(drain_stop, total + left - 1)
    return Clock(total, stalls, ifmap_last, filter_last, drain_start, drain_stop, writes)


@njit(cache=True, nogil=True)
def refills(clock: int, last: int, count: int, step: int) -> tuple[int, int]:
    """Refills of a read buffer at one line.

    Each refill ends ``step`` cycles after the one before.  The line waits for it, and where it has to wait, it waits once more
    as long.  Let ahead be how far the line is beyond the end of the last refill: it alternates from the second refill on, so
    that many refills need no loop.

    Args:
        clock: cycle of the line.
        last: end of the last refill.
        count: refills at this line.
        step: cycles from the end of one refill to that of the next.

    Returns:
        The end of the last refill, and by how many cycles the line is late; negative if it is ready before.
    """
    ahead = clock + 1 - last
    for _ in range(count if count < 4 else 2 + count % 2):
        ahead = step - ahead if ahead < step else 0
    last += count * step
    return last, last + ahead - clock - 1


@njit(cache=True, nogil=True)
def _on_time(
    miss_line: Any, miss_count: Any, at: int, end: int, last: int, step: int, stalls: int, mark: int
) -> tuple[int, int]:
    """Skips misses before line ``mark`` that are surely not late, for stalls only grow; returns the next and the new last."""
    while at < end:
        line, count = miss_line[at], miss_count[at]
        after = last + count * step
        if line >= mark or after + (step if count > 1 else 0) > line + stalls + 1:
            break
        last = after
        at += 1
    return at, last


@njit(cache=True, nogil=True)
def _next_mark(done: int, first: int, last: int, probes: Words) -> int:
    """The next line after ``done`` at which the clock is asked for."""
    mark = NEVER
    if first > done:
        mark = first
    if done < last < mark:
        mark = last
    for probe in range(len(probes)):
        if done < probes[probe] < mark:
            mark = probes[probe]
    return mark
