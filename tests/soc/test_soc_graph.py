"""Task graphs from JSON, and the library."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from platforms import LIBRARY, content, problem, working

from archgym import Status, make_simulator
from archgym.errors import UnknownNameError, WorkloadError
from simulators.soc import graph, model
from simulators.soc.layout import AREA, ENDLESS, LATENCY, MAPPING, MEMORY_KIND, OK, TABLE, platform_size
from simulators.soc.library import load_library
from simulators.soc.problem import bus_kind, make_problem, memory_kind, pe_kind

CAMERA: dict[str, Any] = {
    "name": "camera",
    "tasks": [
        {"name": "start", "role": "source"},
        {"name": "filter", "instructions": 4_000_000},
        {"name": "merge", "instructions": 1_000_000},
        {"name": "stop", "role": "sink"},
    ],
    "accelerators": [{"task": "filter", "cycles": 100_000, "energy_fj": 50, "area_um2": 9_000, "loop_iterations": 16}],
    "edges": [["start", "filter", 65_536], ["filter", "merge", 4_096], ["merge", "stop", 1]],
    "last": "merge",
}


def changed(*path: object, to: object) -> dict[str, Any]:
    """The camera graph with one entry changed."""
    made = copy.deepcopy(CAMERA)
    entry: Any = made
    for key in path[:-1]:
        entry = entry[key]
    entry[path[-1]] = to
    return made


def test_a_users_graph_is_a_workload(tmp_path: Path) -> None:
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(CAMERA))
    soc = make_simulator("soc", workload=str(path), space="limited")
    assert soc.workload == "camera" and soc.space.dimensions == 18 + 2 * 4
    metrics = soc.evaluate(soc.space.default)
    # One A53 at 2e9 instructions/s; the narrowest DRAM moves 65,536 bytes in 0.16 ms, less than filtering takes.
    assert metrics["latency_ms"][0] == pytest.approx(2.0 + 0.5, rel=1e-12)
    assert soc.workload_digest != make_simulator("soc", workload="edge_detection", space="limited").workload_digest


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([], "an object with the keys"),
        ({"name": "x"}, "the key 'tasks'"),
        (changed("colour", to=1), r"no other keys than those of a graph, got \['colour'\]"),
        (changed("tasks", 1, to={"name": "start", "instructions": 1}), "tasks with different names"),
        (changed("tasks", 1, "instructions", to=0), "task filter: instructions: a number from 1"),
        (changed("tasks", 1, "instructions", to=True), "task filter: instructions"),
        (changed("tasks", 1, "instructions", to=float("nan")), "task filter: instructions"),
        (changed("tasks", 3, "role", to="end"), "task stop: role to be one of source, sink, marker, got 'end'"),
        (changed("tasks", 3, "instructions", to=5), "task stop: no instructions"),
        (changed("tasks", 3, "size", to=5), "task stop: name, role or instructions only"),
        (changed("tasks", 0, to={"instructions": 5}), "each task to have a name"),
        (changed("tasks", 0, to={"name": "start", "instructions": 5}), "the first task, start, to have no work"),
        (changed("accelerators", 0, "task", to="blur"), "accelerator for blur: a task of the graph"),
        (changed("accelerators", 0, "task", to="stop"), "accelerator for stop: a task with work"),
        (changed("accelerators", 0, "cycles", to=-1), "accelerator for filter: cycles"),
        (changed("accelerators", 0, "loop_iterations", to=1.5), "accelerator for filter: a whole number of loop_iterations"),
        (changed("accelerators", to=CAMERA["accelerators"] * 2), "at most one accelerator per task"),
        (changed("accelerators", 0, to={"task": "filter"}), "accelerator for filter: task, cycles"),
        (changed("edges", 0, 1, to="blur"), "edge start -> blur: two tasks of the graph, got 'blur'"),
        (changed("edges", 0, 2, to=0), "edge start -> filter: bytes: a number from 1"),
        (changed("edges", 0, 2, to=2.5), "edge start -> filter: a whole number of bytes"),
        (changed("edges", 0, to=["start", "filter"]), r"each edge as \[producer, consumer, bytes\]"),
        (changed("edges", to=[]), "edges to be a list"),
        (changed("edges", to=[*CAMERA["edges"], ["start", "filter", 7]]), "at most one edge from a task to another"),
        (changed("edges", to=[*CAMERA["edges"], ["stop", "merge", 7]]), "no edge from the sink stop"),
        (changed("edges", to=CAMERA["edges"][1:]), "exactly one task that waits for no other"),
        (changed("last", to="blur"), "last to name a task, got 'blur'"),
        (changed("budget", to={"latency_s": 1}), "a budget of latency_s, power_w, area_m2"),
    ],
)
def test_messages_name_what_is_wrong(made: Any, message: str) -> None:
    with pytest.raises(WorkloadError, match=f"camera.json: expected .*{message}"):
        graph.from_content(made, "camera.json")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=r"nowhere\.json: expected a task graph as JSON"):
        make_simulator("soc", workload=str(tmp_path / "nowhere.json"))
    (tmp_path / "half.json").write_text('{"name": ')
    with pytest.raises(WorkloadError, match=r"half\.json: expected a task graph as JSON"):
        graph.read(tmp_path / "half.json")
    with pytest.raises(UnknownNameError, match="Did you mean 'edge_detection'"):
        make_simulator("soc", workload="edge_detections")


def test_too_large_a_graph_is_refused() -> None:
    made = graph.from_content(content(np.random.default_rng(0), 300, 0), "large.json")
    with pytest.raises(WorkloadError, match="drawn: a graph may have up to 256 tasks and 1024 edges, got 302"):
        make_problem(made, LIBRARY)


def test_a_cycle_is_invalid_and_named(tmp_path: Path) -> None:
    made = changed("edges", to=[*CAMERA["edges"], ["merge", "filter", 10]])
    path = tmp_path / "camera.json"
    path.write_text(json.dumps(made))
    soc = make_simulator("soc", workload=str(path), space="limited")
    metrics = soc.evaluate(soc.space.default)
    assert metrics.status[0] == Status.INVALID and metrics.violation[0] == 3
    assert metrics.reasons[0] == (
        "cycle: tasks wait for each other: filter -> merge -> filter (violation: tasks that never start)"
    )


def test_a_graph_that_is_nothing_but_a_cycle() -> None:
    made = {
        "name": "ring",
        "tasks": [{"name": "a", "instructions": 5}, {"name": "b", "instructions": 5}],
        "edges": [["a", "b", 5], ["b", "a", 5]],
        "last": "b",
    }
    ring = graph.from_content(made, "ring.json")
    assert ring.cycle == ("b", "a", "b") or ring.cycle == ("a", "b", "a")
    of = make_problem(ring, LIBRARY)
    _, fates, _, violations = model.simulate(working(np.random.default_rng(0), of, 4), of)
    assert (fates != OK).all() and (violations == 2).all()


def test_a_task_too_short_for_the_clock_is_a_failure_not_a_hang() -> None:
    made = copy.deepcopy(CAMERA)
    made["tasks"][1]["instructions"], made["tasks"][2]["instructions"] = 10**18, 1
    made["edges"][1][2] = 1
    of = make_problem(graph.from_content(made, "camera.json"), LIBRARY)
    platform = np.full((1, platform_size(4)), -1, np.int32)
    platform[0, [0, MEMORY_KIND, 14, 18, 26]] = 0
    platform[0, MAPPING:] = 0
    outcomes, fates, _, _ = model.simulate(platform, of)
    assert fates[0] == ENDLESS and np.isnan(outcomes).all()


def test_a_memory_beyond_the_tables_is_invalid() -> None:
    made = changed("edges", 0, 2, to=10**8)
    of = make_problem(graph.from_content(made, "camera.json"), LIBRARY)
    rows = working(np.random.default_rng(0), of, 4)
    _, fates, places, violations = model.simulate(rows, of)
    assert (fates == TABLE).all()
    np.testing.assert_array_equal(places, rows[:, MAPPING + of.tasks])
    assert violations == pytest.approx(10**8 / 52_480_000 - 1, rel=0.1)


def test_several_last_tasks_end_the_run_together() -> None:
    both = make_problem(graph.from_content(changed("last", to=["filter", "merge"]), "camera.json"), LIBRARY)
    one = make_problem(graph.from_content(CAMERA, "camera.json"), LIBRARY)
    rows = working(np.random.default_rng(0), one, 8)
    np.testing.assert_array_equal(model.simulate(rows, both)[0], model.simulate(rows, one)[0])


def test_a_graphs_digest_is_that_of_its_content() -> None:
    made = [graph.from_content(each, "x") for each in (CAMERA, changed("edges", 0, 2, to=65_537), CAMERA)]
    assert made[0].digest == made[2].digest != made[1].digest


def test_the_order_of_edges_counts() -> None:
    first, second = (graph.load("audio_decoder") for _ in range(2))
    assert first.root == "souurce" and first.cycle == () and first == second
    of = problem("audio_decoder")
    assert int(of.graphs["visits"][0]) == len(first.edges) + len(first.tasks) - 1


@pytest.mark.parametrize(
    ("iterations", "unrolls"),
    [(1, (1,)), (4, (1, 2, 4)), (151, (1, 2, 4, 8, 16, 32, 64, 128, 151)), (65_536, tuple(2**i for i in range(17)))],
)
def test_unroll_settings(iterations: int, unrolls: tuple[int, ...]) -> None:
    assert load_library().unrolls(iterations) == unrolls


def test_long_loops_have_seventeen_settings() -> None:
    assert load_library().unrolls(1_638_400) == (*(2**i for i in range(16)), 1_638_400)


def test_memory_tables_have_no_gaps() -> None:
    library = load_library()
    assert library.memories.shape == (2, 3, 205)
    assert (library.memories > 0).all() and (np.diff(library.memories[:, 2]) >= -1e-7).all()
    sram, dram = library.memories[:, :, 0]
    assert dram[:2] == pytest.approx([0.0594652e-9 / 16 * 0.064, 2.46938e-9 / 16 * 0.064], rel=1e-12)
    assert dram[2] == pytest.approx(0.477746e-6 * 0.07, rel=1e-12) and sram[2] > dram[2]


def test_kinds_by_their_settings() -> None:
    workload, library = graph.load("hpvm_cava"), load_library()
    of = problem("hpvm_cava")
    kind = pe_kind(workload, library, "denoise_fxp_cloned", 2, 3)
    assert of.pes[kind, 3] == 3
    assert of.pes[kind, 0] == pytest.approx(8 * 4 * 696_574_288 * 1e8 / 9_876_910, rel=1e-12)
    assert of.memories[memory_kind(library, False, 5, 3)].tolist() == [102.4e9, 0.0]
    assert of.memories[memory_kind(library, True, 0, 0)].tolist() == [0.4e9, 1.0]
    assert of.buses[bus_kind(library, 1, 2)] == 4.8e9
    with pytest.raises(KeyError):
        pe_kind(workload, library, "souurce", 0, 0)


def test_an_a53_that_runs_the_source_only_costs_nothing() -> None:
    of = problem("hpvm_cava")
    (row,) = working(np.random.default_rng(0), of, 1)
    row[[0, 1]] = 0
    row[18 : 18 + 2] = row[18]
    row[MAPPING : MAPPING + of.tasks] = 1
    together = model.simulate(row[None], of)[0]
    row[MAPPING] = row[MAPPING + of.tasks - 1] = 0
    apart = model.simulate(row[None], of)[0]
    assert apart[0, AREA] == together[0, AREA] and apart[0, LATENCY] == together[0, LATENCY]
