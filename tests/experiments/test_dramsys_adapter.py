"""The adapter to the DRAMSys program; what needs the program runs where ARCHGYM_DRAMSYS names it."""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
sys.path.insert(0, str(EXPERIMENTS))

import make_reference  # noqa: E402
from dramsys import DRAMSys, DRAMSysError, parse  # noqa: E402

from simulators.dram import workloads  # noqa: E402
from simulators.dram.trace import Trace  # noqa: E402

BINARY = os.environ.get("ARCHGYM_DRAMSYS")
needs_program = pytest.mark.skipif(not BINARY, reason="ARCHGYM_DRAMSYS does not name the DRAMSys program")

OUTPUT = r"""
Simulation took 0.001746 seconds.
DRAMSys.dram0  Total Energy:   61935600.00 pJ
DRAMSys.dram0  Average Power:  726.65 mW
DRAMSys.controller0  Total Time:     85218750 ps
DRAMSys.controller0  AVG BW:         7.28 Gb/s (7.11 %)
DRAMSys.controller0  AVG BW\IDLE:    23.78 Gb/s (23.22 %)
DRAMSys.controller0  MAX BW:         102.40 Gb/s
"""
SINGLE = Trace("single", np.zeros(1), np.zeros(1), np.zeros(1))


def simplest():
    return {name: values[0] for name, values in make_reference.GRID.items()}


@pytest.mark.parametrize(("printed", "ps"), [("85218750 ps", 85218750), ("85218 ns", 85218000), ("85 us", 85000000)])
def test_time_is_read_with_its_unit(printed, ps):
    outcome = parse(OUTPUT.replace("85218750 ps", printed), proc_wall_s=0.5)
    assert outcome.total_time_ps == ps and outcome.total_energy_pJ == 61935600.0 and outcome.avg_power_mW == 726.65
    assert (outcome.avg_bw_gbps, outcome.avg_bw_idle_gbps) == (7.28, 23.78)
    assert (outcome.sim_wall_s, outcome.proc_wall_s) == (0.001746, 0.5)


def test_missing_figure_is_named():
    with pytest.raises(DRAMSysError, match="printed no avg_power_mW"):
        parse(OUTPUT.replace("Average Power", "Mean Power"), 0.0)


def test_missing_program_is_said():
    with pytest.raises(DRAMSysError, match="expected the DRAMSys program at"):
        DRAMSys("no/such/program")


def test_table_follows_the_plan():
    table = pq.read_table(make_reference.TABLE)
    planned = make_reference.plan()
    assert table.schema.equals(make_reference.SCHEMA)
    keys = list(planned[0])
    assert table.select(keys).to_pylist() == planned


@needs_program
def test_single_read():
    with DRAMSys(BINARY) as program:
        outcome = program.run("ddr3-1600", 800, simplest(), SINGLE)
    assert (outcome.total_time_ps, outcome.total_energy_pJ) == (24 * 1250, 32400.0)
    assert 0 <= outcome.sim_wall_s < outcome.proc_wall_s


@needs_program
def test_rows_of_the_table_repeat():
    rows = pq.read_table(make_reference.TABLE).to_pylist()
    with DRAMSys(BINARY) as program:
        again = make_reference.measure(program, rows[:: len(rows) // 20])
    for old, new in zip(rows[:: len(rows) // 20], again, strict=True):
        assert {key: new[key] for key in old if not key.endswith("wall_s")} == {
            key: old[key] for key in old if not key.endswith("wall_s")
        }


@needs_program
def test_failures_are_said():
    with DRAMSys(BINARY) as program, pytest.raises(DRAMSysError, match=r"ended with -?\d+"):
        program.run("ddr3-1600", 800, simplest() | {"PagePolicy": "Ajar"}, SINGLE)
    with DRAMSys(BINARY, timeout_s=0.001) as program, pytest.raises(DRAMSysError, match="timed out"):
        program.run("ddr3-1600", 800, simplest(), workloads.generate("random"))
    with DRAMSys(BINARY) as program:
        scratch = program._resources
    assert not scratch.exists()
