"""The fast path: closed forms, where they hold."""

from __future__ import annotations

from numba import njit

from simulators.asic import closed_dla, closed_rs, closed_shi
from simulators.asic.layout import BANDWIDTH, CLEAN, DLA, PES, SHI, STRIDE, TEMPLATE, R, S, X, Y
from simulators.asic.shape import shape


@njit(cache=True, nogil=True)
def applies(layer, unit, mode):
    """Whether ``flow`` gives what ``general.flow`` would.

    That is so at stride 1, and in clean mode always.  ``dla`` also allows strides that leave over nothing or all but one of
    the rows and columns of a step, as stride 2 always does.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64.
        mode: ``COMPATIBLE`` or ``CLEAN``.
    """
    stride = layer[STRIDE]
    if stride == 1 or mode == CLEAN:
        return True
    if unit[TEMPLATE] != DLA:
        return False
    rows, columns = (layer[Y] - layer[R]) % stride, (layer[X] - layer[S]) % stride
    return (rows == 0 or rows == stride - 1) and (columns == 0 or columns == stride - 1)


@njit(cache=True, nogil=True)
def flow(layer, unit, hops, offchip, mode):
    """What a layer moves on a unit and how long it takes.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64, with enough processing elements for a cluster.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.

    Returns:
        ``counts.Flow``.
    """
    of = shape(layer, mode)
    pes, bandwidth = unit[PES], unit[BANDWIDTH]
    if unit[TEMPLATE] == DLA:
        return closed_dla.flow(of, pes, bandwidth, hops, offchip)
    lone = 1 if mode == CLEAN else of.r
    if unit[TEMPLATE] == SHI:
        return closed_shi.flow(of, pes, bandwidth, hops, offchip, lone)
    return closed_rs.flow(of, pes, bandwidth, hops, offchip, lone)
