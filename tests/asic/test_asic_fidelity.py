"""Every measured row of MAESTRO, through ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.errors import DesignError, UnknownNameError, WorkloadError
from simulators.asic import reference

TABLE = Path(__file__).parents[2] / "experiments" / "reference" / "maestro_dev.parquet"
EXACT = ("energy_nj", "energy_mac_units")  # the table holds them in full
PRINTED = 5.01e-6  # MAESTRO prints real numbers with six digits: half of the last one, in parts of the first
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def table() -> Columns:
    columns = pq.read_table(TABLE, columns=[*reference.INPUTS, *reference.OUTPUTS, "degenerate"])
    return {name: columns[name].to_numpy() for name in columns.column_names}


def select(rows: Columns, chosen: np.ndarray) -> Columns:
    return {name: column[chosen] for name, column in rows.items()}


def check(rows: Columns, engine: str) -> None:
    predicted = reference.predict(rows, engine=engine)
    assert set(predicted) == set(reference.OUTPUTS)
    for name in reference.OUTPUTS:
        known = ~np.isnan(rows[name].astype(np.float64))  # the energy of the csv file was sampled
        measured, ours = rows[name][known], predicted[name][known]
        if ours.dtype == np.int64:
            wrong = np.flatnonzero(ours != measured)
        else:
            wrong = np.flatnonzero(np.abs(ours - measured) > (1e-12 if name in EXACT else PRINTED) * np.abs(measured))
        assert len(wrong) == 0, f"{name}: {len(wrong)} of {len(measured)} rows differ, first {wrong[:5]}"


def test_all_rows(table: Columns) -> None:
    assert len(table["type"]) == 22_578
    check(select(table, ~table["degenerate"]), "fast")


def test_all_rows_with_the_general_path(table: Columns) -> None:
    check(select(table, ~table["degenerate"]), "general")


def test_all_rows_that_have_a_closed_form(table: Columns) -> None:
    closed = (table["stride"] == 1) | (table["dataflow"] == "dla")
    rows = select(table, closed & ~table["degenerate"])
    assert len(rows["type"]) == 21_069
    check(rows, "closed")


def test_degenerate_rows_are_those_where_a_tile_is_wider_than_the_input(table: Columns) -> None:
    wider = (table["X"] >= 8) & (table["X"] < 7 + table["S"]) & (table["S"] > 1)
    np.testing.assert_array_equal(table["degenerate"], wider & (table["dataflow"] == "shi"))


def test_degenerate_rows_make_sense_here(table: Columns) -> None:
    rows = select(table, table["degenerate"])
    assert (rows["runtime_cycles"] == 0).all() and (rows["macs"] <= 0).all()  # MAESTRO
    ours = reference.predict(rows)
    for name in ("input_l2_write", "filter_l2_write", "output_l2_read", "true_macs"):
        np.testing.assert_array_equal(ours[name], rows[name])
    for name in ("pe_power", "noc_power"):
        np.testing.assert_allclose(ours[name], rows[name], rtol=PRINTED)
    assert (ours["runtime_cycles"] > 0).all()
    assert (ours["macs"] >= ours["true_macs"]).all() and (ours["macs"] <= 2 * ours["true_macs"]).all()
    assert (ours["avg_active_pes"] <= rows["num_pes"]).all()
    general = reference.predict(rows, engine="general")
    for name in reference.OUTPUTS:
        np.testing.assert_array_equal(ours[name], general[name])


def test_the_2019_set_scales_energy_only_by_its_multiply_accumulate(table: Columns) -> None:
    rows = select(table, np.arange(0, 22_578, 997))
    new, old = reference.predict(rows), reference.predict(rows, constants="2019")
    np.testing.assert_allclose(old["energy_nj"], new["energy_nj"] * (0.904 / 0.00023), rtol=1e-12)
    assert (old["area_um2"] > new["area_um2"]).all()
    for name in ("runtime_cycles", "macs", "l2_req_bytes", "avg_noc_bw_req"):
        np.testing.assert_array_equal(old[name], new[name])


def test_the_order_of_rows_does_not_matter(table: Columns) -> None:
    rows = select(table, np.arange(0, 22_578, 401))
    order = np.random.default_rng(0).permutation(len(rows["type"]))
    straight, shuffled = reference.predict(rows), reference.predict(select(rows, order))
    for name in reference.OUTPUTS:
        np.testing.assert_array_equal(straight[name][order], shuffled[name])


def first(table: Columns, dataflow: str, stride: int = 1) -> dict[str, Any]:
    """One row as plain lists."""
    row = np.flatnonzero((table["dataflow"] == dataflow) & (table["stride"] == stride) & (table["type"] == "CONV"))[0]
    return {name: table[name][row : row + 1].tolist() for name in reference.INPUTS}


def test_rows_may_be_plain_lists_and_none(table: Columns) -> None:
    one = reference.predict(first(table, "rs"))
    assert [len(one[name]) for name in reference.OUTPUTS] == [1] * len(reference.OUTPUTS)
    empty = reference.predict({name: [] for name in reference.INPUTS})
    assert [len(empty[name]) for name in reference.OUTPUTS] == [0] * len(reference.OUTPUTS)


@pytest.mark.parametrize(
    ("column", "value", "error", "message"),
    [
        ("dataflow", "tpu", UnknownNameError, "no dataflow named 'tpu'"),
        ("type", "DSCON", UnknownNameError, "Did you mean 'DSCONV'"),
        ("C", 2.5, WorkloadError, "C must be whole numbers"),
        ("C", "many", WorkloadError, "C must be whole numbers"),
        ("K", 0, WorkloadError, "at least 1"),
        ("R", 1_000, WorkloadError, "larger than the input"),
        ("cluster_size", 7, WorkloadError, "got a cluster_size of 7"),
        ("num_pes", 4, WorkloadError, "a unit of 4"),
        ("noc_bw", 0, DesignError, "elements per cycle"),
    ],
)
def test_bad_rows_are_refused(table: Columns, column: str, value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        reference.predict({**first(table, "shi"), column: [value]})


def test_wrong_calls_are_refused(table: Columns) -> None:
    row = first(table, "shi", stride=2)
    with pytest.raises(ValueError, match="missing: R"):
        reference.predict({name: values for name, values in row.items() if name != "R"})
    with pytest.raises(ValueError, match="one shape"):
        reference.predict({**row, "R": [3, 3]})
    with pytest.raises(WorkloadError, match="row 0 has no closed form"):
        reference.predict(row, engine="closed")
    with pytest.raises(UnknownNameError, match="no engine named"):
        reference.predict(row, engine="slow")
    with pytest.raises(UnknownNameError, match="no constant set named"):
        reference.predict(row, constants="2020")
    with pytest.raises(UnknownNameError, match="no mode named"):
        reference.predict(row, mode="cleaner")
