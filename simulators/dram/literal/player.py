"""The trace player: sends one request after the other and consumes the responses."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.dram.literal.kernel_queue import ARBITER, PLAYER
from simulators.dram.literal.messages import BEGIN_REQ, BEGIN_RESP, END_REQ, END_RESP, next_kind, rearm, send, take
from simulators.dram.literal.records import NOTHING, fields

STATE = fields(
    "period_ps",  # player clock
    "tck_ps",  # memory clock
    "next_line",
    "responses",
    "finished",  # 1: the last response has come, the simulation stops after this round
)


@njit(cache=True)
def reset(player: np.record, period_ps: int, tck_ps: int) -> None:
    """Puts the player at the start of the trace."""
    player.period_ps = period_ps
    player.tck_ps = tck_ps
    player.next_line = 0
    player.responses = 0
    player.finished = 0


@njit(cache=True)
def start(kernel: np.record, heap: np.recarray, player: np.record, requests: np.recarray) -> None:
    """Sends the first line at its own time stamp."""
    _send_line(kernel, heap, player, requests, 0)


@njit(cache=True)
def run(kernel: np.record, heap: np.recarray, player: np.record, requests: np.recarray) -> None:
    """Handles the messages of this round."""
    while True:
        kind = next_kind(kernel, PLAYER)
        if kind == NOTHING:
            break
        request = take(kernel, PLAYER, kind)
        if kind == END_REQ:
            now_ps = kernel.now * player.tck_ps
            # Never before the next player clock edge, which lies strictly after now.
            _send_line(kernel, heap, player, requests, now_ps + player.period_ps - now_ps % player.period_ps)
        elif kind == BEGIN_RESP:
            requests[request].delivery = kernel.now
            player.responses += 1
            send(kernel, heap, ARBITER, END_RESP, request, kernel.now)
            # All responses can only be there once the last line has been accepted.
            if player.responses == len(requests):
                player.finished = 1
    rearm(kernel, heap, PLAYER)


@njit(cache=True)
def _send_line(kernel: np.record, heap: np.recarray, player: np.record, requests: np.recarray, earliest_ps: int) -> None:
    """Sends the next line, if there is one; the arbiter sees it on an edge of the memory clock."""
    if player.next_line == len(requests):
        return
    request = player.next_line
    player.next_line += 1
    time_ps = max(earliest_ps, requests[request].line_time_ps)
    send(kernel, heap, ARBITER, BEGIN_REQ, request, -(-time_ps // player.tck_ps))
