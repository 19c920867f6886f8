"""Predicts what the reference simulator (DRAMSys 4.0 with DRAMPower) prints for rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archgym.errors import TraceError, UnknownNameError
from simulators.dram import energy, fast, layout, trace, workloads
from simulators.dram.literal import engine as literal
from simulators.dram.memory import Memory, load_memory, memory_names

# Column of the table -> its place in ``layout`` and the spellings of its values there, in index order (numbers: none).
_PARAMETERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "PagePolicy": (layout.PAGE_POLICY, ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive")),
    "Scheduler": (layout.SCHEDULER, ("Fifo", "FrFcfsGrp", "FrFcfs")),
    "SchedulerBuffer": (layout.SCHEDULER_BUFFER, ("Bankwise", "ReadWrite", "Shared")),
    "RequestBufferSize": (layout.REQUEST_BUFFER_SIZE, ()),
    "RespQueue": (layout.RESP_QUEUE, ("Fifo", "Reorder")),
    "RefreshPolicy": (layout.REFRESH_POLICY, ("NoRefresh", "AllBank")),
    "RefreshMaxPostponed": (layout.REFRESH_MAX_POSTPONED, ()),
    "RefreshMaxPulledin": (layout.REFRESH_MAX_PULLEDIN, ()),
    "Arbiter": (layout.ARBITER, ("Simple", "Fifo", "Reorder")),
    "MaxActiveTransactions": (layout.MAX_ACTIVE_TRANSACTIONS, ()),
}
_MEMORIES = {"ddr3": "ddr3-1600", "ddr4": "ddr4-2400"}  # short names that the tables use
_DECIMALS = {"total_energy_pJ": 2, "avg_power_mW": 2, "avg_bw_gbps": 2, "avg_bw_idle_gbps": 2}

INPUTS = ("mem", "trace_clk_mhz", "trace", *_PARAMETERS)
OUTPUTS = ("total_time_ns", "total_time_ps", "total_energy_pJ", "avg_power_mW", "avg_bw_gbps", "avg_bw_idle_gbps")

Simulate = Callable[..., NDArray[np.int64]]
ENGINES: dict[str, Simulate] = {"fast": fast.simulate, "literal": literal.simulate}
DEFAULT_ENGINE = "fast"


def predict(
    rows: Mapping[str, Any], traces: str | Path | None = None, engine: str = DEFAULT_ENGINE
) -> dict[str, NDArray[Any]]:
    """Predicts the output columns of a reference table from its input columns.

    Args:
        rows: the columns ``INPUTS``, arrays of one length (N,), in any order of rows; other columns are ignored.
        traces: folder that holds ``NAME.stl`` or ``NAME.stl.gz`` for each trace named in ``rows``; None for the
            project's own generated workloads.
        engine: ``fast`` or ``literal``; they agree, and the second is the slow one.

    Returns:
        The columns ``OUTPUTS``, each (N,), rounded as the reference program prints them.  ``total_time_ps`` is int64.

    Raises:
        UnknownNameError: an unknown engine, memory, workload or value of a parameter.
        TraceError: a trace file that is missing or cannot be read.
        ValueError: a missing column, or columns of different length.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES, owner="dram")
    columns = _columns(rows)
    controllers = encode(columns)
    results = {name: np.zeros(len(controllers), np.float64) for name in OUTPUTS}
    results["total_time_ps"] = np.zeros(len(controllers), np.int64)
    groups = list(zip(columns["mem"], columns["trace"], columns["trace_clk_mhz"], strict=True))
    for group in sorted(set(groups), key=str):
        chosen = np.array([other == group for other in groups])
        memory, requests = _memory(str(group[0])), _trace(str(group[1]), traces)
        outcomes = run(ENGINES[engine], controllers[chosen], memory, requests, float(group[2]))
        results["total_time_ps"][chosen] = outcomes[:, layout.TOTAL_PS]
        for name, values in energy.derive(outcomes, memory).items():
            results[name][chosen] = _as_printed(values, _DECIMALS.get(name))
    return results


def encode(rows: Mapping[str, Any]) -> NDArray[np.int64]:
    """Controllers, ``(N, 10)`` int64 with the columns of ``layout``, from the parameter columns of a table."""
    columns = [np.asarray(rows[name]) for name in _PARAMETERS]
    controllers = np.zeros((len(columns[0]), len(_PARAMETERS)), np.int64)
    for (name, (place, spellings)), column in zip(_PARAMETERS.items(), columns, strict=True):
        unknown = set(column.tolist()) - set(spellings) if spellings else set()
        if unknown:
            raise UnknownNameError(name, sorted(unknown, key=str)[0], spellings, owner="dram")
        controllers[:, place] = [spellings.index(value) for value in column] if spellings else column
    return controllers


def run(
    simulate: Simulate, controllers: NDArray[np.int64], memory: Memory, requests: trace.Trace, player_mhz: float
) -> NDArray[np.int64]:
    """Runs a trace, with the player at the given clock, through each controller; returns the outcomes."""
    return simulate(controllers, *requests.on(memory, round(1e6 / player_mhz)))


def _columns(rows: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    missing = [name for name in INPUTS if name not in rows]
    if missing:
        raise ValueError(f"dram: a reference table needs the columns {', '.join(INPUTS)}; missing: {', '.join(missing)}")
    columns = {name: np.asarray(rows[name]) for name in INPUTS}
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or len(columns["mem"].shape) != 1:
        raise ValueError(f"dram: the columns of a reference table must be of one shape (N,), got {shapes}")
    return columns


def _memory(name: str) -> Memory:
    known = {**_MEMORIES, **{full: full for full in memory_names()}}
    if name not in known:
        raise UnknownNameError("memory", name, known, owner="dram")
    return load_memory(known[name])


def _trace(name: str, folder: str | Path | None) -> trace.Trace:
    if folder is None:
        return workloads.generate(name)
    for ending in (".stl", ".stl.gz"):
        path = Path(folder) / f"{name}{ending}"
        if path.is_file():
            return trace.read(path)
    raise TraceError(f"{folder}: expected the trace file {name}.stl or {name}.stl.gz, found neither")


def _as_printed(values: NDArray[np.float64], decimals: int | None) -> NDArray[np.float64]:
    if decimals is None:
        return values
    return np.array([float(f"{value:.{decimals}f}") for value in values], np.float64)
