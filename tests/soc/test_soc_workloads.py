"""Workloads by name: together, drawn from a seed, from a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from archgym.errors import UnknownNameError, WorkloadError
from simulators.soc import SoC, graph, synthetic, workloads
from simulators.soc.synthetic import KINDS, generate


def find(name: str) -> graph.Graph:
    return workloads.together(workloads.find(name))


@pytest.mark.parametrize("name", ["audio", "audio_decoder"])
def test_short_names(name: str) -> None:
    assert find(name).name == "audio_decoder"


def test_together_is_both_graphs_with_one_source() -> None:
    both, audio, cava = find("audio+cava"), find("audio"), find("cava")
    assert both.name == "audio_decoder+hpvm_cava"
    assert len(both.tasks) == len(audio.tasks) + len(cava.tasks) - 1
    assert len(both.edges) == len(audio.edges) + len(cava.edges)
    assert len(both.accelerators) == len(audio.accelerators) + len(cava.accelerators)
    assert both.last == ("audio_decoder.dummy_last", "hpvm_cava.descale_fxp_cloned")
    assert both.root == both.tasks[0].name == "source"
    assert len(find("edge + audio + cava").tasks) == 18 + 9 + 8 - 2
    graph.from_content(json.loads(as_json(both)), "round trip")


def as_json(found: graph.Graph) -> str:
    tasks = [
        {"name": task.name, "instructions": task.instructions}
        if task.role == "worker"
        else {"name": task.name, "role": task.role}
        for task in found.tasks
    ]
    content = {"name": found.name, "tasks": tasks, "edges": [list(edge) for edge in found.edges], "last": list(found.last)}
    return json.dumps({**content, "accelerators": [vars(each) for each in found.accelerators]})


def test_a_workload_alone_is_what_its_file_says() -> None:
    assert find("cava") == graph.load("hpvm_cava")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tasks", [5, 6, 17, 100])
def test_drawn_graphs_are_of_their_kind(kind: str, tasks: int) -> None:
    drawn = find(f"{kind}-{tasks}-3")
    workers = [task for task in drawn.tasks if task.role == "worker"]
    assert len(workers) == tasks and drawn.root == "source" and not drawn.cycle
    assert graph.from_content(json.loads(as_json(drawn)), "round trip").edges == drawn.edges
    readers: dict[str, set[str]] = {}
    for source, target, _ in drawn.edges:
        readers.setdefault(source, set()).add(target)
    assert {task.name for task in drawn.tasks} - set(readers) == {"sink"}, "all lead to the sink"
    if kind == "chain":
        assert all(len(found) == 1 for found in readers.values())
    else:
        assert max(len(found) for found in readers.values()) > 1
    if kind == "fork-join":
        waits = [sum(target == task.name for _, target, _ in drawn.edges) for task in workers]
        assert max(waits) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_one_graph(kind: str) -> None:
    assert generate(kind, 30, 1).digest == generate(kind, 30, 1).digest != generate(kind, 30, 2).digest


def test_drawn_graphs_run_everywhere() -> None:
    for seed in range(12):
        soc = SoC(f"{KINDS[seed % 3]}-{5 + 8 * seed}-{seed}")
        metrics = soc.evaluate(soc.space.sample(200, seed))
        assert metrics.ok.all()
        limited = SoC(soc.workload, space="limited")
        assert limited.space.dimensions == 18 + 2 * len(soc.graph.tasks)


def test_all_data_of_a_drawn_graph_fits_into_a_memory() -> None:
    for seed in range(20):
        assert sum(size for *_, size in generate("series-parallel", 100, seed).edges) <= 1.01 * synthetic.MOST_SUM_BYTES


def test_a_file_is_a_workload_alone_and_together(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(as_json(generate("chain", 5, 0)).replace("chain-5-0", "mine"))
    assert SoC(str(path)).workload == "mine"
    assert SoC(f"{path}+audio").workload == "mine+audio_decoder"


@pytest.mark.parametrize("name", ["cola", "chain-x-1", "ring-20-1", ""])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UnknownNameError, match="series-parallel-TASKS-SEED"):
        find(name)


@pytest.mark.parametrize("name", ["chain-4-0", "fork-join-101-0"])
def test_sizes_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(WorkloadError, match="5 to 100 tasks"):
        find(name)


def test_the_same_twice_is_refused() -> None:
    with pytest.raises(WorkloadError, match="different names"):
        find("audio+audio_decoder")


def test_a_circle_cannot_run_together_with_others(tmp_path: Path) -> None:
    path = tmp_path / "circle.json"
    content = json.loads(as_json(generate("chain", 5, 0)))
    content["edges"].append(["t4", "t2", 8])
    path.write_text(json.dumps(content))
    with pytest.raises(WorkloadError, match="t2 -> t3 -> t4 -> t2"):
        find(f"{path}+audio")


def test_nothing_but_names_differs_when_run_together() -> None:
    both = SoC("chain-6-0+chain-6-1")
    alone = SoC("chain-6-1")
    task = both.graph.tasks[-2]
    assert task.name.startswith("chain-6-1.") and task.instructions == alone.graph.tasks[-2].instructions
    assert np.isclose(sum(t.instructions for t in both.graph.tasks), 2 * np.mean([totals(n) for n in (0, 1)]))


def totals(seed: int) -> float:
    return sum(task.instructions for task in generate("chain", 6, seed).tasks)
