"""Where the time of a trace and the energy go, for one controller, from a recorded run of the literal model.

Time is split in two ways.  *Run time* follows the data bus: while it moves data the time is transfer; while it is idle the
time belongs to whatever the next request on the bus was waiting for at that moment.  *Request latency* is the mean over
requests of how long each phase of their life took.  Both add up exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from archgym import Breakdown, Designs, Explanation
from simulators.dram import layout
from simulators.dram.energy import parts
from simulators.dram.literal import engine
from simulators.dram.literal.commands import ACT, COMMAND_NAMES, PRE, REFA

if TYPE_CHECKING:
    from simulators.dram.simulator import DRAM

_Times = NDArray[np.int64]

PHASES = {
    "no request": "the player had sent nothing",
    "transaction limit": "waiting until MaxActiveTransactions lets the request in",
    "buffer": "waiting for room in the scheduler's buffer",
    "queueing": "waiting in the bank for others, for the command bus and for bus turnarounds",
    "bank conflict": "closing the row that another request had open",
    "row miss": "opening the row",
    "refresh": "banks blocked by a refresh",
    "column access": "from the column command to the first data",
    "bus": "moving data",
    "response order": "data there, response held back",
}

ADVICE = {
    "no request": "The trace itself has pauses: the controller waits for work.",
    "transaction limit": "Too few transactions in flight: raise MaxActiveTransactions or take the Simple arbiter.",
    "buffer": "The scheduler's buffer is full: raise RequestBufferSize, or divide it by bank.",
    "queueing": "Requests queue in their banks: timing between commands limits the rate.",
    "bank conflict": "Rows of other requests are in the way: try OpenAdaptive or a closed page policy.",
    "row miss": "Rows are opened again and again: an open page policy or a row-hit-first scheduler may help.",
    "refresh": "Refreshes are in the way: postpone more of them.",
    "column access": "Latency of the column access shows: more requests in flight would hide it.",
    "bus": "It is the limit: this controller is about as fast as the memory allows.",
    "response order": "Responses wait for older ones: take RespQueue Fifo or an arbiter that does not reorder.",
}

BUS_BOUND = 0.9
"""Share of the run time from which on the data bus counts as the bottleneck."""


def explain(simulator: DRAM, design: Designs) -> Explanation:
    """Explains one design.

    Args:
        simulator: memory, trace and player clock.
        design: (1, 10) levels.
    """
    controller = simulator.controllers(simulator.space.decode(design))[0]
    memory = simulator.memory
    run = engine.record(controller, *simulator.trace.on(memory, simulator.player_period_ps))
    edges = _edges(run, memory.timing)
    time = _run_time(run, edges, memory.timing)
    latency = _request_latency(run, edges, memory.timing)
    energy = tuple((name, float(value), doc) for name, value, doc in parts(run.outcome, memory))
    issued = np.bincount(run.command, minlength=len(COMMAND_NAMES))
    return Explanation(
        design=simulator.space.describe(design),
        metrics=simulator.evaluate(design).row(0),
        breakdowns=(time, latency, Breakdown("Energy", "pJ", energy)),
        bottleneck=_bottleneck(time),
        details={"commands": [{"command": name, "issued": int(n)} for name, n in zip(COMMAND_NAMES, issued, strict=True)]},
    )


def _bottleneck(time: Breakdown) -> str:
    shares = {name: share for (name, _, _), share in zip(time.parts, time.shares(), strict=True)}
    moving = f"The data bus moves data {100 * shares['bus']:.0f} % of the time"
    if shares["bus"] >= BUS_BOUND:
        return f"{moving}. {ADVICE['bus']}"
    cause = max((name for name in shares if name != "bus"), key=lambda name: shares[name])
    return f"{moving}; of the rest most is {cause} ({100 * shares[cause]:.0f} %). {ADVICE[cause]}"


def _edges(run: engine.Recording, timing: _Times) -> dict[str, _Times]:
    """When each phase of each request ends, phase -> (R,) ps; phases follow each other without gaps."""
    burst_ps = int(timing[layout.BURST] * timing[layout.TCK_PS])
    opened, closing = run.cas_ps.copy(), run.cas_ps.copy()
    for i in np.flatnonzero(run.command == ACT):  # the last one counts: a refresh may have closed an earlier one
        opened[run.request[i]] = run.time_ps[i]
    for i in np.flatnonzero(run.command == PRE)[::-1]:
        closing[run.request[i]] = run.time_ps[i]
    # A row conflict begins with the request's own PRE; without one, with whatever was issued for it first.
    started = np.minimum(np.minimum(closing, opened), np.where(run.first_command_ps >= 0, run.first_command_ps, opened))
    return {
        "no request": run.arrival_ps,
        "transaction limit": run.admission_ps,
        "buffer": run.acceptance_ps,
        "queueing": np.maximum(started, run.acceptance_ps),
        "bank conflict": np.maximum(opened, run.acceptance_ps),
        "row miss": run.cas_ps,
        "column access": run.ready_ps - burst_ps,
        "bus": run.ready_ps,
        "response order": run.delivery_ps,
    }


def _run_time(run: engine.Recording, edges: dict[str, _Times], timing: _Times) -> Breakdown:
    order = np.argsort(run.ready_ps, kind="stable")
    free = np.concatenate([[0], run.ready_ps[order][:-1]])  # when the bus had finished the transfer before
    start, column = edges["column access"][order], run.cas_ps[order]
    # Column accesses are pipelined: a bus that idles until ``start`` waits for a command that came one latency earlier.
    wanted = np.maximum(free - (start - column), 0)
    spent = dict.fromkeys(PHASES, 0)
    begin = np.zeros_like(free)
    for phase in ("no request", "transaction limit", "buffer", "queueing", "bank conflict", "row miss"):
        end = edges[phase][order]
        _add(spent, phase, np.maximum(begin, wanted), np.maximum(end, wanted), run, timing)
        begin = end
    spent["column access"] = int((np.maximum(start - free, 0) - np.maximum(column - wanted, 0)).sum())
    spent["bus"] = int((run.ready_ps[order] - np.maximum(start, free)).sum())
    spent["response order"] = int(run.outcome[layout.TOTAL_PS] - run.ready_ps.max())
    return _breakdown("Run time", spent, 1)


def _request_latency(run: engine.Recording, edges: dict[str, _Times], timing: _Times) -> Breakdown:
    spent = dict.fromkeys(PHASES, 0)
    begin = run.arrival_ps
    for phase, end in list(edges.items())[1:]:
        _add(spent, phase, begin, end, run, timing)
        begin = end
    del spent["no request"]
    return _breakdown("Mean request latency", spent, len(run.arrival_ps))


def _add(spent: dict[str, int], phase: str, begin: _Times, end: _Times, run: engine.Recording, timing: _Times) -> None:
    """Adds the time between ``begin`` and ``end`` to a phase; what overlaps with a refresh goes there instead."""
    total = int((end - begin).sum())
    refresh = 0
    if phase in ("buffer", "queueing", "bank conflict", "row miss"):
        refresh = int((_refreshing(end, run, timing) - _refreshing(begin, run, timing)).sum())
    spent[phase] += total - refresh
    spent["refresh"] += refresh


def _refreshing(times: _Times, run: engine.Recording, timing: _Times) -> _Times:
    """Time spent in refreshes from the start up to each given time, (K,) ps."""
    starts = run.time_ps[run.command == REFA]
    length = int(timing[layout.RFC] * timing[layout.TCK_PS])
    before = np.searchsorted(starts, times, side="right")
    whole = np.maximum(before - 1, 0) * length
    since = times - np.concatenate([[0], starts])[before]
    return np.where(before > 0, whole + np.minimum(since, length), 0)


def _breakdown(title: str, spent: dict[str, int], requests: int) -> Breakdown:
    return Breakdown(title, "ns", tuple((phase, ps / 1e3 / requests, PHASES[phase]) for phase, ps in spent.items()))
