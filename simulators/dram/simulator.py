"""The DRAM simulator: designs to controllers, trace to arrays, counters to metrics."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from archgym import Columns, Designs, Explanation, Metric, Simulator
from archgym.errors import TraceError, UnknownNameError
from simulators.dram import fast, layout, trace, workloads
from simulators.dram.bounds import make_metrics
from simulators.dram.canonical import can_pull_in, canonical
from simulators.dram.energy import derive
from simulators.dram.memory import Memory, load_memory, memory_names
from simulators.dram.space import make_space

PREFIX = 1_000
PREFIX_COST = 1.0
"""Measured: the time of a prefix per request, relative to that of the whole trace (``experiments/speed.py dram``)."""
CLOCKS_MHZ = (100, 2000)


class DRAM(Simulator):
    """A DRAM memory controller and one rank of DDR3 or DDR4 behind it, driven by a trace.

    Description:
        Requests of a trace player pass an arbiter, a scheduler with its buffer, one machine per bank, a timing checker and a
        refresh manager.  Every command is timed; energy follows from the commands and the datasheet currents.  The model
        reproduces DRAMSys 4.0 with DRAMPower, the simulator behind ArchGym's DRAMGym, to the picosecond and to the last
        printed digit (README.md of this folder shows the table).

    Workloads:
        stream, random, cloud-1, cloud-2, strided, pointer-chase, bank-thrash, read-write, bursty, dnn-tiles; or the path of a
        DRAMSys ``.stl`` or Ramulator ``.trace`` file, compressed or not.

    Design space:
        ==  =====================  =======  ============  ===================================================
        #   name                   ordered  unit          values (grid / integer)
        ==  =====================  =======  ============  ===================================================
        0   PagePolicy             no                     Open, OpenAdaptive, Closed, ClosedAdaptive
        1   Scheduler              no                     Fifo, FrFcfsGrp, FrFcfs
        2   SchedulerBuffer        no                     Bankwise, ReadWrite, Shared
        3   RequestBufferSize      yes      requests      1, 2, 4 .. 128 / 1 .. 8
        4   RespQueue              no                     Fifo, Reorder
        5   RefreshPolicy          no                     NoRefresh, AllBank
        6   RefreshMaxPostponed    yes      refreshes     1, 2, 4, 8 / 1 .. 8
        7   RefreshMaxPulledin     yes      refreshes     1, 2, 4, 8 / 1 .. 8
        8   Arbiter                no                     Simple, Fifo, Reorder
        9   MaxActiveTransactions  yes      transactions  1, 2, 4 .. 128 / 1 .. 128
        ==  =====================  =======  ============  ===================================================

    Constraints:
        None.

    Metrics:
        =======================  ====  =====================================================================
        name                     goal  meaning
        =======================  ====  =====================================================================
        latency_ns               min   time until the last response
        energy_pj                min   energy of all devices
        power_mw                 min   average power
        bandwidth_gbps           max   data moved per time, Gb/s
        row_hit_rate             max   share of accesses that found their row open
        mean_request_latency_ns  min   from a request's arrival at the arbiter to its response
        max_request_latency_ns   min   the longest of these
        num_act .. num_ref       info  commands
        =======================  ====  =====================================================================

    Validity:
        Every design is valid and none fails.  A metric outside its physical bounds would be SUSPECT.

    Args:
        workload: a name or a path.
        space: "grid" or "integer".
        memory: a file of ``memories/``: "ddr3-1600", "ddr4-2400".
        clock_mhz: clock of the trace player, 100 to 2000; the memory's clock if not given.
        requests, seed: of a generated workload.

    Raises:
        UnknownNameError: no such workload, space or memory.
        TraceError: a trace file that cannot be read, or that the memory cannot serve; a clock out of range.

    Version history:
        1: first version.
    """

    name = "dram"
    version = "1"

    def __init__(
        self,
        workload: str = "random",
        space: str = "grid",
        memory: str = "ddr3-1600",
        clock_mhz: float | None = None,
        requests: int = 10_000,
        seed: int = 0,
    ) -> None:
        self.arguments = MappingProxyType(
            {
                "workload": str(workload),
                "space": space,
                "memory": memory,
                "clock_mhz": clock_mhz,
                "requests": requests,
                "seed": seed,
            }
        )
        self.space = make_space(space)
        if memory not in memory_names():
            raise UnknownNameError("memory", memory, memory_names(), owner=self.name)
        self.memory: Memory = load_memory(memory)
        self.trace = _find_trace(str(workload), self.memory, requests, seed)
        self.workload = self.trace.name
        self.player_period_ps = _player_period(self.memory.clock_mhz if clock_mhz is None else clock_mhz)
        self.summaries = Path(__file__).parent / "optima.json"
        self.metrics: tuple[Metric, ...] = make_metrics(self.memory, self.trace, self.player_period_ps)
        self._pulls_in = can_pull_in(self.trace, self.memory, self.player_period_ps)
        self._values = {p.name: {value: i for i, value in enumerate(p.values)} for p in self.space.parameters if not p.ordered}
        self.fidelities = MappingProxyType(_fidelities(len(self.trace)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (dict(self.arguments),)

    @classmethod
    def workloads(cls) -> tuple[str, ...]:
        """Names of the generated workloads; a path to a trace file works too."""
        return tuple(workloads.names())

    @property
    def workload_digest(self) -> str:
        """SHA-256 of the trace's requests."""
        return self.trace.digest

    def canonical(self, designs: ArrayLike) -> Designs:
        """Maps controllers that cannot differ on this trace onto one; rules in ``simulators.dram.canonical``."""
        array = self.space.check(designs, who=self.name)
        return canonical(array, self.space, read_only=self.trace.read_only, pulls_in=self._pulls_in)

    def controllers(self, columns: Columns) -> NDArray[np.int64]:
        """Decoded designs as the kernels read them, (N, 10) int64 (``simulators.dram.layout``)."""
        numbers = [self._numbers(name, columns[name]) for name in self.space.names]
        return np.stack(numbers, axis=1)

    def explain(self, design: ArrayLike) -> Explanation:
        """Where the time of the trace and the energy go; see ``simulators.dram.explain``."""
        from simulators.dram.explain import explain

        return explain(self, self.space.check(np.asarray(design).reshape(1, -1), who=self.name))

    def _evaluate(self, columns: Columns, fidelity: str) -> Mapping[str, NDArray[Any]]:
        prepared = self._whole if fidelity == "full" else self._prefix
        outcomes = fast.simulate_prepared(self.controllers(columns), prepared)
        printed = derive(outcomes, self.memory)
        accesses = outcomes[:, layout.NUM_RD] + outcomes[:, layout.NUM_WR]
        requests = len(self.trace) if fidelity == "full" else PREFIX
        return {
            "latency_ns": printed["total_time_ns"],
            "energy_pj": printed["total_energy_pJ"],
            "power_mw": printed["avg_power_mW"],
            "bandwidth_gbps": printed["avg_bw_gbps"],
            "row_hit_rate": np.maximum(1 - outcomes[:, layout.NUM_ACT] / np.maximum(accesses, 1), 0.0),
            "mean_request_latency_ns": outcomes[:, layout.LATENCY_SUM_PS] / (1e3 * requests),
            "max_request_latency_ns": outcomes[:, layout.LATENCY_MAX_PS] / 1e3,
            "num_act": outcomes[:, layout.NUM_ACT],
            "num_pre": outcomes[:, layout.NUM_PRE],
            "num_rd": outcomes[:, layout.NUM_RD],
            "num_wr": outcomes[:, layout.NUM_WR],
            "num_ref": outcomes[:, layout.NUM_REF],
        }

    @cached_property
    def _whole(self) -> fast.Prepared:
        return self._prepare(self.trace)

    @cached_property
    def _prefix(self) -> fast.Prepared:
        return self._prepare(self.trace.prefix(PREFIX))

    def _prepare(self, requests: trace.Trace) -> fast.Prepared:
        return fast.prepare(*requests.on(self.memory, self.player_period_ps))

    def _numbers(self, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
        if name not in self._values:
            return values.astype(np.int64)
        numbers = np.zeros(len(values), np.int64)
        for value, index in self._values[name].items():
            numbers[values == value] = index
        return numbers


def _rebuild(arguments: dict[str, Any]) -> DRAM:
    return DRAM(**arguments)


def _find_trace(workload: str, memory: Memory, requests: int, seed: int) -> trace.Trace:
    if workload in workloads.names():
        return workloads.generate(workload, requests, seed)
    if Path(workload).suffix or Path(workload).exists():
        return trace.read(workload, memory)
    raise UnknownNameError("workload", workload, workloads.names(), owner="dram")


def _player_period(clock_mhz: float) -> int:
    low, high = CLOCKS_MHZ
    if not low <= clock_mhz <= high:
        raise TraceError(f"dram: the player's clock must be {low} to {high} MHz, got {clock_mhz}")
    return round(1e6 / clock_mhz)


def _fidelities(requests: int) -> dict[str, float]:
    if requests <= PREFIX:
        return {"full": 1.0}
    return {"full": 1.0, f"prefix-{PREFIX}": round(min(PREFIX_COST * PREFIX / requests, 1.0), 4)}
