"""Every measured row of the reference program, through ``predict``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from exact_rows import column_wise, different, measured

from archgym.errors import UnknownNameError, WorkloadError
from simulators.systolic import reference

ROWS = measured()
COUNT = len(ROWS["stride"])


def only(chosen: np.ndarray | slice) -> dict[str, np.ndarray]:
    return {name: column[chosen] for name, column in ROWS.items()}


def sram_accesses() -> np.ndarray:
    return sum(ROWS[f"sram_{operand}_n"] for operand in ("ifmap", "filter", "ofmap"))


def test_all_rows() -> None:
    found = reference.predict(ROWS)
    assert COUNT == 562 and set(found) == set(reference.OUTPUTS)
    assert not different(found, ROWS)


def test_rows_of_few_words_with_the_literal_engine() -> None:
    chosen = sram_accesses() < 6_000
    assert chosen.sum() > 100
    assert not different(reference.predict(only(chosen), engine="literal"), only(chosen))


@pytest.mark.slow
def test_rows_of_more_words_with_the_literal_engine() -> None:
    chosen = (sram_accesses() >= 6_000) & (sram_accesses() < 500_000)
    assert not different(reference.predict(only(chosen), engine="literal"), only(chosen))


def test_types_and_order_of_columns() -> None:
    found = reference.predict(only(slice(3)))
    assert tuple(found) == reference.OUTPUTS
    for name, column in found.items():
        assert column.dtype == (np.float64 if name in reference.RATIOS else np.int64)


def test_the_order_of_rows_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(COUNT)[:80]
    found = reference.predict(only(order))
    assert not different(found, only(order))


def test_rows_may_be_plain_lists_and_none() -> None:
    rows: dict[str, Any] = {name: ROWS[name][:1].tolist() for name in reference.INPUTS}
    assert not different(reference.predict(rows), only(slice(1)))
    empty = reference.predict({name: [] for name in reference.INPUTS})
    assert [len(empty[name]) for name in reference.OUTPUTS] == [0] * len(reference.OUTPUTS)


def test_calc_does_not_look_at_bandwidths() -> None:
    rows = only(ROWS["bw_mode"] == "CALC")
    for name in reference.BANDWIDTHS:
        rows[name] = np.full(len(rows["stride"]), np.nan)
    assert not different(reference.predict(rows), rows)


def one(**changes: Any) -> dict[str, np.ndarray]:
    row = {name: ROWS[name][0] for name in reference.INPUTS}
    return column_wise([{**row, **changes}])


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dataflow": "rs"}, UnknownNameError, "no dataflow named 'rs'"),
        ({"bw_mode": "CALK"}, UnknownNameError, "Did you mean 'CALC'"),
        ({"stride": 0}, WorkloadError, "stride must be whole numbers from 1 on, row 0 has 0"),
        ({"channels": 1.5}, WorkloadError, "channels must be whole numbers"),
        ({"array_h": "x"}, WorkloadError, "array_h must be whole numbers"),
        ({"filter_h": 10_000}, WorkloadError, "row 0: the filter is larger than the input along h"),
    ],
)
def test_wrong_values_are_named(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        reference.predict(one(**changes))


@pytest.mark.parametrize("engine", sorted(reference.ENGINES))
def test_a_layer_without_cycles_is_refused(engine: str) -> None:
    sizes = dict.fromkeys(("ifmap_h", "ifmap_w", "filter_h", "filter_w", "channels", "num_filters", "array_h", "array_w"), 1)
    with pytest.raises(WorkloadError, match="takes no cycles"):
        reference.predict(one(**sizes, dataflow="os"), engine=engine)


def test_wrong_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="missing: stride"):
        reference.predict({name: column for name, column in ROWS.items() if name != "stride"})
    with pytest.raises(ValueError, match="one shape"):
        reference.predict({**one(), "stride": [1, 2]})
    with pytest.raises(UnknownNameError, match="no engine named"):
        reference.predict(one(), engine="slow")
