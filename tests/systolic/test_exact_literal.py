"""The exact mode and the replay line by line agree on random layers and designs."""

from __future__ import annotations

import pytest
from exact_rows import Row, column_wise, different, rows
from hypothesis import HealthCheck, given, settings

from simulators.systolic import reference

RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


def check(row: Row) -> None:
    columns = column_wise([row])
    wrong = different(reference.predict(columns), reference.predict(columns, engine="literal"))
    assert not wrong, (row, wrong)


@given(rows())
@settings(RELAXED, max_examples=150)
def test_random_layers(row: Row) -> None:
    check(row)


@pytest.mark.slow
@given(rows(most_words=60_000))
@settings(RELAXED, max_examples=2_000)
def test_many_random_layers(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("dataflow", ["os", "ws", "is"])
@pytest.mark.parametrize("array", [(1, 1), (1, 6), (6, 1), (2, 9), (9, 2), (40, 40)])
@pytest.mark.parametrize("mode", ["CALC", "USER"])
def test_odd_arrays_with_thrashing_buffers(dataflow: str, array: tuple[int, int], mode: str) -> None:
    """Windows that overlap, an edge beyond the input, operands several times as large as the buffers."""
    sizes = {"ifmap_h": 12, "ifmap_w": 13, "filter_h": 3, "filter_w": 2, "channels": 12, "num_filters": 14, "stride": 2}
    buffers = dict.fromkeys(reference.KILOBYTES, 1)
    check(
        {
            **sizes,
            **buffers,
            "array_h": array[0],
            "array_w": array[1],
            "dataflow": dataflow,
            "bw_mode": mode,
            "bw_ifmap": 3,
            "bw_filter": 5,
            "bw_ofmap": 1,
        }
    )


def test_a_read_that_is_late_on_the_last_line_is_a_stall_but_not_in_the_total() -> None:
    row = {
        **{"ifmap_h": 14, "ifmap_w": 4, "filter_h": 2, "filter_w": 2, "channels": 4, "num_filters": 20, "stride": 1},
        **dict.fromkeys(reference.KILOBYTES, 1),
        **{"array_h": 1, "array_w": 1, "dataflow": "ws", "bw_mode": "USER", "bw_ifmap": 1, "bw_filter": 2, "bw_ofmap": 3},
    }
    found = reference.predict(column_wise([row]))
    assert found["total_cycles"][0] < found["compute_cycles"][0] - 1 + found["stall_cycles"][0]
    check(row)
