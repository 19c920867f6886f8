"""Off-chip memory priced by a DRAM simulator that the caller hands in, instead of by figures per type.

Tiles reach the memory as runs of neighbouring bytes, one run per row of the tile, rows far apart.  The DRAM simulator is run
on such patterns, for run lengths of one burst to 8 KB, reading and writing; what a layer's traffic costs is read off these
points at the run lengths of its own tensors.  The simulator is known only by its contract: it has the metrics ``latency_ns``
and ``energy_pj``, and its ``workload`` may be the path of a DRAMSys ``.stl`` trace with requests of 64 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym import Simulator, make_simulator
from archgym.errors import ArgumentError
from simulators.systolic import layers
from simulators.systolic.layers import Network

BURST = 64
"""Bytes that a request moves."""
RUNS = tuple(BURST * 2**power for power in range(8))
"""Bytes of the runs that are measured."""
REQUESTS = 2000
ROW_PITCH = 8192
"""Bytes from one run to the next at least: rows of a tile lie in different rows of the memory."""


@dataclass(frozen=True)
class Memory:
    """A measured memory.

    Attributes:
        gb_per_s: of the best pattern.
        pj_per_bit: of the best pattern.
        slower: (2, R) time per byte of reads and writes in runs of ``RUNS``, relative to the best.
        dearer: (2, R) energy per byte likewise.
    """

    gb_per_s: float
    pj_per_bit: float
    slower: NDArray[np.float64]
    dearer: NDArray[np.float64]

    def access(self, network: Network) -> NDArray[np.float64]:
        """Time and energy of a word of inputs, weights and outputs per distinct layer, (L, 2, 3), relative to the best."""
        table = np.ones((len(network.table), 2, 3))
        for layer, row in enumerate(network.table):
            for operand, run in enumerate(_runs(row)):
                write = operand == 2
                table[layer, 0, operand] = np.interp(np.log2(run), np.log2(RUNS), self.slower[int(write)])
                table[layer, 1, operand] = np.interp(np.log2(run), np.log2(RUNS), self.dearer[int(write)])
        return table


def record(dram: Simulator | Mapping[str, Any]) -> dict[str, Any]:
    """What a DRAM simulator can be built from again: {"name", "arguments", "design"}."""
    if isinstance(dram, Simulator):
        return {"name": dram.name, "arguments": dict(dram.arguments), "design": {}}
    return {"arguments": {}, "design": {}, **dram}


def measure(dram: Simulator | Mapping[str, Any]) -> Memory:
    """Runs a DRAM simulator on tile patterns.

    Args:
        dram: a simulator (its default design is used), or a record {"name", "arguments", "design"} of one, where "design" maps
            parameters to values and may leave any out.

    Raises:
        ArgumentError: it lacks the metrics, or cannot run a trace file.
    """
    known = record(dram)
    points = np.array([[_point(known, run, write) for run in RUNS] for write in (False, True)])
    seconds, joules = points[:, :, 0], points[:, :, 1]
    return Memory(
        gb_per_s=1.0 / seconds.min(),
        pj_per_bit=joules.min() / 8.0,
        slower=seconds / seconds.min(),
        dearer=joules / joules.min(),
    )


def _point(known: Mapping[str, Any], run: int, write: bool) -> tuple[float, float]:
    """Nanoseconds and pJ per byte of one pattern."""
    per_run = run // BURST
    pitch = max(ROW_PITCH, 2 * run)
    lines = [
        f"{index}: {'write' if write else 'read'} {hex(index // per_run * pitch + index % per_run * BURST)}"
        for index in range(REQUESTS)
    ]
    with TemporaryDirectory() as folder:
        trace = Path(folder) / f"tile-{run}.stl"
        trace.write_text("\n".join(lines) + "\n")
        try:
            simulator = make_simulator(known["name"], **{**known["arguments"], "workload": str(trace)})
            metrics = simulator.evaluate(simulator.space.encode(known["design"]))
            latency, energy = metrics["latency_ns"][0], metrics["energy_pj"][0]
        except (KeyError, ValueError, TypeError) as error:
            raise ArgumentError(
                f"systolic: dram must be a simulator with metrics latency_ns and energy_pj that runs .stl traces: {error}"
            ) from error
    if not (np.isfinite(latency) and np.isfinite(energy)):
        raise ArgumentError(f"systolic: the DRAM simulator cannot run its design on a tile pattern: {metrics.reasons}")
    return latency / (REQUESTS * BURST), energy / (REQUESTS * BURST)


def _runs(row: NDArray[np.int64]) -> tuple[int, int, int]:
    """Neighbouring bytes of inputs (a row, channels innermost), weights (a filter) and outputs (a row), at 8 bits."""
    width = row[layers.IFMAP_W] - row[layers.PAD_W]
    extent = (row[layers.FILTER_W] - 1) * row[layers.DILATION_W] + 1
    outputs = (row[layers.IFMAP_W] - extent) // row[layers.STRIDE_W] + 1
    taps = row[layers.FILTER_H] * row[layers.FILTER_W] * row[layers.CHANNELS]
    return int(width * row[layers.CHANNELS]), int(taps), int(outputs * row[layers.NUM_FILTERS])
