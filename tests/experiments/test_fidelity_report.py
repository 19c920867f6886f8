"""The fidelity report counts what differs, and nothing else."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "experiments"))

import fidelity_dram as fidelity
import fidelity_systolic

from simulators.dram import reference
from simulators.systolic import reference as systolic


def rows() -> fidelity.Columns:
    path = fidelity.TABLES / f"{fidelity.OWN}.parquet"
    return {name: column[:300].copy() for name, column in fidelity.read(path).items()}


def test_equal_tables_are_equal() -> None:
    measured = rows()
    lines = list(fidelity.compare(measured, measured, "archgym"))
    assert sum(int(line[4]) for line in lines) == 300
    for line in lines:
        assert line[5:] == ("100 %",) * len(reference.OUTPUTS) + ("0",)


def test_one_wrong_picosecond_is_seen() -> None:
    measured, predicted = rows(), rows()
    predicted["total_time_ps"][0] += 1
    lines = [line for line in fidelity.compare(measured, predicted, "archgym") if line[-1] != "0"]
    (line,) = lines
    assert line[:2] == (measured["mem"][0], measured["trace"][0])
    assert line[6] != "100 %" and line[5] == line[7] == "100 %"


def test_float_noise_is_no_error_and_a_printed_digit_is_one() -> None:
    measured = np.array([125656.384, 1.0, 0.0])
    assert (fidelity.error(measured, measured * (1 + 2.3e-16)) == 0).all()
    assert fidelity.error(measured, measured + 0.001)[0] == pytest.approx(8e-9, rel=0.01)
    assert fidelity.error(measured, measured + 0.01)[2] > 0


def test_a_share_is_not_rounded_up_to_all() -> None:
    equal = np.ones(100_000, bool)
    assert fidelity.share(equal) == "100 %"
    equal[7] = False
    assert fidelity.share(equal) == "99.99 %"


def test_without_the_reference_traces_only_the_own_table_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def predict(measured: fidelity.Columns, traces: Path | None, engine: str) -> fidelity.Columns:
        asked.append((len(measured["mem"]), traces, engine))
        return measured

    monkeypatch.setattr(reference, "predict", predict)
    report = fidelity.measure(argparse.Namespace(traces=None, engine="literal"))
    assert asked == [(2640, None, "literal")]
    assert "2640 rows" in report.markdown()


def systolic_rows() -> fidelity_systolic.Columns:
    table = pq.read_table(fidelity_systolic.TABLE)
    return {name: table[name].to_numpy() for name in table.column_names}


def test_every_column_that_scale_sim_reports_is_compared() -> None:
    compared = [name for columns in fidelity_systolic.GROUPS.values() for name in columns]
    assert sorted(compared) == sorted(systolic.OUTPUTS)


@pytest.mark.parametrize(
    ("column", "group"),
    [("dram_ofmap_stop", "first and last cycles"), ("stall_cycles", "stalls"), ("compute_util", "utilisation")],
)
def test_one_wrong_figure_of_scale_sim_is_seen(column: str, group: str) -> None:
    measured = systolic_rows()
    assert {cell for line in fidelity_systolic.compare(measured, measured) for cell in line[4:-2]} == {"100 %"}
    changed = measured[column].copy()
    changed[0] = changed[0] + 1 if changed.dtype.kind == "i" else changed[0] * (1 + 1e-9)
    lines = list(fidelity_systolic.compare(measured, {**measured, column: changed}))
    (wrong,) = [line for line in lines if line[4:-2] != ("100 %",) * len(fidelity_systolic.GROUPS)]
    assert wrong[:2] == (measured["dataflow"][0], measured["bw_mode"][0])
    assert [name for name, cell in zip(fidelity_systolic.GROUPS, wrong[4:], strict=False) if cell != "100 %"] == [group]
    assert wrong[-2:] == (("1", "0e+00") if changed.dtype.kind == "i" else ("0", "1e-09"))
