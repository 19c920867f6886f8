"""Described simulators on a Ray cluster: the same figures as here, also when workers and whole nodes die."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import build, running

from archgym import Evaluator, make_objective, search
from archgym.errors import ArchGymError, ArgumentError
from archgym.trials import read_manifest

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow

WAITING = """
echo "$1 $$" >> {folder}/begun
while [ ! -e {folder}/go ]; do sleep 0.05; done
echo "latency $(($1 * 10))"
"""
PATIENCE = 120.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without cores and two nodes with one each, of which one has a licence too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        import ray
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        made.add_node(num_cpus=1, resources={"licence": 1})
        made.add_node(num_cpus=1)
        yield made
        ray.shutdown()  # of simulators that were not closed
        made.shutdown()


def wait_until(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.05)
    return False


def begun(folder: Path) -> list[list[int]]:
    """Sizes and process numbers of the programs that were begun."""
    file = folder / "begun"
    return [[int(word) for word in line.split()] for line in file.read_text().splitlines()] if file.exists() else []


def in_background(simulator: Any, sizes: list[int]) -> tuple[threading.Thread, list[Any]]:
    """Evaluates designs by an evaluator in another thread; the list gets their latencies."""
    found: list[Any] = []
    door = Evaluator(simulator, make_objective("latency_ns", simulator))
    designs = np.array([[size - 1] for size in sizes], np.int32)
    thread = threading.Thread(target=lambda: found.append(door.evaluate(designs)[0]))
    thread.start()
    return thread, found


def test_the_same_figures_as_on_this_machine(cluster: Any, tmp_path: Path) -> None:
    simulator = build(tmp_path, "[ $1 = 3 ] && exit 7\necho latency $1", arguments={"ray": cluster.address})
    assert simulator.lanes == 2 and "ray" not in simulator.arguments
    designs = np.arange(8, dtype=np.int32)[:, None]
    here = build(tmp_path, "[ $1 = 3 ] && exit 7\necho latency $1").evaluate(designs)
    there = Evaluator(simulator, make_objective("latency_ns", simulator)).evaluate(designs)[0]
    assert np.array_equal(here["latency_ns"], there["latency_ns"], equal_nan=True)
    assert there.reasons == here.reasons and "exited with 7" in there.reasons[2]
    result = search("random_walk", simulator, budget=12, log=tmp_path / "run")
    assert result.trials == 12 and read_manifest(tmp_path / "run")["in_flight"] == 2
    simulator.close()


def test_resources_decide_how_many_run_at_once(cluster: Any, tmp_path: Path) -> None:
    run = "resources = {licence = 1}\ncpus = 0.5"
    simulator = build(tmp_path / "one", run=run, arguments={"ray": cluster.address})
    assert simulator.lanes == 1 and simulator.evaluate([[4]])["latency_ns"].tolist() == [50]
    halves = build(tmp_path / "halves", run="cpus = 0.5", arguments={"ray": cluster.address})
    assert halves.lanes == 4
    assert build(tmp_path / "said", run=run, arguments={"ray": cluster.address, "jobs": 3}).lanes == 3
    with pytest.raises(ArgumentError, match=r"needs CPU 4, and no node of the Ray cluster .* has that: .*licence 1"):
        build(tmp_path / "large", run="cpus = 4", arguments={"ray": cluster.address})
    halves.close()
    assert simulator.evaluate([[2]])["latency_ns"].tolist() == [30]  # it connects again


def test_a_worker_that_dies_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    simulator = build(tmp_path, WAITING.format(folder=tmp_path), arguments={"ray": cluster.address})
    thread, found = in_background(simulator, [5, 6])
    assert wait_until(lambda: len(begun(tmp_path)) == 2)
    (size, program), _ = begun(tmp_path)
    lane = parent(program)
    os.kill(parent(lane), signal.SIGKILL)  # the Ray worker; its lane and the program end with it
    assert wait_until(lambda: not alive(program) and not alive(lane))
    assert wait_until(lambda: [begun_size for begun_size, _ in begun(tmp_path)].count(size) == 2)
    (tmp_path / "go").touch()
    thread.join(PATIENCE)
    assert found[0]["latency_ns"].tolist() == [50, 60]
    simulator.close()


def test_a_node_that_dies_costs_nothing(cluster: Any, tmp_path: Path) -> None:
    simulator = build(tmp_path, WAITING.format(folder=tmp_path), arguments={"ray": cluster.address})
    thread, found = in_background(simulator, [3, 4])
    assert wait_until(lambda: len(begun(tmp_path)) == 2)
    node = cluster.list_all_nodes()[-1]
    cluster.remove_node(node, allow_graceful=False)
    (tmp_path / "go").touch()
    thread.join(PATIENCE)
    assert found[0]["latency_ns"].tolist() == [30, 40] and len(begun(tmp_path)) == 3
    cluster.add_node(num_cpus=1)
    simulator.close()


def test_closing_ends_the_programs_on_the_nodes(cluster: Any, tmp_path: Path) -> None:
    simulator = build(tmp_path, WAITING.format(folder=tmp_path), arguments={"ray": cluster.address})
    door = Evaluator(simulator, make_objective("latency_ns", simulator))
    door.submit(np.array([[0], [1], [2]], np.int32))
    assert wait_until(lambda: len(begun(tmp_path)) == 2)
    door.close()
    assert wait_until(lambda: not any(alive(program) for _, program in begun(tmp_path)))
    assert len(begun(tmp_path)) == 2 and not [t for t in threading.enumerate() if t.name == "archgym-lane"]


def test_a_cluster_on_this_machine_ends_with_the_run(tmp_path: Path) -> None:
    import ray

    ray.shutdown()
    simulator = build(tmp_path, run="resources = {licence = 1}", arguments={"ray": "local", "jobs": 2})
    assert simulator.lanes == 2 and ray.is_initialized()
    assert search("genetic", simulator, budget=6).counts["OK"] == 6 and not ray.is_initialized()


def test_no_cluster_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchGymError, match="no Ray cluster answers"):
        build(tmp_path, arguments={"ray": "127.0.0.1:1"})
    assert not running("no-such-program")


def parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
