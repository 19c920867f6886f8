"""Every measured row of FARSI, through ``predict``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym.errors import DesignError, UnknownNameError
from simulators.soc import graph, model, reference
from simulators.soc.layout import MEMORIES, MEMORY_BUS, MEMORY_KIND
from simulators.soc.library import load_library
from simulators.soc.problem import make_problem

TABLE = Path(__file__).parents[2] / "experiments" / "reference" / "farsi_dev.parquet"
Columns = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def table() -> Columns:
    columns = pq.read_table(TABLE)
    return {name: columns[name].to_numpy() for name in columns.column_names}


@pytest.fixture(scope="module")
def buildable(table: Columns) -> Columns:
    return select(table, table["precheck"] == "ok")


@pytest.fixture(scope="module")
def predicted(buildable: Columns) -> Columns:
    return reference.predict(buildable)


def select(rows: Columns, chosen: Any) -> Columns:
    return {name: column[chosen] for name, column in rows.items()}


@pytest.mark.parametrize("name", [*reference.NUMBERS, "reward_dist"])
def test_all_rows(buildable: Columns, predicted: Columns, name: str) -> None:
    valid = buildable["valid"]
    assert valid.sum() == 1_659
    measured, ours = buildable[name][valid], predicted[name][valid]
    wrong = np.flatnonzero(~(np.abs(ours - measured) <= 1e-12 * np.abs(measured)))
    assert len(wrong) == 0, f"{name}: {len(wrong)} of {len(measured)} rows differ, first {wrong[:5]}"


def test_rows_that_farsi_rejects_are_invalid(buildable: Columns, predicted: Columns) -> None:
    rejected = ~buildable["valid"]
    fault = np.array([error.startswith("KeyError") for error in buildable["error"]])  # a fault of FARSI, see the README
    np.testing.assert_array_equal(predicted["valid"], ~rejected | fault)
    assert rejected.sum() == 38 and fault.sum() == 1
    for name in (*reference.NUMBERS, "reward_dist"):
        assert np.isnan(predicted[name][rejected & ~fault]).all()
    assert all(text is None for name in reference.LISTS for text in predicted[name][rejected & ~fault])


def test_rows_that_break_a_rule_are_invalid(table: Columns) -> None:
    rows = select(table, table["precheck"] != "ok")
    assert len(rows["workload"]) == 51
    assert not reference.predict(rows)["valid"].any()  # FARSI lets four of them through


def test_order_start_and_end_of_every_task(buildable: Columns, predicted: Columns) -> None:
    for row in np.flatnonzero(buildable["valid"]):
        measured, ours = json.loads(buildable["kernels"][row]), json.loads(predicted["kernels"][row])
        assert [entry[0] for entry in ours] == [entry[0] for entry in measured]
        np.testing.assert_allclose(
            [entry[1:] for entry in ours], [entry[1:] for entry in measured], rtol=1e-12, atol=1e-12 * measured[-1][2]
        )


@pytest.mark.parametrize("name", ["phases", "phase_energy"])
def test_every_phase(buildable: Columns, predicted: Columns, name: str) -> None:
    for row in np.flatnonzero(buildable["valid"]):
        measured, ours = json.loads(buildable[name][row]), json.loads(predicted[name][row])
        np.testing.assert_allclose(ours, measured, rtol=0, atol=1e-12 * max(measured))


def test_peak_of_every_memory(buildable: Columns) -> None:
    rows = select(buildable, buildable["valid"])
    for name in graph.names():
        problem = make_problem(graph.load(name), load_library())
        chosen = select(rows, rows["workload"] == name)
        for row, platform in enumerate(reference.platforms(chosen, problem)):
            _, _, work = model.trace(platform, problem)
            blocks = json.loads(chosen["blocks"][row])
            measured = sorted((block[0], block[3]) for block in blocks if block[1] in ("dram", "sram") and block[2])
            names = json.loads(chosen["mem_names"][row])
            used = [m for m in range(MEMORIES) if platform[MEMORY_KIND + m] >= 0 and work["most"][m] >= 0]
            assert all(platform[MEMORY_BUS + m] >= 0 for m in used)
            assert sorted((names[m], int(work["most"][m])) for m in used) == measured


def test_kinds_are_the_librarys(buildable: Columns) -> None:
    """Rates and widths as the names of the blocks say them: NAME_WIDTH_CLOCK."""
    library = load_library()
    for name in graph.names():
        workload = graph.load(name)
        problem, rows = make_problem(workload, library), select(buildable, buildable["workload"] == name)
        tasks = [task.name for task in workload.tasks]
        for row in range(0, len(rows["workload"]), 7):
            for kind, block in zip(json.loads(rows["pe"][row]), json.loads(rows["pe_names"][row]), strict=True):
                task, found, setting = block.removesuffix("_pe").rpartition("_IP0_")
                assert problem.pes[kind, 3] == (tasks.index(task) if found else -1)
                if found:
                    made = next(each for each in workload.accelerators if each.task == task)
                    unroll, clock = map(int, setting.split("_"))
                    work = workload.tasks[tasks.index(task)].instructions
                    assert problem.pes[kind, 0] == pytest.approx(clock * unroll * work * 1e8 / made.cycles, rel=1e-12)
            for kind, block in zip(json.loads(rows["mem"][row]), json.loads(rows["mem_names"][row]), strict=True):
                make, width, clock, _ = block.split("_")
                assert problem.memories[kind].tolist() == [int(clock) * 1e8 * 4 * 2 ** int(width), make == "GMEM"]
            for kind, block in zip(json.loads(rows["bus"][row]), json.loads(rows["bus_names"][row]), strict=True):
                width, clock = map(int, block.split("_")[2:4])
                assert problem.buses[kind] == clock * 1e8 * 4 * 2**width


def test_the_order_of_rows_does_not_matter(buildable: Columns) -> None:
    rows = select(buildable, slice(0, None, 41))
    order = np.random.default_rng(0).permutation(len(rows["workload"]))
    straight, shuffled = reference.predict(rows), reference.predict(select(rows, order))
    for name in reference.OUTPUTS:
        np.testing.assert_array_equal(straight[name][order], shuffled[name])


def test_rows_may_be_lists_and_none(buildable: Columns) -> None:
    inputs = {name: buildable[name][:3] for name in reference.INPUTS}
    lists = {
        name: [json.loads(cell) if isinstance(cell, str) else cell for cell in column]
        if name != "workload"
        else column.tolist()
        for name, column in inputs.items()
    }
    np.testing.assert_array_equal(reference.predict(lists)["latency"], reference.predict(inputs)["latency"])
    assert all(len(column) == 0 for column in reference.predict({name: [] for name in reference.INPUTS}).values())


@pytest.mark.parametrize(
    ("column", "value", "error", "message"),
    [
        ("workload", "hpvm_cave", UnknownNameError, "Did you mean 'hpvm_cava'"),
        ("pe", "[0, 1", DesignError, "row 0, pe: expected a list"),
        ("pe", None, DesignError, "row 0, pe: expected a list"),
        ("pe", "[0, 1, 400]", DesignError, "1 to 8 numbers from 0 to 252"),
        ("pe_bus", "[0, 1, 3]", DesignError, "3 to 3 numbers from 0 to 2"),
        ("t_pe", "[0, 1]", DesignError, "9 to 9 numbers"),
        ("t_mem", [0.5] * 9, DesignError, "whole numbers"),
        ("bus_bus", '["a", 0, 1]', DesignError, "expected a list of whole numbers"),
    ],
)
def test_bad_cells_are_refused(buildable: Columns, column: str, value: object, error: type[Exception], message: str) -> None:
    row = np.flatnonzero((buildable["workload"] == "hpvm_cava") & (buildable["space"] == "limited"))[0]
    cells = {name: [buildable[name][row]] for name in reference.INPUTS}
    with pytest.raises(error, match=message):
        reference.predict({**cells, column: [value]})


def test_wrong_calls_are_refused(buildable: Columns) -> None:
    cells = {name: buildable[name][:2] for name in reference.INPUTS}
    with pytest.raises(ValueError, match="missing: mem"):
        reference.predict({name: column for name, column in cells.items() if name != "mem"})
    with pytest.raises(ValueError, match="of one length"):
        reference.predict({**cells, "pe": cells["pe"][:1]})
