"""What a layer costs on a unit: the public face of the cost model.

``unit_costs`` prices a batch and checks what it is given.  The rest are kernels for use inside other kernels; they check
nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from simulators.asic import closed, general
from simulators.asic.closed_rs import FILTER_TILE
from simulators.asic.counts import (
    FIGURES_SIZE,
    FILTER_L1_READ,
    FILTER_L1_WRITE,
    FILTER_L2_READ,
    FILTER_L2_WRITE,
    IMPOSSIBLE,
    INPUT_L1_READ,
    INPUT_L1_WRITE,
    INPUT_L2_READ,
    INPUT_L2_WRITE,
    L1_REQUIRED,
    L2_REQUIRED,
    MACS,
    OUTPUT_L1_READ,
    OUTPUT_L1_WRITE,
    OUTPUT_L2_READ,
    OUTPUT_L2_WRITE,
    RUNTIME,
    Flow,
)
from simulators.asic.energy import L1_ACCESS, L2_ACCESS, MAC
from simulators.asic.layout import BANDWIDTH, PES, RS, TEMPLATE
from simulators.asic.shape import Shape, cluster, shape
from simulators.asic.validate import check

Words = NDArray[np.int64]

HOPS = 1  # hops times the latency of one, cycles: as GAMMA and ArchGym run MAESTRO
OFFCHIP = 70_000  # elements per cycle of the off-chip link: so many that it never matters


@njit(cache=True, nogil=True)
def flow_of(of: Shape, template: int, pes: int, bandwidth: int, hops: int, offchip: int, mode: int) -> Flow:
    """What a layer moves on a unit that can run it, by the closed form where one applies.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        pes: processing elements of the unit, at least a cluster.
        bandwidth: of the network on chip, elements per cycle.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
    """
    if closed.applies(of, template):
        return closed.flow(of, template, pes, bandwidth, hops, offchip, mode)
    return general.flow(of, template, pes, bandwidth, hops, offchip, mode)


@njit(cache=True, nogil=True)
def is_sound(flow: Flow) -> bool:
    """Whether all counts are positive; MAESTRO's rules fail in this for some layers of stride 3 and more."""
    return flow.macs > 0 and flow.sums > 0 and flow.outputs > 0


@njit(cache=True, nogil=True)
def price(layer: Words, unit: Words, hops: int, offchip: int, mode: int) -> tuple[int, int]:
    """Latency and energy of a layer on a unit.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.

    Returns:
        Cycles, and energy in hundredths of a multiply-accumulate; both ``IMPOSSIBLE`` if the unit has fewer processing
        elements than one cluster of its template needs for the layer, or if the counts are not sound.
    """
    of = shape(layer, mode)
    template, pes = unit[TEMPLATE], unit[PES]
    if pes < cluster(of, template, pes):
        return IMPOSSIBLE, IMPOSSIBLE
    flow = flow_of(of, template, pes, unit[BANDWIDTH], hops, offchip, mode)
    if not is_sound(flow):
        return IMPOSSIBLE, IMPOSSIBLE
    l2 = of.inputs + of.k * of.c * of.r * of.s + of.results + flow.inputs + flow.filters + flow.outputs
    l1 = 2 * flow.macs + 2 * flow.sums + flow.inputs + flow.filters
    return flow.cycles, L2_ACCESS * l2 + L1_ACCESS * l1 + MAC * flow.macs


@njit(cache=True, nogil=True)
def price_all(layers: Words, units: Words, hops: int, offchip: int, mode: int, latency: Words, energy: Words) -> None:
    """Latency and energy of each layer on each unit.

    Args:
        layers: ``(L, LAYER_SIZE)`` int64.
        units: ``(U, UNIT_SIZE)`` int64.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        latency: ``(L, U)`` int64, filled with cycles.
        energy: ``(L, U)`` int64, filled with hundredths of a multiply-accumulate.
    """
    for i in range(len(layers)):
        for u in range(len(units)):
            latency[i, u], energy[i, u] = price(layers[i], units[u], hops, offchip, mode)


@njit(cache=True, nogil=True)
def layer_cost(layer: Words, unit: Words, hops: int, offchip: int, mode: int, out: Words) -> None:
    """All figures of a layer on a unit.

    Args:
        layer: ``(LAYER_SIZE,)`` int64.
        unit: ``(UNIT_SIZE,)`` int64.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        out: ``(FIGURES_SIZE,)`` int64, filled in the order of ``counts.FIGURES``; runtime is ``IMPOSSIBLE`` and the rest 0
            if ``price`` is.
    """
    of = shape(layer, mode)
    template, pes = unit[TEMPLATE], unit[PES]
    out[:] = 0
    out[RUNTIME] = IMPOSSIBLE
    if pes >= cluster(of, template, pes):
        flow = flow_of(of, template, pes, unit[BANDWIDTH], hops, offchip, mode)
        if is_sound(flow):
            write_figures(of, template, flow, out)


@njit(cache=True, nogil=True)
def cost_all(layers: Words, units: Words, hops: int, offchip: int, mode: int, out: Words) -> None:
    """All figures of each layer on each unit.

    Args:
        layers: ``(L, LAYER_SIZE)`` int64.
        units: ``(U, UNIT_SIZE)`` int64.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.
        mode: ``COMPATIBLE`` or ``CLEAN``.
        out: ``(L, U, FIGURES_SIZE)`` int64, filled as by ``layer_cost``.
    """
    for i in range(len(layers)):
        for u in range(len(units)):
            layer_cost(layers[i], units[u], hops, offchip, mode, out[i, u])


@njit(cache=True, nogil=True)
def write_figures(of: Shape, template: int, flow: Flow, out: Words) -> None:
    """Writes all figures that follow from a flow.

    Args:
        of: the layer.
        template: ``DLA``, ``SHI`` or ``RS``.
        flow: of the layer on a unit.
        out: ``(FIGURES_SIZE,)`` int64, filled in the order of ``counts.FIGURES``.
    """
    out[RUNTIME], out[MACS] = flow.cycles, flow.macs
    out[L1_REQUIRED] = 6 * of.r * of.s  # a window of each tensor, double-buffered
    if template == RS:  # a row of input, and one of each filter and its output, for 16 filters even if there are fewer
        out[L1_REQUIRED] = 2 * (1 + 2 * (1 if of.depthwise else FILTER_TILE)) * of.s
    out[L2_REQUIRED] = 2 * (flow.first_inputs + flow.first_filters + flow.first_outputs)
    out[INPUT_L1_READ] = out[FILTER_L1_READ] = flow.macs
    out[OUTPUT_L1_READ] = out[OUTPUT_L1_WRITE] = flow.sums
    out[INPUT_L1_WRITE] = out[INPUT_L2_READ] = flow.inputs
    out[FILTER_L1_WRITE] = out[FILTER_L2_READ] = flow.filters
    out[OUTPUT_L2_WRITE] = flow.outputs
    out[INPUT_L2_WRITE], out[FILTER_L2_WRITE], out[OUTPUT_L2_READ] = of.inputs, of.k * of.c * of.r * of.s, of.results


def unit_costs(
    layers: Words, units: Words, mode: str = "compatible", hops: int = HOPS, offchip: int = OFFCHIP
) -> tuple[Words, Words]:
    """Latency and energy of every layer on every unit.

    Args:
        layers: ``(L, LAYER_SIZE)`` int64, columns as in ``layout``.
        units: ``(U, UNIT_SIZE)`` int64, columns as in ``layout``.
        mode: ``"compatible"`` reproduces MAESTRO's quirks, ``"clean"`` mends them.
        hops: hops times the latency of one, cycles.
        offchip: bandwidth of the off-chip link, elements per cycle.

    Returns:
        ``(L, U)`` int64 each: cycles, and energy in hundredths of a multiply-accumulate.  Both are ``IMPOSSIBLE`` where a unit
        has fewer processing elements than one cluster of its template needs (``shi`` 8, ``rs`` as many as a filter has rows),
        and where a layer of stride 3 or more has counts that make no sense in compatible mode.

    Raises:
        WorkloadError: layers of wrong shape or type, a size below 1, or a filter larger than its input.
        DesignError: units of wrong shape or type, an unknown template, no processing elements or no bandwidth.
        UnknownNameError: no such mode.
        ArgumentError: hops outside 0 to 1000, or no off-chip bandwidth.
    """
    code = check(layers, units, mode, hops, offchip)
    latency = np.empty((len(layers), len(units)), np.int64)
    energy = np.empty_like(latency)
    price_all(layers, units, hops, offchip, code, latency, energy)
    return latency, energy


def unit_figures(layers: Words, units: Words, mode: str = "compatible", hops: int = HOPS, offchip: int = OFFCHIP) -> Words:
    """All figures of every layer on every unit.

    Arguments and errors are those of ``unit_costs``.

    Returns:
        ``(L, U, FIGURES_SIZE)`` int64, columns ``counts.FIGURES``.
    """
    code = check(layers, units, mode, hops, offchip)
    figures = np.empty((len(layers), len(units), FIGURES_SIZE), np.int64)
    cost_all(layers, units, hops, offchip, code, figures)
    return figures
