"""Metrics of the DRAM simulator and the physical limits that no design can leave."""

from __future__ import annotations

from archgym import Metric
from simulators.dram import layout
from simulators.dram.memory import Memory
from simulators.dram.trace import Trace

_SERIAL_SLACK = 32
"""Memory clocks on top of the longest chain of commands of one request: arbitration and clock crossings; generous."""


def make_metrics(memory: Memory, trace: Trace, player_period_ps: int) -> tuple[Metric, ...]:
    """Declares the metrics with bounds for one memory and trace.

    Latency is bounded below by the last request's time stamp and by the data bus, above by serving every request alone, with
    a row conflict and refreshes in between.  Power is bounded by what commands at their densest can draw.
    """
    shortest_ns, longest_ns = _time_bounds_ns(memory, trace, player_period_ps)
    background_mw, peak_mw = _power_bounds_mw(memory)
    count = float(2 * len(trace) + longest_ns)  # commands: at most a few per request, and refreshes
    return (
        Metric("latency_ns", "min", (shortest_ns, longest_ns), "time until the last response"),
        Metric("energy_pj", "min", (0.0, 2 * peak_mw * longest_ns), "energy of all devices"),
        Metric("power_mw", "min", (background_mw, peak_mw), "average power over the command window"),
        Metric("bandwidth_gbps", "max", (0.0, memory.max_bandwidth_gbps), "data moved per time, Gb/s"),
        Metric("row_hit_rate", "max", (0.0, 1.0), "share of accesses that found their row open"),
        Metric("mean_request_latency_ns", "min", (0.0, longest_ns), "mean time from arrival at the arbiter to the response"),
        Metric("max_request_latency_ns", "min", (0.0, longest_ns), "longest time from arrival at the arbiter to the response"),
        Metric("num_act", "info", (0.0, count), "activates"),
        Metric("num_pre", "info", (0.0, count), "precharges, automatic ones included"),
        Metric("num_rd", "info", (0.0, count), "reads"),
        Metric("num_wr", "info", (0.0, count), "writes"),
        Metric("num_ref", "info", (0.0, count), "all-bank refreshes"),
    )


def _time_bounds_ns(memory: Memory, trace: Trace, player_period_ps: int) -> tuple[float, float]:
    timing, requests = memory.timing, len(trace)
    tck_ps = int(timing[layout.TCK_PS])
    last_ps = int(trace.cycles.max()) * player_period_ps
    first_access = min(int(timing[layout.RL]), int(timing[layout.WL])) + int(timing[layout.RCD]) + int(timing[layout.BURST])
    bus = (requests - 1) * int(timing[layout.CCD_S]) + first_access
    shortest = max(last_ps, int(trace.cycles[0]) * player_period_ps + bus * tck_ps)
    conflict = sum(
        int(timing[name]) for name in (layout.RC, layout.WL, layout.BURST, layout.WR, layout.RP, layout.RCD, layout.RL)
    )
    alone = (conflict + int(timing[layout.BURST]) + _SERIAL_SLACK) * tck_ps + 2 * player_period_ps
    refreshing = 1 + 4 * float(timing[layout.RFC] + timing[layout.RC]) / float(timing[layout.REFI])
    return shortest / 1e3, (last_ps + requests * alone) * refreshing / 1e3


def _power_bounds_mw(memory: Memory) -> tuple[float, float]:
    power, timing = memory.power, memory.timing
    background = min(power["idd2n"], power["idd3n"])
    row_ma = power["idd0"] * float(timing[layout.RC]) / float(timing[layout.RRD_S])
    data_ma = max(power["idd4r"], power["idd4w"])
    peak = power["vdd"] * (row_ma + data_ma + power["idd5"] + power["idd3n"])
    if "vdd2" in power:
        peak += power["vdd2"] * power["idd02"] * float(timing[layout.RC]) / float(timing[layout.RRD_S])
    return 0.999 * power["vdd"] * background * memory.devices, peak * memory.devices
