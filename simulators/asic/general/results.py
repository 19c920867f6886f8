"""Elements that a case takes back from the units of a level, and its multiply-accumulates."""

from __future__ import annotations

from numba import njit

from simulators.asic.general.table import (
    DIM,
    EDGE,
    LAST,
    LOOPS,
    OUT_FRESH,
    OUT_LAST,
    OUT_LAST_FRESH,
    OUT_LONE,
    OUT_TILE,
    PARALLEL,
    RAGGED,
    TILE,
)
from simulators.asic.general.traffic import at_edge, summed


@njit(cache=True, nogil=True)
def taken(loops, positions, dims, units, active):
    """Output elements of a case, and multiply-accumulates.

    Args:
        loops: ``(LOOPS, LOOP_SIZE)`` int64, with tiles and positions.
        positions: ``(LOOPS,)`` int64, the case.
        dims: bit set of the output's dimensions.
        units: of the level.
        active: units at work if a parallel loop is at its edge.

    Returns:
        Output elements of all units, multiply-accumulates of all units, and of the first one.
    """
    out_first = out_other = out_ragged = 1
    depth = full = cut_depth = 1  # multiply-accumulates: of the first unit, of a unit not cut short, of a ragged one
    spread = out_edge = out_cut = edge = cut = False
    for i in range(LOOPS):
        loop, position = loops[i], positions[i]
        short = at_edge(loop, position)
        output = dims >> loop[DIM] & 1
        whole, last = (loop[OUT_TILE], loop[OUT_LAST]) if output else (loop[TILE], loop[LAST])
        if not loop[PARALLEL]:
            amount = last if short else whole
            depth, full, cut_depth = depth * amount, full * amount, cut_depth * amount
            if output:
                out_first, out_other, out_ragged = out_first * amount, out_other * amount, out_ragged * amount
            continue
        ragged = short and loop[RAGGED] == 1
        edge, cut = edge or short, ragged
        head = whole
        if active == 1 and short:
            if position == EDGE:
                head = loop[OUT_LONE] if output else last
            elif ragged:
                head = last
        depth, full, cut_depth = depth * head, full * whole, cut_depth * last
        if output:
            spread, out_edge, out_cut = True, out_edge or short, out_cut or ragged
            out_first *= head
            out_other *= max(loop[OUT_FRESH], 1)
            out_ragged *= loop[OUT_LAST_FRESH] if ragged else max(loop[OUT_FRESH], 1)
    outputs = out_first
    if spread:
        outputs = summed(out_first, out_other, out_ragged if out_cut else -1, active if out_edge else units)
    if edge:
        work = summed(depth, full, cut_depth if cut else -1, active)
    else:
        work = units * depth
    return outputs, work, depth
