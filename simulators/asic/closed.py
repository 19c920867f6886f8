"""The fast path: closed forms, where they hold."""

from __future__ import annotations

from numba import njit

from simulators.asic import closed_dla, closed_rs, closed_shi
from simulators.asic.counts import Flow
from simulators.asic.layout import CLEAN, DLA, SHI
from simulators.asic.shape import Shape


@njit(cache=True, nogil=True)
def applies(of: Shape, template: int) -> bool:
    """Whether ``flow`` gives what ``general.flow`` would.

    That is so at stride 1.  ``dla`` also allows strides that leave over nothing or all but one of the rows and columns of a
    step, as stride 2 always does.
    """
    if of.stride == 1:
        return True
    if template != DLA:
        return False
    rows, columns = (of.y - of.r) % of.stride, (of.x - of.s) % of.stride
    return (rows == 0 or rows == of.stride - 1) and (columns == 0 or columns == of.stride - 1)


@njit(cache=True, nogil=True)
def flow(of: Shape, template: int, pes: int, bandwidth: int, hops: int, offchip: int, mode: int) -> Flow:
    """What a layer moves on a unit and how long it takes.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit, at least a cluster.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
    """
    if template == DLA:
        return closed_dla.flow(of, pes, bandwidth, hops, offchip)
    lone = 1 if mode == CLEAN else of.r
    if template == SHI:
        return closed_shi.flow(of, pes, bandwidth, hops, offchip, lone)
    return closed_rs.flow(of, pes, bandwidth, hops, offchip, lone)
