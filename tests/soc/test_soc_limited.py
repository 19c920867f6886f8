"""ArchGym's encoding, and the rules that its designs break."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from archgym import Status
from archgym.errors import WorkloadError
from simulators.soc import SoC, graph, reference
from simulators.soc.library import load_library
from simulators.soc.limited import Limited

TABLE = Path(__file__).parents[2] / "experiments" / "reference" / "farsi_dev.parquet"
COLUMNS = ("pe", "mem", "bus", "pe_bus", "bus_bus", "bus_mem", "t_pe", "t_mem")
SIZES = {"edge_detection": (34, 1.5599609344268698e17), "hpvm_cava": (36, 1.4039648409841828e18)} | {
    "audio_decoder": (54, 5.439247452328993e26)
}


@pytest.fixture(scope="module", params=sorted(SIZES))
def soc(request: pytest.FixtureRequest) -> SoC:
    return SoC(request.param, space="limited")


def genes(workload: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Levels of all limited rows of the table, and the rows."""
    table = pq.read_table(TABLE)
    rows = {name: table[name].to_numpy() for name in table.column_names}
    chosen = (rows["workload"] == workload) & (rows["space"] != "wide")
    rows = {name: column[chosen] for name, column in rows.items()}
    designs = np.array([[gene for name in COLUMNS for gene in json.loads(rows[name][i])] for i in range(chosen.sum())])
    designs[:, 12:18] += 1  # level 0 is -1, none
    return designs, rows


def design(soc: SoC, **values: object) -> np.ndarray:
    """The default design but for some parameters."""
    return soc.space.encode({**soc.space.describe(soc.space.default), **values})


def test_size_is_archgyms(soc: SoC) -> None:
    genes, size = SIZES[soc.workload]
    assert soc.space.dimensions == genes
    assert float(soc.space.size) == pytest.approx(size, rel=1e-12)
    assert set(soc.space.groups) == {"processing", "memory", "interconnect", "mapping"}


def test_designs_are_those_of_the_table(soc: SoC) -> None:
    designs, rows = genes(soc.workload)
    metrics, predicted = soc.evaluate(designs), reference.predict(rows)
    np.testing.assert_array_equal(metrics.ok, predicted["valid"])
    np.testing.assert_allclose(metrics["latency_ms"], predicted["latency"] * 1e3, rtol=1e-14)
    np.testing.assert_allclose(metrics["area_mm2"], predicted["area"] * 1e6, rtol=1e-14)
    for i in range(0, len(designs), 50):
        first = json.loads(rows["pe_names"][i])[0]
        assert first.startswith(soc.space.describe(designs[i])["pe0"])


def test_every_level_is_reachable(soc: SoC) -> None:
    designs, rows = genes(soc.workload)
    valid = designs[rows["valid"] & (rows["precheck"] == "ok")]
    for column, parameter in enumerate(soc.space.parameters):
        own = {f"bus{bus}_link": bus for bus in range(3)}.get(parameter.name)  # a bus linked to itself: there to be avoided
        assert {parameter.values[level] for level in valid[:, column]} == set(parameter.values) - {own}, parameter.name


def test_share_of_valid_designs_is_archgyms(soc: SoC) -> None:
    expected = {"edge_detection": 0.0042, "hpvm_cava": 0.0038, "audio_decoder": 0.0032}[soc.workload]
    found = sum(int(soc.evaluate(soc.space.sample(20_000, seed)).ok.sum()) for seed in range(5))
    assert abs(found - 100_000 * expected) < 5 * np.sqrt(100_000 * expected)


def test_every_invalid_design_says_why(soc: SoC) -> None:
    metrics = soc.evaluate(soc.space.sample(3_000, 0))
    invalid = np.flatnonzero(metrics.status == Status.INVALID)
    assert len(invalid) > 2_900 and (metrics.violation[invalid] > 0).all()
    rules = {metrics.reasons[int(row)].partition(":")[0] for row in invalid}
    assert {"bus_self", "memory_buses", "task_pe", "memory_unreachable"} <= rules
    assert (metrics.violation[metrics.ok] == 0).all() and not set(metrics.reasons) & set(np.flatnonzero(metrics.ok).tolist())


@pytest.mark.parametrize(
    ("values", "reason", "violation"),
    [
        ({"bus1_link": 1}, "bus_self: bus 1 is linked to itself", 1),
        ({"bus1_link": 1, "bus2_link": 2}, "bus_self: bus 1 is linked to itself", 2),
        ({"bus1_mem": 0}, "memory_buses: memory 0 hangs on more than one bus", 1),
        ({"bus1_mem": 0, "bus2_mem": 0}, "memory_buses: memory 0 hangs on more than one bus", 2),
        ({"pe1": "scale_fxp_cloned", "task2_pe": 1}, "task_pe: processing element 1 cannot run demosaic_fxp_cloned", 1),
        ({"task3_mem": 2}, "memory_unreachable: memory 2, to which denoise_fxp_cloned is mapped, has no connection", 1),
        ({"task3_pe": 1, "pe1_bus": 1}, "pe_unreachable: processing element 1, which runs denoise_fxp_cloned", 1),
        ({"task3_pe": 1, "pe1_bus": 1, "bus2_link": 2}, "bus_self: bus 2", 2),
    ],
)
def test_reasons_name_rule_and_block(values: dict[str, object], reason: str, violation: float) -> None:
    soc = SoC("hpvm_cava", space="limited")
    metrics = soc.evaluate(design(soc, **values))
    assert metrics.status[0] == Status.INVALID
    assert reason in metrics.reasons[0]
    assert metrics.violation[0] == violation


def test_an_idle_first_processing_element_may_be_cut_off() -> None:
    soc = SoC("hpvm_cava", space="limited")
    moved = {f"task{task}_{what}": 1 for task in range(9) for what in ("pe", "mem")}
    metrics = soc.evaluate(design(soc, **moved, pe1_bus=1, bus1_mem=1, bus1_link=0))
    assert metrics.reasons[0].startswith("cut_off: processing element 0 runs no task, and no data links its bus 0")
    assert metrics.violation[0] == 9
    assert soc.evaluate(design(soc, **moved, pe1_bus=0, bus1_mem=1, bus1_link=0)).ok[0]


def test_mending_one_thing_lessens_the_violation(soc: SoC) -> None:
    """From most invalid designs some single change leads towards validity, so that a greedy search gets there."""
    rng = np.random.default_rng(1)
    designs = soc.space.sample(20, 3)
    for _ in range(60):
        violation = soc.evaluate(designs).violation
        for row in np.flatnonzero(violation > 0):
            near = np.repeat(designs[row : row + 1], 64, axis=0)
            columns = rng.integers(0, soc.space.dimensions, 64)
            near[np.arange(64), columns] = rng.integers(0, soc.space.nvec[columns])
            designs[row] = near[soc.evaluate(near).violation.argmin()]
    assert (soc.evaluate(designs).violation == 0).mean() >= 0.9


def test_a_graph_without_accelerators_has_no_limited_encoding() -> None:
    bare = {"name": "bare", "tasks": [{"name": "a", "role": "source"}, {"name": "b", "instructions": 9}]}
    made = graph.from_content({**bare, "edges": [["a", "b", 5]], "last": "b"}, "bare.json")
    with pytest.raises(WorkloadError, match="bare: the limited encoding offers one accelerator"):
        Limited(made, load_library())
