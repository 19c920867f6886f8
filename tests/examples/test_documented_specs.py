"""Ramulator 2 and gem5, which cannot be had here: their specs load, and stand-ins that print what they print are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from sources import ROOT

from archgym import make_simulator

RAMULATOR = """#!/bin/sh
[ "$1" = -f ] && [ -f "$2" ] && [ -f loads.trace ] || exit 1
cp "$2" "$SEEN"
cat <<END
Frontend:
  impl: LoadStoreTrace

MemorySystem:
  impl: GenericDRAM
  total_num_read_requests: 384
  memory_system_cycles: 6812

  Controller:
    impl: Generic
    id: Channel 0
    read_row_conflicts_0: 99
    row_conflicts_0: 121
    read_latency_0: 24460
    avg_read_latency_0: 63.6979179
END
"""
GEM5 = """#!/bin/sh
[ "$1" = --outdir=out ] && [ -f "$2" ] || exit 1
mkdir out && cp "$2" "$SEEN"
cat > out/stats.txt <<END

---------- Begin Simulation Statistics ----------
simSeconds                                   0.000427                       # Number of seconds simulated (Second)
simTicks                                    427000000                       # Number of ticks simulated (Tick)
simInsts                                      2101234                       # Number of instructions simulated (Count)
END
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-ins, which stand first in PATH, put the file that they were started with."""
    for name, text in (("ramulator2", RAMULATOR), ("gem5.opt", GEM5)):
        (tmp_path / name).write_text(text.replace("$SEEN", str(tmp_path / "seen")))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "seen"


def test_ramulator2_gets_its_configuration_and_its_metrics_are_read(seen: Path) -> None:
    simulator = make_simulator(str(ROOT / "examples/ramulator2/ramulator2.toml"), cache=False)
    design = {"ranks": 2, "mapper": "MOP4CLXOR", "row_policy": "ClosedRowPolicy", "cap": 8}
    result = simulator.evaluate(simulator.space.encode(design))
    assert result.row(0) == {"memory_cycles": 6812, "read_latency_cycles": 63.6979179, "row_conflicts": 121}, result.reasons
    memory = yaml.safe_load(seen.read_text())["MemorySystem"]
    assert memory["DRAM"]["org"] == {"preset": "DDR4_8Gb_x8", "channel": 1, "rank": 2}
    assert memory["AddrMapper"] == {"impl": "MOP4CLXOR"}
    assert memory["Controller"]["RowPolicy"] == {"impl": "ClosedRowPolicy", "cap": 8}


def test_gem5_gets_its_script_and_its_metrics_are_read(seen: Path) -> None:
    simulator = make_simulator(str(ROOT / "examples/gem5/gem5.toml"), cache=False)
    result = simulator.evaluate(simulator.space.encode({"cpu": "MINOR", "l1d_kib": 16, "l2_kib": 128}))
    assert result.row(0) == {"latency_ns": pytest.approx(427_000), "instructions": 2_101_234, "cache_kib": 152}, result.reasons
    script = seen.read_text()
    compile(script, "board.py", "exec")
    assert "CPUTypes.MINOR" in script and 'l1d_size="16KiB", l1i_size="8KiB", l2_size="128KiB"' in script
    assert f'local_path="{ROOT / "examples/gem5/matmul"}"' in script


def test_caches_of_gem5_that_are_too_large_for_the_second_level_are_invalid() -> None:
    simulator = make_simulator(str(ROOT / "examples/gem5/gem5.toml"), cache=False)
    result = simulator.evaluate(simulator.space.encode({"l1d_kib": 64, "l2_kib": 64}))
    assert result.violation[0] == 2 * (64 + 8) - 64 and "at least twice the first" in result.reasons[0]
