"""Every measured row of the reference program, through ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.errors import TraceError, UnknownNameError
from simulators.dram import reference

ROOT = Path(__file__).parents[2]
TRACES = ROOT.parent / "shared" / "reference" / "dram" / "traces"
OWN = "dramsys40_own"
TABLES = sorted((ROOT / "experiments" / "reference").glob("dram*.parquet"), key=lambda path: path.stem)
LITERAL_STEP = 40  # the slow engine checks every so many rows, all of them in the slow tests


def load(path: Path) -> dict[str, np.ndarray]:
    table = pq.read_table(path, columns=[*reference.INPUTS, *reference.OUTPUTS])
    return {name: table[name].to_numpy() for name in table.column_names}


def check(path: Path, engine: str, step: int) -> None:
    if path.stem != OWN and not TRACES.is_dir():
        pytest.skip("the traces of the reference program are not here")
    rows = {name: column[::step] for name, column in load(path).items()}
    predicted = reference.predict(rows, traces=None if path.stem == OWN else TRACES, engine=engine)
    assert set(predicted) == set(reference.OUTPUTS)
    for name in reference.OUTPUTS[1:]:
        wrong = np.flatnonzero(predicted[name] != rows[name])
        assert len(wrong) == 0, f"{name}: {len(wrong)} of {len(rows[name])} rows differ, first {wrong[:5]}"
    # The same decimal number, written with different float expressions by those who normalised the unit.
    np.testing.assert_allclose(predicted["total_time_ns"], rows["total_time_ns"], rtol=1e-14)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_all_rows(path: Path) -> None:
    check(path, reference.DEFAULT_ENGINE, step=1)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_rows_with_the_literal_engine(path: Path) -> None:
    check(path, "literal", LITERAL_STEP)


@pytest.mark.slow
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_all_rows_with_the_literal_engine(path: Path) -> None:
    check(path, "literal", 1)


def some_rows() -> dict[str, np.ndarray]:
    """Rows of all memories, clocks and traces of our own table."""
    rows = load(next(path for path in TABLES if path.stem == OWN))
    return {name: column[::97] for name, column in rows.items()}


def test_the_order_of_rows_does_not_matter() -> None:
    rows = some_rows()
    order = np.random.default_rng(0).permutation(len(rows["mem"]))
    straight = reference.predict(rows)
    shuffled = reference.predict({name: column[order] for name, column in rows.items()})
    for name in reference.OUTPUTS:
        assert (straight[name][order] == shuffled[name]).all()


def test_rows_may_be_plain_lists_and_none() -> None:
    rows: dict[str, Any] = {name: column[:1].tolist() for name, column in some_rows().items()}
    one = reference.predict(rows)
    assert [len(one[name]) for name in reference.OUTPUTS] == [1] * len(reference.OUTPUTS)
    empty = reference.predict({name: [] for name in reference.INPUTS})
    assert [len(empty[name]) for name in reference.OUTPUTS] == [0] * len(reference.OUTPUTS)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("mem", "ddr5", "no memory named 'ddr5'"), ("Arbiter", "Fifoo", "Did you mean 'Fifo'"), ("trace", "nix", "workload")],
)
def test_unknown_names_are_named(column: str, value: str, message: str) -> None:
    rows: dict[str, Any] = {name: values[:1].tolist() for name, values in some_rows().items()}
    with pytest.raises(UnknownNameError, match=message):
        reference.predict({**rows, column: [value]})


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    rows: dict[str, Any] = {name: values[:1].tolist() for name, values in some_rows().items()}
    with pytest.raises(ValueError, match="missing: Arbiter"):
        reference.predict({name: values for name, values in rows.items() if name != "Arbiter"})
    with pytest.raises(ValueError, match="one shape"):
        reference.predict({**rows, "Arbiter": ["Fifo", "Fifo"]})
    with pytest.raises(TraceError, match="found neither"):
        reference.predict(rows, traces=tmp_path)
    with pytest.raises(UnknownNameError, match="no engine named"):
        reference.predict(rows, engine="slow")
