"""Which controllers cannot differ on a trace: each rule follows from what the controller can ever hold."""

from __future__ import annotations

import numpy as np

from archgym import Designs, DesignSpace
from simulators.dram import layout
from simulators.dram.memory import Memory
from simulators.dram.trace import Trace

_SLACK_CYCLES = 8
"""Memory clocks that arbitration can add between a response and the next request; generous."""


def canonical(designs: Designs, space: DesignSpace, *, read_only: bool, pulls_in: bool) -> Designs:
    """Maps each design onto the representative of those that behave alike on every trace of the given kind.

    Args:
        designs: (N, 10) int32 levels.
        space: the grid or the integer space.
        read_only: the trace holds no write.
        pulls_in: the trace has a pause in which a refresh could be done ahead (see ``can_pull_in``).

    Returns:
        (N, 10) int32; representatives map onto themselves.
    """
    result = designs.copy()
    page, scheduler, buffer = result[:, layout.PAGE_POLICY], result[:, layout.SCHEDULER], result[:, layout.SCHEDULER_BUFFER]
    queue, arbiter = result[:, layout.RESP_QUEUE], result[:, layout.ARBITER]
    sizes = np.array(space["RequestBufferSize"].values)
    limits = np.array(space["MaxActiveTransactions"].values)

    # Without refresh there is nothing to postpone or to pull in; a busy controller pulls nothing in.
    unrefreshed = result[:, layout.REFRESH_POLICY] == layout.NO_REFRESH
    result[unrefreshed, layout.REFRESH_MAX_POSTPONED] = 0
    result[unrefreshed if pulls_in else slice(None), layout.REFRESH_MAX_PULLEDIN] = 0

    # The simple arbiter ignores the limit on transactions.
    simple = arbiter == layout.ARBITER_SIMPLE
    result[simple, layout.MAX_ACTIVE_TRANSACTIONS] = 0

    # A buffer for all transactions in flight never blocks, however it is divided.
    size, limit = sizes[result[:, layout.REQUEST_BUFFER_SIZE]], limits[result[:, layout.MAX_ACTIVE_TRANSACTIONS]]
    ample = ~simple & (size >= limit)
    buffer[ample] = layout.SHARED
    result[ample, layout.REQUEST_BUFFER_SIZE] = np.searchsorted(sizes, limit[ample])

    # One request in all is one read or one write; without writes the read half is the whole.
    one = sizes[result[:, layout.REQUEST_BUFFER_SIZE]] == 1
    buffer[(buffer == layout.READ_WRITE) & (one | read_only)] = layout.SHARED

    # With at most one request per bank there is nothing to choose from, and never a further request.
    alone = one & (buffer != layout.READ_WRITE)
    scheduler[alone] = layout.FIFO
    page[alone & (page == layout.OPEN_ADAPTIVE)] = layout.OPEN
    page[alone & (page == layout.CLOSED_ADAPTIVE)] = layout.CLOSED

    # With one request in all, responses come in order by themselves.
    queue[one & (buffer == layout.SHARED)] = layout.RESP_FIFO
    ordered = (one & (buffer == layout.SHARED)) | (queue == layout.RESP_REORDER)
    arbiter[ordered & (arbiter == layout.ARBITER_REORDER)] = layout.ARBITER_FIFO

    # Grouping by direction needs two directions.  Under Closed the row that was opened for the oldest request is used by it.
    if read_only:
        scheduler[scheduler == layout.FRFCFS_GRP] = layout.FRFCFS
    scheduler[(page == layout.CLOSED) & (scheduler == layout.FRFCFS)] = layout.FIFO
    return result


def can_pull_in(trace: Trace, memory: Memory, player_period_ps: int) -> bool:
    """Whether some pause of the trace may be long enough for a refresh ahead of time.

    A refresh is pulled in only if no bank has work for a whole RFC.  After the last column command of what is in flight the
    next request arrives within one data latency, the arbitration and the pause that the trace itself makes.
    """
    timing = memory.timing
    pauses = np.diff(trace.cycles, prepend=0).max() * player_period_ps
    latency = max(timing[layout.RL], timing[layout.WL]) + timing[layout.BURST] + _SLACK_CYCLES
    longest_idle = pauses + latency * timing[layout.TCK_PS] + 2 * player_period_ps
    return bool(longest_idle >= timing[layout.RFC] * timing[layout.TCK_PS])
