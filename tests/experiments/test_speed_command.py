"""The speed section of described simulators measures what it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import speed_command


def test_a_line_subtracts_the_program_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.001, 0.001, 0.004] * 50)
    monkeypatch.setattr(speed_command, "perf_counter", lambda: next(clock))
    line = speed_command.overhead("silent", speed_command.SILENT, ["/bin/true", "1"], 5)
    assert line == ("silent", *(3 * ["3.00", "2.00"]))


def test_an_ordinary_design_is_read_and_recalled(tmp_path: Path) -> None:
    simulator = speed_command.simulator_of(tmp_path, speed_command.ORDINARY, cache=False)
    assert simulator.evaluate([[6]]).row(0) == {"power_mw": 1.5, "rows": 7.0}
    assert speed_command.recalled(3)[0] == "known to the cache"
    assert all(
        float(cell) > 0 for cell in speed_command.overhead("x", speed_command.ORDINARY, ["/bin/cat", "design.json"], 2)[1:3]
    )


def test_what_is_left_behind_is_seen() -> None:
    before = speed_command.remains()
    extra = speed_command.room() / "extra"
    extra.mkdir()
    with Path("/dev/null").open() as file:
        assert not file.closed
        after = speed_command.remains()
    extra.rmdir()
    assert (after[0] - before[0], after[1] - before[1], after[2] - before[2]) == (0, 1, 1)
    left, processor = speed_command.left_behind(20)
    assert "there are 0 processes, 0 descriptors and 0 files" in left and "in the lane" in processor
