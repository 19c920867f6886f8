"""Measures the reference program on the project's own workloads: ``reference/dramsys40_own.parquet``.

    python experiments/make_reference.py --dramsys PATH [--rows N]

Two thirds of the designs are drawn from the grid space (``space`` = ``rl``), one third from the integer space (``int``),
with a fixed seed.  The plan is always the same, so an interrupted run goes on where it stopped, and ``--rows`` takes the
next N rows.
"""

from __future__ import annotations

import argparse
import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dramsys import DRAMSys
from rich.progress import track

from simulators.dram import workloads

TABLE = Path(__file__).parent / "reference" / "dramsys40_own.parquet"
MEMORIES = {"ddr3": "ddr3-1600", "ddr4": "ddr4-2400"}
SEED = 20_240
PLAN = [  # memory, player clock in MHz, designs per workload
    ("ddr3", 800, 150),
    ("ddr4", 1200, 60),
    ("ddr3", 300, 12),
    ("ddr3", 1000, 12),
    ("ddr3", 2000, 12),
    ("ddr4", 300, 6),
    ("ddr4", 1000, 6),
    ("ddr4", 2000, 6),
]
_POWERS = (1, 2, 4, 8, 16, 32, 64, 128)
GRID: dict[str, tuple[str | int, ...]] = {
    "PagePolicy": ("Open", "OpenAdaptive", "Closed", "ClosedAdaptive"),
    "Scheduler": ("Fifo", "FrFcfsGrp", "FrFcfs"),
    "SchedulerBuffer": ("Bankwise", "ReadWrite", "Shared"),
    "RequestBufferSize": _POWERS,
    "RespQueue": ("Fifo", "Reorder"),
    "RefreshPolicy": ("NoRefresh", "AllBank"),
    "RefreshMaxPostponed": _POWERS[:4],
    "RefreshMaxPulledin": _POWERS[:4],
    "Arbiter": ("Simple", "Fifo", "Reorder"),
    "MaxActiveTransactions": _POWERS,
}
INTEGER = GRID | {
    "RequestBufferSize": tuple(range(1, 9)),
    "RefreshMaxPostponed": tuple(range(1, 9)),
    "RefreshMaxPulledin": tuple(range(1, 9)),
    "MaxActiveTransactions": tuple(range(1, 129)),
}
SCHEMA = pa.schema(
    [("mem", pa.large_string()), ("trace_clk_mhz", pa.int64()), ("trace", pa.large_string())]
    + [("design_id", pa.int64()), ("space", pa.large_string())]
    + [(name, pa.large_string() if isinstance(values[0], str) else pa.int64()) for name, values in GRID.items()]
    + [("total_time_ns", pa.float64()), ("total_time_ps", pa.int64())]
    + [(name, pa.float64()) for name in ("total_energy_pJ", "avg_power_mW", "avg_bw_gbps", "avg_bw_idle_gbps")]
    + [("sim_wall_s", pa.float64()), ("proc_wall_s", pa.float64()), ("swept", pa.large_string())]
)


def plan() -> list[dict[str, Any]]:
    """All rows to be measured, without their figures; ``design_id`` is unique."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    rows: list[dict[str, Any]] = []
    for memory, clock_mhz, designs in PLAN:
        for index in range(designs):
            for name in workloads.names():
                space, levels = ("int", INTEGER) if index % 3 == 2 else ("rl", GRID)
                design = {key: values[int(rng.integers(0, len(values)))] for key, values in levels.items()}
                place = {"mem": memory, "trace_clk_mhz": clock_mhz, "trace": name, "design_id": len(rows), "space": space}
                rows.append(place | design)
    return rows


def measure(program: DRAMSys, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs the program on every row and adds its figures."""
    traces = {name: workloads.generate(name) for name in workloads.names()}
    measured = []
    for row in rows:
        design = {name: row[name] for name in GRID}
        outcome = program.run(MEMORIES[row["mem"]], row["trace_clk_mhz"], design, traces[row["trace"]])
        figures = asdict(outcome) | {"total_time_ns": outcome.total_time_ps * 1e-3, "swept": ""}
        measured.append(row | figures)
    return measured


def save(rows: list[dict[str, Any]], program: DRAMSys) -> None:
    """Writes the table through a temporary name, with what it was measured with in its metadata."""
    facts = {
        "program": "DRAMSys4.0 as shipped with srivatsankrishnan/oss-arch-gym",
        "program_sha256": program.sha256,
        "workloads_version": workloads.VERSION,
        "trace_sha256": {name: workloads.generate(name).digest for name in workloads.names()},
        "seed": SEED,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: row["design_id"]), schema=SCHEMA)
    partial = TABLE.with_suffix(".partial")
    pq.write_table(table.replace_schema_metadata({"archgym": json.dumps(facts)}), partial, compression="zstd")
    partial.replace(TABLE)


def main() -> None:
    """Measures what the table does not hold yet."""
    parser = argparse.ArgumentParser(description="measure DRAMSys on the project's own workloads")
    parser.add_argument("--dramsys", required=True, help="the DRAMSys program inside its tree")
    parser.add_argument("--rows", type=int, default=None, help="measure at most this many further rows (default: all)")
    options = parser.parse_args()
    done = pq.read_table(TABLE).to_pylist() if TABLE.exists() else []
    known = {row["design_id"] for row in done}
    missing = [row for row in plan() if row["design_id"] not in known][: options.rows]
    with DRAMSys(options.dramsys) as program:
        chunks = [missing[start : start + 100] for start in range(0, len(missing), 100)]
        for chunk in track(chunks, description=f"{len(missing)} rows"):
            done += measure(program, chunk)
            save(done, program)
    print(f"{TABLE}: {len(done)} rows")


if __name__ == "__main__":
    main()
