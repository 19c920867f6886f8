"""The clock of one layer: from event to event instead of from line to line.

Between a miss of a read buffer, the start of a drain, and a full ofmap buffer nothing happens but that lines pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.systolic.exact.closed import ofmap_words
from simulators.systolic.exact.lowering import ZERO, Folds, Shape, ceil_div
from simulators.systolic.exact.ofmap import before, leave, line_of, next_line

Words = NDArray[np.int64]

NEVER = np.iinfo(np.int64).max
PROBES = ("ifmap", "ifmap", "filter", "filter", "ofmap", "ofmap")  # operands whose service is asked for


class Reads(NamedTuple):
    """What a read buffer misses.

    Attributes:
        lines, counts: in USER, the lines with misses and their number, as ``misses.misses`` has them; in CALC, empty.
        amount: in USER, the sum of the misses; in CALC, the DRAM reads.
        fill: in CALC, the line at which the buffer was filled last, -1 if never.
    """

    lines: Words
    counts: Words
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
        ifmap: misses of the input buffer.
        ifmap_refill: cycles of one refill of it.
        filters: misses of the filter buffer.
        filter_refill: cycles of one refill of it.
        ofmap_kb: size of the ofmap buffer.
        bandwidth: ofmap words per cycle to DRAM.
        probes: lines that are asked about, of the operands in ``PROBES``; may be empty.
        served: gets the cycle at which each of these lines is served.
    """
    words, size, part = ofmap_words(of, cut), 1024 * ofmap_kb, 512 * ofmap_kb
    most = ceil_div(part, bandwidth)
    queue, head, waiting = np.empty((16, 2), np.int64), ZERO, ZERO
    laid_out, writes, drain_start, drain_stop, drain_end = ZERO, ZERO, NEVER, ZERO - 1, ZERO - 1
    stalls, total, done = ZERO, ZERO, ZERO - 1  # done: the last line that was looked at
    ifmap_next, filter_next, ifmap_last, filter_last = ZERO, ZERO, ZERO - 1, ZERO - 1
    trigger = line_of(cut, part) if part < words else NEVER
    drain_line = trigger
    while True:
        ifmap_line = ifmap.lines[ifmap_next] if ifmap_next < len(ifmap.lines) else NEVER
        filter_line = filters.lines[filter_next] if filter_next < len(filters.lines) else NEVER
        line = min(drain_line, min(ifmap_line, filter_line))
        for probe in range(len(probes)):
            if done < probes[probe] <= line:
                served[probe] = probes[probe] + stalls + (probe < 4)
        if line == NEVER:
            break
        clock = line + stalls
        ifmap_late = filter_late = ofmap_late = 0
        if line == ifmap_line:
            ifmap_last, ifmap_late = refills(clock, ifmap_last, ifmap.counts[ifmap_next], ifmap_refill)
            ifmap_next += 1
        if line == filter_line:
            filter_last, filter_late = refills(clock, filter_last, filters.counts[filter_next], filter_refill)
            filter_next += 1
        if line == drain_line:
            now, entered, end = clock, before(cut, line), before(cut, line + 1)
            while True:
                if now < drain_end:  # a drain runs: only a full buffer matters
                    entered = max(entered + 1, writes + size)
                    if entered > end:
                        break
                    now = drain_end
                else:
                    entered = max(entered + 1, writes + part + 1)
                    if entered > end:
                        break
                    queue, head, waiting, lines, credit = leave(queue, head, waiting, entered - laid_out, bandwidth, most)
                    laid_out = entered
                    writes += credit
                    drain_end = now + lines - 1
                    drain_start, drain_stop = min(drain_start, now), max(drain_stop, drain_end)
            ofmap_late = now - clock
            trigger = line_of(cut, writes + part) if writes + part < words else NEVER
        for probe in range(len(probes)):
            if probes[probe] == line:
                served[probe] = clock + (ofmap_late if probe > 3 else 1 + (ifmap_late if probe < 2 else filter_late))
        stall = max(max(ifmap_late, filter_late), ofmap_late)
        stalls += stall
        if line == cut.lines - 1:
            total = clock + ofmap_late
        done = line
        if line == drain_line or (stall > 0 and drain_end > clock):  # the drain ends earlier in terms of lines
            drain_line = _next_drain(cut, line + 1, trigger, drain_end - stalls, writes + size, words)
    if done < cut.lines - 1:
        total = cut.lines - 1 + stalls
    now, loose = total, words - laid_out
    while loose > 0 or waiting > 0:  # what is left goes out, whether or not a drain still runs
        queue, head, waiting, lines, credit = leave(queue, head, waiting, loose, bandwidth, most)
        loose = ZERO
        writes += credit
        drain_start, drain_stop = min(drain_start, now), max(drain_stop, now + lines - 1)
        now += lines
    return Clock(total, stalls, ifmap_last, filter_last, drain_start, drain_stop, writes)


@njit(cache=True, nogil=True)
def refills(clock: int, last: int, count: int, refill: int) -> tuple[int, int]:
    """Refills of a read buffer at one line.

    Each refill ends ``refill + 1`` cycles after the one before.  The line waits for it, and where it has to wait, it waits
    once more as long.  Let ahead be how far the line is beyond the end of the last refill: it alternates from the second
    refill on, so that many refills need no loop.

    Args:
        clock: cycle of the line.
        last: end of the last refill.
        count: refills at this line.
        refill: cycles per refill.

    Returns:
        The end of the last refill, and by how many cycles the line is late; negative if it is ready before.
    """
    step = refill + 1
    ahead = clock + 1 - last
    for _ in range(count if count < 4 else 2 + count % 2):
        ahead = step - ahead if ahead < step else 0
    last += count * step
    return last, last + ahead - clock - 1


@njit(cache=True, nogil=True)
def _next_drain(cut: Folds, line: int, trigger: int, drain_end: int, full: int, words: int) -> int:
    """The next line from ``line`` on at which the ofmap buffer starts a drain or is full.

    Args:
        cut: the folds.
        line: the first line not looked at.
        trigger: the line of the word that calls for a drain.
        drain_end: the line at whose cycle the running drain has ended, if nothing stalls.
        full: number of the word (from 1) that fills the buffer.
        words: number of all words.
    """
    if trigger == NEVER:
        return NEVER
    trigger = next_line(cut, max(line, trigger))
    if trigger < drain_end:
        trigger = next_line(cut, max(line, drain_end))
        if full <= words:
            trigger = min(trigger, max(line, line_of(cut, full - 1)))
    return trigger if trigger < cut.lines else NEVER
